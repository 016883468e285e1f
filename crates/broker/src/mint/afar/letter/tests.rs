//! Messages are made, read, cut and spoiled.

use super::*;

#[derive(Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Head {
    word: String,
}

fn head() -> Head {
    Head { word: "wish".to_owned() }
}

fn read(bytes: &[u8]) -> Result<Letter, Malformed> {
    Letter::read(&mut &*bytes)
}

#[test]
fn what_was_enclosed_comes_out_in_its_order_and_is_not_in_the_head() {
    let secret = Secret::new(b"canary-key-1".to_vec()).unwrap();
    let bytes = sealed(&head(), &[Enclosed::Secret(&secret), Enclosed::Text("123456")]).unwrap();
    let mut letter = read(&bytes).unwrap();
    assert_eq!(letter.head::<Head>().unwrap(), head());
    assert!(!letter.head.windows(6).any(|window| window == b"canary"));
    assert_eq!(letter.text().unwrap().as_str(), "canary-key-1");
    assert_eq!(letter.text().unwrap().as_str(), "123456");
    assert!(letter.done().is_ok());
}

#[test]
fn a_message_with_a_part_too_many_or_too_few_is_refused() {
    let one = sealed(&head(), &[Enclosed::Text("1")]).unwrap();
    assert!(read(&one).unwrap().done().is_err(), "one more than was taken");
    let none = sealed(&head(), &[]).unwrap();
    assert!(read(&none).unwrap().secret().is_err(), "one fewer than was said");
}

#[test]
fn a_message_that_is_cut_anywhere_is_refused() {
    let whole = sealed(&head(), &[Enclosed::Text("canary-key-1")]).unwrap();
    for length in 0..whole.len() {
        assert!(read(&whole[..length]).is_err(), "cut at {length}");
        // The same with a length that fits what is left, so that it is cut within its parts.
        if length > WORD {
            let mut short = whole[..length].to_vec();
            short[..WORD].copy_from_slice(&word(length - WORD));
            let letter = read(&short);
            assert!(letter.is_err() || letter.unwrap().secret().is_err(), "cut within a part at {length}");
        }
    }
}

#[test]
fn a_message_of_any_length_costs_no_more_than_the_longest() {
    assert!(matches!(read(&[0xff, 0xff, 0xff, 0xff, 0]), Err(Malformed::TooLong(_))));
    let long = "x".repeat(LONGEST);
    assert!(matches!(sealed(&head(), &[Enclosed::Text(&long)]), Err(Malformed::TooLong(_))));
}

#[test]
fn an_unknown_member_of_a_head_is_refused() {
    let strange = sealed(&serde_json::json!({"word": "wish", "more": 1}), &[]).unwrap();
    let refused = read(&strange).unwrap().head::<Head>().unwrap_err();
    assert!(refused.to_string().contains("more"), "{refused}");
}
