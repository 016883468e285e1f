//! What is written, from a number.

/// Everything that is written to one connection.
pub(super) struct Round {
    pub(super) pieces: Vec<Vec<u8>>,
    pub(super) ending: Ending,
}

/// What the caller does in the end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Ending {
    /// Says no more, and waits for the end.
    Waits,
    /// Is gone at once.
    Gone,
}

impl Round {
    /// Always the same for the same number.
    pub(super) fn made(number: u64, token: &str) -> Self {
        let mut random = Random(number.wrapping_mul(0x2545_f491_4f6c_dd1d));
        let bytes = match random.below(9) {
            0 => random.noise(2000),
            1 | 2 => random.damaged(&request(token)),
            3 => random.frames(),
            4 => {
                let mut bytes = PREFACE.to_vec();
                bytes.extend(frame(1, 5, 1, &head(token)));
                let mut damaged = random.damaged(&bytes[24..]);
                bytes.truncate(24);
                bytes.append(&mut damaged);
                bytes
            }
            5 => random.damaged(br#"{"version":"1.0","type":"ping_request","id":"1","payload":{}}"#),
            6 => random.flood(),
            7 => random.damaged(PREFACE),
            _ => random.damaged(HELLO),
        };
        let ending = if random.below(4) == 0 { Ending::Gone } else { Ending::Waits };
        let size = if random.below(2) == 0 { bytes.len().max(1) } else { 1 + random.below(700) };
        Self { pieces: bytes.chunks(size).map(<[u8]>::to_vec).collect(), ending }
    }
}

/// SplitMix64.
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn below(&mut self, most: usize) -> usize {
        usize::try_from(self.next() % most as u64).unwrap()
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }

    fn noise(&mut self, most: usize) -> Vec<u8> {
        let length = 1 + self.below(most);
        (0..length).map(|_| self.byte()).collect()
    }

    /// Something good with up to eight changes.
    fn damaged(&mut self, good: &[u8]) -> Vec<u8> {
        let mut bytes = good.to_vec();
        for _ in 0..1 + self.below(8) {
            if bytes.is_empty() {
                bytes.push(self.byte());
            }
            let at = self.below(bytes.len());
            match self.below(7) {
                0 => bytes[at] = self.byte(),
                1 => bytes[at] ^= 1 << self.below(8),
                2 => bytes.insert(at, self.byte()),
                3 => drop(bytes.remove(at)),
                4 => bytes.truncate(at),
                5 => {
                    let end = (at + 1 + self.below(40)).min(bytes.len());
                    let again = bytes[at..end].to_vec();
                    bytes.splice(at..at, again);
                }
                _ => {
                    let odd = ODD[self.below(ODD.len())];
                    bytes.splice(at..at, odd.iter().copied());
                }
            }
        }
        bytes
    }

    /// HTTP/2 with frames of any kind, some of which say another length than they have.
    fn frames(&mut self) -> Vec<u8> {
        let mut bytes = PREFACE.to_vec();
        bytes.extend(frame(4, 0, 0, &[]));
        for _ in 0..1 + self.below(40) {
            let payload = self.noise(60);
            let (kind, flags) = (self.byte() % 12, self.byte());
            let stream = [0, 1, 1, 3, 2, u32::MAX][self.below(6)];
            let mut one = frame(kind, flags, stream, &payload);
            if self.below(12) == 0 {
                one[2] = self.byte();
            }
            bytes.extend(one);
        }
        bytes
    }

    /// More of something than anybody needs.
    fn flood(&mut self) -> Vec<u8> {
        let count = 1 + self.below(200_000);
        match self.below(7) {
            0 => [b"GET / HTTP/1.1\r\nX: ".to_vec(), vec![b'a'; count]].concat(),
            1 => b"\r\n".repeat(count / 2),
            2 => [b"GET /".to_vec(), vec![b'a'; count]].concat(),
            3 => [b"GET / HTTP/1.1\r\nHost: localhost\r\n".to_vec(), b"X: a\r\n".repeat(count / 6)].concat(),
            4 => [
                b"POST /notes/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
                    .to_vec(),
                b"1\r\na\r\n".repeat(count / 6),
            ]
            .concat(),
            // Settings, pings and empty data without end.
            5 => [PREFACE.to_vec(), frame(4, 0, 0, &[]).repeat(count / 9)].concat(),
            _ => {
                let resets = [frame(1, 5, 1, &[0x82]), frame(3, 0, 1, &[0, 0, 0, 8])].concat();
                [PREFACE.to_vec(), frame(4, 0, 0, &[]), resets.repeat(count / 40)].concat()
            }
        }
    }
}

fn request(token: &str) -> Vec<u8> {
    format!(
        "POST /notes/echo HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\nContent-Length: 5\r\n\r\nhello\
         GET /notes/echo HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    .into_bytes()
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let mut out = vec![length[1], length[2], length[3], kind, flags];
    out.extend(stream.to_be_bytes());
    out.extend_from_slice(payload);
    out
}

/// `GET /notes/echo`, in headers that are never indexed.
fn head(token: &str) -> Vec<u8> {
    let mut out = vec![0x82, 0x86];
    let token = format!("Bearer {token}");
    for (name, value) in [
        (":authority", "localhost"),
        (":path", "/notes/echo"),
        ("authorization", token.get(..100).unwrap_or(&token)),
    ] {
        out.push(0x10);
        for text in [name, value] {
            out.push(u8::try_from(text.len()).unwrap());
            out.extend_from_slice(text.as_bytes());
        }
    }
    out
}

const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// The begin of a handshake of TLS.
const HELLO: &[u8] = b"\x16\x03\x01\x00\x2f\x01\x00\x00\x2b\x03\x03abcdefghijklmnopqrstuvwxyz012345\x00\x00\x04\x13\x01\x13\x02\x01\x00";
const ODD: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r",
    b"\0",
    b" ",
    b"\t",
    b":",
    b"%",
    b"\xff\xff\xff\xff",
    b"\r\n\r\n",
    b"0\r\n\r\n",
    b"HTTP/1.1",
    b"Transfer-Encoding: chunked\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"Content-Length: -1\r\n",
    b"Host: x\r\n",
    b"Expect: 100-continue\r\n",
    b"Upgrade: h2c\r\n",
    b"[[[[[[[[",
    b"{\"a\":",
    b"\"\\ud800\"",
    b"1e999999",
    PREFACE,
];
