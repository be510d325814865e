//! The lobby, with the plain commands of its own description.

use reqwest::{Method, StatusCode};

use crate::house::{House, Listener, Person, problem};

async fn say(person: &Person, method: Method, path: &str) -> (StatusCode, String) {
    let answer = person.request(method, path).send().await.unwrap();
    (answer.status(), answer.text().await.unwrap())
}

async fn listen(person: &Person, id: &str) -> Listener {
    Listener::new(person.get(&format!("/messages?id={id}"), "*/*").await)
}

async fn line(listener: &mut Listener) -> String {
    listener.next().await.expect("the stream has ended").data
}

#[tokio::test]
async fn people_join_talk_and_leave() {
    let house = House::new().await;
    let curl = house.person("curl");
    assert_eq!(
        say(&curl, Method::POST, "/join?id=A").await,
        (StatusCode::OK, "A joined the chat".to_owned())
    );
    let mut a = listen(&curl, "A").await;
    assert_eq!(
        say(&curl, Method::POST, "/join?id=B").await.1,
        "B joined the chat"
    );
    let mut b = listen(&curl, "B").await;
    assert_eq!(
        say(&curl, Method::POST, "/send?id=A&message=Hi+there")
            .await
            .0,
        StatusCode::OK
    );
    for expected in ["A joined the chat", "B joined the chat", "A: Hi there"] {
        assert_eq!(line(&mut a).await, expected);
    }
    for expected in ["B joined the chat", "A: Hi there"] {
        assert_eq!(
            line(&mut b).await,
            expected,
            "everything since joining, in the same order"
        );
    }
    assert_eq!(
        say(&curl, Method::DELETE, "/leave?id=B").await,
        (StatusCode::OK, "B left the chat".to_owned())
    );
    assert_eq!(line(&mut b).await, "B left the chat");
    assert_eq!(b.next().await, None, "the stream of one who left ends");
    assert_eq!(line(&mut a).await, "B left the chat");
    assert_eq!(
        say(&curl, Method::POST, "/leave?id=A").await.0,
        StatusCode::OK
    );
    assert_eq!(line(&mut a).await, "A left the chat");
    assert_eq!(a.next().await, None);
}

#[tokio::test]
async fn what_cannot_be_done_is_refused() {
    let house = House::new().await;
    let curl = house.person("curl");
    say(&curl, Method::POST, "/join?id=A").await;
    let cases = [
        (Method::POST, "/join?id=A", 409),
        (Method::POST, "/join", 400),
        (Method::POST, "/join?id=", 400),
        (Method::GET, "/messages?id=B", 401),
        (Method::POST, "/send?id=B&message=Hi", 401),
        (Method::POST, "/send?id=A&message=", 400),
        (Method::POST, "/send?id=A", 400),
        (Method::POST, "/leave?id=B", 404),
        (Method::DELETE, "/leave?id=B", 404),
        (Method::GET, "/join?id=C", 405),
    ];
    for (method, path, status) in cases {
        problem(curl.request(method, path).send().await.unwrap(), status).await;
    }
}

#[tokio::test]
async fn a_silent_stream_ends_and_can_be_resumed() {
    let house = House::with(&["--stream-timeout", "500ms"], |_| {}).await;
    let curl = house.person("curl");
    say(&curl, Method::POST, "/join?id=A").await;
    let mut stream = listen(&curl, "A").await;
    let joined = stream.next().await.unwrap();
    assert_eq!(
        stream.next().await,
        None,
        "nothing was said for the stream's timeout"
    );
    say(&curl, Method::POST, "/send?id=A&message=two%0Alines").await;
    let request = curl
        .request(Method::GET, "/messages?id=A")
        .header("last-event-id", joined.id.unwrap());
    let mut resumed = Listener::new(request.send().await.unwrap());
    assert_eq!(resumed.next().await.unwrap().data, "A: two\nlines");
}

