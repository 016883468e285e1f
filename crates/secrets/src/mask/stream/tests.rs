//! Tests of masking in pieces: every encoding, every split.

use proptest::prelude::{ProptestConfig, any, prop, prop_assert_eq, proptest};

use super::*;
use crate::tests::fixture::secret;

const PLAIN: &str = "xoxb-CANARY-7f3d/Q+z&9";

fn mask(text: &str) -> Arc<Mask> {
    Arc::new(Mask::new(&secret(text)).unwrap())
}

fn run(mask: &Arc<Mask>, chunks: &[&[u8]]) -> (Vec<u8>, u64) {
    let mut stream = mask.stream();
    let mut out = Vec::new();
    for chunk in chunks {
        stream.push(chunk).write(chunk, &mut out);
    }
    out.extend(stream.finish());
    (out, stream.hits())
}

fn whole(mask: &Mask, text: &[u8]) -> (Vec<u8>, u64) {
    mask.text(text).map_or((text.to_vec(), 0), |masked| (masked.bytes, masked.hits))
}

/// The encodings, and escapes that are mixed, each within other text.
fn encodings() -> Vec<String> {
    let bytes = PLAIN.as_bytes();
    let each = |write: &dyn Fn(u8) -> String| bytes.iter().map(|byte| write(*byte)).collect::<String>();
    vec![
        PLAIN.to_owned(),
        crypto::to_base64(format!("user:{PLAIN}").as_bytes()),
        crypto::to_base64url(format!("us:{PLAIN}!").as_bytes()),
        crypto::to_hex(bytes),
        each(&|byte| format!("%{byte:02X}")),
        each(&|byte| format!("\\u00{byte:02x}")),
        PLAIN.replace('&', "&amp;"),
        PLAIN.replace('&', "&#x0026;").replace('/', "&sol;").replace('-', "&#45;"),
        PLAIN.replace('&', "\\u0026").replace('/', "\\/").replace('C', "\\u0043"),
        crypto::to_base64(PLAIN.as_bytes()).trim_end_matches('=').replace('A', "%41"),
    ]
}

#[test]
fn every_encoding_is_masked_however_a_body_is_split() {
    let mask = mask(PLAIN);
    for text in encodings() {
        let body = format!("data: {{\"a\":\"{text}\"}}\n\nmore {text} end");
        let expected = whole(&mask, body.as_bytes());
        assert_eq!(expected.1, 2, "{text}");
        for at in 0..=body.len() {
            let (one, two) = body.as_bytes().split_at(at);
            assert_eq!(run(&mask, &[one, two]), expected, "{text} at {at}");
            for more in [1, 2, 7] {
                let (two, three) = two.split_at(more.min(two.len()));
                assert_eq!(run(&mask, &[one, two, three]), expected, "{text} at {at}, {more}");
            }
        }
        let bytes: Vec<&[u8]> = body.as_bytes().chunks(1).collect();
        assert_eq!(run(&mask, &bytes), expected, "{text} byte by byte");
    }
}

#[test]
fn a_piece_without_anything_is_passed_on_as_it_is() {
    let mut stream = mask(PLAIN).stream();
    let piece = b"data: {\"delta\":\"hello\"}\n\n";
    let passed = stream.push(piece);
    assert!(passed.before.is_empty());
    assert_eq!(passed.chunk, Part::Same(piece.len()));
    assert!(stream.finish().is_empty());
}

#[test]
fn what_is_held_back_does_not_depend_on_how_much_it_resembles_the_secret() {
    let held = |text: &str| {
        let passed = mask(PLAIN).stream().push(text.as_bytes());
        (passed.before.len(), passed.chunk)
    };
    let right = "echo xoxb-CANARY-7";
    for wrong in ["echo xoxb-CANARY-8", "echo AAAAAAAAAAAAA", "echo xoxb-CANARz-7"] {
        assert_eq!(held(right), held(wrong));
    }
}

#[test]
fn a_secret_with_line_ends_is_masked_across_pieces() {
    let pem = "-----BEGIN CANARY-----\nMIIB\nAAAA\n-----END CANARY-----\n";
    let mask = mask(pem);
    let body = format!("key:\n{pem}\nrest of it\n");
    let expected = whole(&mask, body.as_bytes());
    assert_eq!(expected.1, 1);
    for at in 0..=body.len() {
        let (one, two) = body.as_bytes().split_at(at);
        assert_eq!(run(&mask, &[one, two]), expected, "{at}");
    }
    let escaped = serde_json::to_string(&body).unwrap();
    assert!(!String::from_utf8(whole(&mask, escaped.as_bytes()).0).unwrap().contains("MIIB"));
}

#[test]
fn no_more_is_held_back_than_the_longest_form() {
    let mask = mask("CANARY-8");
    let mut stream = mask.stream();
    let long = vec![b'x'; 10_000];
    let passed = stream.push(&long);
    let Part::Same(count) = passed.chunk else { panic!("nothing is masked") };
    assert!(long.len() - count < 8 * 6);
    assert_eq!(stream.finish().len() + count, long.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn a_stream_masks_what_the_whole_text_masks(
        plain in "[a-c ]{8,10}",
        parts in prop::collection::vec((any::<bool>(), "[a-c ]{0,6}"), 0..12),
        splits in prop::collection::vec(0_usize..200, 0..12),
    ) {
        let mask = mask(&plain);
        let body: String = parts.iter().map(|(hit, other)| if *hit { format!("{plain}{other}") } else { other.clone() }).collect();
        let mut splits: Vec<usize> = splits.into_iter().map(|at| at.min(body.len())).collect();
        splits.sort_unstable();
        let mut chunks = Vec::new();
        let mut from = 0;
        for at in splits.into_iter().chain([body.len()]) {
            chunks.push(&body.as_bytes()[from..at]);
            from = at;
        }
        prop_assert_eq!(run(&mask, &chunks), whole(&mask, body.as_bytes()));
    }

    #[test]
    fn no_bytes_are_lost_or_gained(bytes in prop::collection::vec(any::<u8>(), 0..600), size in 1_usize..64) {
        let mask = mask(PLAIN);
        let chunks: Vec<&[u8]> = bytes.chunks(size).collect();
        prop_assert_eq!(run(&mask, &chunks), whole(&mask, &bytes));
    }
}
