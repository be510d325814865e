//! Order in rooms: who may do what where, and what happens to whom.

use std::collections::BTreeMap;
use std::fmt::Write;

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, Listener, PATIENCE, Person, problem};
use crate::sockets::Socket;

async fn call(person: &Person, method: &str, path: &str, body: Value) -> Response {
    let request = person
        .request(method.parse().unwrap(), path)
        .header("accept", "application/json");
    let request = if body.is_null() {
        request
    } else {
        request.json(&body)
    };
    request.send().await.unwrap()
}

async fn done(answer: Response) -> Value {
    let status = answer.status();
    let text = answer.text().await.unwrap();
    assert!(status.is_success(), "{status} {text}");
    serde_json::from_str(&text).unwrap_or_default()
}

/// The ID of a member by the name that they write under, as the list says.
async fn id_of(owner: &Person, room: &str, role: &str) -> String {
    let members = done(
        call(
            owner,
            "GET",
            &format!("/rooms/{room}/members/"),
            Value::Null,
        )
        .await,
    )
    .await;
    let found = members
        .as_array()
        .unwrap()
        .iter()
        .rfind(|member| member["role"] == role)
        .unwrap();
    found["id"].as_str().unwrap().to_owned()
}

/// Lets somebody join a room by an invitation, and gives them a role.
async fn join(owner: &Person, room: &str, person: &Person, role: &str) {
    let invitation = done(
        call(
            owner,
            "POST",
            &format!("/rooms/{room}/invitations/"),
            json!({}),
        )
        .await,
    )
    .await;
    let path = format!("/invitations/{}/", invitation["code"].as_str().unwrap());
    done(call(person, "POST", &path, Value::Null).await).await;
    if role != "member" {
        let id = id_of(owner, room, "member").await;
        done(
            call(
                owner,
                "PATCH",
                &format!("/rooms/{room}/members/{id}/"),
                json!({"role": role}),
            )
            .await,
        )
        .await;
    }
}

/// What somebody is to a room, the least first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Standing {
    Banned,
    Anyone,
    Guest,
    Account,
    Reader,
    Member,
    Moderator,
    Owner,
    /// Of the server.
    Operator,
    /// Of the message: none of those who try.
    Author,
}

use Standing::{Account, Anyone, Banned, Guest, Moderator, Operator, Owner, Reader};

const STANDINGS: [Standing; 9] = [
    Banned,
    Anyone,
    Guest,
    Account,
    Reader,
    Standing::Member,
    Moderator,
    Owner,
    Operator,
];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Open,
    Private,
    /// A direct chat of the member with somebody else.
    Direct,
}

