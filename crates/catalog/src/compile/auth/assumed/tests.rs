//! Roles in auth schemes, read and refused.

use std::time::Duration;

use crate::{Assume, layer};

fn read(keys: &str) -> Result<Option<Assume>, String> {
    let text = format!(
        "name: mine\nextends: aws\nauth:\n  - {{scheme: sigv4, access_key_id: access_key_id, secret_access_key: secret_access_key{keys}}}\n"
    );
    let read = layer::integration(&text, "mine.yaml", "mine").map_err(|error| error.to_string())?;
    Ok(read.auth().iter().find_map(crate::AuthScheme::assume).cloned())
}

#[test]
fn a_role_is_assumed_where_its_partition_is() {
    assert_eq!(read("").unwrap(), None);
    let usual = read(", role: \"arn:aws:iam::123456789012:role/ops/deploy\"").unwrap().unwrap();
    assert_eq!(usual.endpoint.authority.to_string(), "https://sts.us-east-1.amazonaws.com");
    assert_eq!((usual.session.as_str(), usual.lasts), ("doorward-{principal}", Duration::from_secs(900)));
    let china = read(", role: \"arn:aws-cn:iam::123456789012:role/a\", sts_region: cn-northwest-1, ttl: 1h")
        .unwrap()
        .unwrap();
    assert_eq!(china.endpoint.authority.to_string(), "https://sts.cn-northwest-1.amazonaws.com.cn");
    assert_eq!(china.lasts, Duration::from_secs(3600));
}

#[test]
fn what_is_no_role_and_what_belongs_to_one_is_refused() {
    let role = "role: \"arn:aws:iam::123456789012:role/a\"";
    for (keys, problem) in [
        (", role: deploy".to_owned(), "is the ARN of a role"),
        (", role: \"arn:aws:iam::123456789012:user/a\"".to_owned(), "is the ARN of a role"),
        (", role: \"arn:aws:iam::1:role/a\"".to_owned(), "is the ARN of a role"),
        (", session_name: x".to_owned(), "`session_name` is for sessions of a `role`"),
        (format!(", {role}, session_name: \"a b\""), "`session_name` is at most 64"),
        (format!(", {role}, ttl: 5m"), "15 minutes to 12 hours"),
        (format!(", {role}, ttl: 13h"), "15 minutes to 12 hours"),
        (format!(", {role}, external_id: \"a b\""), "`external_id` is 2 to 1224"),
        (format!(", {role}, token_url: \"http://sts.example.com\""), "`token_url` is https"),
    ] {
        let error = read(&keys).unwrap_err();
        assert!(error.contains(problem), "{keys}: {error}");
    }
}
