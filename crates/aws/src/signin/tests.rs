//! Addresses of the console and the sign-in service in every partition.

use super::*;
use crate::wire::fake::{Answer, Fake, key, open, secret, session, wire};

fn console(region: Option<&str>) -> Console {
    Console::of(region).unwrap()
}

fn login(region: &str) -> String {
    let console = console(Some(region));
    console.login_url("aws-vault", &console.destination(None), &secret("tok+en/==")).unwrap().to_string()
}

#[test]
fn each_partition_has_its_own_sign_in_and_console() {
    for (region, sign_in, domain) in [
        ("us-east-1", "us-east-1.signin.aws.amazon.com", "console.aws.amazon.com"),
        ("eu-central-1", "us-east-1.signin.aws.amazon.com", "console.aws.amazon.com"),
        ("cn-north-1", "signin.amazonaws.cn", "console.amazonaws.cn"),
        ("us-gov-west-1", "signin.amazonaws-us-gov.com", "console.amazonaws-us-gov.com"),
        ("eusc-de-east-1", "signin.amazonaws-eusc.eu", "console.amazonaws-eusc.eu"),
        ("us-iso-east-1", "signin.c2shome.ic.gov", "console.c2shome.ic.gov"),
        ("us-isob-east-1", "signin.sc2shome.sgov.gov", "console.sc2shome.sgov.gov"),
        ("eu-isoe-west-1", "signin.csphome.adc-e.uk", "console.csphome.adc-e.uk"),
        ("us-isof-south-1", "signin.csphome.hci.ic.gov", "console.csphome.hci.ic.gov"),
    ] {
        assert_eq!(
            login(region),
            format!(
                "https://{sign_in}/federation?Action=login&Issuer=aws-vault&Destination=https%3A%2F%2F{region}.{domain}\
                 %2Fconsole%2Fhome%3Fregion%3D{region}&SigninToken=tok%2Ben%2F%3D%3D"
            )
        );
    }
}

#[test]
fn the_destination_is_the_first_page_or_that_of_a_service() {
    assert_eq!(console(None).destination(None), "https://console.aws.amazon.com/");
    assert_eq!(console(Some(" ")).destination(Some("ec2")), "https://console.aws.amazon.com/");
    let here = console(Some("us-east-1"));
    assert_eq!(
        here.destination(Some("ec2")),
        "https://us-east-1.console.aws.amazon.com/ec2?region=us-east-1"
    );
    assert_eq!(
        here.destination(Some("/s3/buckets?tab=x")),
        "https://us-east-1.console.aws.amazon.com/s3/buckets?tab=x&region=us-east-1"
    );
    assert_eq!(here.destination(Some("")), here.destination(None));
    assert!(Console::of(Some("x.evil.test/")).is_err());
}

#[test]
fn ending_a_session_first_escapes_the_whole_login_address_once_more() {
    let logout = console(Some("us-east-1")).logout_url(&login("us-east-1"));
    assert_eq!(
        *logout,
        "https://us-east-1.signin.aws.amazon.com/oauth?Action=logout&redirect_uri=\
         https%3A%2F%2Fus-east-1.signin.aws.amazon.com%2Ffederation%3FAction%3Dlogin%26Issuer%3Daws-vault%26Destination%3D\
         https%253A%252F%252Fus-east-1.console.aws.amazon.com%252Fconsole%252Fhome%253Fregion%253Dus-east-1\
         %26SigninToken%3Dtok%252Ben%252F%253D%253D"
    );
    let gov = console(Some("us-gov-west-1")).logout_url("x");
    assert!(gov.starts_with("https://signin.amazonaws-us-gov.com/oauth?"), "{}", *gov);
}

#[tokio::test]
async fn a_session_is_exchanged_for_a_token() {
    let fake = Fake::start([Answer::ok(r#"{"SigninToken":"tok+en/=="}"#)]);
    let (wire, _) = wire();
    let console = console(Some("us-east-1")).with_sign_in(fake.endpoint());
    assert_eq!(open(&console.token(&wire, &session()).await.unwrap()), "tok+en/==");
    let seen = fake.only();
    assert_eq!(seen.method, "GET");
    assert!(seen.target.starts_with("/federation?Action=getSigninToken&Session="), "{}", seen.target);
    assert_eq!(
        seen.query("Session").as_deref(),
        Some(
            r#"{"sessionId":"ASIACANARY0000000002","sessionKey":"CANARY-session-secret","sessionToken":"CANARY-session-token"}"#
        )
    );
    assert!(seen.header("authorization").is_none());
}

#[tokio::test]
async fn a_refusal_of_the_sign_in_service_says_the_status() {
    let fake = Fake::start([Answer::status(400, "{}"), Answer::ok("{}")]);
    let (wire, _) = wire();
    let console = console(None).with_sign_in(fake.endpoint());
    let error = console.token(&wire, &session()).await.err().unwrap();
    assert_eq!(error.to_string(), "Call to getSigninToken failed with 400 Bad Request");
    assert!(matches!(console.token(&wire, &session()).await, Err(Error::Reply { .. })));
    let long_lived = console.token(&wire, &key()).await.err().unwrap();
    assert!(long_lived.to_string().contains("the console wants a session"), "{long_lived}");
    assert_eq!(fake.seen().len(), 2);
}
