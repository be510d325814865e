//! The previews of files.

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbImage};
use protocol::hexadecimal;
use sha2::{Digest, Sha256};

use super::pictures::gif;
use super::*;
use crate::PREVIEW_MAX;
use crate::testing::new_guest;

/// A photo, whose neighbouring pixels differ.
fn picture(width: u32, height: u32) -> DynamicImage {
    let byte = |value: u32| u8::try_from(value % 256).unwrap();
    RgbImage::from_fn(width, height, |x, y| {
        image::Rgb([byte(x * 7 + y), byte(x ^ y), byte(x * y / 64)])
    })
    .into()
}

fn jpeg(width: u32, height: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 60);
    picture(width, height).write_with_encoder(encoder).unwrap();
    bytes
}

async fn read_preview(
    test: &TestChat,
    by: &Person,
    room: RoomId,
    id: FileId,
) -> Result<Vec<u8>, Error> {
    let download = test.chat.open_preview(by, &room, id).await?;
    let (size, sha256) = (download.size(), download.sha256().to_owned());
    let pieces = download.read(0..size).await?;
    let read: Vec<bytes::Bytes> = pieces.try_collect().await?;
    let read = read.concat();
    assert_eq!(hexadecimal(&Sha256::digest(&read)), sha256);
    Ok(read)
}

async fn add_preview(
    test: &TestChat,
    by: &Person,
    room: RoomId,
    id: FileId,
    bytes: &[u8],
) -> Result<File, Error> {
    test.chat.add_preview(by, &room, id, bytes).await
}

fn is_refused_preview<T>(result: Result<T, Error>) -> bool {
    matches!(
        result,
        Err(Error::Refusal(Refusal::Invalid {
            field: "preview",
            ..
        }))
    )
}

fn is_forbidden<T>(result: Result<T, Error>) -> bool {
    matches!(result, Err(Error::Refusal(Refusal::Forbidden(_))))
}

#[tokio::test]
async fn picture_has_its_size_and_a_preview_for_its_readers() {
    let mut test = new_test_chat(|_| {}).await;
    let [ada, eve] = [new_guest(), new_guest()];
    let room = create_room(&test, &ada).await;
    let file = upload(&test, &ada, room, &jpeg(1_500, 900)).await;
    assert_eq!((file.width, file.height), (Some(1_500), Some(900)));
    let preview = file.preview.clone().unwrap();
    assert!(preview.width <= 1_024 && preview.height < preview.width);
    assert_eq!(
        preview.url,
        format!("/rooms/{room}/files/{}/preview", file.id)
    );
    assert!(is_not_found(read_preview(&test, &eve, room, file.id).await));
    let message = try_attach(&test, &ada, room, &[file.id]).await.unwrap();
    assert_eq!(message.files(), std::slice::from_ref(&file));
    test.reopen().await;
    let bytes = read_preview(&test, &eve, room, file.id).await.unwrap();
    assert!(bytes.len() <= PREVIEW_MAX);
    let drawn = image::load_from_memory(&bytes).unwrap();
    assert_eq!(
        (drawn.width(), drawn.height()),
        (preview.width, preview.height)
    );
    let listed = test.chat.open_file(&eve, &room, file.id).await.unwrap();
    assert_eq!(listed.sha256(), file.sha256);
    check_consistency(&test).await;
    test.chat
        .delete_message(&ada, &room, message.id)
        .await
        .unwrap();
    assert!(is_not_found(read_preview(&test, &eve, room, file.id).await));
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn picture_that_is_turned_has_the_size_at_which_it_is_shown() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let mut turned = b"\xff\xd8\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0".to_vec();
    turned.extend(&jpeg(60, 40)[2..]);
    let file = upload(&test, &ada, room, &turned).await;
    assert_eq!((file.width, file.height), (Some(40), Some(60)));
    let preview = file.preview.unwrap();
    assert_eq!((preview.width, preview.height), (40, 60));
}

#[tokio::test]
async fn picture_that_is_too_large_or_broken_is_a_file_without_a_preview() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    // 20,000 pixels in both directions, in a file of 57 bytes.
    let bomb = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x4e\x20\0\0\x4e\x20\x08\x02\0\0\0\x80\x37\xb5\x9f\0\0\0\0IEND\xae\x42\x60\x82";
    let file = upload(&test, &ada, room, bomb).await;
    assert_eq!((file.width, file.height), (Some(20_000), Some(20_000)));
    assert_eq!(file.preview, None);
    let broken = upload(&test, &ada, room, &jpeg(60, 40)[..300]).await;
    assert_eq!((broken.kind.as_str(), broken.preview), ("image/jpeg", None));
    let text = upload(&test, &ada, room, b"text").await;
    assert_eq!((text.width, text.preview), (None, None));
    assert_eq!(check_consistency(&test).await.len(), 3);
}