/// Every operation on a room, with what it is sent, and from which standing on it is allowed in an open and in a private room.
/// `PERSON` is a member, `CODE` an invitation.
fn operations() -> Vec<(&'static str, &'static str, Value, Standing, Standing)> {
    let (nothing, member) = (Value::Null, Standing::Member);
    vec![
        ("GET", "/rooms/ID/", nothing.clone(), Anyone, Reader),
        ("PATCH", "/rooms/ID/", json!({"name": "new"}), Owner, Owner),
        ("DELETE", "/rooms/ID/", nothing.clone(), Owner, Owner),
        (
            "GET",
            "/rooms/ID/messages/",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "POST",
            "/rooms/ID/messages/",
            json!({"username": "mallory", "body": "hi"}),
            Anyone,
            member,
        ),
        (
            "PATCH",
            "/rooms/ID/messages/SEQ/",
            json!({"body": "anew"}),
            Standing::Author,
            Standing::Author,
        ),
        (
            "DELETE",
            "/rooms/ID/messages/SEQ/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "POST",
            "/rooms/ID/typing/",
            json!({"username": "mallory"}),
            Anyone,
            Reader,
        ),
        (
            "POST",
            "/rooms/ID/seen/",
            json!({"seen": 1}),
            Anyone,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/archive.jsonl",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        ("GET", "/rooms/ID/code.svg", nothing.clone(), Anyone, Reader),
        (
            "GET",
            "/rooms/ID/settings/",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        (
            "GET",
            "/rooms/ID/transcript.txt",
            nothing.clone(),
            Anyone,
            Reader,
        ),
        ("GET", "/rooms/ID/socket", nothing.clone(), Anyone, Reader),
        (
            "GET",
            "/rooms/ID/members/",
            nothing.clone(),
            Moderator,
            Reader,
        ),
        (
            "PATCH",
            "/rooms/ID/members/PERSON/",
            json!({"role": "reader"}),
            Owner,
            Owner,
        ),
        (
            "DELETE",
            "/rooms/ID/members/PERSON/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "GET",
            "/rooms/ID/invitations/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "POST",
            "/rooms/ID/invitations/",
            json!({"uses": 1}),
            Moderator,
            Moderator,
        ),
        (
            "DELETE",
            "/rooms/ID/invitations/CODE/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "GET",
            "/rooms/ID/sanctions/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        (
            "POST",
            "/rooms/ID/sanctions/",
            json!({"person": "PERSON", "kind": "mute"}),
            Moderator,
            Moderator,
        ),
        (
            "DELETE",
            "/rooms/ID/sanctions/MUTED/",
            nothing.clone(),
            Moderator,
            Moderator,
        ),
        ("GET", "/rooms/ID/audit/", nothing, Moderator, Moderator),
    ]
}

/// People of each standing, and one more, whom things are done to.
struct Cast {
    people: BTreeMap<Standing, Person>,
    muted: Person,
    friend: Person,
}

impl Cast {
    async fn gather(house: &House) -> Self {
        let mut people = BTreeMap::new();
        for standing in STANDINGS {
            let name = format!("{standing:?}").to_lowercase();
            let person = match standing {
                Anyone => house.person("anyone"),
                Guest | Banned | Moderator | Owner => house.guest(&name).await,
                _ => house.member(&name).await,
            };
            people.insert(standing, person);
        }
        chat::set_operator(&chat::Config::new(house.dir.path()), "operator", true)
            .await
            .unwrap();
        Self {
            people,
            muted: house.guest("muted").await,
            friend: house.member("friend").await,
        }
    }

    /// A direct chat; nobody but its two people has a standing there.
    async fn direct(&self) -> BTreeMap<&'static str, String> {
        let chat = done(
            call(
                &self.people[&Standing::Member],
                "GET",
                "/chats/friend",
                Value::Null,
            )
            .await,
        )
        .await;
        let room = chat["id"].as_str().unwrap().to_owned();
        let said = self.friend.post(&room, "hello").await.id.to_string();
        let (person, code) = ("friend".to_owned(), "0".repeat(32));
        BTreeMap::from([
            ("ID", room),
            ("PERSON", person.clone()),
            ("MUTED", person),
            ("CODE", code),
            ("SEQ", said),
        ])
    }

    /// A room in which each has their standing.
    async fn room(&self, kind: Kind) -> BTreeMap<&'static str, String> {
        let private = match kind {
            Kind::Direct => return self.direct().await,
            kind => kind == Kind::Private,
        };
        let owner = &self.people[&Owner];
        let room = done(call(owner, "POST", "/rooms/", json!({"private": private})).await).await;
        assert_eq!(room["role"], "owner");
        let room = room["id"].as_str().unwrap().to_owned();
        join(owner, &room, &self.people[&Moderator], "moderator").await;
        join(owner, &room, &self.people[&Reader], "reader").await;
        join(owner, &room, &self.people[&Banned], "member").await;
        let banned = json!({"person": id_of(owner, &room, "member").await, "kind": "ban"});
        done(call(owner, "POST", &format!("/rooms/{room}/sanctions/"), banned).await).await;
        let bad = format!(
            "/rooms/{room}/members/{}/",
            id_of(owner, &room, "member").await
        );
        done(call(owner, "PATCH", &bad, json!({"role": "reader"})).await).await;
        join(owner, &room, &self.muted, "member").await;
        let said = self.muted.post(&room, "hello").await.id.to_string();
        let muted = id_of(owner, &room, "member").await;
        done(
            call(
                owner,
                "POST",
                &format!("/rooms/{room}/sanctions/"),
                json!({"person": muted, "kind": "mute"}),
            )
            .await,
        )
        .await;
        join(owner, &room, &self.people[&Standing::Member], "member").await;
        let code = done(
            call(
                owner,
                "POST",
                &format!("/rooms/{room}/invitations/"),
                json!({}),
            )
            .await,
        )
        .await;
        let code = code["code"].as_str().unwrap().to_owned();
        BTreeMap::from([
            ("ID", room),
            ("PERSON", muted.clone()),
            ("MUTED", muted),
            ("CODE", code),
            ("SEQ", said),
        ])
    }
}

