//! What is cut off, and that it does not matter in which pieces it comes.

use proptest::prelude::{ProptestConfig, any, prop_assert, prop_assert_eq, proptest};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;

const WATCH: Watch = Watch { head: 1024, write_stall: Duration::from_millis(50) };

/// What the library would see of a stream that comes in pieces of this size.
fn seen(stream: &[u8], piece: usize) -> Vec<u8> {
    let mut framing = Framing::new(WATCH.head);
    let mut out = Vec::new();
    for part in stream.chunks(piece) {
        match framing.follow(part) {
            Verdict::Pass => out.extend_from_slice(part),
            Verdict::Cut(at) => {
                out.extend_from_slice(&part[..at]);
                out.push(0);
                return out;
            }
        }
    }
    out
}

const GOOD: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\nGET /2 HTTP/1.0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\n\n\n\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\ncontent-length:\t 3 \r\n\r\nabc\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: CHUNKED\r\n\r\n3\r\n\n\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0A\r\n0123456789\r\n000\r\nx: y\r\n\r\nGET / HTTP/1.1\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3;x;y=z;q=\"a;\\\"b\"\r\nabc\r\n0;x=y\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\n\n\r\r",
];

const BAD: &[&[u8]] = &[
    b"GET / HTTP/1.1\nHost: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\n",
    b"GET / HTTP/1.1\r\nHost: a\rx: y\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
    b"GET / HTTP/1.1\r\n: a\r\n\r\n",
    b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
    b"GET  / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / x HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET /a#/b HTTP/1.1\r\nHost: a\r\n\r\n",
    b"GET / HTTP/1.2\r\nHost: a\r\n\r\n",
    b"GET /\r\n\r\n",
    b"GET\t/\tHTTP/1.1\r\n\r\n",
    b"\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length: 3, 3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length: +3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length: 0x3\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length:\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length: 3\x0b\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length: 99999999999999999999\r\n\r\nabc",
    b"POST / HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\"y\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3 ;x=y\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3;x=\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFF\r\nabc",
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\nGET",
];

#[test]
fn good_streams_pass_whole_in_pieces_of_every_size() {
    for stream in GOOD {
        for piece in 1..=stream.len() {
            assert_eq!(seen(stream, piece), *stream, "{:?} by {piece}", String::from_utf8_lossy(stream));
        }
    }
}

#[test]
fn ambiguous_streams_are_cut_in_pieces_of_every_size() {
    for stream in BAD {
        for piece in 1..=stream.len() {
            let seen = seen(stream, piece);
            assert_eq!(seen.last(), Some(&0), "{:?} by {piece}", String::from_utf8_lossy(stream));
        }
    }
}

#[test]
fn http2_has_begun_when_the_first_frame_has() {
    let mut framing = Framing::new(WATCH.head);
    assert_eq!(framing.follow(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), Verdict::Pass);
    assert_eq!(framing.heads(), 0);
    assert_eq!(framing.follow(b"\0\0\0\x04\0\0\0\0\0"), Verdict::Pass);
    assert_eq!((framing.heads(), framing.is_between()), (1, false));
}

#[test]
fn a_stream_is_between_messages_exactly_behind_the_last_byte_of_one() {
    let messages: [&[u8]; 4] = [
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n\r\nab\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n\r\n\r\n\r\n0\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    ];
    for piece in 1..60 {
        let mut framing = Framing::new(WATCH.head);
        assert!(!framing.is_between());
        for (index, message) in messages.iter().enumerate() {
            let mut seen = 0;
            for part in message.chunks(piece) {
                assert_eq!(framing.follow(part), Verdict::Pass);
                seen += part.len();
                assert_eq!(framing.is_between(), seen == message.len(), "{seen} of {index} by {piece}");
            }
            assert_eq!(framing.heads(), index as u64 + 1);
        }
        // A line end behind a message may be a part of the next one.
        assert_eq!(framing.follow(b"\r\n"), Verdict::Pass);
        assert!(!framing.is_between());
    }
}

#[test]
fn a_head_that_is_too_large_is_cut() {
    let mut stream = b"GET / HTTP/1.1\r\nx: ".to_vec();
    stream.resize(2000, b'a');
    assert_eq!(seen(&stream, 2000).last(), Some(&0));
    assert_eq!(seen(&stream, 7).last(), Some(&0));
}

