//! How much work an answer with a kept lease is. The promise is requests per second on one core, which a test can't hold
//! on a machine that does other things; what it holds is that many answers come over one connection from one fetch.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::time::Instant;

use metadata::Version1;

use crate::house::Running;

#[test]
fn twenty_thousand_answers_come_from_one_fetch() {
    let server = Running::ec2(Version1::Allowed);
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.set_nodelay(true).unwrap();
    let request = format!(
        "GET /latest/meta-data/iam/security-credentials/local-credentials HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n",
        server.address.port()
    );
    let mut answers = BufReader::new(stream.try_clone().unwrap());
    let started = Instant::now();
    const ROUNDS: usize = 200;
    const EACH: usize = 100;
    for _ in 0..ROUNDS {
        stream.write_all(request.repeat(EACH).as_bytes()).unwrap();
        for _ in 0..EACH {
            read_one(&mut answers);
        }
    }
    println!("{:.0} requests/s", (ROUNDS * EACH) as f64 / started.elapsed().as_secs_f64());
    assert_eq!((server.asks().len(), server.given().len()), (1, ROUNDS * EACH));
}

fn read_one(answers: &mut BufReader<TcpStream>) {
    let mut length = 0;
    let mut line = String::new();
    answers.read_line(&mut line).unwrap();
    assert!(line.starts_with("HTTP/1.1 200"), "{line}");
    loop {
        line.clear();
        answers.read_line(&mut line).unwrap();
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().unwrap();
        }
        if line == "\r\n" {
            break;
        }
    }
    let mut body = vec![0; length];
    answers.read_exact(&mut body).unwrap();
    assert!(body.starts_with(b"{\"AccessKeyId\"") && body.ends_with(b"}\n"));
}
