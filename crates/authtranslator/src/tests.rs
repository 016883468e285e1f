//! Configurations of the peer, translated: what each key becomes, and what is refused.

use catalog::Catalog;
use model::SecretRef;

use super::*;

fn translate(text: &str) -> Result<Translated, catalog::Error> {
    let mut keep = |_: &str, _: &str| -> Result<SecretRef, String> { Err("no secrets in files".to_owned()) };
    let options = Options { dangerous_allow_private: true, ..Options::default() };
    Config::read(text, "config.yaml")?.translate(&options, &mut keep)
}

fn one(entry: &str) -> Result<Integration, catalog::Error> {
    let indented: String = entry.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("integrations:\n  - {}", indented.trim_start());
    translate(&text).map(|mut translated| translated.integrations.remove(0))
}

#[track_caller]
fn text(entry: &str) -> String {
    let one = one(entry).unwrap();
    one.written.check().unwrap();
    one.written.text.to_string()
}

#[track_caller]
fn problem(entry: &str) -> String {
    match one(entry) {
        Err(error) => error.to_string(),
        Ok(one) => panic!("it was taken: {}", one.written.text),
    }
}

#[test]
fn an_entry_becomes_a_file_that_means_the_same() {
    let entry = r#"name: slack
destination: https://slack.com/
in_rate_limit: 100
out_rate_limit: 800
rate_limit_window: 1m
response_header_timeout: 45s
outgoing_auth:
  - type: token
    params: {secrets: ["env:SLACK_TOKEN"], header: Authorization, prefix: "Bearer "}"#;
    let made = text(entry);
    let (before, behind) = made.split_once("limits:\n").unwrap();
    assert_eq!(
        before,
        r#"name: slack
extends: slack
base_url: "https://slack.com"
secrets:
  token: "env:SLACK_TOKEN"
auth:
  - {scheme: bearer, secret: token}
incoming: []
anonymous: true
"#
    );
    assert!(behind.ends_with("dangerous_allow_private: true\n"), "{behind}");
    let catalog = Catalog::layered(None, &[one(entry).unwrap().written], &[]).unwrap();
    let slack = catalog.get(&"slack".parse().unwrap()).unwrap();
    assert_eq!(slack.limits().head.as_secs(), 45);
    assert_eq!(slack.limits().caller_rate.unwrap().calls, 100);
    assert!(slack.operations().contains_key("chat.post"));
}

#[test]
fn json_is_read_as_well_and_an_empty_file_has_nothing() {
    let text = r#"{"integrations": [{"name": "a", "destination": "https://a.example.com"}]}"#;
    assert_eq!(translate(text).unwrap().integrations.len(), 1);
    for empty in ["", "\n# nothing\n", "---\n", "integrations: []", "integrations:"] {
        assert!(translate(empty).unwrap().integrations.is_empty(), "{empty:?}");
    }
}