#[tokio::test]
async fn the_library_reads_a_prefix_and_an_impossible_line_and_the_end() {
    let (mut caller, ours) = tokio::io::duplex(1024);
    let mut watched = Watched::new(ours, WATCH);
    caller.write_all(b"GET / HTTP/1.1\r\nHost: a\n\r\nGET / HTTP/1.1\r\n\r\n").await.unwrap();
    let mut all = Vec::new();
    watched.read_to_end(&mut all).await.unwrap();
    assert_eq!(all, b"GET / HTTP/1.1\r\n\0\r\n\r\n");
    assert!(watched.progress().heads() == 0 && !watched.progress().is_quiet());
}

#[tokio::test]
async fn the_impossible_line_comes_whole_through_buffers_of_every_size() {
    for size in 1..10 {
        let (mut caller, ours) = tokio::io::duplex(1024);
        let mut watched = Watched::new(ours, WATCH);
        caller.write_all(b"GET / HTTP/1.1\r\nHost: a\n\r\n").await.unwrap();
        let mut all = Vec::new();
        let mut buffer = vec![0; size];
        while let Ok(read @ 1..) = watched.read(&mut buffer).await {
            all.extend_from_slice(&buffer[..read]);
        }
        assert!(all.ends_with(IMPOSSIBLE) && all.starts_with(b"GET / HTTP/1.1\r\n"), "{all:?}");
    }
}

#[tokio::test]
async fn a_caller_who_takes_nothing_is_let_go() {
    let (_caller, ours) = tokio::io::duplex(8);
    let mut watched = Watched::new(ours, WATCH);
    let error = watched.write_all(&[0; 64]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::TimedOut);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(500) })]

    #[test]
    fn pieces_do_not_matter_for_the_verdict(
        which in any::<proptest::sample::Index>(), piece in 1_usize..40, noise in any::<u8>(), at in any::<proptest::sample::Index>()
    ) {
        let all: Vec<&[u8]> = GOOD.iter().chain(BAD).copied().collect();
        let mut stream = which.get(&all).to_vec();
        let place = at.index(stream.len());
        stream[place] = noise;
        // NUL is the mark of a cut in this test.
        if !stream.contains(&0) {
            let (whole, parts) = (seen(&stream, stream.len()), seen(&stream, piece));
            prop_assert_eq!(whole.last() == Some(&0), parts.last() == Some(&0));
            prop_assert!(stream.starts_with(parts.strip_suffix(&[0]).unwrap_or(&parts)));
        }
    }
}

// === a second reader, written another way ===

/// What a stream is to a reader that has all of it and is in no hurry.
#[derive(Debug, PartialEq, Eq)]
enum Reading {
    Sound,
    Ambiguous,
    /// It stops in the middle of something; nothing is wrong so far.
    Open,
}

fn read(mut rest: &[u8]) -> Reading {
    loop {
        let mut head: Vec<&[u8]> = Vec::new();
        let mut blank = 0;
        loop {
            if rest.is_empty() && head.is_empty() {
                return Reading::Sound;
            }
            let line = match line(&mut rest) {
                Ok(line) => line,
                Err(reading) => return reading,
            };
            match (line, head.is_empty()) {
                (b"", true) if blank == 0 => blank = 1,
                (b"", true) => return Reading::Ambiguous,
                (b"", false) => break,
                (line, true) if !is_request_line(line) => return Reading::Ambiguous,
                (line, false) if !HEADERS.contains(&bare(line)) => return Reading::Ambiguous,
                _ => head.push(line),
            }
        }
        let values = |name: &str| -> Vec<String> {
            let lines = head.iter().skip(1).map(|line| String::from_utf8_lossy(line).to_ascii_lowercase());
            lines.filter_map(|line| Some(line.strip_prefix(name)?.trim().to_owned())).collect()
        };
        let (lengths, codings) = (values("content-length:"), values("transfer-encoding:"));
        match (lengths.as_slice(), codings.as_slice()) {
            ([], []) => {}
            ([length], []) if !length.bytes().all(|byte| byte.is_ascii_digit()) => return Reading::Ambiguous,
            ([length], []) => match length.parse::<usize>() {
                Ok(length) if length <= rest.len() => rest = &rest[length..],
                Ok(_) => return Reading::Open,
                Err(_) => return Reading::Ambiguous,
            },
            ([], [coding]) if coding == "chunked" => match chunks(&mut rest) {
                Ok(()) => {}
                Err(reading) => return reading,
            },
            _ => return Reading::Ambiguous,
        }
    }
}

