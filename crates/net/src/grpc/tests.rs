//! Messages in every way to cut them.

use proptest::prelude::*;

use super::*;

fn message(said: &[u8]) -> Vec<u8> {
    [&[0][..], &u32::try_from(said.len()).unwrap().to_be_bytes(), said].concat()
}

#[test]
fn grpc_is_told_by_its_content_type_and_by_nothing_like_it() {
    let is = |text: &str| is(&HeaderMap::from_iter([(CONTENT_TYPE, text.parse().unwrap())]));
    for right in ["application/grpc", "application/grpc+proto", "application/grpc; charset=x"] {
        assert!(is(right), "{right}");
    }
    for wrong in ["application/grpc-web", "application/grpcx", "application/json", "text/application/grpc"] {
        assert!(!is(wrong), "{wrong}");
    }
}

#[test]
fn a_compressed_message_is_opaque() {
    let mut messages = Messages::default();
    assert_eq!(messages.next(&message(b"hello")), Ok(Stretch { bytes: 10, end: End::Yes }));
    assert_eq!(messages.next(&[1, 0, 0, 0, 0]), Err(Opaque));
}

proptest! {
    #[test]
    fn however_it_is_cut_messages_end_where_they_do(
        lengths in proptest::collection::vec(0_usize..50, 1..6),
        size in 1_usize..60,
    ) {
        let stream: Vec<u8> = lengths.iter().flat_map(|length| message(&vec![7; *length])).collect();
        let (mut messages, mut ends, mut at) = (Messages::default(), Vec::new(), 0);
        for piece in stream.chunks(size) {
            let mut rest = piece;
            while !rest.is_empty() {
                let Stretch { bytes, end } = messages.next(rest).unwrap();
                at += bytes;
                rest = &rest[bytes..];
                if end == End::Yes {
                    ends.push(at);
                }
            }
        }
        let wanted: Vec<usize> =
            lengths.iter().scan(0, |at, length| { *at += length + 5; Some(*at) }).collect();
        prop_assert_eq!(ends, wanted);
    }
}