#[test]
fn unknown_keys_are_refused_at_every_level_with_the_nearest_word() {
    for (entry, wrong) in [
        (
            "name: a\ndestinaton: https://a.test",
            "config.yaml:3: the key `destinaton` is unknown; did you mean `destination`",
        ),
        (
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - {type: tokn}",
            "config.yaml:5: there is no plugin of this type",
        ),
        (
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - type: token\n    params:\n      secrets: [env:A]\n      header: x\n      prefx: y",
            "config.yaml:9: `token` has no parameter of this name; did you mean `prefix`",
        ),
        (
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - {type: token, params: {secrets: [env:A]}}",
            "config.yaml:5: `token` needs the parameter `header`",
        ),
        (
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - type: token\n    params:\n      secrets: [env:A]\n      headr: x",
            "config.yaml:8: `token` has no parameter of this name; did you mean `header`",
        ),
        ("name: a", "the key `destination` is missing"),
        ("name: a b\ndestination: https://a.test", "config.yaml:2: a name is made of letters"),
        ("name: a\ndestination: a.test", "config.yaml:3: `destination` is an address"),
        (
            "name: a\ndestination: https://user:CANARY@a.test",
            "config.yaml:3: `destination` holds a user name",
        ),
        (
            "name: a\ndestination: https://a.test/*",
            "config.yaml:3: `*` stands in the host of `destination` only",
        ),
        (
            "name: a\ndestination: https://a.test?x=*",
            "config.yaml:3: `*` stands in the host of `destination` only",
        ),
        (
            "name: a\ndestination: https://a.test\ndisable_keep_alives: maybe",
            "config.yaml:4: expected `true`",
        ),
        ("name: a\ndestination: ftp://a.test", "config.yaml:3: the scheme of `destination`"),
        ("name: a\ndestination: https://a.test\nrate_limit_window: 0s", "config.yaml:4: `rate_limit_window`"),
        (
            "name: a\ndestination: https://a.test\nrate_limit_window: soon",
            "config.yaml:4: `rate_limit_window`",
        ),
        (
            "name: a\ndestination: https://a.test\nidle_conn_timeout: -1s",
            "config.yaml:4: `idle_conn_timeout`",
        ),
        (
            "name: a\ndestination: https://a.test\nrate_limit_strategy: bucket",
            "config.yaml:4: `rate_limit_strategy`",
        ),
        ("name: a\ndestination: https://a.test\nmax_idle_conns: -1", "config.yaml:4: `max_idle_conns`"),
    ] {
        let problem = problem(entry);
        assert!(problem.contains(wrong), "{problem}\n{wrong}");
        assert!(!problem.contains("CANARY"), "{problem}");
    }
}

