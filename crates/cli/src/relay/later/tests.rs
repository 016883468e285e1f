//! How long what fails is left alone.

use super::*;

#[test]
fn what_fails_is_left_alone_ever_longer_until_something_changed() {
    let (mut later, mut now) = (Later::default(), Instant::now());
    let key = || ("label", "apr_1".to_owned());
    let longest = Duration::from_secs(60);
    for (failures, seconds) in [(1, 10), (2, 20), (3, 40), (4, 60), (5, 60)] {
        assert!(!later.rests(&key(), now));
        let failed = later.failed(key(), (now, longest), "no".to_owned());
        assert_eq!(failed, Failed { failures, is_news: failures == 1 });
        assert!(later.rests(&key(), now + Duration::from_secs(seconds - 1)), "{failures}");
        now += Duration::from_secs(seconds);
    }
    assert!(later.failed(key(), (now, longest), "another reason".to_owned()).is_news);
    // Whoever put a label that does not count took it away: the next one is looked at at once.
    later.forget(&key());
    assert!(!later.rests(&key(), now));
    assert_eq!(later.failed(key(), (now, longest), "no".to_owned()), Failed { failures: 1, is_news: true });
    assert!(!later.rests(&("slack", "apr_1".to_owned()), now));
}
