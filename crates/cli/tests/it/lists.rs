//! Allowlists and denylists, checked and explained without a broker; and a broker that doesn't start with a broken one.

use crate::home;

/// The example of the guide.
fn example() -> &'static str {
    const GUIDE: &str = include_str!("../../../../docs/guide/lists.md");
    let start = GUIDE.find("```yaml\n").unwrap() + "```yaml\n".len();
    GUIDE[start..].split("```").next().unwrap()
}

#[test]
fn lists_are_checked_and_explained_without_a_broker() {
    let doorward = home();
    let put = |name: &str, text: &str| {
        std::fs::create_dir_all(doorward.data().join("lists")).unwrap();
        crate::write(doorward.data().join("lists").join(name), text);
    };
    put("allowlist.yaml", example());
    put(
        "denylist.yaml",
        "- integration: slack\n  callers: [{rules: [{path: /api/admin.**, methods: {POST: {}}}]}]\n",
    );
    let wrong = doorward.run(&["lists", "check"], "");
    assert!(wrong.stderr.contains("denylist.yaml:2: `*` stands for a whole segment"), "{wrong:?}");
    assert_eq!(wrong.status.code(), Some(2));
    put(
        "denylist.yaml",
        "- integration: slack\n  callers: [{rules: [{path: /api/admin.users, methods: {GET: {}}}]}]\n",
    );
    let right = doorward.run(&["lists", "check"], "");
    assert_eq!(right.stdout.trim(), "The lists are right: 5 rules for 1 integration.", "{right:?}");
    let explain = |words: &[&str]| {
        let words: Vec<&str> =
            ["lists", "explain", "--integration", "slack"].iter().chain(words).copied().collect();
        let said = doorward.run(&words, "");
        (said.stdout.trim().to_owned(), said.status.code())
    };
    let post = [
        "POST",
        "/api/chat.postMessage",
        "--header",
        "content-type: application/json",
        "--caller",
        "billing",
    ];
    let body = |text: &'static str| post.iter().copied().chain(["--body", text]).collect::<Vec<_>>();
    assert_eq!(explain(&body(r#"{"channel":"C0123"}"#)), ("allow: allowlist.yaml:5".to_owned(), Some(0)));
    let other = explain(&body(r#"{"channel":"C9"}"#));
    assert_eq!(
        other,
        ("silent: body field channel value mismatch; only a policy could allow it".to_owned(), Some(1))
    );
    assert_eq!(explain(&["GET", "/api/auth.test"]), ("allow: allowlist.yaml:12".to_owned(), Some(0)));
    let denied = explain(&["HEAD", "/API/admin.users"]);
    assert_eq!(denied.0, "deny: denylist.yaml:2: denylist matched caller * HEAD /api/admin.users");
    assert_eq!(denied.1, Some(1));
}