#[test]
fn what_is_no_reference_is_refused_without_being_repeated() {
    for written in
        ["CANARY-xoxb-1", "env:", "CANARY:x", "https://CANARY", "dangerousLiteral:CANARY", "Env:CANARY"]
    {
        let entry = format!(
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - type: token\n    params: {{header: x, secrets: [\"{written}\"]}}"
        );
        let problem = problem(&entry);
        assert!(problem.starts_with("config.yaml:6: ") && !problem.contains("CANARY"), "{problem}");
    }
}

#[test]
fn references_become_ours() {
    for (theirs, ours) in [
        ("env:A", Some("env:A")),
        ("file:/run/a", Some("file:/run/a")),
        ("file:///run/a", Some("file:/run/a")),
        ("file:/run/a:KEY", Some("file:/run/a#KEY")),
        ("file:/run/a:b/c", Some("file:/run/a:b/c")),
        ("file:a", None),
        ("file:/run/a#b", None),
        ("file:/run/a:", None),
        ("nothing:a", None),
    ] {
        let place = secret::place(theirs);
        let found = match &place {
            Ok(secret::Place::At(reference)) => Some(reference.as_str()),
            Ok(secret::Place::Literal(_)) | Err(_) => None,
        };
        assert_eq!(found, ours, "{theirs}");
    }
}

#[test]
fn a_map_of_integrations_and_plain_http_are_told_what_they_are() {
    let map = "integrations:\n  slack:\n    destination: https://slack.com\n";
    let said = translate(map).unwrap_err().to_string();
    assert!(said.starts_with("config.yaml:2: `integrations` is a list"), "{said}");
    let plain = "integrations:\n  - name: a\n    destination: http://127.0.0.1:9000\n";
    let read = Config::read(plain, "config.yaml").unwrap();
    let said = read.translate(&Options::default(), &mut |_, _| Err(String::new())).unwrap_err().to_string();
    assert!(said.starts_with("config.yaml:3: ") && said.contains("--dangerous-allow-private"), "{said}");
}

#[test]
fn names_are_labels_and_the_former_ones_go_on() {
    for (theirs, ours, alias) in [
        ("slack", "slack", None),
        ("Slack", "slack", None),
        ("my_service", "my-service", Some("my_service")),
        ("slack.auth.example.com", "slack-auth-example-com", Some("slack.auth.example.com")),
        ("-a-", "a", Some("-a-")),
    ] {
        let named = name::named(theirs).unwrap();
        assert_eq!((named.name.as_str(), named.alias.as_deref()), (ours, alias), "{theirs}");
    }
    let long = "a".repeat(80);
    let named = name::named(&long).unwrap();
    assert_eq!((named.name.as_str().len(), named.alias), (63, Some(long)));
    for theirs in ["", "a b", "ä", "a/b", "---", "._"] {
        assert!(name::named(theirs).is_err(), "{theirs}");
    }
    let both = "integrations:\n  - {name: a.b, destination: https://a.test}\n  - {name: a_b, destination: https://a.test}";
    assert!(translate(both).unwrap_err().to_string().contains("would both be called `a-b`"));
    let twice = "integrations:\n  - {name: a, destination: https://a.test}\n  - {name: A, destination: https://a.test}";
    assert!(translate(twice).unwrap_err().to_string().contains("described already in line 2"));
}

#[test]
fn an_entry_knows_the_operations_of_what_it_is() {
    for (name, destination, kind) in [
        ("slack", "https://slack.com/", Some("slack")),
        ("slack", "http://127.0.0.1:9000", Some("slack")),
        ("slack-prod", "https://slack.com", Some("slack")),
        // As its documents write it: `/api` stands in the base, and no more in what callers write.
        ("slack", "https://slack.com/api", Some("slack")),
        ("gitlab", "https://gitlab.com", Some("gitlab")),
        ("okta", "https://corp.okta.com", Some("okta")),
        // Callers would write other paths than those that are described.
        ("slack", "https://slack.com/api/v2", None),
        ("ghe", "https://git.example.com", None),
        ("ghe", "https://git.example.com/api/v3", Some("github")),
        ("okta-eu", "https://corp.okta.com/api/v1", Some("okta")),
        ("evil", "https://notokta.com/api/v1", None),
        ("payments", "https://api.stripe.com", Some("stripe")),
        ("anthropic", "https://api.anthropic.com", Some("anthropic")),
        ("mine", "https://mine.example.com", None),
        ("github", "https://slack.com", Some("github")),
    ] {
        let found = one(&format!("name: {name}\ndestination: {destination}")).unwrap().extends;
        assert_eq!(found.as_ref().map(model::IntegrationName::as_str), kind, "{name} {destination}");
    }
}

#[test]
fn a_base_path_that_holds_more_or_less_of_the_paths_is_told_apart() {
    for (name, destination, whole) in [
        ("slack", "https://slack.com/api", true),
        ("slack", "https://slack.com", false),
        ("gitlab", "https://gitlab.com", true),
        ("gitlab", "https://gitlab.com/api/v4", false),
    ] {
        let made = one(&format!("name: {name}\ndestination: {destination}")).unwrap();
        assert_eq!(made.written.text.contains("whole_paths: true"), whole, "{}", made.written.text);
        made.written.check().unwrap();
    }
}

#[test]
fn destinations_keep_base_path_query_and_wildcard() {
    let made = text("name: a\ndestination: \"https://*.Example.com:8443/base/?v=1&w=2\"");
    assert!(made.contains("base_url: \"https://*.example.com:8443/base\"\nquery: \"v=1&w=2\"\n"), "{made}");
    let made = text("name: a\ndestination: https://a.example.com:443");
    assert!(made.contains("base_url: \"https://a.example.com\"\n"), "{made}");
    let wide = one("name: a\ndestination: https://*").unwrap();
    assert!(wide.written.check().unwrap_err().to_string().starts_with("config.yaml:2: behind the `*`"));
}

#[test]
fn what_is_legal_there_starts_here_and_what_differs_is_said() {
    let made = one("name: a\ndestination: https://a.test\nidle_conn_timeout: 2h\nrate_limit_window: 60\nin_rate_limit: 1").unwrap();
    made.written.check().unwrap();
    assert!(made.written.text.contains("idle_for: \"1h\""), "{}", made.written.text);
    let notes: Vec<&str> = made.notes.iter().map(|note| note.0.as_str()).collect();
    assert!(notes.iter().any(|note| note.contains("`idle_conn_timeout` is an hour here")), "{notes:?}");
    assert!(
        notes.iter().any(|note| note.contains("`rate_limit_window` is a number without a unit")),
        "{notes:?}"
    );
    for (word, kept) in
        [("yes", false), ("On", false), ("TRUE", false), ("no", true), ("OFF", true), ("n", true)]
    {
        let made = text(&format!("name: a\ndestination: https://a.test\ndisable_keep_alives: {word}"));
        assert_eq!(!made.contains("keep_alive: false"), kept, "{word}: {made}");
    }
    text("name: a\ndestination: \"https://*.internal\"");
}

#[test]
fn a_prefix_of_oauth2_may_be_empty() {
    let made = |prefix: &str| {
        text(&format!(
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - type: oauth2\n    params: {{token_url: \"https://i.test/t\", client_id: c, client_secret: env:S, header: X-O{prefix}}}"
        ))
    };
    assert!(made(", prefix: ''").contains("prefix: \"\""), "{}", made(", prefix: ''"));
    assert!(!made("").contains("prefix"), "{}", made(""));
}

#[test]
fn a_further_parameter_of_oauth2_may_be_the_resource_and_is_named_as_it_stands_there() {
    let file = |extra: &str| {
        format!(
            "name: a\ndestination: https://a.test\noutgoing_auth:\n  - type: oauth2\n    params:\n      token_url: https://i.test/t\n      client_id: c\n      client_secret: env:S\n      extra_params: {{{extra}}}"
        )
    };
    let made = text(&file("resource: \"https://r.test\", organization: acme"));
    assert!(made.contains("resource: \"https://r.test\""), "{made}");
    assert!(made.contains("organization: acme"), "{made}");
    let wrong = problem(&file("scope: x"));
    assert!(wrong.contains("`extra_params` can't set `scope`"), "{wrong}");
}

#[test]
fn a_destination_that_is_no_address_is_named_by_its_own_key() {
    for destination in [
        "https://example.com.",
        "https://example.com:0",
        "https://exämple.com",
        "https://example.com/a/../b",
        "https://example.com/a%2",
        "https://*.example.com:x",
    ] {
        let wrong = problem(&format!("name: a\ndestination: \"{destination}\""));
        assert!(wrong.contains("`destination`") && !wrong.contains("base_url"), "{destination}: {wrong}");
        assert!(wrong.contains(":3:"), "the line of the destination: {wrong}");
    }
}

#[test]
fn a_secret_of_jwt_may_be_a_key_of_every_kind_that_says_itself_what_it_is_for() {
    let made = text(
        "name: a\ndestination: https://a.test\nincoming_auth:\n  - {type: jwt, params: {secrets: [env:K]}}",
    );
    for algorithm in ["HS256", "RS256", "ES256", "ES384", "ES512", "EdDSA"] {
        assert!(made.contains(&format!("algorithm: {algorithm}")), "{algorithm}: {made}");
    }
}

#[test]
fn durations_are_read_as_go_writes_them() {
    let read = |text: &str| duration::read(&serde_json::json!(text)).map(|time| time.as_millis());
    for (text, millis) in [
        ("90s", 90_000),
        ("1m30s", 90_000),
        ("1.5h", 5_400_000),
        ("300ms", 300),
        ("0", 0),
        ("+2us", 0),
        ("2h45m", 9_900_000),
    ] {
        assert_eq!(read(text), Some(millis), "{text}");
    }
    for text in ["", "1", "-1s", "1d", "s", "1 s"] {
        assert_eq!(read(text), None, "{text}");
    }
    assert_eq!(duration::read(&serde_json::json!(1_000_000_000)).unwrap().as_secs(), 1);
    assert_eq!(duration::ours(std::time::Duration::from_micros(1)), "1ms");
}

#[test]
fn merge_keys_count_as_they_do_there() {
    let text = "
integrations:
  - &base {name: a, destination: https://a.test, in_rate_limit: 5}
  - {<<: *base, name: b}
";
    let translated = translate(text).unwrap();
    assert!(translated.integrations[1].written.text.contains("calls: 5"));
}

#[test]
fn ten_thousand_entries_are_read_whole_and_each_stays_its_own() {
    let mut text = "integrations:\n".to_owned();
    for number in 0..10_000 {
        text.push_str(&format!(
            "  - name: i{number}\n    destination: https://h{number}.example.com\n    in_rate_limit: 5\n    outgoing_auth:\n      \
             - type: token\n        params: {{secrets: [\"env:T{number}\"], header: Authorization, prefix: \"Bearer \"}}\n"
        ));
    }
    let translated = translate(&text).unwrap();
    assert_eq!(translated.integrations.len(), 10_000);
    let last = translated.integrations.last().unwrap();
    assert!(last.written.text.contains("env:T9999") && last.written.line == 59_996, "{last:?}");
}

const TWO: &str = "integrations:
  - name: a
    destination: https://a.test
  - name: b
    destination: https://b.test
    in_rate_limit: 5
";

fn again(text: &str, before: &Before) -> Result<(Translated, Before), catalog::Error> {
    let mut keep = |_: &str, _: &str| -> Result<SecretRef, String> { Ok("store:kept".parse().unwrap()) };
    translated((text, "config.yaml"), &Options::default(), &mut keep, before)
}

fn shown(translated: &Translated) -> Vec<String> {
    translated.integrations.iter().map(Integration::document).collect()
}

#[test]
fn what_was_translated_before_is_the_same_as_what_is_read_whole() {
    let (_, before) = again(TWO, &Before::default()).unwrap();
    let moved = TWO.replace(
        "integrations:\n",
        "# moved\nintegrations:\n  - {name: c, destination: 'https://c.test'}\n\n",
    );
    for text in [TWO, &moved, &TWO.replace("limit: 5", "limit: 6"), &TWO.replace("name: b", "name: d")] {
        let (known, _) = again(text, &before).unwrap();
        let whole = Config::read(text, "config.yaml").unwrap();
        let whole = whole.translate(&Options::default(), &mut |_, _| Err(String::new())).unwrap();
        assert_eq!(shown(&known), shown(&whole), "{text}");
    }
}

#[test]
fn a_mistake_is_told_with_its_line_whatever_was_translated_before() {
    let (_, before) = again(TWO, &Before::default()).unwrap();
    for (more, line) in [
        ("  - name: a\n    destination: https://a.test\n", 7),
        ("  - name: c\n    destination: http://c.test\n", 8),
        ("  - name: c\n    destination: https://c.test\n    rate: 1\n", 9),
    ] {
        let error = again(&format!("{TWO}{more}"), &before).map(drop).unwrap_err().to_string();
        assert!(error.contains(&format!("config.yaml:{line}")), "{error}");
    }
}

#[test]
fn entries_that_lean_on_one_another_are_read_whole() {
    let text = "integrations:\n  - &base {name: a, destination: 'https://a.test', in_rate_limit: 5}\n  - {<<: *base, name: b}\n";
    let (read, before) = again(text, &Before::default()).unwrap();
    assert!(read.integrations[1].written.text.contains("calls: 5"));
    let (read, _) = again(&text.replace("limit: 5", "limit: 6"), &before).unwrap();
    assert!(read.integrations[1].written.text.contains("calls: 6"));
}

#[test]
fn a_secret_in_the_file_itself_is_kept_anew_each_time() {
    let text = format!(
        "{TWO}    outgoing_auth:\n      - {{type: token, params: {{secrets: ['dangerousLiteral:CANARY-0123456789'], header: X-Key}}}}\n"
    );
    let (first, before) = again(&text, &Before::default()).unwrap();
    let mut kept = 0;
    let mut keep = |_: &str, _: &str| -> Result<SecretRef, String> {
        kept += 1;
        Ok("store:kept".parse().unwrap())
    };
    let (second, _) = translated((&text, "config.yaml"), &Options::default(), &mut keep, &before).unwrap();
    assert!(kept > 0);
    assert_eq!(shown(&first), shown(&second));
    assert_eq!(second.integrations[1].literals, 1);
    assert!(second.integrations[1].notes[0].0.contains("line 8"), "{:?}", second.integrations[1].notes);
}

#[test]
fn what_is_disabled_here_is_for_rules_to_say_there() {
    let grafana = "name: grafana\ndestination: https://grafana.example.com\n";
    let enabled = |text: &str| text.contains("enable:\n  - \"*\"\n");
    assert!(enabled(&text(grafana)), "{}", text(grafana));
    assert!(!enabled(&text("name: slack\ndestination: https://slack.com\n")));
}
