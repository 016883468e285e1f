//! Signing in at an identity provider, as a browser does it.

use serde_json::{Value, json};
use testkit::vendor::{Login, Twist};

use super::client::{Api, Said};
use crate::home;

/// A broker whose people sign in at a provider.
struct House {
    api: Api,
    login: Login,
}

/// A browser: the cookies that it was told to keep, and the word that its page keeps.
#[derive(Default)]
struct Browser(Vec<(String, String)>, String);

impl House {
    fn open() -> Self {
        let secret = testkit::canary::plant("client");
        let login = Login::start("doorward", &secret);
        login.person(ada());
        let settings = format!(
            "[api.sign_in]\nissuer = \"{}\"\nclient_id = \"doorward\"\nclient_secret = \"file:client-secret\"\ntitle = \"Example\"\n\
             dangerous_allow_private = true\n[api.sign_in.roles]\nauditors = [\"auditor\"]\nadmins = [\"admin\"]\n",
            login.url()
        );
        let doorward = home();
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        let file = doorward.folder().join("client-secret");
        crate::write(file.clone(), &format!("{secret}\n"));
        let settings = settings.replace("file:client-secret", &format!("file:{}", file.display()));
        crate::write(doorward.data().join("settings.toml"), &settings);
        let team = doorward.run(&["policy", "template", "team"], "").succeeded();
        crate::write(doorward.folder().join("team.cedar"), &team);
        let _ = doorward.run(&["policy", "put", "team", "team.cedar"], "").succeeded();
        let mut command = doorward.command();
        command.args(["serve", "--json", "--addr", "127.0.0.1:0"]);
        let running = doorward.start(command);
        Self { api: Api { doorward, running }, login }
    }

    fn asked(&self, browser: &mut Browser, method: &str, path: &str, headers: &str) -> Said {
        let said = self.api.ask(method, path, &format!("{}{headers}", browser.headers()), &Value::Null);
        browser.keep(&said);
        said
    }

    /// What the console does with the half of a code in its address.
    fn opened(&self, browser: &mut Browser, code: &str) -> Said {
        let headers = format!("{}Sec-Fetch-Site: same-origin\r\n", browser.headers());
        let said = self.api.ask("POST", "/v1/session", &headers, &json!({"code": code}));
        browser.keep(&said);
        if let Some(word) = said.value["csrf"].as_str() {
            word.clone_into(&mut browser.1);
        }
        said
    }

    /// Sends a browser away; gives the way back from the provider.
    fn sent(&self, browser: &mut Browser) -> String {
        let said = self.asked(browser, "GET", "/v1/session/oidc", "");
        let place = location(&said);
        assert!(place.starts_with(&format!("{}/authorize?", self.login.url())), "{place}");
        self.back_from(&place)
    }

    /// What the provider's page leads to.
    fn back_from(&self, place: &str) -> String {
        use std::io::{Read, Write};
        let host = self.login.url().trim_start_matches("http://").to_owned();
        let target = place.strip_prefix(&self.login.url()).unwrap();
        let mut stream = std::net::TcpStream::connect(&host).unwrap();
        stream
            .write_all(
                format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n").as_bytes(),
            )
            .unwrap();
        let mut raw = String::new();
        stream.read_to_string(&mut raw).unwrap();
        let line =
            raw.lines().find_map(|line| line.strip_prefix("location: ")).unwrap_or_else(|| panic!("{raw}"));
        let back = line.strip_prefix(self.api.running.ready["api"].as_str().unwrap()).unwrap();
        assert!(back.starts_with("/v1/session/oidc/callback?"), "{back}");
        back.to_owned()
    }

    /// The word with which a browser that comes back is led to the console; empty where it is signed in.
    fn ended(&self, browser: &mut Browser, back: &str) -> String {
        let said = self.asked(browser, "GET", back, "");
        let place = location(&said);
        let behind = place.strip_prefix("/console/#").unwrap();
        let Some(code) = behind.strip_prefix("code=") else {
            assert!(browser.0.is_empty(), "{:?}", browser.0);
            return behind.strip_prefix("error=").unwrap().to_owned();
        };
        assert!(!browser.0.iter().any(|(name, _)| name == "doorward_session"), "{:?}", browser.0);
        let opened = self.opened(browser, code);
        assert_eq!(opened.status, 201, "{}", opened.value);
        String::new()
    }

    /// The same from the beginning.
    fn tried(&self) -> String {
        let mut browser = Browser::default();
        let back = self.sent(&mut browser);
        self.ended(&mut browser, &back)
    }
}

