//! How sockets end.

use futures_util::{SinkExt, StreamExt};
use serde_json::json;
use tokio_tungstenite::tungstenite::Message as Frame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame as Raw;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};

use crate::harness::{
    TEST_TIMEOUT, TestServer, TestSocket, read_until_closed, within_virtual_seconds,
};

#[tokio::test]
async fn close_code_says_why_the_socket_ended() {
    let mut server = TestServer::new().await;
    let ada = server.visitor("ada");
    let short = ada.create_room_with(json!({"timeout": "1h"})).await.id;
    let room = ada.create_room().await;
    let mut ends = TestSocket::open(&server, &format!("/rooms/{short}/socket")).await;
    let mut stays = TestSocket::open(&server, &format!("/rooms/{room}/socket")).await;
    let mut odd = TestSocket::open(&server, &format!("/rooms/{room}/socket")).await;
    odd.0.send(Frame::binary(vec![1])).await.unwrap();
    assert_eq!(odd.close_code().await, 1003);
    server.clock.advance(std::time::Duration::from_secs(3_600));
    while let Frame::Text(event) = ends.next().await {
        assert!(event.contains("closing"));
    }
    assert_eq!(ada.try_post(&short.to_string(), "late").await.status(), 410);
    let stopped = server.stop();
    assert_eq!(stays.close_code().await, 1012);
    drop((ends, odd, stays));
    tokio::time::timeout(TEST_TIMEOUT, stopped)
        .await
        .unwrap()
        .unwrap();
}

#[tokio::test]
async fn close_frame_is_answered() {
    let server = TestServer::new().await;
    let ada = server.account("ada").await;
    let _bob = server.account("bob").await;
    let room = ada.create_room().await;
    ada.post(&room, "hello").await;
    for path in [
        format!("/rooms/{room}/socket"),
        "/room?room=tea&username=ada".to_owned(),
        format!("/stream?rooms={room}"),
        "/chats/bob".to_owned(),
    ] {
        let (response, rest) = TestSocket::open_as(&ada, &path)
            .await
            .unwrap()
            .close()
            .await;
        assert!(
            matches!(&response, Frame::Close(Some(close)) if close.code == CloseCode::Normal),
            "{path}: {response:?}"
        );
        assert!(rest.is_none(), "{path}: {rest:?}");
    }
}

#[tokio::test]
async fn invalid_frame_ends_the_socket_with_its_close_code() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let text =
        |opcode, payload: Vec<u8>| Frame::Frame(Raw::message(payload, OpCode::Data(opcode), true));
    for path in [
        format!("/rooms/{room}/socket?username=ada"),
        format!("/stream?rooms={room}&list=on"),
    ] {
        for (frame, code) in [
            (text(Data::Text, vec![0xff, 0xfe]), 1007),
            (text(Data::Reserved(3), b"odd".into()), 1002),
            (text(Data::Text, vec![b'x'; 66_000]), 1009),
        ] {
            let mut socket = TestSocket::open(&server, &path).await;
            socket.0.send(frame).await.unwrap();
            let end = loop {
                if let Frame::Close(end) = socket.next().await {
                    break end;
                }
            };
            assert_eq!(end.map(|end| end.code.into()), Some(code), "{path}");
        }
    }
}

#[tokio::test]
async fn client_that_does_not_answer_the_close_is_cut_off() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let mut socket = TestSocket::open(&server, &format!("/rooms/{room}/socket")).await;
    socket.0.send(Frame::binary(vec![1])).await.unwrap();
    assert_eq!(socket.close_code().await, 1003);
    assert_eq!(
        within_virtual_seconds(2, read_until_closed(socket.0.get_mut())).await,
        None,
        "closed too early"
    );
    assert_eq!(
        within_virtual_seconds(2, read_until_closed(socket.0.get_mut())).await,
        Some(0)
    );
}

#[tokio::test]
async fn oversized_frame_ends_the_socket() {
    let server = TestServer::new().await;
    let room = server.visitor("ada").create_room().await;
    let mut ada = TestSocket::open(&server, &format!("/rooms/{room}/socket?username=ada")).await;
    // The server may close the socket before it has read everything.
    let _ = ada.0.send(Frame::text("x".repeat(200_000))).await;
    let mut end = Some(Ok(Frame::Ping(Vec::new().into())));
    while let Some(Ok(Frame::Ping(_))) = end {
        end = tokio::time::timeout(TEST_TIMEOUT, ada.0.next())
            .await
            .unwrap();
    }
    assert!(
        matches!(end, None | Some(Err(_) | Ok(Frame::Close(_)))),
        "{end:?}"
    );
    assert!(
        server
            .visitor("ada")
            .history(&room.to_string(), "")
            .await
            .is_empty()
    );
}
