//! Pictures lose their metadata on the way.

use protocol::hexadecimal;
use sha2::{Digest, Sha256};

use super::*;
use crate::testing::new_guest;

/// A GIF of one pixel, with this in a comment and after its end.
pub(super) fn gif(secret: &[u8]) -> Vec<u8> {
    let head = b"GIF89a\x01\0\x01\0\x80\0\0\0\0\0\xff\xff\xff";
    let comment = [&[0x21, 0xfe, secret.len() as u8], secret, &[0]].concat();
    let image = b"\x2c\0\0\0\0\x01\0\x01\0\0\x02\x02\x44\x01\0\x3b";
    [head, &comment[..], image, secret].concat()
}

fn contains(bytes: &[u8], part: &[u8]) -> bool {
    bytes.windows(part.len()).any(|window| window == part)
}

#[tokio::test]
async fn picture_is_published_without_metadata() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let sent = gif(b"a secret place");
    let (message, file) = send(&test, &ada, room, &sent).await;
    let published = read(&test, &ada, room, file.id).await.unwrap();
    assert!(published.starts_with(b"GIF89a") && published.ends_with(b"\x3b"));
    assert!(!contains(&published, b"secret"));
    let digest = Sha256::digest(&published);
    assert_eq!(file.sha256, hexadecimal(&digest));
    assert_eq!(file.size, published.len() as u64);
    assert_eq!(message.files()[0], file);
    assert_eq!(check_consistency(&test).await, BTreeSet::from([file.id]));
}

#[tokio::test]
async fn picture_that_is_not_well_formed_is_published_as_it_is() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let sent = &gif(b"place")[..25];
    let (_, file) = send(&test, &ada, room, sent).await;
    assert_eq!(file.kind, "image/gif");
    assert_eq!(read(&test, &ada, room, file.id).await.unwrap(), sent);
    assert_eq!(check_consistency(&test).await, BTreeSet::from([file.id]));
}

#[tokio::test]
async fn killed_removal_of_metadata_goes_on_after_the_next_start() {
    for place in ["file prepared", "file published"] {
        let mut test = new_test_chat(|_| {}).await;
        let ada = new_guest();
        let room = create_room(&test, &ada).await;
        stop_upload_at(&test, &ada, room, gif(b"place"), place).await;
        test.reopen().await;
        sweep(&test).await;
        let left = check_consistency(&test).await;
        let id = *left.first().unwrap();
        let published = read(&test, &ada, room, id).await.unwrap();
        assert!(!contains(&published, b"place"), "{place}");
    }
}