#[tokio::test]
async fn preview_of_the_sender_is_taken_once_without_its_metadata() {
    let test = new_test_chat(|_| {}).await;
    let [ada, eve] = [new_guest(), new_guest()];
    let room = create_room(&test, &ada).await;
    let file = upload(&test, &ada, room, b"\0\0\0\x18ftypheic").await;
    let mut sent = jpeg(64, 48);
    sent.extend_from_slice(b"a secret place");
    let add = async |by, bytes| add_preview(&test, by, room, file.id, bytes).await;
    let (unfit, wide) = (gif(b""), jpeg(2_049, 1));
    for unusable in [&b""[..], b"text", &unfit, &sent[..300], &wide] {
        assert!(is_refused_preview(add(&ada, unusable).await));
    }
    let long = vec![0; PREVIEW_MAX + 1];
    assert!(matches!(
        add(&ada, &long).await,
        Err(Error::Refusal(Refusal::ContentTooLarge(_)))
    ));
    assert!(is_not_found(add(&eve, &sent).await));
    let with_preview = add(&ada, &sent).await.unwrap();
    let preview = with_preview.preview.clone().unwrap();
    assert_eq!((preview.width, preview.height), (64, 48));
    assert!(is_forbidden(add(&ada, &sent).await));
    let bytes = read_preview(&test, &ada, room, file.id).await.unwrap();
    assert_eq!(bytes, jpeg(64, 48));
    let message = try_attach(&test, &ada, room, &[file.id]).await.unwrap();
    assert_eq!(message.files(), [with_preview]);
    assert!(is_forbidden(add(&ada, &sent).await));
    assert!(is_forbidden(add(&eve, &sent).await));
    let (_, attached) = send(&test, &ada, room, b"text").await;
    assert!(is_forbidden(
        add_preview(&test, &ada, room, attached.id, &sent).await
    ));
    check_consistency(&test).await;
}

#[tokio::test]
async fn preview_that_comes_when_the_file_is_attached_leaves_nothing() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let file = upload(&test, &ada, room, b"text").await;
    test.config.faults.stop_at("preview put");
    let (chat, by) = (test.chat.clone(), ada.clone());
    let adding =
        tokio::spawn(async move { chat.add_preview(&by, &room, file.id, &jpeg(8, 8)).await });
    test.config.faults.stopped_at("preview put").await;
    adding.abort();
    // As after a crash: the bytes are there, and the row says nothing of them.
    try_attach(&test, &ada, room, &[file.id]).await.unwrap();
    assert!(is_not_found(read_preview(&test, &ada, room, file.id).await));
    test.chat.delete_file(&ada, &room, file.id).await.unwrap();
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
}

#[tokio::test]
async fn previews_count_and_pass_no_limit() {
    let sent = jpeg(1_024, 768);
    let size = sent.len() as u64;
    let test = new_test_chat(|config| config.room_files = size + 100).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let file = upload(&test, &ada, room, &sent).await;
    assert_eq!((file.width, file.preview), (Some(1_024), None));
    let refused = add_preview(&test, &ada, room, file.id, &jpeg(64, 48)).await;
    assert!(matches!(
        refused,
        Err(Error::Refusal(Refusal::FilesTooLarge(..)))
    ));
    check_consistency(&test).await;
    let other = create_room(&test, &ada).await;
    let small = upload(&test, &ada, other, &jpeg(16, 16)).await;
    assert!(small.preview.is_some());
    check_consistency(&test).await;
}

#[tokio::test]
async fn killed_drawing_is_not_tried_again() {
    for place in ["file prepared", "file published"] {
        let mut test = new_test_chat(|_| {}).await;
        let ada = new_guest();
        let room = create_room(&test, &ada).await;
        stop_upload_at(&test, &ada, room, jpeg(64, 48), place).await;
        test.reopen().await;
        sweep(&test).await;
        let id = *check_consistency(&test).await.first().unwrap();
        let message = try_attach(&test, &ada, room, &[id]).await.unwrap();
        let file = &message.files()[0];
        assert_eq!((file.width, &file.preview), (Some(64), &None), "{place}");
    }
}

#[tokio::test]
async fn archive_has_files_without_their_previews() {
    let test = new_test_chat(|_| {}).await;
    let ada = new_guest();
    let room = create_room(&test, &ada).await;
    let (_, file) = send(&test, &ada, room, &jpeg(64, 48)).await;
    assert!(file.preview.is_some());
    super::ends::close(&test, &ada, room).await;
    sweep(&test).await;
    assert!(check_consistency(&test).await.is_empty());
    let archives = test.config.data_dir.join("archive");
    let lines = std::fs::read_to_string(archives.join(format!("{room}.jsonl"))).unwrap();
    assert!(lines.contains("\"preview\":null"), "{lines}");
    assert!(lines.contains("\"width\":64"), "{lines}");
    let kept = std::fs::read_dir(archives.join(room.to_string())).unwrap();
    assert_eq!(kept.count(), 1);
}

#[tokio::test]
async fn one_preview_is_drawn_at_a_time() {
    let test = new_test_chat(|_| {}).await;
    let path = test.config.data_dir.join("a.jpg");
    std::fs::write(&path, jpeg(64, 48)).unwrap();
    let files = test.chat.0.files.clone();
    let turn = files.0.drawing.clone().acquire_owned().await.unwrap();
    let soon = Duration::from_millis(10);
    assert!(files.draw_preview(&path, soon).await.is_none());
    let waiting = {
        let (files, path) = (files.clone(), path.clone());
        tokio::spawn(async move { files.draw_preview(&path, HOUR).await })
    };
    tokio::task::yield_now().await;
    assert!(!waiting.is_finished());
    drop(turn);
    assert!(waiting.await.unwrap().is_some());
}