fn filled(text: &str, names: &BTreeMap<&str, String>) -> String {
    names.iter().fold(text.to_owned(), |text, (name, value)| {
        text.replace(name, value)
    })
}

/// What the answer must be.
fn expected(standing: Standing, kind: Kind, least: Standing) -> &'static [u16] {
    let hidden = match kind {
        Kind::Open => false,
        Kind::Private => (Anyone..Reader).contains(&standing) || standing == Operator,
        Kind::Direct => standing != Standing::Member,
    };
    match standing {
        _ if hidden => &[404],
        Banned => &[403],
        Reader if least < Reader => &[200, 201, 204, 426],
        standing if standing >= least => &[200, 201, 202, 204, 426],
        _ => &[403],
    }
}

/// The table of `docs/roles.md` is what happens.
#[tokio::test]
async fn everybody_may_do_what_their_role_says_and_nothing_else() {
    let house = House::new().await;
    let cast = Cast::gather(&house).await;
    let standings = STANDINGS.map(|standing| format!("{standing:?}").to_lowercase());
    let mut table = format!(
        "| operation | room | {} |\n| --- | --- |{}\n",
        standings.join(" | "),
        " --- |".repeat(standings.len())
    );
    for (method, path, body, open, private) in operations() {
        // Who belongs to a direct chat is no question.
        let direct = if path.ends_with("/members/") {
            Moderator
        } else {
            private
        };
        for (kind, least) in [
            (Kind::Open, open),
            (Kind::Private, private),
            (Kind::Direct, direct),
        ] {
            let mut row = Vec::new();
            for standing in STANDINGS {
                let names = cast.room(kind).await;
                let person = &cast.people[&standing];
                let mut body: Value =
                    serde_json::from_str(&filled(&body.to_string(), &names)).unwrap();
                if person.token.is_some() && body.get("username").is_some() {
                    body["username"] = json!(person.name);
                }
                let status = call(person, method, &filled(path, &names), body)
                    .await
                    .status()
                    .as_u16();
                // Readers of an open room only read, though all others write.
                let only_reads =
                    standing == Reader && path.ends_with("messages/") && method == "POST";
                let expected = if only_reads && kind != Kind::Direct {
                    &[403]
                } else {
                    expected(standing, kind, least)
                };
                assert!(
                    expected.contains(&status),
                    "{method} {path} {kind:?} {standing:?}: {status}"
                );
                row.push(status.to_string());
            }
            let kind = format!("{kind:?}").to_lowercase();
            writeln!(
                table,
                "| `{method} {path}` | {kind} | {} |",
                row.join(" | ")
            )
            .unwrap();
        }
    }
    let roles = include_str!("../../../docs/roles.md");
    assert!(
        roles.contains(&table),
        "docs/roles.md needs this table:\n{table}"
    );
}

#[tokio::test]
async fn the_matrix_leaves_no_operation_out() {
    let house = House::new().await;
    let document: Value = house
        .person("ada")
        .get("/openapi.json", "*/*")
        .await
        .json()
        .await
        .unwrap();
    let mut described = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        if let Some(rest) = path.strip_prefix("/rooms/{id}/") {
            let shape = rest
                .replace("{person}", "*")
                .replace("{code}", "*")
                .replace("{seq}", "*");
            described.extend(
                item.as_object()
                    .unwrap()
                    .keys()
                    .map(|method| format!("{} {shape}", method.to_uppercase())),
            );
        }
    }
    let walked: Vec<String> = operations()
        .into_iter()
        .map(|(method, path, ..)| {
            let rest = path.strip_prefix("/rooms/ID/").unwrap();
            format!(
                "{method} {}",
                ["PERSON", "MUTED", "CODE", "SEQ"]
                    .iter()
                    .fold(rest.to_owned(), |rest, name| rest.replace(name, "*"))
            )
        })
        .collect();
    described.retain(|operation| !walked.contains(operation));
    assert!(described.is_empty(), "{described:?}");
}

