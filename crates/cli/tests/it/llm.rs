//! Sign-ins for language models are taken over from other programs, made, listed, chosen and forgotten, in the store and in a file.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::vendor::{OpenAi, token_of};
use testkit::{Doorward, Output};

use crate::{home, write};

/// The year 2100, and one that is over.
pub(crate) const FAR: u64 = 4_102_444_800;
pub(crate) const PAST: u64 = 1_600_000_000;

/// Files of other programs, outside of the home: they hold tokens.
struct Files(TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn put(&self, name: &str, document: &Value) -> PathBuf {
        let path = self.0.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        write(&path, &document.to_string());
        path
    }
}

/// Runs `assistantctl llm auth …` with its state outside of the home.
#[track_caller]
fn assistantctl(doorward: &Doorward, state: &Path, words: &[&str], more: &[(&str, &str)]) -> Output {
    let mut command = doorward.command_as("assistantctl");
    command.args(["llm", "auth"]).args(words).env("CARAPULSE_STATE_DIR", state);
    command.envs(more.iter().copied());
    doorward.run_command(command, "")
}

fn stored(state: &Path) -> Value {
    serde_json::from_slice(&std::fs::read(state.join("auth-profiles.json")).unwrap()).unwrap()
}

fn mode(path: &Path) -> u32 {
    path.metadata().unwrap().permissions().mode() & 0o777
}

fn codex_file(access: &str, refresh: &str) -> Value {
    json!({
        "OPENAI_API_KEY": null, "auth_mode": "chatgpt", "last_refresh": "2025-01-01T00:00:00Z",
        "tokens": { "id_token": token_of(FAR, "id"), "access_token": access, "refresh_token": refresh, "account_id": "account-1" },
    })
}

#[test]
fn a_codex_file_is_imported_into_a_file_of_its_owner_and_the_name_is_all_that_is_printed() {
    let (doorward, files) = (home(), Files::new());
    let (access, refresh) = (token_of(FAR, &doorward.plant("codex")), doorward.plant("refresh"));
    let codex = files.put("codex/auth.json", &codex_file(&access, &refresh));
    let before = std::fs::read(&codex).unwrap();
    let state = files.0.path().join("state");
    let output = assistantctl(&doorward, &state, &["import", "--codex-auth", codex.to_str().unwrap()], &[]);
    assert!(
        output.stderr.contains("is used until 2100-01-01") && output.stderr.contains("not renewed"),
        "{}",
        output.stderr
    );
    assert_eq!(output.succeeded(), "openai-codex:account-1\n");
    assert_eq!((mode(&state), mode(&state.join("auth-profiles.json"))), (0o700, 0o600));
    let kept = stored(&state);
    assert_eq!(kept["defaults"], json!({ "openai-codex": "openai-codex:account-1" }));
    assert_eq!(
        kept["profiles"],
        json!([{
            "id": "openai-codex:account-1", "provider": "openai-codex", "account_id": "account-1", "access_token": access,
            "refresh_token": refresh, "expires_at": "2100-01-01T00:00:00.000Z", "source": "codex-auth",
        }])
    );
    assert_eq!(std::fs::read(&codex).unwrap(), before, "the file of Codex is not touched");
    // The usual places, the flat form, another name, and no default.
    let flat = files.put("home/auth.json", &json!({ "access_token": access, "refresh_token": refresh }));
    let usual = [("CODEX_HOME", flat.parent().unwrap().to_str().unwrap())];
    let more = ["import", "-profile-id=openai-codex:flat", "--set-default=false"];
    assert_eq!(assistantctl(&doorward, &state, &more, &usual).succeeded(), "openai-codex:flat\n");
    let kept = stored(&state);
    assert_eq!(kept["defaults"], json!({ "openai-codex": "openai-codex:account-1" }));
    assert_eq!(kept["profiles"][1]["account_id"], "account-of-the-vendor", "{kept}");
    doorward.assert_no_canary();
}

