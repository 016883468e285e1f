//! Property tests: no way of writing a request that is not allowed, or is denied, changes that.

use proptest::prelude::*;

use super::*;

/// One character as it may be written in a path: itself, or escaped once or twice.
fn written(text: &str, choices: &[u8]) -> String {
    let mut out = String::new();
    for (at, byte) in text.bytes().enumerate() {
        match choices.get(at % choices.len().max(1)).copied().unwrap_or(0) % 4 {
            1 => out.push_str(&format!("%{byte:02X}")),
            2 => out.push_str(&format!("%{byte:02x}")),
            3 => out.push_str(&format!("%25{byte:02x}")),
            _ => out.push(char::from(byte)),
        }
    }
    out
}

/// A plain reading of a path, by another way than the code under test: split, decode once, compare.
fn plainly_fits(path: &str) -> bool {
    let segments: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    matches!(segments.as_slice(), ["a", middle, "c"] | ["a", middle, "c", ""]
        if !middle.is_empty() && middle.bytes().all(|b| b.is_ascii_alphanumeric() || b"-._~".contains(&b)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_way_of_writing_a_path_opens_it(parts in prop::collection::vec("[ab/.;c]{1,3}", 1..5), choices in prop::collection::vec(any::<u8>(), 1..12)) {
        let rules = allow("{path: /a/*/c, methods: {GET: {}}}");
        let text = format!("/{}", written(&parts.join("/"), &choices).replace("%2F", "/"));
        if let Ok(target) = text.parse::<Target>() {
            let fits = plainly_fits(target.path());
            let said = Sent { target, ..asks("GET /") }.said(&rules);
            prop_assert!(said != "allowed" || fits, "{text}");
        }
    }

    #[test]
    fn no_way_of_writing_a_path_escapes_a_denial(middle in "[a-z0-9]{1,4}", choices in prop::collection::vec(any::<u8>(), 1..12), upper in any::<bool>(), doubled in any::<bool>()) {
        let rules = deny("{path: /admin/*/keys, methods: {GET: {}}}");
        let plain = format!("admin/{middle}/keys");
        let plain = if upper { plain.to_uppercase() } else { plain };
        let text = format!("/{}", written(&plain, &choices));
        let text = if doubled { text.replacen('/', "//", 2) } else { text };
        if let Ok(target) = text.parse::<Target>() {
            prop_assert_eq!(Sent { target, ..asks("GET /") }.said(&rules), "denied", "{}", text);
        }
    }

    #[test]
    fn no_body_passes_that_another_reader_understands_otherwise(body in r#"[{}\[\]":,a-c0-9 .e\\u-]{0,24}"#) {
        let rules = allow("{path: /a, methods: {POST: {body: {a: b}}}}");
        let spliced = format!(r#"{{"a":"b"{body}}}"#);
        for text in [body, spliced] {
            if asks("POST /a").json(&text).said(&rules) == "allowed" {
                let value: serde_json::Value = serde_json::from_str(&text).unwrap();
                prop_assert_eq!(value.get("a"), Some(&serde_json::Value::from("b")), "{}", text);
            }
        }
    }

    #[test]
    fn no_query_passes_that_holds_another_value(pairs in prop::collection::vec(("[qQ]|q%5B%5D|%71|x", "good|evil|g%6fod|"), 0..4), separators in prop::collection::vec("&|;|&&", 4)) {
        let rules = allow("{path: /s, methods: {GET: {query: {q: [good]}}}}");
        let mut query = String::new();
        for ((name, value), separator) in pairs.iter().zip(&separators) {
            query.push_str(&format!("{name}={value}{separator}"));
        }
        if let Ok(target) = format!("/s?{query}").parse::<Target>()
            && (Sent { target, ..asks("GET /s") }).said(&rules) == "allowed"
        {
            let about = |name: &String| name != "x";
            prop_assert!(pairs.iter().filter(|(name, _)| about(name)).all(|(_, value)| value == "good" || value == "g%6fod"), "{query}");
        }
    }
}
