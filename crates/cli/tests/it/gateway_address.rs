//! A peer's configuration at an address: exactly 200, asked again with its tag, never too large, never over plain http.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use crate::home;

/// What the server answers, and what it was asked.
#[derive(Default)]
struct State {
    status: u16,
    body: String,
    tag: u32,
    tagged: usize,
}

/// A server of one file, with its tag. Ends with the process of the test.
fn serve(state: &Arc<Mutex<State>>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/config.yaml", listener.local_addr().unwrap());
    let state = Arc::clone(state);
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let Ok(mut stream) = stream else { return };
            let mut head = String::new();
            let mut reader = BufReader::new(stream.try_clone().unwrap());
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let mut state = state.lock().unwrap();
            let tag = format!("\"{}\"", state.tag);
            let known = head.to_ascii_lowercase().contains(&format!("if-none-match: {tag}"));
            state.tagged += usize::from(known);
            let (status, body) = if known { (304, "") } else { (state.status, state.body.as_str()) };
            let length = if known { String::new() } else { format!("content-length: {}\r\n", body.len()) };
            let reply =
                format!("HTTP/1.1 {status} x\r\netag: {tag}\r\n{length}connection: close\r\n\r\n{body}");
            let _ = stream.write_all(reply.as_bytes());
            let _ = stream.shutdown(std::net::Shutdown::Write);
            let _ = stream.read(&mut [0; 16]);
        }
    });
    url
}

fn entry(name: &str) -> String {
    format!("integrations:\n  - {{name: {name}, destination: \"https://{name}.example.com\"}}\n")
}

#[test]
fn a_configuration_at_an_address_is_asked_again_with_its_tag() {
    let doorward = home();
    let state = Arc::new(Mutex::new(State { status: 200, body: entry("first"), tag: 1, tagged: 0 }));
    let url = serve(&state);
    let mut command = doorward.command();
    command.args([
        "--json",
        "gateway",
        "-config-url",
        &url,
        "-addr",
        "127.0.0.1:0",
        "-dangerous-allow-private",
    ]);
    command.args(["-watch", "-poll", "100ms", "--recovery-out", "r"]);
    let running = doorward.start(command);
    assert_eq!(running.ready["peer"]["integrations"], 1);
    let until = std::time::Instant::now() + crate::HANG;
    while state.lock().unwrap().tagged < 2 {
        assert!(std::time::Instant::now() < until, "nobody asked again");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // An answer that is none changes nothing.
    *state.lock().unwrap() = State { status: 500, body: entry("wrong"), tag: 2, tagged: 0 };
    running.reload();
    let shown = |text: &str| {
        let until = std::time::Instant::now() + crate::HANG;
        while !doorward.run(&["integration", "list"], "").succeeded().contains(text) {
            assert!(std::time::Instant::now() < until, "{}", String::from_utf8_lossy(&doorward.printed()));
        }
    };
    shown("first");
    *state.lock().unwrap() = State { status: 200, body: entry("second"), tag: 3, tagged: 0 };
    shown("second");
    assert!(!doorward.run(&["integration", "list"], "").succeeded().contains("wrong"));
    assert!(running.stop().success());
}

#[test]
fn an_address_that_does_not_answer_with_the_file_stops_the_start() {
    let doorward = home();
    for (status, body) in
        [(404, String::new()), (204, String::new()), (301, entry("moved")), (206, entry("part"))]
    {
        let state = Arc::new(Mutex::new(State { status, body, tag: 1, tagged: 0 }));
        let url = serve(&state);
        let words = ["gateway", "-config", &url, "-addr", "127.0.0.1:0", "-dangerous-allow-private"];
        let said = doorward.run(&words, "").failed_with(1);
        assert!(said.contains("only 200"), "{status}: {said}");
    }
}