async fn ended(mut stream: Listener) -> bool {
    let end = tokio::time::timeout(PATIENCE, async {
        let mut removed = false;
        while let Some(event) = stream.next().await {
            removed |= event.name == "removed";
        }
        removed
    });
    end.await.expect("the stream goes on")
}

#[tokio::test]
async fn whoever_is_removed_or_banned_hears_nothing_more_under_any_name() {
    let house = House::new().await;
    let [owner, friend] = [house.guest("owner").await, house.member("friend").await];
    for private in [true, false] {
        let room = owner
            .create(json!({"private": private}))
            .await
            .id
            .to_string();
        let mallory = house.guest("mallory").await;
        join(&owner, &room, &friend, "member").await;
        join(&owner, &room, &mallory, "member").await;
        let said = mallory.post(&room, "hello").await;
        let mut friends = friend.follow(&room, "").await;
        friends.next_message().await;
        let one = mallory.follow(&room, "").await;
        let several = Listener::new(
            mallory
                .get(&format!("/stream?rooms={room}"), "text/event-stream")
                .await,
        );
        let mut socket = Socket::of(&mallory, &format!("/rooms/{room}/socket?after=latest"))
            .await
            .unwrap();
        let ban = json!({"message": said.id, "kind": "ban", "timeout": "1h"});
        let banned =
            done(call(&owner, "POST", &format!("/rooms/{room}/sanctions/"), ban).await).await;
        assert!(ended(one).await && ended(several).await);
        assert_eq!(socket.closed().await, 1008);
        owner.post(&room, "order").await;
        assert_eq!(friends.next_message().await.body, "order");
        for name in ["mallory", "somebody else"] {
            let again = Person {
                name: name.to_owned(),
                ..mallory.clone()
            };
            problem(again.try_post(&room, "back").await, 403).await;
        }
        problem(
            mallory
                .get(&format!("/rooms/{room}/messages/"), "text/event-stream")
                .await,
            403,
        )
        .await;
        // It ends with its time, or earlier.
        if private {
            house.clock.advance(std::time::Duration::from_secs(3_600));
        } else {
            let path = format!(
                "/rooms/{room}/sanctions/{}/",
                banned["id"].as_str().unwrap()
            );
            done(call(&owner, "DELETE", &path, Value::Null).await).await;
        }
        mallory.post(&room, "sorry").await;
        // To be removed from a private room is not to know it any longer.
        let stream = mallory.follow(&room, "").await;
        let path = format!("/rooms/{room}/members/{}/", banned["id"].as_str().unwrap());
        done(call(&owner, "DELETE", &path, Value::Null).await).await;
        if private {
            assert!(ended(stream).await);
            problem(
                mallory
                    .get(&format!("/rooms/{room}/"), "application/json")
                    .await,
                404,
            )
            .await;
        }
    }
}

#[tokio::test]
async fn invitations_end_with_their_uses_their_time_and_when_taken_back() {
    let house = House::new().await;
    let owner = house.member("owner").await;
    let room = owner
        .create(json!({"private": true, "name": "Den"}))
        .await
        .id
        .to_string();
    let path = format!("/rooms/{room}/invitations/");
    let invite = async |wish: Value| {
        let made = done(call(&owner, "POST", &path, wish).await).await;
        format!("/invitations/{}/", made["code"].as_str().unwrap())
    };
    let accept = async |link: &str, who: &Person| {
        call(who, "POST", link, Value::Null).await.status().as_u16()
    };
    let anyone = house.person("anyone");
    let once = invite(json!({"uses": 1, "role": "reader"})).await;
    assert_eq!(
        done(call(&anyone, "GET", &once, Value::Null).await).await,
        json!({"name": "Den", "role": "reader"})
    );
    assert_eq!(accept(&once, &anyone).await, 401);
    // Many at once are still one.
    let mut guests = Vec::new();
    for n in 0..8 {
        guests.push(house.guest(&format!("guest {n}")).await);
    }
    let answers =
        futures_util::future::join_all(guests.iter().map(|guest| accept(&once, guest))).await;
    assert_eq!(
        answers.iter().filter(|status| **status == 200).count(),
        1,
        "{answers:?}"
    );
    let short = invite(json!({"timeout": "1h"})).await;
    assert_eq!(accept(&short, &guests[0]).await, 200);
    house.clock.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(accept(&short, &guests[1]).await, 404);
    let taken = invite(json!({})).await;
    let code = taken.trim_end_matches('/').rsplit('/').next().unwrap();
    done(call(&owner, "DELETE", &format!("{path}{code}/"), Value::Null).await).await;
    assert_eq!(accept(&taken, &guests[1]).await, 404);
    for wish in [
        json!({"role": "owner"}),
        json!({"uses": 0}),
        json!({"timeout": "soon"}),
    ] {
        problem(call(&owner, "POST", &path, wish).await, 422).await;
    }
}

