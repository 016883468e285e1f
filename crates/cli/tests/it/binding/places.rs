//! The places in which a request can name a destination, and what is written there.

/// A request from its number: one thing in one place, another in another.
pub(super) fn request(number: u64, token: &str, gateway: &str, nobody: u16, disguised: &[&str]) -> Vec<u8> {
    let mut rest = usize::try_from(number).unwrap();
    let mut next = |most: usize| {
        // Mixed, so that neighbours differ in more than one place.
        rest = (rest.wrapping_mul(0x9e37_79b1) ^ (rest >> 7)) & 0x7fff_ffff;
        (rest >> 8) % most
    };
    let fill = |text: &str| {
        let (host, port) = gateway.rsplit_once(':').unwrap_or((gateway, "80"));
        let text =
            text.replace("NOBODY", &format!("127.0.0.1:{nobody}")).replace("NUMBER", &nobody.to_string());
        text.replace("GATEWAY", &format!("{host}:{port}"))
    };
    let kind = [
        "/first/1",
        "/redirect/301-NUMBER",
        "/redirect/302-NUMBER",
        "/redirect/307-NUMBER",
        "/redirect/308-NUMBER",
    ];
    let path = fill(kind[next(kind.len())]);
    // One in sixteen asks an integration whose base URL leads to loopback in disguise.
    if number % 16 == 15 && !disguised.is_empty() {
        let name = disguised[next(disguised.len())];
        return format!(
            "GET /{name}/first/1 HTTP/1.1\r\nHost: {gateway}\r\nAuthorization: Bearer {token}\r\n\r\n"
        )
        .into_bytes();
    }
    let host = fill(HOSTS[next(HOSTS.len())]);
    let target = fill(TARGETS[next(TARGETS.len())]).replace("PATH", &path);
    let mut lines = String::new();
    for _ in 0..next(3) {
        lines.push_str(&fill(LINES[next(LINES.len())]));
    }
    format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n{lines}\r\n")
        .into_bytes()
}

/// What may stand as a host. Half of them are honest, so that the other places are reached.
const HOSTS: &[&str] = &[
    "alpha.localhost",
    "beta.localhost",
    "alpha",
    "beta",
    "GATEWAY",
    "localhost",
    "alpha.localhost:80",
    "ALPHA.LOCALHOST",
    "alpha.localhost",
    "GATEWAY",
    "alpha",
    "beta.localhost:NUMBER",
    "NOBODY",
    "alpha@NOBODY",
    "alpha.localhost@NOBODY",
    "NOBODY@alpha.localhost",
    "alpha.localhost#@NOBODY",
    "alpha.localhost:NUMBER",
    "alpha.localhost:NUMBER:80",
    "alpha.localhost.",
    "alpha.localhost.:NUMBER",
    "alpha..localhost",
    ".alpha.localhost",
    "alpha.localhost, NOBODY",
    "alpha.localhost NOBODY",
    "alpha.localhost\tNOBODY",
    "alpha.beta.localhost",
    "alpha%2ebeta.localhost",
    "alpha%00.localhost",
    "%61lpha.localhost",
    "alpha.localhost%23.127.0.0.1",
    "[::1]",
    "[::1]:NUMBER",
    "[::ffff:127.0.0.1]:NUMBER",
    "[::ffff:7f00:1]:NUMBER",
    "[::1%25lo]:NUMBER",
    "2130706433:NUMBER",
    "0x7f000001:NUMBER",
    "0x7f.1:NUMBER",
    "0177.0.0.1:NUMBER",
    "127.1:NUMBER",
    "127.0.1:NUMBER",
    "0:NUMBER",
    "127.0.0.1:0NUMBER",
    "127.0.0.1:+NUMBER",
    "169.254.169.254",
    "metadata.google.internal",
    "xn--alpha-.localhost",
    "alph\u{e1}.localhost",
    "alpha.localhost\\@NOBODY",
    "http://NOBODY",
    "//NOBODY",
    "",
];

