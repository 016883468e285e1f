//! Where Redis is, and what is refused.

use super::*;

fn read(text: &str) -> Outcome<Rates> {
    Rates::read(toml::from_str(text).unwrap())
}

#[test]
fn every_form_of_an_address_is_read_with_its_database() {
    for (text, tls, user, host, port, database) in [
        ("redis.example.com:6380", false, None, "redis.example.com", 6380, 0),
        ("redis://localhost", false, None, "localhost", 6379, 0),
        ("rediss://app@cache.example.com:6390/7", true, Some("app"), "cache.example.com", 6390, 7),
        ("redis://[::1]:6379/2", false, None, "::1", 6379, 2),
    ] {
        let user = user.map(str::to_owned);
        let expected = Place { host: host.to_owned(), port, tls, user, database };
        assert_eq!(Place::parse(text).unwrap(), expected, "{text}");
    }
    for text in ["http://a", "redis://", "redis://a:b:c", "redis://a/x", "redis://a b", "redis://a:99999"] {
        assert_eq!(Place::parse(text).unwrap_err().exit_status(), 2, "{text}");
    }
}

#[test]
fn a_password_in_the_address_is_refused_and_not_repeated() {
    let failure = Place::parse("redis://app:CANARY@host").unwrap_err();
    assert!(!format!("{failure:?}").contains("CANARY"), "{failure:?}");
    assert!(
        read("redis = \"a:1\"\npassword = \"CANARY\"\n")
            .is_err_and(|error| !format!("{error:?}").contains("CANARY"))
    );
}

#[test]
fn the_address_of_another_command_line_is_enough() {
    let rates = Rates::at("cache:6379", Some(Duration::from_secs(5)), None).unwrap();
    assert_eq!(
        (rates.timeout, rates.on_failure, rates.password),
        (Duration::from_secs(5), OnFailure::Local, None)
    );
    assert!(Rates::at("redis://a:CANARY@cache", None, None).is_err());
}

#[test]
fn a_password_is_read_from_where_it_is() {
    let rates =
        read("redis = \"a:1\"\npassword = \"env:P\"\non_failure = \"refuse\"\ntimeout = \"1s\"\n").unwrap();
    assert_eq!(
        (rates.on_failure, rates.timeout, rates.prefix.as_str()),
        (OnFailure::Refuse, Duration::from_secs(1), "doorward:")
    );
    assert!(rates.counters(&|name| (name == "P").then(|| "secret".into())).is_ok());
    assert!(rates.counters(&|_| None).err().unwrap().message.contains("`env:P`"));
    let stored = read("redis = \"a:1\"\npassword = \"store:redis/password\"\n").unwrap();
    assert!(stored.counters(&|_| None).is_err());
    assert!(read("redis = \"a:1\"\nca = \"/ca.pem\"\n").is_err(), "authorities without TLS");
}