impl Browser {
    fn headers(&self) -> String {
        let cookies: Vec<String> = self.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
        format!("Cookie: {}\r\nX-CSRF-Token: {}\r\n", cookies.join("; "), self.1)
    }

    fn keep(&mut self, said: &Said) {
        let lines = said.raw.lines().take_while(|line| !line.is_empty());
        for line in lines.filter_map(|line| line.strip_prefix("set-cookie: ")) {
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            self.0.retain(|(kept, _)| kept != name);
            if !value.is_empty() {
                self.0.push((name.to_owned(), value.to_owned()));
            }
        }
    }
}

fn location(said: &Said) -> String {
    assert_eq!(said.status, 302, "{}", said.value);
    said.raw.lines().find_map(|line| line.strip_prefix("location: ")).unwrap().to_owned()
}

fn ada() -> Value {
    json!({"sub": "ada-1", "email": "ada@example.com", "email_verified": true, "groups": ["auditors", "everybody"]})
}

#[test]
fn a_person_signs_in_elsewhere_with_the_roles_of_the_groups() {
    let house = House::open();
    let ways = house.api.ask("GET", "/v1/session/ways", "", &Value::Null).value;
    let place = format!("{}/v1/session/oidc", house.api.running.ready["api"].as_str().unwrap());
    assert_eq!(ways["oidc"], json!({"title": "Example", "url": place}));
    let mut browser = Browser::default();
    let begun = house.asked(&mut browser, "GET", "/v1/session/oidc", "");
    assert!(begun.head.contains("path=/v1/session; httponly; samesite=lax; max-age=600"), "{}", begun.head);
    let back = house.back_from(&location(&begun));
    assert_eq!(house.ended(&mut browser, &back), "");
    assert_eq!(browser.0.len(), 1, "the cookie of the sign-in is gone: {:?}", browser.0);
    let who = house.asked(&mut browser, "GET", "/v1/session", "").value;
    assert_eq!(
        (who["subject"].as_str(), who["roles"].clone(), who["how"].as_str()),
        (Some("ada@example.com"), json!(["auditor"]), Some("oidc")),
        "{who}"
    );
    assert_eq!(house.asked(&mut browser, "GET", "/v1/evidence", "").status, 200);
    let own = "Sec-Fetch-Site: same-origin\r\n";
    let made = house.asked(&mut browser, "DELETE", "/v1/secrets/slack%2Ftoken", own);
    assert_eq!(made.status, 403, "an auditor only reads: {}", made.value);

    assert_eq!(house.ended(&mut Browser::default(), &back), "browser", "nobody's cookie");
    let principal = who["principal"].as_str().unwrap();
    let refused = house.api.doorward.run(&["role", "grant", principal, "admin"], "").failed_with(2);
    assert!(refused.contains("groups at the identity provider"), "{refused}");
    let evidence = house.api.doorward.run(&["evidence", "list", "--json"], "").succeeded();
    assert!(evidence.contains(principal) && evidence.contains("session.open"), "{evidence}");

    // Other groups, other roles: what the former ones opened is over.
    let mut promoted = ada();
    promoted["groups"] = json!(["admins"]);
    house.login.person(promoted);
    let mut other = Browser::default();
    let back = house.sent(&mut other);
    assert_eq!(house.ended(&mut other, &back), "");
    let now = house.asked(&mut other, "GET", "/v1/session", "").value;
    assert_eq!((now["principal"].as_str(), now["roles"].clone()), (Some(principal), json!(["admin"])));
    assert_eq!(house.asked(&mut browser, "GET", "/v1/session", "").status, 401);
    house.api.doorward.watch("CANARY-access");
    house.api.doorward.assert_no_canary();
}

/// Browsers come by TLS, which ends before us.
const PUBLIC: &str = "[api]\npublic_url = \"https://doorward.example\"\n";

#[test]
fn a_session_outlives_the_broker_until_whoever_opened_it_signs_out() {
    // On a plain port another server may have listened meanwhile, to which the browser gave both halves.
    let api = Api::open();
    let session = api.session();
    assert_eq!(api.read(&session, "/v1/session").status, 200);
    let api = api.restarted();
    assert_eq!(api.read(&session, "/v1/session").status, 401);
    drop(api);
    let api = Api::told(PUBLIC, &[]);
    let session = api.session();
    let api = api.restarted();
    assert_eq!(api.read(&session, "/v1/session").value["how"], "link");
    let made = api.write(&session, "POST", "/v1/tenants", &json!({"name": "acme_inc"}));
    assert_eq!(made.status, 201, "{}", made.value);
    let other = api.session();
    assert_eq!(api.write(&session, "DELETE", "/v1/session", &Value::Null).status, 204);
    let api = api.restarted();
    assert_eq!(api.read(&session, "/v1/session").status, 401);
    assert_eq!(api.read(&other, "/v1/session").status, 200);
    api.doorward.watch(&session.cookie);
    api.doorward.watch(&other.cookie);
    api.doorward.assert_no_canary();
}