/// A method of any name, and what stands behind it in one of [`PIECES`]: a body may have taken the beginning.
fn is_request_line(line: &[u8]) -> bool {
    let Some(end) = line.iter().position(|byte| *byte == b' ') else { return false };
    let (method, rest) = line.split_at(end);
    !method.is_empty() && method.iter().all(u8::is_ascii_alphanumeric) && REQUEST_LINES.contains(&rest)
}

/// A line without letters that only make another method or name of it.
fn bare(mut line: &[u8]) -> &[u8] {
    while let Some(rest) = line.strip_prefix(b"abc") {
        line = rest;
    }
    line
}

fn line<'a>(rest: &mut &'a [u8]) -> Result<&'a [u8], Reading> {
    let text: &'a [u8] = rest;
    let Some(end) = text.iter().position(|byte| *byte == b'\n') else { return Err(Reading::Open) };
    let (line, behind) = text.split_at(end + 1);
    *rest = behind;
    let line = line.strip_suffix(b"\r\n").filter(|line| !line.contains(&b'\r'));
    line.ok_or(Reading::Ambiguous)
}

fn chunks(rest: &mut &[u8]) -> Result<(), Reading> {
    loop {
        let size = line(rest)?;
        let size = size.strip_suffix(b";x").unwrap_or(size);
        let digits = !size.is_empty() && size.iter().all(u8::is_ascii_hexdigit);
        let size = std::str::from_utf8(size).ok().filter(|_| digits).ok_or(Reading::Ambiguous)?;
        let size = usize::from_str_radix(size, 16).map_err(|_| Reading::Ambiguous)?;
        if size == 0 {
            while let trailer @ [_, ..] = line(rest)? {
                if !HEADERS.contains(&bare(trailer)) {
                    return Err(Reading::Ambiguous);
                }
            }
            return Ok(());
        }
        if rest.len() < size {
            return Err(Reading::Open);
        }
        *rest = &rest[size..];
        if !line(rest)?.is_empty() {
            return Err(Reading::Ambiguous);
        }
    }
}

/// The only lines of these that are well formed; all others of [`PIECES`] are not.
const REQUEST_LINES: &[&[u8]] = &[b" / HTTP/1.1", b" /a HTTP/1.0"];
const HEADERS: &[&[u8]] = &[
    b"Host: a",
    b"Content-Length: 3",
    b"content-length:\t5 ",
    b"Content-Length: +3",
    b"Content-Length: 0",
    b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip",
    b"transfer-encoding:CHUNKED",
];
const PIECES: &[&[u8]] = &[
    b"GET / HTTP/1.1\r\n",
    b"POST /a HTTP/1.0\r\n",
    b"GET / HTTP/1.1\n",
    b"GET /#a HTTP/1.1\r\n",
    b"Host: a\r\n",
    b"Content-Length: 3\r\n",
    b"content-length:\t5 \r\n",
    b"Content-Length: +3\r\n",
    b"Content-Length: 0\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"transfer-encoding:CHUNKED\r\n",
    b"Host : a\r\n",
    b" folded\r\n",
    b"\r\n",
    b"\n",
    b"\r",
    b"abc",
    b"3\r\n",
    b"5\r\n",
    b"0\r\n",
    b"3;x\r\n",
    b"3\r\nabc\r\n",
    b"0\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    b"POST /a HTTP/1.0\r\nContent-Length: 3\r\n\r\n",
    b"POST /a HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(20_000) })]

    #[test]
    fn two_readers_agree_on_what_is_ambiguous(
        picked in proptest::collection::vec(any::<proptest::sample::Index>(), 1..9), piece in 1_usize..30
    ) {
        let stream: Vec<u8> = picked.iter().flat_map(|which| which.get(PIECES).iter().copied()).collect();
        let cut = seen(&stream, piece).last() == Some(&0);
        match read(&stream) {
            Reading::Sound => prop_assert!(!cut, "{:?}", String::from_utf8_lossy(&stream)),
            Reading::Ambiguous => prop_assert!(cut, "{:?}", String::from_utf8_lossy(&stream)),
            // One of the two may know sooner that something is wrong, as with a return that nothing follows yet.
            Reading::Open => {}
        }
    }
}
