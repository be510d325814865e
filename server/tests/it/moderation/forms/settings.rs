//! The form of a room's settings.

use serde_json::{Value, json};

use crate::harness::TestServer;
use crate::moderation::forms::{
    assert_redirects_to, assert_refused, get_json, get_page, submit_form,
};

#[tokio::test]
async fn owner_changes_settings_by_form_and_others_read_them() {
    let server = TestServer::new().await;
    let owner = server.guest("owner").await;
    let guest = server.guest("guest").await;
    let room = owner
        .create_room_with(json!({"name": "Tea", "public": true}))
        .await
        .id
        .to_string();
    let path = format!("/rooms/{room}/");
    let html = get_page(&owner, &format!("{path}settings/"), 200).await;
    assert!(
        html.contains("?method=PATCH") && html.contains("value=\"Tea\""),
        "{html}"
    );
    let html = get_page(&guest, &format!("{path}settings/"), 200).await;
    assert!(
        !html.contains("<form") && html.contains("listed under Public rooms"),
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
    assert_redirects_to(&submit_form(&owner, &patch, &fields).await, &next);
    assert!(get_page(&owner, &next, 200).await.contains("Saved."));
    let seen = get_json(&guest, &path).await;
    let lives = |room: &Value| (room["expires_at"].clone(), room["last_active_at"].clone());
    assert_eq!(
        (&seen["name"], &seen["description"]),
        (&json!("Green tea"), &json!("Talk of <tea>"))
    );
    assert_eq!(
        (&seen["public"], &seen["read_only"], &seen["slow_mode"]),
        (&json!(false), &json!(true), &json!(5))
    );
    // An unticked box means false.
    fields.pop();
    fields[4].1 = "30m";
    assert_redirects_to(&submit_form(&owner, &patch, &fields).await, &next);
    let now = get_json(&guest, &path).await;
    assert!(
        now.get("read_only").is_none() && lives(&now) != lives(&seen),
        "{now}"
    );
    // The problem is shown at its field, and the input is kept.
    let long = "x".repeat(81);
    fields[1].1 = &long;
    fields[3].1 = "private";
    let html = assert_refused(
        submit_form(&owner, &patch, &fields).await,
        422,
        "name-error",
    )
    .await;
    assert!(
        html.contains(&long) && html.contains("aria-invalid=\"true\""),
        "{html}"
    );
    assert!(html.contains("value=\"private\" checked"), "{html}");
    assert_eq!(get_json(&guest, &path).await["name"], "Green tea");
    fields[1].1 = "Mine";
    assert_refused(
        submit_form(&guest, &patch, &fields).await,
        403,
        "Only the owner of this room may do that",
    )
    .await;
    assert_refused(
        submit_form(&guest, &format!("{path}?method=DELETE"), &[]).await,
        403,
        "Only the owner",
    )
    .await;
    assert_redirects_to(
        &submit_form(&owner, &format!("{path}?method=DELETE"), &[]).await,
        &path,
    );
    assert!(
        get_page(&owner, &path, 410)
            .await
            .contains("its owner closed it")
    );
}