#[tokio::test]
async fn whoever_came_back_hears_on_after_their_own_farewell() {
    let house = House::new().await;
    let curl = house.person("curl");
    for (path, line) in [("/join", "joined"), ("/leave", "left"), ("/join", "joined")] {
        let said = say(&curl, Method::POST, &format!("{path}?id=A")).await;
        assert_eq!(said, (StatusCode::OK, format!("A {line} the chat")));
    }
    let request = curl
        .request(Method::GET, "/messages?id=A")
        .header("last-event-id", "00000000.1");
    let mut stream = Listener::new(request.send().await.unwrap());
    assert_eq!(stream.next().await.unwrap().name, "reset");
    for expected in ["A joined the chat", "A left the chat", "A joined the chat"] {
        assert_eq!(line(&mut stream).await, expected);
    }
    say(&curl, Method::POST, "/leave?id=A").await;
    assert_eq!(line(&mut stream).await, "A left the chat");
    assert_eq!(stream.next().await, None);
}

#[tokio::test]
async fn a_stream_may_be_silent_for_ages() {
    let house = House::with(&["--stream-timeout", "500000000000years"], |_| {}).await;
    let curl = house.person("curl");
    say(&curl, Method::POST, "/join?id=A").await;
    let mut stream = listen(&curl, "A").await;
    assert_eq!(line(&mut stream).await, "A joined the chat");
}

#[tokio::test]
async fn a_refusal_names_what_was_sent() {
    let house = House::new().await;
    let curl = house.person("curl");
    say(&curl, Method::POST, "/join?id=A").await;
    let (name, message) = ("x".repeat(33), "x".repeat(4_001));
    for (path, field) in [
        (format!("/join?id={name}"), "id"),
        (format!("/send?id=A&message={message}"), "message"),
    ] {
        let refused = problem(curl.request(Method::POST, &path).send().await.unwrap(), 422).await;
        assert_eq!(refused.field.as_deref(), Some(field));
        assert!(refused.detail.starts_with(field), "{}", refused.detail);
    }
}

#[tokio::test]
async fn a_long_poll_answers_when_there_is_something() {
    let house = House::new().await;
    let ada = house.person("ada");
    let room = ada.room().await;
    ada.post(&room, "one").await;
    assert_eq!(ada.history(&room, "after=0&wait=60").await.len(), 1);
    let waiting = tokio::spawn({
        let (ada, room) = (ada.clone(), room.clone());
        async move { ada.history(&room, "after=1&wait=60").await }
    });
    ada.post(&room, "two").await;
    assert_eq!(waiting.await.unwrap()[0].body, "two");
    assert!(ada.history(&room, "after=2&wait=1").await.is_empty());
    assert_eq!(
        ada.history(&room, "wait=60").await.len(),
        2,
        "the newest, without a place"
    );
}

#[tokio::test]
async fn a_long_poll_begins_where_a_stream_would_or_says_that_it_cannot() {
    let house = House::new().await;
    let ada = house.person("ada");
    for query in ["wait=60", "after=latest&wait=60"] {
        let room = ada.room().await;
        let waiting = tokio::spawn({
            let (ada, room) = (ada.clone(), room.clone());
            async move { ada.history(&room, query).await }
        });
        while !waiting.is_finished() {
            ada.post(&room, "hello").await;
        }
        assert_eq!(
            waiting.await.unwrap().first().expect("it has waited").body,
            "hello",
            "{query}"
        );
    }
    let room = ada.room().await;
    for body in ["one", "two"] {
        ada.post(&room, body).await;
    }
    let first = ada
        .follow(&room, "")
        .await
        .next()
        .await
        .unwrap()
        .id
        .unwrap();
    let (epoch, _) = first.split_once('.').unwrap();
    for query in [format!("after={first}"), format!("after={first}&wait=60")] {
        assert_eq!(ada.history(&room, &query).await[0].body, "two", "{query}");
    }
    assert!(ada.history(&room, "after=latest").await.is_empty());
    for query in [
        "after=99&wait=60",
        "after=00000000.1",
        &format!("after={epoch}.99&wait=60"),
    ] {
        let answer = ada
            .get(
                &format!("/rooms/{room}/messages/?{query}"),
                "application/json",
            )
            .await;
        assert!(
            problem(answer, 409).await.detail.contains("after=0"),
            "{query}"
        );
    }
    for query in ["after=soon", "after=-1", "after=.1"] {
        let answer = ada
            .get(
                &format!("/rooms/{room}/messages/?{query}"),
                "application/json",
            )
            .await;
        problem(answer, 422).await;
    }
}
