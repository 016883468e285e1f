//! The examples of the Amazon S3 API reference, "Authenticating requests (AWS Signature Version 4)".

use super::*;

fn s3(secret: &Secret) -> Signer<'_> {
    Signer {
        access_key_id: "AKIAIOSFODNN7EXAMPLE",
        secret,
        token: None,
        region: "us-east-1",
        service: "s3",
        rules: Rules::S3,
    }
}

/// The secret key of that reference; the test suite has a plus sign in it.
const REFERENCE_SECRET: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const HOST: (&str, &str) = ("Host", "examplebucket.s3.amazonaws.com");

#[test]
fn a_get_object_request_is_signed_as_the_reference_signs_it() {
    let secret = secret(REFERENCE_SECRET);
    let request = Request {
        method: "GET",
        path: "/test.txt",
        query: "",
        headers: &[HOST, ("Range", "bytes=0-9")],
        payload: Payload::Bytes(b""),
    };
    let signed = s3(&secret).sign(&request, at("20130524T000000Z")).unwrap();
    assert_eq!(
        signed.authorization,
        "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20130524/us-east-1/s3/aws4_request, \
         SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, \
         Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    );
}

#[test]
fn a_put_object_request_with_a_dollar_in_its_key_is_signed_as_the_reference_signs_it() {
    let secret = secret(REFERENCE_SECRET);
    let request = Request {
        method: "PUT",
        path: "/test%24file.text",
        query: "",
        headers: &[
            HOST,
            ("Date", "Fri, 24 May 2013 00:00:00 GMT"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
        ],
        payload: Payload::Bytes(b"Welcome to Amazon S3."),
    };
    let signed = s3(&secret).sign(&request, at("20130524T000000Z")).unwrap();
    let signature = "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd";
    assert!(signed.authorization.ends_with(signature), "{}", signed.authorization);
    let bare = Request { path: "/test$file.text", ..request };
    assert_eq!(s3(&secret).sign(&bare, at("20130524T000000Z")).unwrap().authorization, signed.authorization);
}

#[test]
fn a_presigned_request_without_its_body_is_signed_as_the_reference_signs_it() {
    let secret = secret(REFERENCE_SECRET);
    let request =
        Request { method: "GET", path: "/test.txt", query: "", headers: &[HOST], payload: Payload::Unsigned };
    let day = Duration::from_secs(86_400);
    let query = s3(&secret).presign(&request, at("20130524T000000Z"), day).unwrap();
    assert_eq!(
        *query,
        "X-Amz-Algorithm=AWS4-HMAC-SHA256\
         &X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request\
         &X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host\
         &X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404"
    );
}

fn streamed(secret: &Secret) -> Signed {
    let request = Request {
        method: "PUT",
        path: "/examplebucket/chunkObject.txt",
        query: "",
        headers: &[
            ("Host", "s3.amazonaws.com"),
            ("x-amz-storage-class", "REDUCED_REDUNDANCY"),
            ("Content-Encoding", "aws-chunked"),
            ("x-amz-decoded-content-length", "66560"),
            ("Content-Length", "66824"),
        ],
        payload: Payload::Streaming,
    };
    s3(secret).sign(&request, at("20130524T000000Z")).unwrap()
}

#[test]
fn the_chunks_of_a_body_are_signed_as_the_reference_signs_them() {
    let secret = secret(REFERENCE_SECRET);
    let signed = streamed(&secret);
    let seed = "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9";
    assert!(signed.authorization.ends_with(seed), "{}", signed.authorization);
    let mut chunks = signed.chunks();
    assert_eq!(
        chunks.head(&[b'a'; 65536]),
        "10000;chunk-signature=ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648\r\n"
    );
    assert_eq!(
        chunks.head(&[b'a'; 1024]),
        "400;chunk-signature=0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497\r\n"
    );
    assert_eq!(
        chunks.head(b""),
        "0;chunk-signature=b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9\r\n"
    );
    assert_eq!(Chunks::encoded_length(66560, 65536), Some(66824));
    assert_eq!(Chunks::encoded_length(1, 0), None);
}

#[test]
fn a_chunk_that_was_changed_or_moved_is_refused() {
    let secret = secret(REFERENCE_SECRET);
    let first = "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648";
    let second = "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497";
    let mut chunks = streamed(&secret).chunks();
    assert!(chunks.verify(&[b'a'; 65536], first).is_ok());
    assert!(chunks.verify(&[b'a'; 1024], second).is_ok());
    assert_eq!(streamed(&secret).chunks().verify(&[b'b'; 65536], first).unwrap_err(), Error::Forged);
    assert_eq!(streamed(&secret).chunks().verify(&[b'a'; 1024], second).unwrap_err(), Error::Forged);
    assert!(matches!(streamed(&secret).chunks().verify(b"", "zz"), Err(Error::Malformed(_))));
}