#[test]
fn a_session_of_an_identity_provider_ends_with_the_broker_on_a_plain_port() {
    let mut house = House::open();
    let mut browser = Browser::default();
    let back = house.sent(&mut browser);
    assert_eq!(house.ended(&mut browser, &back), "");
    assert_eq!(house.asked(&mut browser, "GET", "/v1/session", "").status, 200);
    house.api = house.api.restarted();
    assert_eq!(house.asked(&mut browser, "GET", "/v1/session", "").status, 401);
}

#[test]
fn what_a_token_says_is_believed_only_where_all_of_it_holds() {
    let house = House::open();
    assert_eq!(house.tried(), "", "the same provider, and nothing is wrong");
    for twist in [
        Twist::Nonce,
        Twist::NoNonce,
        Twist::Audience,
        Twist::Audiences,
        Twist::Party,
        Twist::Issuer,
        Twist::Over,
        Twist::Endless,
        Twist::Unsigned,
        Twist::PublicKey,
        Twist::Forged,
        Twist::Changed,
    ] {
        house.login.twist(twist);
        assert_eq!(house.tried(), "token", "{twist:?}");
    }
    for twist in [Twist::OtherSender, Twist::NoSender] {
        house.login.twist(twist);
        assert_eq!(house.tried(), "answer", "{twist:?}");
    }
    house.login.twist(Twist::Nothing);
    let without = |name: &str, value: Value| {
        let mut person = ada();
        let fields = person.as_object_mut().unwrap();
        if value.is_null() {
            drop(fields.remove(name))
        } else {
            drop(fields.insert(name.to_owned(), value))
        }
        house.login.person(person);
        house.tried()
    };
    for name in ["sub", "email", "groups"] {
        assert_eq!(without(name, Value::Null), "claims", "{name}");
    }
    assert_eq!(without("email_verified", json!(false)), "claims");
    assert_eq!(without("groups", json!("auditors")), "claims");
    assert_eq!(without("groups", json!(["everybody", "Auditors", 7])), "groups");
    assert_eq!(without("groups", json!([])), "groups");
    assert_eq!(without("email_verified", Value::Null), "", "a provider may not say it");
    let evidence = house.api.doorward.run(&["evidence", "list", "--json"], "").json();
    let refused = |one: &&Value| one["result"] == "refused" && one["door"] == "server";
    assert!(evidence["evidence"].as_array().unwrap().iter().filter(refused).count() >= 20, "{evidence}");
}

#[test]
fn what_the_id_token_does_not_say_the_providers_user_info_does() {
    let house = House::open();
    // Its document says so to whoever asks first.
    house.login.twist(Twist::InBody);
    assert_eq!(house.tried(), "", "the password goes where the provider takes it");
    house.login.twist(Twist::Elsewhere);
    assert_eq!(house.tried(), "token", "it is shown in the body and nowhere else");

    let house = House::open();
    house.login.twist(Twist::Elsewhere);
    let mut browser = Browser::default();
    let back = house.sent(&mut browser);
    assert_eq!(house.ended(&mut browser, &back), "");
    let who = house.asked(&mut browser, "GET", "/v1/session", "").value;
    assert_eq!(
        (who["subject"].as_str(), who["roles"].clone()),
        (Some("ada@example.com"), json!(["auditor"])),
        "{who}"
    );
    house.login.twist(Twist::OtherPerson);
    assert_eq!(house.tried(), "claims", "what is said of somebody else is not used");
    house.login.twist(Twist::Nothing);
    let asked = || house.login.calls().iter().filter(|call| call.path == "/userinfo").count();
    let before = asked();
    assert_eq!(house.tried(), "");
    assert_eq!(asked(), before, "nobody is asked for what the token says");
    house.api.doorward.watch("CANARY-access");
    house.api.doorward.assert_no_canary();
}

