//! A room's settings, people and invitations as pages: every form as a browser sends it.

use reqwest::{Method, Response, StatusCode};
use serde_json::{Value, json};

use crate::house::{House, Person};

const HTML: &str = "text/html,application/xhtml+xml,*/*;q=0.8";

/// What a browser sends of a form on a page of this site.
async fn form(person: &Person, action: &str, fields: &[(&str, &str)]) -> Response {
    let request = person
        .request(Method::POST, action)
        .header("accept", HTML)
        .header("origin", &person.url);
    request.form(fields).send().await.unwrap()
}

/// The page at an address, which must have this status.
async fn page(person: &Person, path: &str, status: u16) -> String {
    let answer = person.get(path, HTML).await;
    assert_eq!(answer.status(), status, "{path}");
    assert!(
        answer.headers()["content-type"]
            .to_str()
            .unwrap()
            .starts_with("text/html"),
        "{path}"
    );
    answer.text().await.unwrap()
}

/// A form was granted, and leads to `place`.
fn leads(answer: &Response, place: &str) {
    assert_eq!(answer.status(), StatusCode::SEE_OTHER);
    assert_eq!(answer.headers()["location"].to_str().unwrap(), place);
}

/// A form was refused: a page with this status that says these words, as an alert.
async fn refused(answer: Response, status: u16, words: &str) -> String {
    assert_eq!(answer.status(), status);
    let html = answer.text().await.unwrap();
    assert!(html.contains(words), "{words}: {html}");
    html
}

async fn data(person: &Person, path: &str) -> Value {
    person
        .get(path, "application/json")
        .await
        .json()
        .await
        .unwrap()
}

/// The first link of an invitation on the page of them.
async fn link(owner: &Person, room: &str) -> String {
    let html = page(owner, &format!("/rooms/{room}/invitations/"), 200).await;
    let code = html
        .split("/invitations/")
        .find(|part| part.len() > 32 && part.as_bytes()[32] == b'/')
        .unwrap();
    format!("/invitations/{}/", &code[..32])
}

/// Lets somebody join by the forms.
async fn join(owner: &Person, room: &str, person: &Person) {
    let path = format!("/rooms/{room}/invitations/");
    leads(
        &form(
            owner,
            &path,
            &[("role", "member"), ("timeout", ""), ("uses", "")],
        )
        .await,
        &path,
    );
    leads(
        &form(person, &link(owner, room).await, &[]).await,
        &format!("/rooms/{room}/"),
    );
}

#[tokio::test]
async fn an_owner_changes_a_room_by_its_form_and_others_read_its_rules() {
    let house = House::new().await;
    let [owner, guest] = [house.guest("owner").await, house.guest("guest").await];
    let room = owner
        .create(json!({"name": "Tea", "public": true}))
        .await
        .id
        .to_string();
    let path = format!("/rooms/{room}/");
    let html = page(&owner, &format!("{path}settings/"), 200).await;
    assert!(
        html.contains("?method=PATCH") && html.contains("value=\"Tea\""),
        "{html}"
    );
    let html = page(&guest, &format!("{path}settings/"), 200).await;
    assert!(
        !html.contains("<form") && html.contains("Shown to everyone"),
        "{html}"
    );
    let patch = format!("{path}?method=PATCH");
    let next = format!("{path}settings/?saved=1");
    let mut fields = vec![
        ("next", next.as_str()),
        ("name", "Green tea"),
        ("description", "Talk of <tea>"),
        ("access", "link"),
        ("timeout", ""),
        ("slow_mode", "5"),
        ("read_only", "false"),
        ("read_only", "true"),
    ];
    leads(&form(&owner, &patch, &fields).await, &next);
    assert!(page(&owner, &next, 200).await.contains("Saved."));
    let seen = data(&guest, &path).await;
    let lives = |room: &Value| (room["expires_at"].clone(), room["last_active_at"].clone());
    assert_eq!(
        (&seen["name"], &seen["description"]),
        (&json!("Green tea"), &json!("Talk of <tea>"))
    );
    assert_eq!(
        (&seen["public"], &seen["read_only"], &seen["slow_mode"]),
        (&json!(false), &json!(true), &json!(5))
    );
    // A box that is not ticked is a no.
    fields.pop();
    fields[4].1 = "30m";
    leads(&form(&owner, &patch, &fields).await, &next);
    let now = data(&guest, &path).await;
    assert!(
        now.get("read_only").is_none() && lives(&now) != lives(&seen),
        "{now}"
    );
    // What is wrong is said at its field, and what was typed is kept.
    let long = "x".repeat(81);
    fields[1].1 = &long;
    fields[3].1 = "private";
    let html = refused(form(&owner, &patch, &fields).await, 422, "name-error").await;
    assert!(
        html.contains(&long) && html.contains("aria-invalid=\"true\""),
        "{html}"
    );
    assert!(html.contains("value=\"private\" checked"), "{html}");
    assert_eq!(data(&guest, &path).await["name"], "Green tea");
    fields[1].1 = "Mine";
    refused(
        form(&guest, &patch, &fields).await,
        403,
        "Only the owner of this room may do that",
    )
    .await;
    refused(
        form(&guest, &format!("{path}?method=DELETE"), &[]).await,
        403,
        "Only the owner",
    )
    .await;
    leads(
        &form(&owner, &format!("{path}?method=DELETE"), &[]).await,
        &path,
    );
    assert!(
        page(&owner, &path, 410)
            .await
            .contains("its owner closed it")
    );
}

