//! Tests of how text is shown.

use super::*;

#[test]
fn what_turns_or_hides_is_shown_as_its_number_and_letters_stay() {
    assert_eq!(shown("pay \u{202e}001\u{202c} to\u{200b}me"), "pay \\u{202e}001\\u{202c} to\\u{200b}me");
    assert_eq!(shown("a\nb\u{1b}[2J"), "a\\u{a}b\\u{1b}[2J");
    assert_eq!(shown("tag\u{e0041} soft\u{ad} mark\u{61c}"), "tag\\u{e0041} soft\\u{ad} mark\\u{61c}");
    assert!(matches!(shown("grüße, 日本語, שלום"), Cow::Borrowed("grüße, 日本語, שלום")));
}
