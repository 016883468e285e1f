//! What the settings of proxies mean.

use super::*;

fn through(https: &str, except: &str, place: &str) -> Option<String> {
    let proxies = Proxies::new(Some(https), None, Some(except)).unwrap();
    proxies.of(&place.parse().unwrap()).map(ToString::to_string)
}

const PROXY: &str = "http://proxy.corp:3128";

#[test]
fn each_scheme_has_its_own_proxy() {
    let both = Proxies::new(Some("https://secure.corp:3129/"), Some("plain.corp"), None).unwrap();
    let of = |place: &str| both.of(&place.parse().unwrap()).map(ToString::to_string);
    assert_eq!(of("https://sts.amazonaws.com").as_deref(), Some("https://secure.corp:3129"));
    assert_eq!(of("http://10.0.0.1:4566").as_deref(), Some("http://plain.corp"));
    let none = Proxies::new(Some(" "), Some(""), None).unwrap();
    assert!(none.of(&"https://sts.amazonaws.com".parse().unwrap()).is_none());
}

#[test]
fn a_name_is_excepted_with_its_subdomains() {
    for except in ["amazonaws.com", ".amazonaws.com", "*.amazonaws.com", " x.test , AMAZONAWS.COM", "*"] {
        assert_eq!(through(PROXY, except, "https://sts.amazonaws.com"), None, "{except}");
    }
    for except in
        ["", "aws.com", "sts.amazonaws.com.evil.test", "amazonaws.com:8443", ".sts.amazonaws.com", ","]
    {
        assert_eq!(through(PROXY, except, "https://sts.amazonaws.com").as_deref(), Some(PROXY), "{except}");
    }
    assert_eq!(through(PROXY, "amazonaws.com:8443", "https://sts.amazonaws.com:8443"), None);
    assert_eq!(through(PROXY, ".corp.test", "https://corp.test").as_deref(), Some(PROXY));
}

#[test]
fn addresses_and_networks_are_excepted_by_number() {
    for except in ["10.1.2.3", "10.0.0.0/8", "10.1.2.3:443", "0.0.0.0/0"] {
        assert_eq!(through(PROXY, except, "https://10.1.2.3"), None, "{except}");
    }
    for except in ["10.1.2.4", "11.0.0.0/8", "10.1.2.3:80", "10.0.0.0/33", "10", "::/0"] {
        assert_eq!(through(PROXY, except, "https://10.1.2.3").as_deref(), Some(PROXY), "{except}");
    }
    assert_eq!(through(PROXY, "fd00::/8", "https://[fd00::1]"), None);
    assert_eq!(through(PROXY, "[fd00::1]:443", "https://[fd00::1]"), None);
}

#[test]
fn this_machine_is_never_asked_for_through_a_proxy() {
    for place in ["https://localhost", "https://127.0.0.1:8443", "https://127.9.9.9", "https://[::1]"] {
        assert_eq!(through(PROXY, "", place), None, "{place}");
    }
}

#[test]
fn the_name_and_password_in_an_address_are_sent_and_never_shown() {
    let proxies = Proxies::new(Some("http://jane:p%40ss@proxy.corp:3128"), None, None).unwrap();
    let proxy = proxies.https.as_ref().unwrap();
    let value = proxy.authorization().unwrap();
    assert_eq!(value.as_bytes(), b"Basic amFuZTpwQHNz");
    assert!(value.is_sensitive());
    assert_eq!(proxy.to_string(), PROXY);
}

#[test]
fn an_address_that_is_no_http_proxy_is_refused_without_being_repeated() {
    for bad in [
        "socks5://canary@proxy.corp:1080",
        "http://canary@:1",
        "http://canary:x@a b:1",
        "http://proxy:canary",
    ] {
        let error = Proxies::new(Some(bad), None, None).err().unwrap();
        assert!(!error.to_string().contains("canary"), "{error}");
        assert!(error.hint().is_some());
    }
    let socks = Proxies::new(Some("socks5://proxy.corp:1080"), None, None).err().unwrap();
    assert_eq!(socks.to_string(), "the address of the proxy in `HTTPS_PROXY` is not one of an HTTP proxy");
}
