//! What a host says, and what a client asks for.

use http::HeaderValue;

use super::*;

#[test]
fn hosts_tell_region_and_service() {
    let of = |host: &str| of_host(host).map(|(region, service)| format!("{service} {region}"));
    for (host, wanted) in [
        ("sts.eu-central-1.amazonaws.com", "sts eu-central-1"),
        ("sts.amazonaws.com", "sts us-east-1"),
        ("s3.amazonaws.com", "s3 us-east-1"),
        ("bucket.s3.us-gov-west-1.amazonaws.com", "s3 us-gov-west-1"),
        ("my.bucket.s3.dualstack.eu-west-3.amazonaws.com", "s3 eu-west-3"),
        ("s3-us-west-2.amazonaws.com", "s3 us-west-2"),
        ("ec2.cn-north-1.amazonaws.com.cn", "ec2 cn-north-1"),
        ("email.eu-west-1.amazonaws.com", "ses eu-west-1"),
        ("bedrock-runtime.us-east-1.amazonaws.com", "bedrock us-east-1"),
        ("search-x.eu-west-1.es.amazonaws.com", "es eu-west-1"),
        ("abc.execute-api.us-east-2.amazonaws.com", "execute-api us-east-2"),
        ("lambda.us-east-1.api.aws", "lambda us-east-1"),
        ("dynamodb-fips.us-east-1.amazonaws.com", "dynamodb us-east-1"),
    ] {
        assert_eq!(of(host).as_deref(), Some(wanted), "{host}");
    }
    assert_eq!(of("example.com"), None);
    assert_eq!(of("amazonaws.com.example.com"), None);
}

#[test]
fn what_can_not_be_signed_again_is_refused() {
    let asked = |name: &'static str, value: &'static str| {
        asked(&HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]))
    };
    let asymmetric = asked("authorization", "AWS4-ECDSA-P256-SHA256 Credential=a").unwrap_err();
    assert!(asymmetric.message.contains("SigV4A"), "{asymmetric}");
    assert!(asked("authorization", "AWS4-HMAC-SHA256 nonsense").is_err());
    let asymmetric = asked("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").unwrap_err();
    assert!(asymmetric.message.contains("SigV4A"), "{asymmetric}");
    assert!(asked("authorization", "Bearer CANARY").is_ok());
    assert_eq!(asked("x-amz-content-sha256", "UNSIGNED-PAYLOAD").unwrap().payload, Covered::Unsigned);
}
