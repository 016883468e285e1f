//! The protocol, and servers that do not answer as they should. Against a real server: the tests of the broker.

use std::io::{Read, Write};
use std::net::TcpListener;

use proptest::prelude::*;

use super::reply::{Malformed, command, parse};
use super::*;

#[test]
fn replies_are_read_when_they_are_whole() {
    let whole = b"*3\r\n:1\r\n$2\r\nab\r\n$-1\r\n";
    let expected = Reply::List(vec![Reply::Number(1), Reply::Text("ab".to_owned()), Reply::Nothing]);
    assert_eq!(parse(whole), Ok(Some(expected)));
    for end in 0..whole.len() {
        assert_eq!(parse(&whole[..end]), Ok(None), "{end}");
    }
    assert_eq!(parse(b"-WRONGPASS secret CANARY\r\n"), Ok(Some(Reply::Error("WRONGPASS".to_owned()))));
    assert_eq!(parse(b"-hunter2 CANARY\r\n"), Ok(Some(Reply::Error("an error".to_owned()))));
    for wrong in
        [b"HTTP/1.1 400\r\n".as_slice(), b":x\r\n", b"$-5\r\n", b"*9999999\r\n", b"+OK\r\n+OK\r\n", b"+OK\n"]
    {
        assert_eq!(parse(wrong), Err(Malformed), "{}", String::from_utf8_lossy(wrong));
    }
    assert_eq!(command(&[b"GET", b"a"]), b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n");
}

proptest! {
    #[test]
    fn no_bytes_make_the_reader_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
        let _ = parse(&bytes);
    }
}

fn client(port: u16, password: Option<&str>) -> Redis {
    hasty(crate::tests::SOON, port, password)
}

fn hasty(within: Duration, port: u16, password: Option<&str>) -> Redis {
    let password = password.map(|text| memory::Secret::new(text.as_bytes().to_vec()).unwrap());
    let host = "127.0.0.1".to_owned();
    Redis::new(RedisConfig { host, port, tls: None, user: None, password, database: 0, within }, "return {}")
}

fn served(answer: &'static [u8]) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        while let Ok((mut stream, _)) = listener.accept() {
            let mut bytes = [0; 512];
            while stream.read(&mut bytes).is_ok_and(|read| read > 0) && stream.write_all(answer).is_ok() {}
        }
    });
    port
}

#[tokio::test]
async fn a_server_that_says_nothing_strange_things_or_no_is_an_error_in_time_without_the_password() {
    let within = Duration::from_millis(300);
    let silent = hasty(within, served(b""), Some("CANARY")).run(&[], &[]).await.unwrap_err();
    assert!(matches!(silent, Error::Late(_)), "{silent:?}");
    let strange = client(served(b"HTTP/1.1 200 OK\r\n\r\n"), None).run(&[], &[]).await.unwrap_err();
    assert!(matches!(strange, Error::Strange(_)), "{strange:?}");
    let refused = client(served(b"-WRONGPASS CANARY\r\n"), Some("CANARY")).run(&[], &[]).await.unwrap_err();
    assert!(!format!("{refused:?}").contains("CANARY"));
    assert!(refused.to_string().ends_with("refused with WRONGPASS"), "{refused}");
    let (nobody, _held) = crate::tests::refusing();
    assert!(matches!(client(nobody.port(), None).run(&[], &[]).await, Err(Error::Broken { .. })));
}