/// What may stand as a target.
const TARGETS: &[&str] = &[
    "PATH",
    "/alphaPATH",
    "/betaPATH",
    "PATH",
    "/alphaPATH",
    "http://alpha.localhostPATH",
    "http://beta.localhostPATH",
    "http://GATEWAY/alphaPATH",
    "http://NOBODYPATH",
    "https://NOBODYPATH",
    "http://NOBODY/alphaPATH",
    "http://alpha@NOBODYPATH",
    "http://NOBODY@alpha.localhostPATH",
    "http://alpha.localhost:NUMBERPATH",
    "http://alpha.localhost.PATH",
    "http://alpha.localhost\\@NOBODYPATH",
    "http://alpha.localhost#@NOBODYPATH",
    "http://[::ffff:127.0.0.1]:NUMBERPATH",
    "http://2130706433:NUMBERPATH",
    "//NOBODYPATH",
    "///NOBODYPATH",
    "/\\NOBODYPATH",
    "/alpha/../betaPATH",
    "/alpha/%2e%2e/betaPATH",
    "/alpha//NOBODYPATH",
    "/alpha/http://NOBODYPATH",
    "/alpha@NOBODYPATH",
    "/alpha:NUMBERPATH",
    "/%61lphaPATH",
    "/alpha%2fbetaPATH",
    "/ALPHAPATH",
    "/http://NOBODYPATH",
    "NOBODY",
    "*",
    "http:/alpha.localhostPATH",
    "ws://NOBODYPATH",
    "PATH?url=http://NOBODY/",
];

/// What may stand in other headers.
const LINES: &[&str] = &[
    "X-Doorward-Integration: alpha\r\n",
    "X-Doorward-Integration: beta\r\n",
    "X-AT-Int: alpha\r\n",
    "X-AT-Int: beta\r\n",
    "X-Doorward-Integration: alpha\r\nX-AT-Int: beta\r\n",
    "X-Doorward-Integration: alpha, beta\r\n",
    "X-Doorward-Integration: NOBODY\r\n",
    "X-Doorward-Destination: http://NOBODY\r\n",
    "X-Doorward-Destination: http://alpha@NOBODY/\r\n",
    "X-AT-Destination: http://NOBODY\r\n",
    "X-AT-Destination: https://NOBODY\r\n",
    "X-Forwarded-Host: NOBODY\r\n",
    "X-Forwarded-Host: beta.localhost\r\n",
    "X-Forwarded-Server: NOBODY\r\n",
    "X-Forwarded-Proto: https\r\nX-Forwarded-Port: NUMBER\r\n",
    "Forwarded: host=\"NOBODY\";proto=http\r\n",
    "X-Host: NOBODY\r\n",
    "X-Original-Host: NOBODY\r\n",
    "X-Original-URL: http://NOBODY/\r\n",
    "X-Rewrite-URL: http://NOBODY/\r\n",
    "Proxy-Host: NOBODY\r\n",
    "Host: NOBODY\r\n",
    "Referer: http://NOBODY/\r\n",
    "X-HTTP-Host-Override: NOBODY\r\n",
    "X-Envoy-Original-Path: http://NOBODY/\r\n",
    ":authority: NOBODY\r\n",
    "Destination: http://NOBODY/\r\n",
    "Alt-Used: NOBODY\r\n",
    "Connection: Host\r\n",
    "Connection: X-Doorward-Integration\r\n",
];

/// Ways to write loopback.
pub(super) const LOOPBACK: &[&str] = &[
    "127.0.0.1",
    "localhost",
    "127.1",
    "127.0.1",
    "2130706433",
    "0x7f000001",
    "0x7f.0.0.1",
    "0x7F.1",
    "0177.0.0.1",
    "017700000001",
    "0177.0.0x1",
    "127.0.0.1.",
    "localhost.",
    "LOCALHOST",
    "127.127.127.127",
    "0.0.0.0",
    "0",
    "[::1]",
    "[::]",
    "[0:0:0:0:0:0:0:1]",
    "[::ffff:127.0.0.1]",
    "[::ffff:7f00:1]",
    "[::127.0.0.1]",
    "[64:ff9b::7f00:1]",
    "[2002:7f00:1::]",
    "[fe80::1]",
    "127.0.0.1%00",
    "127\u{3002}0\u{3002}0\u{3002}1",
    "\u{2460}27.0.0.1",
    "ip6-localhost",
];

/// Addresses that no name may stand for.
pub(super) const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "127.127.127.127",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "100.64.0.1",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::127.0.0.1",
    "fe80::1",
    "fd00::1",
    "fec0::1",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "2002:7f00:1::",
    "2001::1",
    "224.0.0.1",
    "255.255.255.255",
    "ff02::1",
    "fd00:ec2::254",
    "192.0.0.192",
    "168.63.129.16",
];
