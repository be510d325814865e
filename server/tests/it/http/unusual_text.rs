//! Text that is unusual: it is stored as it was sent, or refused.

use proptest::prelude::*;
use reqwest::StatusCode;
use serde_json::json;

use crate::harness::TestServer;

#[tokio::test]
async fn unusual_text_is_delivered_unchanged() {
    let server = TestServer::new().await;
    let ada = server.visitor("ada");
    let room = ada.create_room().await;
    let texts = [
        "<script>alert(1)</script>",
        "\u{202e}drowkcab\u{202c}",
        "zero\u{200b}width\u{feff}",
        "data: x\n\nevent: closed\ndata: {}",
        "id: 1\nretry: 1",
        "Z\u{338}\u{334}a\u{335}l\u{336}g\u{337}o",
        "\u{1f468}\u{200d}\u{1f469}\u{200d}\u{1f467}",
        "'; drop table message; --",
        "${jndi:ldap://x}",
        "a\u{2028}b\u{2029}c",
    ];
    let mut reader = ada.follow(&room, "").await;
    for text in texts {
        ada.post(&room, text).await;
        assert_eq!(reader.next_message().await.body, text);
    }
}

#[test]
fn any_text_is_stored_whole_or_refused() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (server, room) = runtime.block_on(async {
        let server = TestServer::new().await;
        let room = server.visitor("ada").create_room().await;
        (server, room)
    });
    let ada = server.visitor("ada");
    proptest!(|(username in ".{0,40}", body in "(?s).{0,100}")| {
        let sent = json!({"username": username, "body": body});
        let response = runtime.block_on(ada.post_json(&format!("/rooms/{room}/messages/"), sent));
        match response.status() {
            StatusCode::CREATED => {
                let message: protocol::Message = runtime.block_on(response.json()).unwrap();
                prop_assert_eq!(message.username, username.trim());
                let body = body.replace("\r\n", "\n").replace('\r', "\n");
                prop_assert_eq!(message.body, body.trim());
            }
            status => prop_assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY),
        }
    });
}
