//! Bodies within bounds and beyond.

use net::Body as Carried;

use super::*;

const SOON: Duration = Duration::from_secs(120);

#[tokio::test]
async fn a_body_arrives_whole_in_one_piece_or_several() {
    assert!(collected(Carried::empty(), SOON).await.unwrap().is_empty());
    assert_eq!(**collected(Carried::full("canary"), SOON).await.unwrap(), *b"canary");
    let (sender, body) = Carried::channel(4);
    let writing = tokio::spawn(async move {
        for piece in ["can", "", "ary"] {
            sender.send(Bytes::from_static(piece.as_bytes())).await.unwrap();
        }
        sender.finish(None).await.unwrap();
    });
    assert_eq!(**collected(body, SOON).await.unwrap(), *b"canary");
    writing.await.unwrap();
}

#[tokio::test]
async fn a_body_has_a_most_whether_it_says_its_length_or_not() {
    let refusal = collected(Carried::full(vec![b'x'; MOST + 1]), SOON).await.unwrap_err();
    assert_eq!(refusal.code, Code::TooLarge);
    assert_eq!(collected(Carried::full(vec![b'x'; MOST]), SOON).await.unwrap().len(), MOST);
    let (sender, body) = Carried::channel(4);
    sender.send(vec![b'x'; MOST].into()).await.unwrap();
    sender.send(Bytes::from_static(b"x")).await.unwrap();
    assert_eq!(collected(body, SOON).await.unwrap_err().code, Code::TooLarge);
}

#[tokio::test]
async fn a_body_that_breaks_off_or_stalls_is_refused() {
    let (sender, body) = Carried::channel(4);
    sender.send(Bytes::from_static(b"half a sec")).await.unwrap();
    drop(sender);
    let refusal = collected(body, SOON).await.unwrap_err();
    assert_eq!((refusal.code, refusal.message.contains("half")), (Code::BadRequest, false));
    let (_sender, body) = Carried::channel(4);
    assert_eq!(collected(body, Duration::from_millis(20)).await.unwrap_err().code, Code::BadRequest);
}