#[tokio::test]
async fn whoever_guesses_invitations_waits() {
    let house = House::with(&[], |_| {}).await;
    let guest = house.guest("guest").await;
    let mut refused = None;
    for n in 0..60 {
        let answer = guest
            .get(&format!("/invitations/{n:032x}/"), "application/json")
            .await;
        if answer.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(n);
            break;
        }
        problem(answer, 404).await;
    }
    assert_eq!(refused, Some(50));
}

#[tokio::test]
async fn the_owner_says_what_the_room_is_like() {
    let house = House::new().await;
    let [owner, guest] = [house.guest("owner").await, house.guest("guest").await];
    let room = owner.create(json!({"public": true})).await.id.to_string();
    let path = format!("/rooms/{room}/");
    let change = async |wish: Value| done(call(&owner, "PATCH", &path, wish).await).await;
    let changed =
        change(json!({"name": "Tea", "description": "Talk of tea", "timeout": "30m"})).await;
    assert_eq!(
        (&changed["name"], &changed["description"]),
        (&json!("Tea"), &json!("Talk of tea"))
    );
    change(json!({"read_only": true})).await;
    problem(guest.try_post(&room, "hello").await, 403).await;
    owner.post(&room, "hello").await;
    change(json!({"read_only": false, "slow_mode": 10})).await;
    guest.post(&room, "one").await;
    let answer = guest.try_post(&room, "two").await;
    assert_eq!(answer.headers()["retry-after"], "10");
    problem(answer, 429).await;
    house.clock.advance(std::time::Duration::from_secs(10));
    guest.post(&room, "two").await;
    let stranger = guest.follow(&room, "after=latest").await;
    let changed = change(json!({"private": true, "slow_mode": 0})).await;
    assert_eq!(
        (&changed["private"], &changed["public"]),
        (&json!(true), &json!(false))
    );
    assert!(ended(stranger).await);
    assert_eq!(
        done(guest.get("/rooms/", "application/json").await).await,
        json!([])
    );
    for wish in [
        json!({"name": "x".repeat(81)}),
        json!({"slow_mode": 3_601}),
        json!({"timeout": "1000h"}),
    ] {
        problem(call(&owner, "PATCH", &path, wish).await, 422).await;
    }
    let follow = owner.follow(&room, "after=latest").await;
    assert_eq!(
        call(&owner, "DELETE", &path, Value::Null).await.status(),
        StatusCode::ACCEPTED
    );
    problem(owner.get(&path, "application/json").await, 410).await;
    assert!(
        follow
            .rest()
            .await
            .iter()
            .any(|event| event.name == "closed")
    );
    problem(owner.get(&path, "application/json").await, 410).await;
    assert!(
        house
            .dir
            .path()
            .join(format!("archive/{room}.jsonl"))
            .exists()
    );
}

