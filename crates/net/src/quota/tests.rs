//! What callers are told.

use std::time::Duration;

use super::*;

#[test]
fn a_rate_is_told_in_whole_seconds_and_that_of_a_service_stays() {
    let quota = Quota {
        policy: "caller",
        calls: 100,
        per: Duration::from_secs(60),
        left: 7,
        reset: Duration::from_millis(1_200),
    };
    let mut headers = HeaderMap::new();
    mark(&mut headers, &quota);
    assert_eq!(headers[LIMIT], "\"caller\";r=7;t=2");
    assert_eq!(headers[POLICY], "\"caller\";q=100;w=60");
    let mut theirs = HeaderMap::new();
    theirs.insert(LIMIT, HeaderValue::from_static("\"api\";r=1;t=9"));
    mark(&mut theirs, &quota);
    assert_eq!((theirs.len(), &theirs[LIMIT]), (1, &HeaderValue::from_static("\"api\";r=1;t=9")));
}
