//! Tests of the module `totp`.

use super::*;

/// The key of RFC 6238, appendix B, in base 32.
const RFC: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";

fn seed(text: &str) -> Result<Seed, Error> {
    Seed::read(&Secret::new(text.as_bytes().to_vec()).unwrap())
}

fn code(text: &str, seconds: u64) -> String {
    let seed = seed(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    seed.code_at(Timestamp::from_millis(seconds * 1000 + 999)).ok().unwrap().digits().to_owned()
}

#[test]
fn base_32_as_aws_shows_it_gives_six_digits_each_half_minute() {
    assert_eq!(code(RFC, 59), "287082");
    assert_eq!(code(&format!(" {} \n", RFC.to_lowercase()), 1_111_111_109), "081804");
}

#[test]
fn an_address_says_its_parameters() {
    let plain =
        format!("otpauth://totp/Amazon%20Web%20Services:u@1?secret={RFC}&issuer=Amazon%20Web%20Services");
    assert_eq!(code(&plain, 59), "287082");
    assert_eq!(
        code(&format!("otpauth://totp/x?digits=8&secret={RFC}&period=30&algorithm=SHA1"), 59),
        "94287082"
    );
    let sha256 = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQGEZA%3D%3D%3D%3D";
    assert_eq!(code(&format!("OTPAUTH://TOTP/x?secret={sha256}&algorithm=sha256&digits=8"), 59), "46119246");
    assert_eq!(code(&format!("otpauth://totp/x?secret={RFC}&period=60"), 119), "287082");
}

#[test]
fn an_address_that_is_not_understood_wholly_is_refused() {
    let refused = [
        (format!("otpauth://hotp/x?secret={RFC}&counter=1"), "it is not for codes by time"),
        (format!("otpauth://totp/x?secret={RFC}&digits=5"), "its number of digits is not 6, 7 or 8"),
        (format!("otpauth://totp/x?secret={RFC}&period=0"), "its period is not a number of seconds"),
        (
            format!("otpauth://totp/x?secret={RFC}&algorithm=MD5"),
            "its algorithm is not SHA1, SHA256 or SHA512",
        ),
        (format!("otpauth://totp/x?secret={RFC}&encoder=steam"), "the address has an unknown parameter"),
        (format!("otpauth://totp/x?secret={RFC}&secret={RFC}"), "the address has a parameter twice"),
        ("otpauth://totp/x?issuer=a".to_owned(), "the address has no secret"),
        ("otpauth://totp/x".to_owned(), "the address has no secret"),
        ("https://example.com/".to_owned(), "it is another kind of address than otpauth"),
        ("MZXW6YTB".to_owned(), "the key is shorter than ten bytes"),
        ("not base 32!".to_owned(), "the key is not base 32"),
    ];
    for (text, why) in refused {
        let error = seed(&text).err().unwrap();
        assert_eq!(error.to_string(), format!("the stored seed has the wrong form: {why}"));
        assert!(error.hint().is_some());
    }
}

#[test]
fn the_next_code_begins_with_the_next_period() {
    let seed = seed(RFC).ok().unwrap();
    assert_eq!(seed.next_after(Timestamp::from_millis(59_999)).millis(), 60_000);
    assert_eq!(seed.next_after(Timestamp::from_millis(60_000)).millis(), 90_000);
}

#[test]
fn the_prompt_goes_by_the_clock() {
    struct Stopped;
    impl Clock for Stopped {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(59_000)
        }
    }
    let prompt = Totp::new(seed(RFC).ok().unwrap(), Arc::new(Stopped));
    assert_eq!(prompt.name(), "totp");
    assert_eq!(prompt.ask(&Question { serial: "x" }).ok().unwrap().digits(), "287082");
}
