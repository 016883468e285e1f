//! Files of other programs in every form that they were seen in, and the document that sign-ins are kept in.

use serde_json::{Value, json};

use super::*;
use crate::Token;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

/// A JSON Web Token with these claims; nobody here checks its signature.
fn jwt(claims: &Value) -> String {
    let part = |value: &Value| crypto::to_base64url(value.to_string().as_bytes());
    format!("{}.{}.CANARYsignature", part(&json!({ "alg": "RS256" })), part(claims))
}

fn account(exp: u64) -> Value {
    json!({ "exp": exp, "sub": "user-1", "https://api.openai.com/auth": { "chatgpt_account_id": "acct-of-claims" } })
}

#[expect(clippy::disallowed_methods, reason = "a test looks at what was read")]
fn text(secret: &Secret) -> String {
    secret.expose(|bytes| String::from_utf8(bytes.to_vec()).unwrap())
}

fn from_codex(file: &Value) -> Result<Found, Error> {
    codex(file.to_string().as_bytes(), "auth.json", NOW)
}

fn from_openclaw(file: &Value) -> Result<Found, Error> {
    openclaw(file.to_string().as_bytes(), "auth-profiles.json", NOW)
}

fn profile(id: &str, provider: &str) -> Profile {
    let access = Secret::new(format!("CANARY-access-of-{id}").into_bytes()).unwrap();
    let refresh = Some(Secret::new(format!("CANARY-refresh-of-{id}").into_bytes()).unwrap());
    let found = Found { access, refresh, account: None, ends: Some(NOW), source: "manual" };
    found.named(provider, Some(id.to_owned()), Renew::Never).unwrap()
}

#[test]
fn a_codex_file_of_today_gives_tokens_account_and_end() {
    let access = jwt(&account(1_800_003_600));
    let file = json!({
        "OPENAI_API_KEY": null, "auth_mode": "chatgpt", "last_refresh": "2025-01-01T00:00:00Z",
        "tokens": { "id_token": jwt(&json!({})), "access_token": access, "refresh_token": "CANARY-r", "account_id": "acct-1" },
    });
    let found = from_codex(&file).unwrap();
    assert_eq!((text(&found.access), found.account.as_deref()), (access, Some("acct-1")));
    assert_eq!(found.refresh.as_ref().map(text).as_deref(), Some("CANARY-r"));
    assert_eq!(found.ends, Some(Timestamp::from_millis(1_800_003_600_000)));
    let profile = found.named(CODEX, None, Renew::Never).unwrap();
    assert_eq!((profile.id.as_str(), profile.source.as_str()), ("openai-codex:acct-1", "codex-auth"));
}

#[test]
fn the_account_comes_from_the_claims_where_the_file_has_none_and_never_from_the_subject() {
    let with = |id: &Value| {
        let tokens = json!({ "id_token": jwt(id), "access_token": jwt(&json!({ "sub": "user-1" })) });
        from_codex(&json!({ "tokens": tokens })).unwrap().named(CODEX, None, Renew::Never).unwrap().id
    };
    assert_eq!(with(&account(1)), "openai-codex:acct-of-claims");
    assert_eq!(with(&json!({ "sub": "user-1" })), "openai-codex:default");
}

#[test]
fn a_flat_codex_file_is_taken_as_well_with_its_own_end() {
    let flat = |more: Value| {
        let mut file =
            json!({ "access_token": "CANARY-opaque-token", "refresh_token": "r", "account_id": "a" });
        file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        from_codex(&file).unwrap().ends
    };
    let at = |millis| Some(Timestamp::from_millis(millis));
    assert_eq!(flat(json!({})), None);
    assert_eq!(flat(json!({ "expires_at": "2027-01-15T08:00:00Z" })), at(1_800_000_000_000));
    assert_eq!(flat(json!({ "expires_at": 1_800_000_000 })), at(1_800_000_000_000));
    assert_eq!(flat(json!({ "expires_at": 1_800_000_000_123_u64 })), at(1_800_000_000_123));
    assert_eq!(flat(json!({ "expires_in": 60 })), at(1_800_000_060_000));
    assert_eq!(
        flat(json!({ "expires_in": "60", "last_refresh": "2027-01-15T07:00:00Z" })),
        at(1_799_996_460_000)
    );
}

#[test]
fn a_codex_file_without_a_token_says_what_it_is() {
    let said = |file: &Value| from_codex(file).err().unwrap().to_string();
    assert_eq!(said(&json!({})), "codex access token missing");
    assert_eq!(said(&json!({ "tokens": { "refresh_token": "CANARY" } })), "codex access token missing");
    assert!(said(&json!({ "OPENAI_API_KEY": "sk-CANARY", "tokens": null })).contains("an API key"));
    for bad in [json!({ "tokens": { "access_token": 7 } }), json!({ "tokens": "CANARY" }), json!(["CANARY"])]
    {
        let error = said(&bad);
        assert!(error.contains("`auth.json` can't be read") && !error.contains("CANARY"), "{error}");
    }
    assert!(!said(&json!({ "access_token": "CANARY with a\nline" })).contains("CANARY"));
}