#[tokio::test]
async fn people_are_managed_by_forms_as_far_as_each_may() {
    let house = House::new().await;
    let [owner, bob] = [house.member("owner").await, house.member("bob").await];
    let [eve, guest] = [house.guest("eve").await, house.guest("guest").await];
    let room = owner.create(json!({"private": true})).await.id.to_string();
    for person in [&bob, &eve] {
        join(&owner, &room, person).await;
        person.post(&room, "hello").await;
    }
    let path = format!("/rooms/{room}/");
    let people = format!("{path}members/");
    page(&guest, &people, 404).await;
    let members = data(&owner, &people).await;
    let eves = members
        .as_array()
        .unwrap()
        .iter()
        .find(|member| member["username"] == "eve")
        .unwrap();
    let eves = eves["id"].as_str().unwrap().to_owned();
    let html = page(&eve, &people, 200).await;
    assert!(
        html.contains("Leave this room") && !html.contains("Manage") && html.contains("bob"),
        "{html}"
    );

    leads(
        &form(
            &owner,
            &format!("{people}bob/?method=PATCH"),
            &[("role", "moderator")],
        )
        .await,
        &people,
    );
    refused(
        form(
            &owner,
            &format!("{people}bob/?method=PATCH"),
            &[("role", "king")],
        )
        .await,
        422,
        "must be reader",
    )
    .await;
    refused(
        form(&eve, &format!("{people}bob/?method=DELETE"), &[]).await,
        403,
        "Only moderators",
    )
    .await;
    // A moderator mutes, but not who has no lesser role; and takes it back.
    let mute = [
        ("person", eves.as_str()),
        ("timeout", "10m"),
        ("kind", "mute"),
    ];
    leads(
        &form(&bob, &format!("{path}sanctions/"), &mute).await,
        &people,
    );
    let ban = [("person", "owner"), ("timeout", ""), ("kind", "ban")];
    let html = refused(
        form(&bob, &format!("{path}sanctions/"), &ban).await,
        403,
        "no lesser role",
    )
    .await;
    assert!(
        html.contains("role=\"alert\"") && html.contains("muted for another"),
        "the same page: {html}"
    );
    leads(&bob.get(&format!("{path}sanctions/"), HTML).await, &people);
    assert_eq!(eve.try_post(&room, "psst").await.status(), 403);
    leads(
        &form(&bob, &format!("{path}sanctions/{eves}/?method=DELETE"), &[]).await,
        &people,
    );
    refused(
        form(&bob, &format!("{path}sanctions/{eves}/?method=DELETE"), &[]).await,
        404,
        "no such sanction",
    )
    .await;
    eve.post(&room, "thanks").await;
    // No time is for good.
    leads(
        &form(
            &bob,
            &format!("{path}sanctions/"),
            &[mute[0], ("timeout", ""), ("kind", "ban")],
        )
        .await,
        &people,
    );
    assert_eq!(
        data(&bob, &format!("{path}sanctions/")).await[0]["until"],
        Value::Null
    );
    page(&eve, &people, 403).await;
    leads(
        &form(&bob, &format!("{people}{eves}/?method=DELETE"), &[]).await,
        &people,
    );

    // Who was what is said in words, under the names that people write under.
    let html = page(&bob, &people, 200).await;
    let text: String = html
        .split('<')
        .filter_map(|tag| tag.split_once('>'))
        .map(|(_, text)| text)
        .collect();
    for words in [
        "bob muted eve · just now",
        "bob banned eve",
        "bob removed eve",
        "owner made bob a moderator",
    ] {
        assert!(text.contains(words), "{words}: {text}");
    }
    let html = page(&bob, &format!("{path}audit/?before=3"), 200).await;
    assert!(
        html.contains("made an invitation") && !html.contains("banned"),
        "{html}"
    );
    page(&guest, &format!("{path}audit/"), 404).await;

    let handed = form(
        &owner,
        &format!("{people}bob/?method=PATCH"),
        &[("role", "owner")],
    )
    .await;
    leads(&handed, &people);
    assert_eq!(data(&bob, &path).await["role"], "owner");
    leads(
        &form(
            &owner,
            &format!("{people}owner/?method=DELETE"),
            &[("next", "/")],
        )
        .await,
        "/",
    );
    page(&owner, &people, 404).await;
}

