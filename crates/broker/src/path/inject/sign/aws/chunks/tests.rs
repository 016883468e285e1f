//! Chunks that are put together, and chunks that are signed anew.

use crypto::sigv4::{Payload, Request, Rules, Signer};
use http_body_util::BodyExt as _;
use memory::Secret;
use model::Timestamp;

use super::*;

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
    together(&mut draft).unwrap();
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
        assert!(together(&mut chunked(body, decoded)).is_err(), "{body}");
    }
}

/// The signatures of chunks behind one and the same request.
fn chunks() -> Chunks {
    let secret = Secret::new(b"wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY".to_vec()).unwrap();
    let (region, service) = ("us-east-1", "s3");
    let signer = Signer {
        access_key_id: "AKIAEXAMPLE",
        secret: &secret,
        token: None,
        region,
        service,
        rules: Rules::S3,
    };
    let headers = [("host", "s3.amazonaws.com")];
    let request =
        Request { method: "PUT", path: "/b/o", query: "", headers: &headers, payload: Payload::Streaming };
    signer.sign(&request, Timestamp::from_millis(1_700_000_000_000)).unwrap().chunks()
}

/// The body of a client, in chunks of this size, given in pieces of another.
fn theirs(data: &[u8], size: usize, piece: usize) -> Body {
    let mut all = Vec::new();
    for chunk in data.chunks(size) {
        all.extend_from_slice(format!("{:X};chunk-signature={}\r\n", chunk.len(), "0".repeat(64)).as_bytes());
        all.extend_from_slice(chunk);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(format!("0;chunk-signature={}\r\n\r\n", "0".repeat(64)).as_bytes());
    let pieces = all.chunks(piece).map(Bytes::copy_from_slice).collect::<Vec<_>>();
    let (sender, body) = Body::channel(pieces.len());
    tokio::spawn(async move {
        for piece in pieces {
            sender.send(piece).await.unwrap();
        }
        sender.finish(None).await.unwrap();
    });
    body
}

async fn signed_anew(body: Body, decoded: &str) -> Option<Vec<u8>> {
    let mut headers = HeaderMap::new();
    headers.insert(DECODED, HeaderValue::from_str(decoded).unwrap());
    let mut draft = Draft { headers, body, whole: None, signing: None };
    anew(&mut draft, chunks()).unwrap();
    let length = draft.body.size_hint().exact().unwrap();
    let all = draft.body.collect().await.ok()?.to_bytes().to_vec();
    assert_eq!(all.len() as u64, length);
    Some(all)
}

#[tokio::test]
async fn chunks_are_signed_anew_in_a_size_of_ours_however_they_come() {
    for (length, size, piece) in
        [(0, 1, 7), (5, 5, 3), (65_536, 8192, 1000), (200_000, 70_001, 4096), (131_072, 9, 65_536)]
    {
        let data: Vec<u8> = (0..length).map(|n| u8::try_from(n % 251).unwrap()).collect();
        let all = signed_anew(theirs(&data, size, piece), &length.to_string()).await.unwrap();
        let (mut rest, mut read, mut verified) = (all.as_slice(), Vec::new(), chunks());
        loop {
            let (head, behind) = line(rest).unwrap();
            let head = str::from_utf8(head).unwrap();
            let (digits, signature) = head.split_once(";chunk-signature=").unwrap();
            let (chunk, behind) = behind.split_at(usize::from_str_radix(digits, 16).unwrap());
            let _same = verified.verify(chunk, signature).unwrap();
            read.extend_from_slice(chunk);
            rest = behind.strip_prefix(b"\r\n").unwrap();
            if chunk.is_empty() {
                break;
            }
        }
        assert!(rest.is_empty() && read == data, "{length} {size} {piece}");
    }
}

#[tokio::test]
async fn what_is_not_as_long_as_it_says_has_no_end() {
    for (sent, said) in [(100, "101"), (100, "99")] {
        assert!(signed_anew(theirs(&vec![b'x'; sent], 10, 50), said).await.is_none(), "{sent} {said}");
    }
    let cut = Body::full("5;chunk-signature=00\r\nhello\r\n");
    assert!(signed_anew(cut, "5").await.is_none());
    let odd = Body::full("+5;x\r\nhello\r\n0;x\r\n\r\n");
    assert!(signed_anew(odd, "5").await.is_none());
}