#[test]
fn one_that_has_ended_is_refused_unless_it_will_be_renewed() {
    let tokens = json!({ "tokens": { "access_token": jwt(&account(1_799_999_999)), "refresh_token": "r" } });
    let fresh = |renew| from_codex(&tokens).unwrap().fresh("codex", renew, NOW);
    assert_eq!(fresh(Renew::Never).err().unwrap().to_string(), "codex access token expired");
    assert!(fresh(Renew::WhenDue).is_ok());
    let alone = json!({ "tokens": { "access_token": jwt(&account(1_799_999_999)) } });
    let alone = from_codex(&alone).unwrap().fresh("codex", Renew::WhenDue, NOW);
    assert_eq!(alone.err().unwrap().to_string(), "codex access token expired");
}

#[test]
fn openclaw_files_of_every_shape_are_read() {
    let entry = json!({
        "type": "oauth", "provider": "openai-codex", "access": "CANARY-a", "refresh": "CANARY-r",
        "expires": 1_800_003_600_000_u64, "email": "ada@example.com", "accountId": "acct-1",
    });
    let other = json!({ "type": "oauth", "provider": "anthropic", "access": "CANARY-other", "expires": 1 });
    let mut in_list = entry.clone();
    in_list["id"] = json!("openai-codex:work");
    let mut newer = entry.clone();
    newer["provider"] = json!("openai");
    let shapes = [
        json!({ "version": 1, "profiles": { "anthropic:default": other, "openai-codex:default": entry }, "order": null,
                "lastGood": {}, "usageStats": { "openai-codex:default": { "lastUsed": 1 } } }),
        json!({ "authProfiles": { "openai-codex:default": entry } }),
        json!({ "profiles": [other, in_list] }),
        json!({ "openai-codex:default": entry, "version": 1, "note": "x" }),
        entry,
        json!({ "profiles": { "openai:default": newer } }),
    ];
    for shape in shapes {
        let found = from_openclaw(&shape).unwrap_or_else(|error| panic!("{error}: {shape}"));
        assert_eq!(
            (text(&found.access).as_str(), found.account.as_deref()),
            ("CANARY-a", Some("acct-1")),
            "{shape}"
        );
        assert_eq!(found.ends, Some(Timestamp::from_millis(1_800_003_600_000)), "{shape}");
        assert!(found.refresh.is_some(), "{shape}");
    }
}

#[test]
fn openclaw_keys_go_by_several_words() {
    for (access, refresh, who, end) in [
        ("access_token", "refresh_token", "account_id", json!({ "expires_at": "2027-01-15T09:00:00Z" })),
        ("accessToken", "refreshToken", "accountId", json!({ "expiresAt": 1_800_003_600 })),
        ("key", "refresh", "email", json!({ "expires_in": 3600 })),
        ("token", "refresh", "email", json!({ "expires": "1800003600000" })),
    ] {
        let mut entry = json!({ access: "CANARY-a", refresh: "CANARY-r", who: "acct-1" });
        entry.as_object_mut().unwrap().extend(end.as_object().unwrap().clone());
        let found = from_openclaw(&json!({ "profiles": { "openai-codex:x": entry } })).unwrap();
        assert_eq!(
            (text(&found.access).as_str(), found.account.as_deref()),
            ("CANARY-a", Some("acct-1")),
            "{access}"
        );
        assert_eq!(found.ends, Some(Timestamp::from_millis(1_800_003_600_000)), "{access}");
    }
}

#[test]
fn of_several_openclaw_profiles_the_last_good_one_is_taken_then_the_first_in_order_then_the_default() {
    let entry = |name: &str| json!({ "type": "oauth", "provider": "openai-codex", "access": name });
    let base = json!({ "openai-codex:a": entry("a"), "openai-codex:default": entry("d"), "openai-codex:z": entry("z") });
    let with = |more: Value| {
        let mut file = json!({ "version": 1, "profiles": base });
        file.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        text(&from_openclaw(&file).unwrap().access)
    };
    assert_eq!(with(json!({})), "d");
    assert_eq!(with(json!({ "order": { "openai-codex": ["openai-codex:z", "openai-codex:a"] } })), "z");
    let both = json!({ "lastGood": { "openai-codex": "openai-codex:a" }, "order": { "openai-codex": ["openai-codex:z"] } });
    assert_eq!(with(both), "a");
    assert_eq!(with(json!({ "lastGood": { "openai-codex": "openai-codex:gone" } })), "d");
}