#[tokio::test]
async fn the_members_of_an_open_room_are_not_for_everybody() {
    let house = House::new().await;
    let [owner, guest] = [house.guest("owner").await, house.guest("guest").await];
    let room = owner.room().await;
    let html = page(&guest, &format!("/rooms/{room}/members/"), 200).await;
    assert!(
        html.contains("only its moderators see") && !html.contains("Leave"),
        "{html}"
    );
    assert!(
        page(&owner, &format!("/rooms/{room}/members/"), 200)
            .await
            .contains("(you)")
    );
    page(&guest, &format!("/rooms/{room}/invitations/"), 403).await;
    page(&guest, &format!("/rooms/{room}/audit/"), 403).await;
}

#[tokio::test]
async fn a_browser_that_comes_by_an_invitation_is_let_in() {
    let house = House::new().await;
    let owner = house.guest("owner").await;
    let room = owner
        .create(json!({"private": true, "name": "The <den>"}))
        .await
        .id
        .to_string();
    let invitations = format!("/rooms/{room}/invitations/");
    for (wish, words) in [
        ([("uses", "0")], "uses-error"),
        ([("timeout", "soon")], "role=\"alert\""),
    ] {
        refused(form(&owner, &invitations, &wish).await, 422, words).await;
    }
    leads(
        &form(
            &owner,
            &invitations,
            &[("role", "reader"), ("timeout", "1h"), ("uses", "1")],
        )
        .await,
        &invitations,
    );
    let html = page(&owner, &invitations, 200).await;
    let link = link(&owner, &room).await;
    assert!(
        html.contains(&format!("value=\"{}{link}\"", house.url)),
        "{html}"
    );
    // Whoever comes with nothing gets a key with the page, and joins by it.
    let browser = house.person("browser");
    let answer = browser.get(&link, HTML).await;
    let cookie = answer.headers()["set-cookie"]
        .to_str()
        .unwrap()
        .split(';')
        .next()
        .unwrap()
        .to_owned();
    let html = answer.text().await.unwrap();
    assert!(
        cookie.starts_with("guest=")
            && html.contains("The &lt;den&gt;")
            && html.contains("may read there"),
        "{html}"
    );
    let with_cookie = |method: Method, path: &str| {
        browser
            .request(method, path)
            .header("accept", HTML)
            .header("cookie", &cookie)
            .header("origin", &house.url)
    };
    assert!(
        with_cookie(Method::GET, &link)
            .send()
            .await
            .unwrap()
            .headers()
            .get("set-cookie")
            .is_none()
    );
    let none: [(&str, &str); 0] = [];
    leads(
        &with_cookie(Method::POST, &link)
            .form(&none)
            .send()
            .await
            .unwrap(),
        &format!("/rooms/{room}/"),
    );
    let seen = with_cookie(Method::GET, &format!("/rooms/{room}/"))
        .send()
        .await
        .unwrap();
    assert_eq!(seen.status(), StatusCode::OK);
    // It was for one.
    assert!(page(&browser, &link, 404).await.contains("not good"));
    refused(
        form(&house.guest("late").await, &link, &[]).await,
        404,
        "Ask whoever sent it",
    )
    .await;
    refused(
        form(&browser, "/invitations/nonsense/", &[]).await,
        404,
        "not good",
    )
    .await;
    // One that is taken back is none.
    leads(
        &form(
            &owner,
            &invitations,
            &[("role", "member"), ("timeout", ""), ("uses", "")],
        )
        .await,
        &invitations,
    );
    let second = self::link(&owner, &room).await;
    let code = second.trim_end_matches('/').rsplit('/').next().unwrap();
    leads(
        &form(&owner, &format!("{invitations}{code}/?method=DELETE"), &[]).await,
        &invitations,
    );
    page(&browser, &second, 404).await;
    refused(
        form(&owner, &format!("{invitations}{code}/?method=DELETE"), &[]).await,
        404,
        "no such invitation",
    )
    .await;
}