#[tokio::test]
async fn everybody_sees_what_is_edited_and_deleted_wherever_they_listen() {
    let house = House::new().await;
    let [ada, grace] = [house.guest("ada").await, house.person("grace")];
    let room = ada.room().await;
    ada.post(&room, "helo").await;
    ada.post(&room, "oops").await;
    let mut live = grace.follow(&room, "").await;
    let mut several = Listener::new(
        grace
            .get(&format!("/stream?rooms={room}"), "text/event-stream")
            .await,
    );
    let mut socket = Socket::open(&house, &format!("/rooms/{room}/socket")).await;
    for _ in 0..2 {
        live.next_message().await;
        several.next_message().await;
        socket.next_message().await;
    }
    let path = format!("/rooms/{room}/messages/");
    let edited = done(
        call(
            &ada,
            "PATCH",
            &format!("{path}1/"),
            json!({"body": "hello"}),
        )
        .await,
    )
    .await;
    assert_eq!(edited["body"], "hello");
    let gone = done(call(&ada, "DELETE", &format!("{path}2/"), Value::Null).await).await;
    assert_eq!(
        (&gone["deleted"], &gone["body"]),
        (&json!(true), &json!(""))
    );
    problem(
        call(&grace, "PATCH", &format!("{path}1/"), json!({"body": "no"})).await,
        403,
    )
    .await;
    problem(
        call(&ada, "PATCH", &format!("{path}x/"), json!({"body": "no"})).await,
        404,
    )
    .await;
    for (name, id, message) in [("edit", 3, &edited), ("deletion", 4, &gone)] {
        let expected = json!({"event": name, "id": id, "room": room, "message": message});
        for listener in [&mut live, &mut several] {
            let event = listener.next().await.unwrap();
            assert_eq!(
                (
                    event.name.as_str(),
                    serde_json::from_str::<Value>(&event.data).unwrap()
                ),
                (name, expected.clone())
            );
            assert!(event.id.unwrap().ends_with(&format!(".{id}")));
        }
        assert_eq!(
            serde_json::from_str::<Value>(socket.next().await.to_text().unwrap()).unwrap(),
            expected
        );
    }
    // Who comes later sees how it is now, and a cursor on a change is as good as any.
    let mut late = grace.follow(&room, "").await;
    assert_eq!(
        (
            late.next_message().await.body.as_str(),
            late.next_message().await.deleted
        ),
        ("hello", true)
    );
    let last = (late.next().await.unwrap(), late.next().await.unwrap()).1;
    ada.post(&room, "again").await;
    let mut resumed = grace
        .follow(&room, &format!("last_event_id={}", last.id.unwrap()))
        .await;
    assert_eq!(resumed.next_message().await.id, 5);
    let page: Vec<u64> = grace
        .history(&room, "")
        .await
        .iter()
        .map(|message| message.id)
        .collect();
    assert_eq!(page, [1, 2, 5]);
    // A poll waits for messages, not for changes.
    let poll = tokio::spawn({
        let (grace, path) = (grace.clone(), format!("{path}?after=5&wait=30"));
        async move { done(grace.get(&path, "application/json").await).await }
    });
    done(
        call(
            &ada,
            "PATCH",
            &format!("{path}5/"),
            json!({"body": "once more"}),
        )
        .await,
    )
    .await;
    ada.post(&room, "last").await;
    assert_eq!(poll.await.unwrap()[0]["body"], "last");
}

