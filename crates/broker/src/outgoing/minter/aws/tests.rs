//! Names of sessions.

use super::session_name;

#[test]
fn a_session_is_named_after_whoever_calls_as_aws_takes_it() {
    assert_eq!(session_name("doorward-{principal}", "deploy.bot"), "doorward-deploy.bot");
    assert_eq!(session_name("{principal}", "user:root/1"), "user-root-1");
    assert_eq!(session_name("{principal}", "a"), "a-");
    assert_eq!(session_name("{principal}", &"x".repeat(200)).len(), 64);
}