#[test]
fn openclaw_files_without_a_sign_in_say_what_is_missing() {
    let said = |file: Value| from_openclaw(&file).err().unwrap().to_string();
    assert_eq!(said(json!({ "profiles": {} })), "openclaw auth profile not found");
    assert_eq!(said(json!({ "version": 1 })), "openclaw auth profile not found");
    let required = json!({ "profiles": { "openai-codex:x": { "type": "oauth", "refresh": "CANARY" } } });
    assert_eq!(said(required), "openclaw access token required");
    let key = said(
        json!({ "profiles": { "openai:default": { "type": "api_key", "provider": "openai", "key": "sk-CANARY" } } }),
    );
    assert!(key.contains("`openai:default` is an API key") && !key.contains("CANARY"), "{key}");
    let ended = json!({ "profiles": { "openai-codex:x": { "type": "oauth", "access": "a", "expires": 1_799_999_999_000_u64 } } });
    let ended = from_openclaw(&ended).unwrap().fresh("openclaw", Renew::Never, NOW).err().unwrap();
    assert_eq!(ended.to_string(), "openclaw access token expired");
    for bad in [
        json!(["CANARY"]),
        json!("CANARY"),
        json!({ "profiles": { "openai-codex:x": { "access": ["CANARY"] } } }),
    ] {
        let error = said(bad);
        assert!(error.contains("can't be read") && !error.contains("CANARY"), "{error}");
    }
}

#[test]
fn the_document_is_read_as_it_was_written() {
    let mut all = Profiles::default();
    all.put(profile("openai-codex:a", CODEX), Rank::Default);
    all.put(profile("openai-codex:b", CODEX), Rank::OneOfMany);
    let bytes = all.write().unwrap();
    let document: Value = serde_json::from_slice(&bytes).unwrap();
    assert_eq!(document["defaults"], json!({ "openai-codex": "openai-codex:a" }));
    assert_eq!(
        document["profiles"][1],
        json!({
            "id": "openai-codex:b", "provider": "openai-codex", "access_token": "CANARY-access-of-openai-codex:b",
            "refresh_token": "CANARY-refresh-of-openai-codex:b", "expires_at": "2027-01-15T08:00:00.000Z", "source": "manual",
        })
    );
    let again = Profiles::read(&bytes, "x").unwrap();
    assert_eq!(*again.write().unwrap(), *bytes);
    assert!(!again.list(NOW).to_string().contains("CANARY"));
    let one = again.select(CODEX, None).unwrap().unwrap();
    assert_eq!(Profile::read(&one.write().unwrap(), "x").unwrap().id, "openai-codex:a");
}

#[test]
fn an_empty_document_has_no_profiles_and_a_damaged_one_is_refused_without_being_repeated() {
    for empty in ["", " \n", "{}", r#"{"defaults":null,"profiles":null}"#] {
        assert!(
            Profiles::read(empty.as_bytes(), "f").unwrap().select(CODEX, None).unwrap().is_none(),
            "{empty}"
        );
    }
    let go = r#"{"profiles":[{"id":"a","provider":"p","access_token":"t","refresh_token":"","expires_at":"0001-01-01T00:00:00Z"}]}"#;
    let read = Profiles::read(go.as_bytes(), "f").unwrap();
    let one = read.select("p", None).unwrap().unwrap();
    assert!(one.refresh.is_none() && one.ends.is_none());
    for bad in [
        "[]",
        r#"{"profiles":[{"id":"CANARY"}]}"#,
        r#"{"profiles":[{"id":"a","provider":"p","access_token":""}]}"#,
        r#"{"profiles":[{"id":"a","provider":"p","access_token":"t"},{"id":"a","provider":"p","access_token":"t"}]}"#,
    ] {
        let error =
            Profiles::read(bad.as_bytes(), "the/file").err().unwrap_or_else(|| panic!("{bad} was read"));
        assert!(error.to_string().starts_with("`the/file` can't be read"), "{error}");
        assert!(!error.to_string().contains("CANARY"), "{error}");
    }
}