#[test]
fn a_codex_file_that_has_nothing_to_take_over_says_what_to_do() {
    let (doorward, files) = (home(), Files::new());
    let state = files.0.path().join("state");
    let said = |file: &Path| {
        assistantctl(&doorward, &state, &["import", "--codex-auth", file.to_str().unwrap()], &[])
            .failed_with(1)
    };
    let missing = said(&files.0.path().join("none.json"));
    assert!(
        missing.contains("none.json") && missing.contains(r#"cli_auth_credentials_store = "file""#),
        "{missing}"
    );
    let empty = said(&files.put("empty.json", &json!({ "tokens": null })));
    assert!(
        empty.contains("codex access token missing") && empty.contains("cli_auth_credentials_store"),
        "{empty}"
    );
    let key = said(&files.put("key.json", &json!({ "OPENAI_API_KEY": doorward.plant("key") })));
    assert!(key.contains("an API key") && key.contains("doorward secret put openai/token"), "{key}");
    let over = said(
        &files.put("over.json", &codex_file(&token_of(PAST, &doorward.plant("over")), &doorward.plant("r"))),
    );
    assert!(over.contains("codex access token expired"), "{over}");
    assert!(!state.exists(), "nothing was written");
    doorward.assert_no_canary();
}

#[test]
fn openclaw_profiles_are_found_named_or_looked_for_and_the_newest_agent_wins() {
    let (doorward, files) = (home(), Files::new());
    let (state, claw) = (files.0.path().join("state"), files.0.path().join("claw"));
    let entry = |who: &str| {
        json!({ "type": "oauth", "provider": "openai-codex", "access": doorward.plant(who), "refresh": doorward.plant("r"),
                "expires": 4_102_444_800_000_u64, "accountId": who })
    };
    let file = |who: &str| json!({ "version": 1, "profiles": { "openai-codex:default": entry(who) } });
    let usual = [("OPENCLAW_STATE_DIR", claw.to_str().unwrap())];
    let looked = || assistantctl(&doorward, &state, &["import", "--openclaw-auth", ""], &usual);
    assert!(looked().failed_with(1).contains("openclaw auth profile not found"));
    let _ = files.put("claw/agent/auth-profiles.json", &file("legacy"));
    assert_eq!(looked().succeeded(), "openai-codex:legacy\n");
    let old = files.put("claw/agents/a/agent/auth-profiles.json", &file("older"));
    let new = files.put("claw/agents/b/agent/auth-profiles.json", &file("newer"));
    let at = |path: &Path, seconds: u64| {
        let time = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
        std::fs::File::options().write(true).open(path).unwrap().set_modified(time).unwrap();
    };
    at(&old, 1_000);
    at(&new, 2_000);
    assert_eq!(looked().succeeded(), "openai-codex:newer\n");
    at(&old, 3_000);
    assert_eq!(looked().succeeded(), "openai-codex:older\n");
    assert_eq!(stored(&state)["profiles"][0]["expires_at"], "2100-01-01T00:00:00.000Z");
    let named = |file: &Path| {
        assistantctl(&doorward, &state, &["import", "--openclaw-auth", file.to_str().unwrap()], &usual)
    };
    let list = files.put("list.json", &json!({ "profiles": [entry("of-list")] }));
    assert_eq!(named(&list).succeeded(), "openai-codex:of-list\n");
    let over = json!({ "profiles": { "openai-codex:x": { "type": "oauth", "access": doorward.plant("over"), "expires": 1_600_000_000_000_u64 } } });
    assert!(named(&files.put("over.json", &over)).failed_with(1).contains("openclaw access token expired"));
    let none =
        json!({ "profiles": { "openai-codex:x": { "type": "oauth", "refresh": doorward.plant("x") } } });
    assert!(named(&files.put("none.json", &none)).failed_with(1).contains("openclaw access token required"));
    let key = json!({ "profiles": { "openai:k": { "type": "api_key", "provider": "openai", "key": doorward.plant("k") } } });
    assert!(named(&files.put("key.json", &key)).failed_with(1).contains("`openai:k` is an API key"));
    doorward.assert_no_canary();
}

#[test]
fn tokens_are_taken_as_arguments_with_a_warning_and_from_stdin_without_one() {
    let (doorward, files) = (home(), Files::new());
    let state = files.0.path().join("state");
    let token = doorward.plant("argument");
    let said = |words: &[&str]| assistantctl(&doorward, &state, words, &[]);
    let output = said(&["import", "--access-token", &token, "--expires-at", "2100-01-01T00:00:00Z"]);
    assert!(output.stderr.contains("warning: a token on the command line"), "{}", output.stderr);
    assert_eq!(output.succeeded(), "openai-codex:manual\n");
    let mut command = doorward.command_as("assistantctl");
    command.args([
        "llm",
        "auth",
        "import",
        "--access-token",
        "-",
        "--refresh-token",
        "-",
        "--provider",
        "openai",
    ]);
    command.env("CARAPULSE_STATE_DIR", &state);
    let piped = doorward.run_command(command, format!("{}\n{}\n", doorward.plant("a"), doorward.plant("r")));
    assert!(!piped.stderr.contains("warning"), "{}", piped.stderr);
    assert_eq!(piped.succeeded(), "openai:manual\n");
    for (words, wanted) in [
        (&["import", "--access-token", &token, "--expires-at", "tomorrow"][..], "invalid expires-at"),
        (
            &["import", "--access-token", &token, "--expires-at", "2020-01-01T00:00:00Z"],
            "codex access token expired",
        ),
        (&["import", "--provider", "anthropic"], "only openai-codex import supported without access-token"),
        (&["export"], "unknown llm auth command: export"),
        (&["import", "--acess-token", &token], "did you mean `-access-token`?"),
        (&["import", "--access-token", &token, "--profile-id", "a b"], "a profile is named"),
        (&["import", "--access-token", &token, "--refresh"], "has no refresh token"),
    ] {
        let text = said(words).failed_with(1);
        assert!(text.contains(wanted), "{wanted} in {text}");
    }
    let plan = doorward.run_command(
        {
            let mut command = doorward.command_as("assistantctl");
            command.args(["plan", "list"]);
            command
        },
        "",
    );
    assert!(plan.failed_with(1).contains("speaks `assistantctl llm auth` only"));
    doorward.assert_no_canary();
}

#[test]
fn our_own_command_takes_no_token_as_an_argument() {
    let doorward = home();
    let token = doorward.plant("typed");
    for words in [vec!["--access-token", &token], vec![&*format!("--access-token={token}")], vec![&*token]] {
        let text = doorward.run(&[&["llm", "auth", "import"][..], &words].concat(), "").failed_with(2);
        assert!(text.contains("a secret is never an argument"), "{text}");
    }
    doorward.assert_no_canary();
}

/// Puts a program `codex` on the path, that writes its file when it is called with this word.
fn codex_on_path(doorward: &Doorward, files: &Files, word: &str, access: &str) -> (String, String) {
    let (bin, codex) = (files.0.path().join("bin"), files.0.path().join("codex"));
    let document = files.put("answer.json", &codex_file(access, "CANARY-unused-refresh"));
    std::fs::create_dir_all(&bin).unwrap();
    let script = format!(
        "#!/bin/sh\necho talk of codex\n[ \"$1\" = {word} ] || exit 3\nmkdir -p \"$CODEX_HOME\" && cp {} \"$CODEX_HOME/auth.json\"\n",
        document.display()
    );
    store::files::replace(&bin.join("codex"), script.as_bytes(), 0o700).unwrap();
    let path = doorward
        .command()
        .get_envs()
        .find_map(|(name, value)| (name == "PATH").then_some(value).flatten())
        .unwrap()
        .to_owned();
    (format!("{}:{}", bin.display(), path.display()), codex.display().to_string())
}

#[test]
fn login_runs_codex_in_its_newer_or_older_form_and_then_imports() {
    for word in ["login", "--login"] {
        let (doorward, files) = (home(), Files::new());
        let state = files.0.path().join("state");
        let (path, codex) = codex_on_path(&doorward, &files, word, &token_of(FAR, &doorward.plant("login")));
        let output = assistantctl(&doorward, &state, &["login"], &[("PATH", &path), ("CODEX_HOME", &codex)]);
        assert!(output.stderr.contains("talk of codex"), "{}", output.stderr);
        assert_eq!(output.succeeded(), "openai-codex:account-1\n", "{word}");
        doorward.assert_no_canary();
    }
    let (doorward, files) = (home(), Files::new());
    let (path, codex) = codex_on_path(&doorward, &files, "never", "x");
    let state = files.0.path().join("state");
    let failed = assistantctl(&doorward, &state, &["login"], &[("PATH", &path), ("CODEX_HOME", &codex)]);
    assert!(failed.failed_with(1).contains("codex login failed"));
    let nowhere = files.0.path().display().to_string();
    let missing = assistantctl(&doorward, &state, &["login"], &[("PATH", &nowhere)]);
    assert!(missing.failed_with(1).contains("codex CLI not found"));
}

#[test]
fn sign_ins_of_the_store_are_listed_chosen_and_forgotten_without_their_tokens_and_leave_evidence() {
    let (doorward, files) = (home(), Files::new());
    let _ = doorward.run(&["init"], "").succeeded();
    let (access, refresh) = (token_of(FAR, &doorward.plant("store")), doorward.plant("store-refresh"));
    let codex = files.put("auth.json", &codex_file(&access, &refresh));
    let import = ["llm", "auth", "import", "--codex-auth", codex.to_str().unwrap()];
    assert_eq!(doorward.run(&import, "").succeeded(), "openai-codex:account-1\n");
    let piped = [
        "llm",
        "auth",
        "import",
        "--access-token",
        "--profile-id",
        "openai-codex:b",
        "--set-default",
        "false",
    ];
    assert_eq!(doorward.run(&piped, doorward.plant("piped")).succeeded(), "openai-codex:b\n");
    let list = || doorward.run(&["llm", "auth", "list", "--json"], "").json()["profiles"].clone();
    let defaults = |list: &Value| -> Vec<String> {
        let all = list.as_array().unwrap().iter().filter(|one| one["default"] == true);
        all.map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(defaults(&list()), ["openai-codex:account-1"]);
    let _ = doorward.run(&["llm", "auth", "use", "openai-codex:b"], "").succeeded();
    assert_eq!(defaults(&list()), ["openai-codex:b"]);
    let renews = doorward.run(&["llm", "auth", "use", "openai-codex:account-1", "--refresh"], "");
    assert!(renews.stderr.contains("will be signed out"), "{}", renews.stderr);
    assert_eq!(list()[0]["renews"], true);
    let alone = doorward.run(&["llm", "auth", "use", "openai-codex:b", "--refresh"], "").failed_with(1);
    assert!(alone.contains("has no refresh token"), "{alone}");
    let gone = doorward.run(&["llm", "auth", "use", "openai-codex:gone"], "").failed_with(1);
    assert!(gone.contains("auth profile not found: `openai-codex:gone`"), "{gone}");
    let _ = doorward.run(&["llm", "auth", "remove", "openai-codex:b"], "").succeeded();
    assert_eq!(list().as_array().unwrap().len(), 1);
    let table = doorward.run(&["llm", "auth", "list"], "").succeeded();
    assert!(table.contains("openai-codex:account-1"), "{table}");
    let evidence = doorward.run(&["evidence", "list", "--json"], "").succeeded();
    for operation in ["llm.import", "llm.use", "llm.remove", "llm.list"] {
        assert!(evidence.contains(operation), "{operation} in {evidence}");
    }
    // The same in a file, by our own command.
    let path = files.0.path().join("own/profiles.json");
    let file = ["--auth-path", path.to_str().unwrap()];
    assert_eq!(doorward.run(&[&import[..], &file].concat(), "").succeeded(), "openai-codex:account-1\n");
    assert_eq!(mode(&path), 0o600);
    let _ = doorward
        .run(&[&["llm", "auth", "remove", "openai-codex:account-1"][..], &file].concat(), "")
        .succeeded();
    assert!(!std::fs::read_to_string(&path).unwrap().contains("account-1"));
    doorward.assert_no_canary();
}

#[test]
fn a_browser_signs_in_with_a_proof_and_comes_back_to_this_machine() {
    let (doorward, files) = (home(), Files::new());
    let vendor = OpenAi::start(&doorward.plant("pkce"));
    let browser = files.0.path().join("browser");
    store::files::replace(&browser, b"#!/bin/sh\nexec curl -sS -L -o /dev/null \"$1\"\n", 0o700).unwrap();
    let state = files.0.path().join("state");
    let words = ["login", "--pkce", "--port", "0", "--issuer", &vendor.url()];
    let browsed = [("BROWSER", browser.to_str().unwrap())];
    let output = assistantctl(&doorward, &state, &words, &browsed);
    assert_eq!(output.succeeded(), "openai-codex:account-of-the-vendor\n");
    let kept = stored(&state)["profiles"][0].clone();
    assert_eq!((&kept["source"], &kept["auto_refresh"]), (&json!("pkce"), &json!(true)), "{kept}");
    let elsewhere = ["login", "--pkce", "--port", "0", "--issuer", "http://example.com"];
    let refused = assistantctl(&doorward, &state, &elsewhere, &browsed).failed_with(1);
    assert!(!refused.is_empty());
    doorward.assert_no_canary();
}

#[test]
fn eight_processes_that_renew_one_file_at_once_ask_the_issuer_once() {
    let (doorward, files) = (home(), Files::new());
    let vendor = OpenAi::start(&doorward.plant("eight"));
    let (access, refresh) = vendor.signed_in(PAST);
    let codex = files.put("auth.json", &codex_file(&access, &refresh));
    let state = files.0.path().join("state");
    let import = ["import", "--codex-auth", codex.to_str().unwrap()];
    assert!(assistantctl(&doorward, &state, &import, &[]).failed_with(1).contains("expired"));
    let renewed = assistantctl(&doorward, &state, &[&import[..], &["--refresh"]].concat(), &[]);
    assert!(renewed.stderr.contains("will be signed out"), "{}", renewed.stderr);
    std::thread::scope(|scope| {
        let ask =
            || assistantctl(&doorward, &state, &["refresh", "--issuer", &vendor.url()], &[]).succeeded();
        let asked: Vec<_> = (0..8).map(|_| scope.spawn(ask)).collect();
        for one in asked {
            assert_eq!(one.join().unwrap(), "openai-codex:account-1\n");
        }
    });
    assert_eq!(vendor.renewals(), 1);
    let kept = stored(&state)["profiles"][0].clone();
    assert!(
        kept["access_token"] != json!(access) && kept["refresh_token"] != json!(refresh),
        "the new pair is kept"
    );
    assert_eq!(
        (mode(&state.join("auth-profiles.json")), &kept["expires_at"]),
        (0o600, &json!("2100-01-01T00:00:00.000Z"))
    );
    // Whoever else has the old refresh token is told so, and the file stays as it was.
    let again = files.0.path().join("again");
    let _ = assistantctl(&doorward, &again, &[&import[..], &["--refresh"]].concat(), &[]).succeeded();
    let before = stored(&again);
    let spent = assistantctl(&doorward, &again, &["refresh", "--issuer", &vendor.url()], &[]).failed_with(1);
    assert!(spent.contains("refresh_token_reused") && spent.contains("llm auth login"), "{spent}");
    assert_eq!(stored(&again), before);
    doorward.assert_no_canary();
}

#[test]
fn a_damaged_file_of_profiles_is_left_as_it_is() {
    let (doorward, files) = (home(), Files::new());
    let path =
        files.put("state/auth-profiles.json", &json!({ "profiles": [{ "id": "CANARY-x", "later": 1 }] }));
    let before = std::fs::read(&path).unwrap();
    let codex = files.put("auth.json", &codex_file(&token_of(FAR, &doorward.plant("kept")), "r"));
    let words = ["import", "--codex-auth", codex.to_str().unwrap()];
    let said = assistantctl(&doorward, path.parent().unwrap(), &words, &[]).failed_with(1);
    assert!(said.contains("can't be read") && !said.contains("CANARY-x"), "{said}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    doorward.assert_no_canary();
}
