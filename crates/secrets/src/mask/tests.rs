//! Tests of masking whole texts and of joint masks.

use std::sync::Arc;

use super::*;
use crate::tests::fixture::secret;

fn mask(text: &str) -> Mask {
    Mask::new(&secret(text)).unwrap()
}

fn masked(mask: &Mask, text: &str) -> String {
    mask.text(text.as_bytes())
        .map_or_else(|| text.to_owned(), |masked| String::from_utf8(masked.bytes).unwrap())
}

#[test]
fn a_secret_is_overwritten_by_as_many_bytes() {
    let mask = mask("xoxb-CANARY-1");
    assert_eq!(masked(&mask, "a xoxb-CANARY-1 b"), "a [masked****** b");
    assert_eq!(masked(&mask, "xoxb-CANARY-1xoxb-CANARY-1"), "[masked******[masked******");
    assert_eq!(mask.text(b"xoxb-CANARY-1 xoxb-CANARY-1").unwrap().hits, 2);
    assert_eq!(mask.text(b"xoxb-CANARY-2 and other text"), None);
    assert_eq!(mask.text(b"xoxb"), None);
    assert_eq!(mask.text(b""), None);
}

#[test]
fn places_that_overlap_are_masked_whole() {
    let mask = mask("aabaabaab");
    assert_eq!(masked(&mask, "-aabaabaabaab-"), "-[masked*****-");
    let all = Mask::join(&[&self::mask("CANARY-one"), &self::mask("one-CANARY")]).unwrap();
    assert_eq!(masked(&all, "-CANARY-one-CANARY-"), "-[masked**********-");
}

#[test]
fn several_secrets_are_found_by_one_mask_and_none_by_an_empty_one() {
    let all = Mask::join(&[&mask("CANARY-one"), &mask("CANARY-two")]).unwrap();
    assert_eq!(masked(&all, "CANARY-one CANARY-two CANARY-six"), "[masked*** [masked*** CANARY-six");
    let again = Mask::join(&[&all, &mask("CANARY-six")]).unwrap();
    assert_eq!(masked(&again, "CANARY-six,CANARY-one"), "[masked***,[masked***");
    let none = Mask::join(&[]).unwrap();
    assert!(none.is_empty());
    assert_eq!(none.text(b"CANARY-one"), None);
    let mut stream = Arc::new(none).stream();
    assert_eq!(stream.push(b"CANARY-one").chunk, Part::Same(10));
    assert!(stream.finish().is_empty());
}

#[test]
fn very_many_secrets_are_found_as_well() {
    let plain: Vec<String> = (0..40_u8).map(|at| crypto::to_hex(&crypto::sha256(&[&[at]])[..12])).collect();
    let masks: Vec<Mask> = plain.iter().map(|plain| mask(plain)).collect();
    let all = Mask::join(&masks.iter().collect::<Vec<_>>()).unwrap();
    assert!(matches!(all.finder, Finder::Automaton(_)));
    for plain in plain {
        assert_eq!(masked(&all, &format!("<{plain}>")), "<[masked*****************>");
    }
}

#[test]
fn a_secret_is_found_in_a_name_whatever_its_letters() {
    let mask = mask("xoxb-CANARY-Zq9x7LmN");
    for name in ["x-xoxb-canary-zq9x7lmn", "xoxb-canary-zq9x7lmn-x", "xoxb-canary-zq9x7lmn"] {
        assert!(mask.is_in_name(name.as_bytes()), "{name}");
    }
    for name in ["content-type", "xoxb-canary-zq9x7lm", "x-rate-limit-remaining-tokens"] {
        assert!(!mask.is_in_name(name.as_bytes()), "{name}");
    }
}

#[test]
fn a_secret_beyond_ascii_is_found_by_whoever_read_it_as_latin_1() {
    let secret = "p\u{e4}ssw\u{f6}rd-1234\u{e9}";
    let mask = mask(secret);
    let read: String = secret.bytes().map(char::from).collect();
    let escaped = |write: &dyn Fn(u32) -> String| -> String {
        read.chars().map(|c| if c.is_ascii() { c.to_string() } else { write(u32::from(c)) }).collect()
    };
    let (lower, upper) = (escaped(&|c| format!("\\u{c:04x}")), escaped(&|c| format!("\\u{c:04X}")));
    for form in [read.clone(), lower, upper, secret.to_owned()] {
        let shown = masked(&mask, &format!("{{\"said\": \"{form}\"}}"));
        assert!(shown.contains("[masked") && !shown.contains("1234"), "{form}: {shown}");
    }
}

#[test]
fn a_short_secret_can_not_be_masked() {
    assert_eq!(Mask::new(&secret("CANARY7")).err(), Some(Unmaskable::Short));
    assert!(Mask::new(&secret("CANARY-8")).is_ok());
}

#[test]
fn only_fragments_of_a_few_bytes_stand_outside_guarded_memory() {
    let text = "xoxb-CANARY-0123456789-abcdefghijkl";
    let mask = mask(text);
    let fragments: Vec<Fragment> =
        forms::of(text.as_bytes()).iter().map(|form| form.fragment_bytes().unwrap()).collect();
    let raw: Vec<_> = fragments
        .iter()
        .filter(|fragment| text.as_bytes().windows(4).any(|part| part == *fragment))
        .collect();
    assert!(raw.windows(2).all(|pair| pair[0] == pair[1]), "one window of the secret, not several");
    assert!(mask.targets.len() <= fragments.len());
}

#[test]
fn the_border_of_an_overlap_is_no_hit() {
    assert!(merge(vec![(0, 5), (5, 9)], None).len() == 2);
    assert!(merge(vec![(0, 5), (4, 9)], None).len() == 1);
    assert!(merge(vec![(0, 9), (2, 4), (8, 10)], None)[0].end == 10);
}

#[test]
fn the_secret_half_of_a_pair_is_masked_by_itself() {
    let pair = |text: &str| Mask::of_pair(&secret(text)).unwrap();
    let twilio = pair("AC0123456789:CANARY-pass");
    assert_eq!(masked(&twilio, "AC0123456789 CANARY-pass"), "AC0123456789 [masked****");
    assert_eq!(masked(&twilio, "AC0123456789:CANARY-pass"), format!("[masked{}", "*".repeat(17)));
    assert_eq!(masked(&twilio, "Q0FOQVJZLXBhc3M="), "[masked*******M=", "also in base 64");
    for (text, echoed) in [
        ("CANARY-key:", "CANARY-key"),
        ("CANARY-key:X", "CANARY-key"),
        ("CANARY-key:x-oauth-basic", "CANARY-key"),
        ("any:CANARY:key", "CANARY:key"),
    ] {
        assert_eq!(masked(&pair(text), echoed), "[masked***", "{text}");
    }
    assert_eq!(masked(&pair("user:short"), "user short"), "user short", "too short to be told apart");
    assert_eq!(masked(&pair("CANARY-no-pair"), "CANARY-no-pair"), "[masked*******");
    assert_eq!(Mask::of_pair(&secret("a:b")).err(), Some(Unmaskable::Short));
}
