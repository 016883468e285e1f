//! Which names are ours.

use http::Request;

use super::*;

fn asked(names: &Names, host: &str) -> bool {
    names.find(&parts("/console/", &[host])).is_ok()
}

fn parts(target: &str, hosts: &[&str]) -> Parts {
    let request =
        hosts.iter().fold(Request::get(target), |request, host| request.header(header::HOST, *host));
    request.body(()).unwrap().into_parts().0
}

fn names(listens: &str, public: Option<&str>, others: &[&str]) -> Names {
    let others = others.iter().map(|name| name.parse().unwrap()).collect();
    Names::new(listens.parse().unwrap(), public.map(|url| url.parse().unwrap()), others)
}

#[test]
fn a_door_on_loopback_knows_the_names_of_this_machine_also_by_a_port_that_is_forwarded() {
    let names = names("127.0.0.1:8000", None, &[]);
    for own in
        ["127.0.0.1:8000", "localhost:8000", "LOCALHOST:8000", "[::1]:8000", "localhost:9000", "localhost"]
    {
        assert!(asked(&names, own), "{own}");
    }
    for foreign in [
        "evil.example",
        "evil.example:8000",
        "192.168.1.5:8000",
        "localhost.evil.example:8000",
        "127.0.0.1.evil.example:8000",
        "localhost.:8000",
        "evil@localhost:8000",
        "localhost:8000/",
        "::1",
        "",
    ] {
        assert!(!asked(&names, foreign), "{foreign}");
    }
    assert!(names.find(&parts("/", &[])).is_err(), "no name at all");
}

#[test]
fn a_name_that_is_said_twice_has_to_be_the_same() {
    let names = names("127.0.0.1:8000", None, &[]);
    assert!(names.find(&parts("/", &["localhost:8000", "localhost:8000"])).is_err());
    assert!(names.find(&parts("http://evil.example/", &["localhost:8000"])).is_err());
    assert!(names.find(&parts("http://localhost:8000/", &["evil.example"])).is_err());
    assert!(names.find(&parts("http://localhost:8000/", &["LocalHost:8000"])).is_ok());
}

#[test]
fn the_address_for_people_is_known_and_its_cookies_are_guarded() {
    let names = names("127.0.0.1:8000", Some("https://doorward.example"), &[]);
    for host in ["doorward.example", "Doorward.Example:443"] {
        let known = names.find(&parts("/", &[host])).unwrap();
        assert_eq!(
            known.cookie("doorward_session"),
            ("__Host-doorward_session".to_owned(), "; Secure"),
            "{host}"
        );
        assert!(known.is_origin("https://doorward.example"));
        for foreign in
            ["http://doorward.example", "https://doorward.example:8443", "https://a.doorward.example", "null"]
        {
            assert!(!known.is_origin(foreign), "{foreign}");
        }
    }
    for foreign in ["doorward.example:8000", "a.doorward.example", "doorward.example."] {
        assert!(!asked(&names, foreign), "{foreign}");
    }
    let near = names.find(&parts("/", &["localhost:8000"])).unwrap();
    assert_eq!(near.cookie("doorward_session"), ("doorward_session".to_owned(), ""));
    assert!(near.is_origin("http://localhost:8000") && !near.is_origin("http://localhost:9000"));
    assert_eq!(names.url(), "https://doorward.example");
}

#[test]
fn a_door_for_more_than_this_machine_knows_addresses_and_the_names_that_it_was_told() {
    let names = names("0.0.0.0:8000", None, &["doorward", "doorward.apps.svc:8000"]);
    for own in [
        "10.1.2.3:8000",
        "10.1.2.3",
        "[2001:db8::1]:80",
        "localhost:9000",
        "doorward",
        "doorward:80",
        "doorward.apps.svc:8000",
    ] {
        assert!(asked(&names, own), "{own}");
    }
    for foreign in ["evil.example", "doorward.apps.svc", "doorward.apps.svc:80", "doorward.evil.example"] {
        assert!(!asked(&names, foreign), "{foreign}");
    }
    assert_eq!(names.url(), "http://127.0.0.1:8000");
}

#[test]
fn what_is_no_host_is_no_name() {
    for wrong in
        ["", "https://doorward", "doorward/", "a b", "doorward:", "doorward:x", "*.example", "Doorward"]
    {
        assert!(wrong.parse::<Name>().is_err(), "{wrong}");
    }
}