#[tokio::test]
async fn a_form_of_another_site_changes_nothing_whatever_method_it_means() {
    let house = House::new().await;
    let owner = house.guest("owner").await;
    let room = owner.room().await;
    for action in [
        "?method=DELETE",
        "?method=PATCH",
        "members/x/?method=DELETE",
        "invitations/",
        "sanctions/",
    ] {
        let path = format!("/rooms/{room}/{action}");
        for (name, value) in [
            ("origin", "https://evil.example"),
            ("sec-fetch-site", "cross-site"),
        ] {
            let request = owner
                .request(Method::POST, &path)
                .header("accept", HTML)
                .header(name, value);
            let answer = request.form(&[("name", "evil")]).send().await.unwrap();
            refused(answer, 403, "Pages of another site").await;
        }
    }
    // Only a form means another method than it says.
    let answer = owner
        .request(Method::POST, &format!("/rooms/{room}/?method=DELETE"))
        .json(&json!({}))
        .send()
        .await;
    assert_eq!(answer.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    let text = owner
        .request(Method::POST, &format!("/rooms/{room}/?method=DELETE"))
        .body("a=b")
        .send()
        .await;
    assert_eq!(text.unwrap().status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        data(&owner, &format!("/rooms/{room}/")).await["name"],
        Value::Null
    );
    // Nor does it lead away from this site.
    let away = form(
        &owner,
        &format!("/rooms/{room}/?method=PATCH"),
        &[("next", "//evil.example/"), ("name", "a")],
    )
    .await;
    leads(&away, "/");
}

#[tokio::test]
async fn who_may_come_is_one_choice_of_a_form() {
    let house = House::new().await;
    let owner = house.guest("owner").await;
    for (choice, public, private) in [
        ("link", false, false),
        ("public", true, false),
        ("private", false, true),
    ] {
        let answer = form(
            &owner,
            "/rooms/",
            &[("name", ""), ("timeout", ""), ("access", choice)],
        )
        .await;
        assert_eq!(answer.status(), StatusCode::SEE_OTHER);
        let room = data(&owner, answer.headers()["location"].to_str().unwrap()).await;
        assert_eq!(
            (&room["public"], room["private"] == true),
            (&json!(public), private),
            "{choice}"
        );
    }
    assert_eq!(
        form(&owner, "/rooms/", &[("access", "nobody")])
            .await
            .status(),
        StatusCode::UNPROCESSABLE_ENTITY
    );
}

#[tokio::test]
async fn codes_are_drawn_for_those_who_may_know_the_link() {
    let house = House::new().await;
    let [owner, guest] = [house.guest("owner").await, house.guest("guest").await];
    let room = owner.create(json!({"private": true})).await.id.to_string();
    let path = format!("/rooms/{room}/code.svg");
    let answer = owner.get(&path, "image/*").await;
    assert_eq!(
        (answer.status(), &answer.headers()["content-type"]),
        (StatusCode::OK, &"image/svg+xml".parse().unwrap())
    );
    assert_eq!(answer.headers()["cache-control"], "no-store");
    let here = answer.text().await.unwrap();
    let id = room.parse().ok();
    assert_eq!(
        Some(&here),
        app::qr_code(&format!("{}/rooms/{room}/", house.url), id).as_ref()
    );
    assert_eq!(
        guest.get(&path, "image/*").await.status(),
        StatusCode::NOT_FOUND
    );
    let named = owner
        .request(Method::GET, &path)
        .header("host", "chat.example")
        .send()
        .await
        .unwrap();
    assert_eq!(
        Some(named.text().await.unwrap()),
        app::qr_code(&format!("http://chat.example/rooms/{room}/"), id)
    );
    for wrong in ["a b", "\"><script>", &"x".repeat(4_000)] {
        let answer = owner
            .request(Method::GET, &path)
            .header("host", wrong)
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::BAD_REQUEST, "{wrong}");
    }
    join(&owner, &room, &guest).await;
    assert_eq!(
        guest.get(&path, "image/*").await.text().await.unwrap(),
        here
    );
    let link = link(&owner, &room).await;
    let svg = house
        .person("anyone")
        .get(&format!("{link}code.svg"), "image/*")
        .await
        .text()
        .await
        .unwrap();
    assert_eq!(
        Some(svg),
        app::qr_code(&format!("{}{link}", house.url), None)
    );
    assert_eq!(
        guest
            .get("/invitations/nonsense/code.svg", "image/*")
            .await
            .status(),
        StatusCode::NOT_FOUND
    );
}