#[tokio::test]
async fn a_room_is_handed_over_and_what_was_done_is_noted() {
    let house = House::new().await;
    let [owner, heir] = [house.guest("owner").await, house.member("heir").await];
    let room = owner.create(json!({})).await.id.to_string();
    join(&owner, &room, &heir, "member").await;
    done(
        call(
            &owner,
            "PATCH",
            &format!("/rooms/{room}/members/heir/"),
            json!({"role": "owner"}),
        )
        .await,
    )
    .await;
    let role = async |who: &Person| {
        let room = done(
            who.get(&format!("/rooms/{room}/"), "application/json")
                .await,
        )
        .await;
        room["role"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        (role(&owner).await.as_str(), role(&heir).await.as_str()),
        ("moderator", "owner")
    );
    let former = id_of(&heir, &room, "moderator").await;
    problem(
        call(
            &owner,
            "DELETE",
            &format!("/rooms/{room}/members/heir/"),
            Value::Null,
        )
        .await,
        403,
    )
    .await;
    done(
        call(
            &owner,
            "DELETE",
            &format!("/rooms/{room}/members/{former}/"),
            Value::Null,
        )
        .await,
    )
    .await;
    let deeds = done(
        heir.get(&format!("/rooms/{room}/audit/"), "application/json")
            .await,
    )
    .await;
    let deeds: Vec<String> = deeds
        .as_array()
        .unwrap()
        .iter()
        .map(|deed| {
            format!(
                "{} {} {}",
                deed["actor"].as_str().unwrap(),
                deed["deed"].as_str().unwrap(),
                deed["whom"].as_str().unwrap()
            )
        })
        .collect();
    let expected = [
        format!("{former} left {former}"),
        format!("{former} made owner heir"),
        format!("{former} invited member"),
    ];
    assert_eq!(deeds, expected);
}

#[tokio::test]
async fn a_guest_becomes_somebody_with_an_account_and_keeps_what_was_theirs() {
    let house = House::new().await;
    let (guest, account) = (house.guest("guest").await, house.member("account").await);
    let room = guest.create(json!({"private": true})).await.id.to_string();
    let key = guest.token.clone().unwrap();
    for wrong in ["nonsense", account.token.as_ref().unwrap()] {
        problem(
            account
                .post_json("/profile/claim/", json!({"guest": wrong}))
                .await,
            401,
        )
        .await;
    }
    problem(
        guest
            .post_json("/profile/claim/", json!({"guest": key}))
            .await,
        401,
    )
    .await;
    done(
        account
            .post_json("/profile/claim/", json!({"guest": key}))
            .await,
    )
    .await;
    let seen = done(
        account
            .get(&format!("/rooms/{room}/"), "application/json")
            .await,
    )
    .await;
    assert_eq!(seen["role"], "owner");
    problem(
        guest
            .get(&format!("/rooms/{room}/"), "application/json")
            .await,
        404,
    )
    .await;
    // In a browser it happens with signing up.
    let another = house.guest("another").await;
    let room = another
        .create(json!({"private": true}))
        .await
        .id
        .to_string();
    let wish = json!({"name": "Another", "username": "another", "password": "secret"});
    let cookie = format!("guest={}", another.token.unwrap());
    let request = house
        .person("")
        .request(Method::POST, "/register")
        .header("cookie", cookie)
        .json(&wish);
    let token = done(request.send().await.unwrap()).await["content"]["token"]
        .as_str()
        .unwrap()
        .to_owned();
    let another = Person {
        token: Some(token),
        ..house.person("another")
    };
    assert_eq!(
        done(
            another
                .get(&format!("/rooms/{room}/"), "application/json")
                .await
        )
        .await["role"],
        "owner"
    );
}

#[tokio::test]
async fn whoever_deletes_their_account_hears_nothing_more() {
    let house = House::new().await;
    let ada = house.member("ada").await;
    house.member("bob").await;
    let room = done(ada.get("/chats/bob", "application/json").await).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let stream = ada.follow(&room, "").await;
    let mut socket = Socket::of(&ada, "/chats/bob").await.unwrap();
    done(
        ada.post_json("/profile/delete/", json!({"password": "secret"}))
            .await,
    )
    .await;
    assert!(ended(stream).await);
    assert_eq!(socket.closed().await, 1008);
}

#[tokio::test]
async fn an_operator_keeps_order_wherever_everybody_may_come() {
    let house = House::new().await;
    let [boss, guest] = [house.member("boss").await, house.guest("guest").await];
    let open = guest.room().await;
    let private = guest.create(json!({"private": true})).await.id.to_string();
    problem(
        call(
            &boss,
            "PATCH",
            &format!("/rooms/{open}/"),
            json!({"read_only": true}),
        )
        .await,
        403,
    )
    .await;
    let config = chat::Config::new(house.dir.path());
    assert!(chat::set_operator(&config, "nobody", true).await.is_err());
    chat::set_operator(&config, "Boss", true).await.unwrap();
    done(
        call(
            &boss,
            "PATCH",
            &format!("/rooms/{open}/"),
            json!({"read_only": true}),
        )
        .await,
    )
    .await;
    boss.post(&open, "order").await;
    problem(
        boss.get(&format!("/rooms/{private}/"), "application/json")
            .await,
        404,
    )
    .await;
    chat::set_operator(&config, "boss", false).await.unwrap();
    problem(boss.try_post(&open, "order").await, 403).await;
}

#[tokio::test]
async fn a_private_room_needs_somebody_to_own_it() {
    let house = House::new().await;
    problem(
        house
            .person("ada")
            .post_json("/rooms/", json!({"private": true}))
            .await,
        401,
    )
    .await;
    let form = house
        .guest("ada")
        .await
        .request(Method::POST, "/rooms/")
        .form(&[("private", "on")])
        .send()
        .await
        .unwrap();
    assert_eq!(done(form).await["private"], true);
}