#[test]
fn the_way_back_is_for_the_browser_that_was_sent_and_for_once() {
    let house = House::open();
    let (mut first, mut second) = (Browser::default(), Browser::default());
    let back = house.sent(&mut first);
    let _ = house.sent(&mut second);
    assert_eq!(house.ended(&mut second, &back), "browser", "another browser's cookie");
    assert_eq!(house.ended(&mut first, &back), "late", "that was its one time");

    // A state that was never given, one of another sign-in, and what a provider says instead.
    let mut browser = Browser::default();
    let back = house.sent(&mut browser);
    let keep = browser.0.clone();
    let (code, _) = back.split_once("&state=").unwrap();
    assert_eq!(house.ended(&mut browser, &format!("{code}&state=forged")), "late");
    browser.0.clone_from(&keep);
    assert_eq!(house.ended(&mut browser, &format!("{back}&state=twice")), "answer");
    browser.0.clone_from(&keep);
    let denied = "/v1/session/oidc/callback?error=access_denied&error_description=Call+this+number";
    assert_eq!(house.ended(&mut browser, denied), "refused");

    // Somebody's own code with the sign-in of another browser: PKCE and the nonce are those of the browser.
    let (mut thief, mut victim) = (Browser::default(), Browser::default());
    let stolen = house.sent(&mut thief);
    let own = house.sent(&mut victim);
    let (code, _) = stolen.split_once("&state=").unwrap();
    let (_, state) = own.split_once("&state=").unwrap();
    assert_eq!(house.ended(&mut victim, &format!("{code}&state={state}")), "token");

    // Half of a code is in the address, half in the browser's cookies: a link from elsewhere signs nobody in.
    let (mut own, mut other) = (Browser::default(), Browser::default());
    let back = house.sent(&mut own);
    let _ = house.sent(&mut other);
    let place = location(&house.asked(&mut own, "GET", &back, ""));
    let half = place.strip_prefix("/console/#code=").unwrap();
    assert_eq!(house.opened(&mut Browser::default(), half).status, 401, "no cookie");
    assert_eq!(house.opened(&mut other, half).status, 401, "another browser's cookie");
    assert_eq!(house.opened(&mut own, half.trim_end_matches('.')).status, 401, "half a code");
    assert_eq!(house.opened(&mut own, half).status, 201);
    assert_eq!(house.opened(&mut own, half).status, 401, "that was its one time");

    let mut browser = Browser::default();
    let back = house.sent(&mut browser);
    house.login.answer_instead(503, None);
    assert_eq!(house.ended(&mut browser, &back), "token", "the provider does not answer");
}

#[test]
fn where_there_is_no_provider_nobody_is_sent_anywhere() {
    let api = Api::open();
    let said = api.ask("GET", "/v1/session/oidc", "", &Value::Null);
    assert_eq!(location(&said), "/console/#error=nowhere");
    assert_eq!(api.ask("GET", "/v1/session/ways", "", &Value::Null).value["oidc"], Value::Null);
}

#[test]
fn settings_that_would_leave_a_sign_in_open_stop_the_start() {
    let refused = |settings: &str, why: &str| {
        let doorward = home();
        let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
        crate::write(doorward.data().join("settings.toml"), settings);
        let said = doorward.run(&["serve", "--addr", "127.0.0.1:0"], "");
        assert!(!said.status.success() && said.stderr.contains(why), "{settings}: {said:?}");
    };
    let provider = "[api.sign_in]\nissuer = \"https://login.example\"\nclient_id = \"doorward\"\n";
    refused("[api]\npublic_url = \"http://doorward.example\"\n", "would have sessions go unprotected");
    refused("[api]\npublic_url = \"https://doorward.example/console\"\n", "`api.public_url`");
    refused("[api]\nhosts = [\"https://doorward\"]\n", "`api.hosts`");
    refused("[api]\npublic_uri = \"https://doorward.example\"\n", "did you mean `public_url`");
    refused(provider, "roles");
    refused(&format!("{provider}[api.sign_in.roles]\n"), "nobody could sign in");
    refused(&format!("{provider}[api.sign_in.roles]\nstaff = [\"owner\"]\n"), "the home's own user");
    refused(
        &format!("{provider}[api.sign_in.roles]\nstaff = [\"admn\"]\n"),
        "no policy knows the role `admn`",
    );
    refused(
        &format!(
            "{provider}client_secret = \"CANARY-in-the-clear\"\n[api.sign_in.roles]\nstaff = [\"admin\"]\n"
        ),
        "`env:VARIABLE` or `file:PATH`",
    );
    let plain = provider.replace("https", "http");
    refused(&format!("{plain}[api.sign_in.roles]\nstaff = [\"admin\"]\n"), "not an `https://` address");
}
