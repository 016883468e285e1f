//! What a host says, what a client asks for, and chunks that are put together.

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

fn chunked(body: &str, decoded: &str) -> Draft {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_ENCODING, HeaderValue::from_static("aws-chunked,gzip"));
    headers.insert("x-amz-decoded-content-length", HeaderValue::from_str(decoded).unwrap());
    let whole = Some(bytes::Bytes::from(body.to_owned()));
    Draft { headers, body: Body::empty(), whole, signing: None }
}

#[test]
fn chunks_are_put_together_and_their_signatures_go() {
    let body = "5;chunk-signature=ab\r\nhello\r\n1;chunk-signature=cd\r\n!\r\n0;chunk-signature=ef\r\n\
                x-amz-checksum-crc32:AAAAAA==\r\nx-amz-trailer-signature:12\r\n\r\n";
    let mut draft = chunked(body, "6");
    unchunk(&mut draft).unwrap();
    assert_eq!(draft.whole.as_deref(), Some(b"hello!".as_slice()));
    assert_eq!(draft.headers["x-amz-checksum-crc32"], "AAAAAA==");
    assert_eq!(draft.headers[CONTENT_ENCODING], "gzip");
    assert_eq!(draft.headers.len(), 2);
}

#[test]
fn malformed_chunks_are_refused() {
    for (body, decoded) in [
        ("5;chunk-signature=ab\r\nhel", "5"),
        ("5\r\nhello0\r\n\r\n", "5"),
        ("zz\r\nhello\r\n0\r\n\r\n", "5"),
        ("5\r\nhello\r\n0\r\n\r\nmore", "5"),
        ("5\r\nhello\r\n0\r\nx-evil: 1\r\n\r\n", "5"),
        ("5\r\nhello\r\n0\r\n\r\n", "6"),
        ("", "0"),
    ] {
        assert!(unchunk(&mut chunked(body, decoded)).is_err(), "{body}");
    }
}

#[test]
fn what_can_not_be_signed_again_is_refused() {
    let asked = |name: &'static str, value: &'static str| {
        asked(&HeaderMap::from_iter([(HeaderName::from_static(name), HeaderValue::from_static(value))]))
    };
    assert!(asked("authorization", "AWS4-ECDSA-P256-SHA256 Credential=a").is_err());
    assert!(asked("authorization", "AWS4-HMAC-SHA256 nonsense").is_err());
    assert!(asked("x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD").is_err());
    assert!(asked("authorization", "Bearer CANARY").is_ok());
    assert_eq!(asked("x-amz-content-sha256", "UNSIGNED-PAYLOAD").unwrap().payload, Covered::Unsigned);
}
