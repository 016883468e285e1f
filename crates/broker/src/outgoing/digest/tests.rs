//! The example of RFC 7616, section 3.9.1, and challenges that are not answered.

use super::*;

const CHALLENGES: [&str; 2] = [
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=SHA-256, \
     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
    "Digest realm=\"http-auth@example.org\", qop=\"auth, auth-int\", algorithm=MD5, \
     nonce=\"7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v\", opaque=\"FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS\"",
];
const CNONCE: &str = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ";

fn answered(challenge: &Challenge) -> String {
    let pair = b"Mufasa:Circle of Life";
    challenge.answer(pair, ("GET", "/dir/index.html"), CNONCE).unwrap().to_string()
}

#[test]
fn the_example_of_the_rfc_holds() {
    for (text, response) in CHALLENGES.iter().zip([
        "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        "8ca523f5e9506fed4657c9700eebdbec",
    ]) {
        let challenge = read(text).pop().unwrap();
        let first = answered(&challenge);
        assert!(first.contains(&format!("response=\"{response}\"")), "{first}");
        assert!(first.contains("nc=00000001") && first.contains("opaque=\"FQhe/"), "{first}");
        assert!(answered(&challenge).contains("nc=00000002"));
    }
}

#[test]
fn the_strongest_of_several_is_answered_wherever_it_stands() {
    let house = || (TenantName::local(), "house".parse::<IntegrationName>().unwrap());
    let both = format!("Basic realm=\"x, Digest y\", {}, {}", CHALLENGES[1], CHALLENGES[0]);
    for texts in [vec![both.as_str()], CHALLENGES.to_vec(), vec!["Bearer", CHALLENGES[1], CHALLENGES[0]]] {
        let mut headers = HeaderMap::new();
        for text in &texts {
            headers.append(WWW_AUTHENTICATE, text.parse().unwrap());
        }
        let challenges = Challenges::default();
        assert!(challenges.learn(house(), &headers, None));
        assert_eq!(challenges.get(&house()).unwrap().algorithm, Algorithm::Sha256, "{texts:?}");
    }
}

#[test]
fn a_wrong_answer_is_not_tried_again_but_a_nonce_that_ended_is() {
    let house = || (TenantName::local(), "house".parse::<IntegrationName>().unwrap());
    let first = read(CHALLENGES[0]).pop().unwrap();
    let challenges = Challenges::default();
    let learn = |text: &str| {
        let headers = HeaderMap::from_iter([(WWW_AUTHENTICATE, text.parse().unwrap())]);
        challenges.learn(house(), &headers, Some(&first))
    };
    assert!(!learn(CHALLENGES[0]));
    assert!(!learn("Digest realm=\"r\", qop=\"auth\", nonce=\"other\""));
    assert!(learn("Digest realm=\"r\", qop=\"auth\", nonce=\"other\", stale=true"));
}

#[test]
fn what_can_not_be_answered_is_not() {
    for text in [
        "Digest realm=\"r\", nonce=\"n\"",
        "Digest realm=\"r\", qop=\"auth-int\", nonce=\"n\"",
        "Digest realm=\"r\", qop=\"auth\"",
        "Digest realm=\"r\", qop=\"auth\", nonce=\"n\", algorithm=MD5-sess",
        "Digest realm=\"r\", qop=\"auth\", nonce=\"n",
        "Basic realm=\"r\"",
        "",
    ] {
        assert!(read(text).is_empty(), "{text}");
    }
    let challenge = read(CHALLENGES[0]).pop().unwrap();
    assert!(challenge.answer(b"no colon", ("GET", "/"), CNONCE).is_none());
    assert!(challenge.answer(b"a\nb:c", ("GET", "/"), CNONCE).is_none());
}

#[test]
fn what_stands_in_quotes_is_read_and_written_with_its_escapes() {
    let house = || (TenantName::local(), "house".parse::<IntegrationName>().unwrap());
    let text = "Digest realm=\"the \\\"ré\\\\alm\", qop=\"auth\", nonce=\"n\"";
    let headers =
        HeaderMap::from_iter([(WWW_AUTHENTICATE, http::HeaderValue::from_bytes(text.as_bytes()).unwrap())]);
    let challenges = Challenges::default();
    assert!(challenges.learn(house(), &headers, None));
    let challenge = challenges.get(&house()).unwrap();
    assert_eq!(challenge.realm, "the \"ré\\alm");
    let answer = challenge.answer(b"a\"b:c", ("GET", "/"), CNONCE).unwrap();
    assert!(answer.contains("username=\"a\\\"b\", realm=\"the \\\"ré\\\\alm\""), "{}", *answer);
}
