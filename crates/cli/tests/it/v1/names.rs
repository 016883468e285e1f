//! By which names the API is known, and which cookie a session has under which.

use serde_json::json;

use super::client::Api;

#[test]
fn a_request_under_a_foreign_name_is_refused_before_anything_else() {
    let api = Api::open();
    let session = api.session();
    let cookie = session.headers();
    let port = api.place().rsplit_once(':').unwrap().1.to_owned();
    for path in [
        "/v1/status",
        "/v1/openapi.json",
        "/v1/session/ways",
        "/console/",
        "/",
        "/api/v1/integrations/acme_inc",
        "/nothing",
    ] {
        for host in ["evil.example", "localhost.evil.example", "192.0.2.1"] {
            let host = format!("{host}:{port}");
            let said = api.under(&host, ("GET", path), &cookie, "");
            assert_eq!(said.status, 421, "{host} {path}: {}", said.raw);
            assert!(!said.head.contains("set-cookie"), "{}", said.head);
        }
    }
    let own = api.under(&format!("localhost:{port}"), ("GET", "/v1/status"), &cookie, "");
    assert_eq!(own.status, 200, "{}", own.value);
}

#[test]
fn behind_tls_the_public_name_is_known_and_its_cookie_goes_no_other_way() {
    let settings = "[api]\npublic_url = \"https://doorward.example\"\nhosts = [\"doorward.apps.svc\"]\n";
    let api = Api::told(settings, &[]);
    let link = api.doorward.run(&["console", "--no-open", "--json"], "").json();
    let code = link["url"].as_str().unwrap().strip_prefix("https://doorward.example/console/#code=").unwrap();
    let json = "Content-Type: application/json\r\n";
    let own = format!("{json}Origin: https://doorward.example\r\n");
    let body = json!({"code": code}).to_string();
    let foreign = format!("{json}Origin: http://doorward.example\r\n");
    let said = api.under("doorward.example", ("POST", "/v1/session"), &foreign, &body);
    assert_eq!(said.status, 403, "a page without TLS is another one: {}", said.value);
    let said = api.under("doorward.example", ("POST", "/v1/session"), &own, &body);
    assert_eq!(said.status, 201, "{}", said.value);
    let cookie = said.raw.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap();
    assert!(cookie.starts_with("__Host-doorward_session="), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict; Secure"), "{cookie}");
    let value = cookie.split(['=', ';']).nth(1).unwrap();
    let word = said.value["csrf"].as_str().unwrap();
    let guarded = format!("Cookie: __Host-doorward_session={value}\r\nX-CSRF-Token: {word}\r\n");
    let plain = format!("Cookie: doorward_session={value}\r\nX-CSRF-Token: {word}\r\n");
    let ask = |host: &str, cookie: &str| api.under(host, ("GET", "/v1/session"), cookie, "").status;
    assert_eq!(ask("doorward.example", &guarded), 200);
    assert_eq!(ask("doorward.example", &plain), 401, "a neighbour could have written it");
    assert_eq!(ask(&api.place(), &guarded), 401, "that name has another cookie");
    assert_eq!(ask("doorward.apps.svc", ""), 401, "known, and nobody");
    assert_eq!(ask("doorward.example:8443", &guarded), 421);
    assert_eq!(ask("other.example", &guarded), 421);
    let status = api.doorward.run(&["status", "--json"], "").json();
    assert_eq!(status["doors"]["console"], "https://doorward.example/console/");
}
