//! Invitations to rooms.

use reqwest::StatusCode;
use serde_json::{Value, json};

use crate::harness::{TestServer, TestUser, expect_json, expect_problem};
use crate::moderation::send_json;

#[tokio::test]
async fn invitation_ends_by_uses_time_or_revocation() {
    let server = TestServer::new().await;
    let owner = server.account("owner").await;
    let room = owner
        .create_room_with(json!({"private": true, "name": "Den"}))
        .await
        .id
        .to_string();
    let path = format!("/rooms/{room}/invitations/");
    let invite = async |input: Value| {
        let made = expect_json(send_json(&owner, "POST", &path, input).await).await;
        format!("/invitations/{}/", made["code"].as_str().unwrap())
    };
    let accept = async |link: &str, who: &TestUser| {
        send_json(who, "POST", link, Value::Null)
            .await
            .status()
            .as_u16()
    };
    let anyone = server.visitor("anyone");
    let once = invite(json!({"uses": 1, "role": "reader"})).await;
    assert_eq!(
        expect_json(send_json(&anyone, "GET", &once, Value::Null).await).await,
        json!({"name": "Den", "role": "reader"})
    );
    assert_eq!(accept(&once, &anyone).await, 401);
    // Of many simultaneous uses one succeeds.
    let mut guests = Vec::new();
    for n in 0..8 {
        guests.push(server.guest(&format!("guest {n}")).await);
    }
    let responses =
        futures_util::future::join_all(guests.iter().map(|guest| accept(&once, guest))).await;
    assert_eq!(
        responses.iter().filter(|status| **status == 200).count(),
        1,
        "{responses:?}"
    );
    let short = invite(json!({"timeout": "1h"})).await;
    assert_eq!(accept(&short, &guests[0]).await, 200);
    server.clock.advance(std::time::Duration::from_secs(3_600));
    assert_eq!(accept(&short, &guests[1]).await, 404);
    let taken = invite(json!({})).await;
    let code = taken.trim_end_matches('/').rsplit('/').next().unwrap();
    expect_json(send_json(&owner, "DELETE", &format!("{path}{code}/"), Value::Null).await).await;
    assert_eq!(accept(&taken, &guests[1]).await, 404);
    for input in [
        json!({"role": "owner"}),
        json!({"uses": 0}),
        json!({"timeout": "soon"}),
    ] {
        expect_problem(send_json(&owner, "POST", &path, input).await, 422).await;
    }
}

#[tokio::test]
async fn client_that_guesses_invitation_codes_is_rate_limited() {
    let server = TestServer::with(&[], |_| {}).await;
    let guest = server.guest("guest").await;
    let mut refused = None;
    for n in 0..60 {
        let response = guest
            .get(&format!("/invitations/{n:032x}/"), "application/json")
            .await;
        if response.status() == StatusCode::TOO_MANY_REQUESTS {
            refused = Some(n);
            break;
        }
        expect_problem(response, 404).await;
    }
    assert_eq!(refused, Some(50));
}
