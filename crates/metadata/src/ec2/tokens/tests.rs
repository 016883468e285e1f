//! Issuing, knowing, forgetting.

use super::*;

const NOW: Timestamp = Timestamp::from_millis(1_000_000);
const MINUTE: Duration = Duration::from_secs(60);

#[test]
fn only_what_was_issued_is_known_and_only_for_its_time() {
    let tokens = Tokens::default();
    let token = tokens.issue(NOW, MINUTE).unwrap();
    assert!(tokens.known(&token, NOW).is_some());
    assert!(tokens.known(&token, NOW.after(Duration::from_millis(59_999))).is_some());
    assert!(tokens.known(&token, NOW.after(MINUTE)).is_none());
    assert!(Tokens::default().known(&token, NOW).is_none());
}

#[test]
fn a_token_with_another_letter_is_not_known() {
    let tokens = Tokens::default();
    let (token, _) = (tokens.issue(NOW, MINUTE).unwrap(), tokens.issue(NOW, MINUTE).unwrap());
    for place in 0..token.len() {
        let mut other = token.to_vec();
        other[place] = if other[place] == b'A' { b'B' } else { b'A' };
        // The last letter has bits that stand for nothing; a strict reader refuses those that are set.
        assert!(tokens.known(&other, NOW).is_none(), "{place}");
    }
    for wrong in [&b""[..], b"nonsense", &[b'A'; TEXT], &[0xff; TEXT], &[b'A'; TEXT + 4]] {
        assert!(tokens.known(wrong, NOW).is_none());
    }
}

#[test]
fn the_oldest_gives_way() {
    let tokens = Tokens::default();
    let first = tokens.issue(NOW, MINUTE).unwrap();
    let second = tokens.issue(NOW, MINUTE).unwrap();
    for _ in 2..MOST {
        tokens.issue(NOW, MINUTE).unwrap();
    }
    assert!(tokens.known(&first, NOW).is_some());
    let newest = tokens.issue(NOW, MINUTE).unwrap();
    assert!(tokens.known(&first, NOW).is_none());
    assert!(tokens.known(&second, NOW).is_some() && tokens.known(&newest, NOW).is_some());
}