#[test]
fn a_preferred_profile_has_to_be_there_else_the_default_counts_then_the_first() {
    let mut all = Profiles::default();
    all.put(profile("a", CODEX), Rank::OneOfMany);
    all.put(profile("b", CODEX), Rank::OneOfMany);
    all.put(profile("c", OPENAI), Rank::Default);
    let select =
        |all: &Profiles, preferred| all.select(CODEX, preferred).map(|one| one.map(|one| one.id.clone()));
    assert_eq!(select(&all, None).unwrap().as_deref(), Some("a"));
    all.prefer("b", None).unwrap();
    assert_eq!(select(&all, None).unwrap().as_deref(), Some("b"));
    assert_eq!(select(&all, Some("a")).unwrap().as_deref(), Some("a"));
    assert_eq!(select(&all, Some("gone")).unwrap_err().to_string(), "auth profile not found: `gone`");
    assert_eq!(select(&all, Some("c")).unwrap_err().to_string(), "auth profile not found: `c`");
    assert_eq!(all.take("b").ok().map(|one| one.id).as_deref(), Some("b"));
    assert_eq!(select(&all, None).unwrap().as_deref(), Some("a"));
    assert!(all.take("b").is_err());
}

#[test]
fn only_a_profile_with_a_refresh_token_can_be_renewed_and_it_keeps_its_name() {
    let mut all = Profiles::default();
    let access = || Secret::new(b"CANARY-access".to_vec()).unwrap();
    let alone = Profile::manual(access(), None, None);
    assert!(alone.named(CODEX, None, Renew::WhenDue).err().unwrap().to_string().contains("no refresh token"));
    let alone = Profile::manual(access(), None, None).named(CODEX, None, Renew::Never).unwrap();
    assert_eq!(alone.id, "openai-codex:manual");
    all.put(alone, Rank::Default);
    assert!(all.prefer("openai-codex:manual", Some(Renew::WhenDue)).is_err());
    let old = profile("a", CODEX);
    let granted = |refresh| Granted { token: Token { value: access(), ends: NOW }, refresh };
    let kept = old.renewed(granted(None)).unwrap();
    assert_eq!(kept.refresh.as_ref().map(text).as_deref(), Some("CANARY-refresh-of-a"));
    let renewed = old.renewed(granted(Some(access()))).unwrap();
    assert_eq!((renewed.id.as_str(), text(&renewed.refresh.unwrap())), ("a", "CANARY-access".to_owned()));
}

#[test]
fn names_are_what_can_be_printed_and_typed() {
    for bad in ["", "a b", "a\"b", "a\\b", "a`b", "a\nb", "\u{e9}"] {
        assert!(!is_name(bad), "{bad:?}");
        let found = Profile::manual(Secret::new(b"CANARY-access".to_vec()).unwrap(), None, None);
        assert!(found.named(CODEX, Some(bad.to_owned()), Renew::Never).is_err(), "{bad:?}");
    }
    assert!(is_name("openai-codex:ada@example.com") && !is_name(&"a".repeat(201)));
}

#[test]
fn the_page_has_the_hash_and_the_state_and_an_issuer_is_an_address() {
    let endpoint = Endpoint::of("https://auth.openai.com/", CLIENT).unwrap();
    let page = endpoint.page("http://localhost:1455/auth/callback", "HASH", "STATE");
    assert!(
        page.starts_with("https://auth.openai.com/oauth/authorize?response_type=code&client_id=app_"),
        "{page}"
    );
    for part in [
        "redirect_uri=http%3A%2F%2Flocalhost%3A1455%2Fauth%2Fcallback",
        "code_challenge=HASH",
        "state=STATE",
        "code_challenge_method=S256",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    for bad in [
        "auth.openai.com",
        "http://example.com",
        "http://127.0.0.1.example.com",
        "ftp://x",
        "https://u@x",
        "https://x/?a=b",
    ] {
        assert!(Endpoint::of(bad, CLIENT).is_err(), "{bad}");
    }
}

#[test]
fn a_newer_programs_document_is_used_and_never_written_over_and_a_mark_in_front_is_passed_over() {
    let one = json!({ "id": "openai-codex:a", "provider": "openai-codex", "access_token": "CANARY-a", "custom": 1 });
    for document in [json!({ "profiles": [one] }), json!({ "version": 2, "profiles": [] })] {
        let read = Profiles::read(document.to_string().as_bytes(), "x").unwrap();
        let lost = read.write().unwrap_err().to_string();
        assert!(lost.contains("would be lost") && !lost.contains("CANARY"), "{lost}");
    }
    let marked = |text: String| format!("\u{feff}{text}").into_bytes();
    let plain = json!({ "defaults": {}, "profiles": [] }).to_string();
    assert!(Profiles::read(&marked(plain), "x").unwrap().write().is_ok());
    let tokens = json!({ "tokens": { "access_token": jwt(&json!({})), "account_id": "acc-1" } });
    assert_eq!(codex(&marked(tokens.to_string()), "x", NOW).unwrap().account.as_deref(), Some("acc-1"));
    let flat = json!({ "profiles": { "openai-codex:a": { "type": "oauth", "provider": "openai-codex", "access": "CANARY-b" } } });
    assert_eq!(text(&openclaw(&marked(flat.to_string()), "x", NOW).unwrap().access), "CANARY-b");
}
