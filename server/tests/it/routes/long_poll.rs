//! Long polls of a room's messages.

use crate::harness::{TestServer, expect_problem};

#[tokio::test]
async fn long_poll_returns_when_a_message_arrives() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    ada.post(&room, "one").await;
    assert_eq!(ada.history(&room, "after=0&wait=60").await.len(), 1);
    let waiting = tokio::spawn({
        let ada = ada.clone();
        let room = room.clone();
        async move { ada.history(&room, "after=1&wait=60").await }
    });
    ada.post(&room, "two").await;
    assert_eq!(waiting.await.unwrap()[0].body(), "two");
    assert!(ada.history(&room, "after=2&wait=1").await.is_empty());
    assert_eq!(
        ada.history(&room, "wait=60").await.len(),
        2,
        "without a cursor, the newest messages"
    );
}

#[tokio::test]
async fn long_poll_starts_where_a_stream_would_or_is_refused() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    for query in ["wait=60", "after=latest&wait=60"] {
        let room = ada.create_room().await;
        let waiting = tokio::spawn({
            let ada = ada.clone();
            let room = room.clone();
            async move { ada.history(&room, query).await }
        });
        while !waiting.is_finished() {
            ada.post(&room, "hello").await;
        }
        assert_eq!(
            waiting
                .await
                .unwrap()
                .first()
                .expect("the poll returned nothing")
                .body(),
            "hello",
            "{query}"
        );
    }
    let room = ada.create_room().await;
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
        assert_eq!(ada.history(&room, &query).await[0].body(), "two", "{query}");
    }
    assert!(ada.history(&room, "after=latest").await.is_empty());
    for query in [
        "after=99&wait=60",
        "after=00000000.1",
        &format!("after={epoch}.99&wait=60"),
    ] {
        let response = ada
            .get(
                &format!("/rooms/{room}/messages/?{query}"),
                "application/json",
            )
            .await;
        assert!(
            expect_problem(response, 409)
                .await
                .detail
                .contains("after=0"),
            "{query}"
        );
    }
    for query in ["after=soon", "after=-1", "after=.1"] {
        let response = ada
            .get(
                &format!("/rooms/{room}/messages/?{query}"),
                "application/json",
            )
            .await;
        expect_problem(response, 422).await;
    }
}
