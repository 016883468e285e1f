//! Bodies end where they should, and are read within bounds.

use super::*;

const BOUNDS: Bounds =
    Bounds { bytes: 10, frame: Duration::from_millis(50), whole: Duration::from_millis(500) };

#[tokio::test]
async fn a_body_of_one_piece_is_not_copied() {
    let bytes = Bytes::from_static(b"0123456789");
    let read = collect_bounded(Body::full(bytes.clone()), BOUNDS).await.unwrap();
    assert_eq!(read.as_ptr(), bytes.as_ptr());
}

#[tokio::test]
async fn a_body_that_is_known_to_be_too_large_is_refused_at_once() {
    let error = collect_bounded(Body::full("0123456789a"), BOUNDS).await.unwrap_err();
    assert!(matches!(error, CollectError::TooLarge(10)));
}

#[tokio::test]
async fn a_channel_is_refused_when_its_sum_is_too_large() {
    let (sender, body) = Body::channel(4);
    for _ in 0..3 {
        sender.send(Bytes::from_static(b"0123")).await.unwrap();
    }
    let error = collect_bounded(body, BOUNDS).await.unwrap_err();
    assert!(matches!(error, CollectError::TooLarge(10)));
    assert_eq!(sender.send(Bytes::new()).await, Err(Gone));
}

#[tokio::test]
async fn a_channel_joins_its_pieces_and_ends_with_trailers() {
    let (sender, mut body) = Body::channel(4);
    sender.send(Bytes::from_static(b"ab")).await.unwrap();
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", "0".parse().unwrap());
    sender.finish(Some(trailers)).await.unwrap();
    let first = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
    assert_eq!(first.into_data().unwrap().as_ref(), b"ab");
    let second = poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.unwrap().unwrap();
    assert_eq!(second.into_trailers().unwrap()["grpc-status"], "0");
    assert!(poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await.is_none());
    assert!(body.is_end_stream());
}

#[tokio::test]
async fn a_channel_that_is_dropped_unfinished_is_broken_and_not_short() {
    let (sender, body) = Body::channel(4);
    sender.send(Bytes::from_static(b"ab")).await.unwrap();
    drop(sender);
    assert!(matches!(collect_bounded(body, BOUNDS).await, Err(CollectError::Broken(_))));
}

#[tokio::test]
async fn a_body_that_stalls_is_given_up() {
    let (_sender, body) = Body::channel(1);
    assert!(matches!(collect_bounded(body, BOUNDS).await, Err(CollectError::Stalled)));
}

#[tokio::test]
async fn a_body_that_drips_is_given_up_after_the_whole_time() {
    let (sender, body) = Body::channel(1);
    let drip = tokio::spawn(async move {
        while sender.send(Bytes::new()).await.is_ok() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert!(matches!(collect_bounded(body, BOUNDS).await, Err(CollectError::Stalled)));
    drip.await.unwrap();
}

#[test]
fn lengths_are_exact_where_they_are_known() {
    assert_eq!(Body::empty().size_hint().exact(), Some(0));
    assert_eq!(Body::full("abc").size_hint().exact(), Some(3));
    assert!(Body::full("").is_end_stream());
    assert_eq!(Body::channel(1).1.size_hint().exact(), None);
    assert_eq!(format!("{:?}", Body::full("CANARY")), "Body(full)");
}
