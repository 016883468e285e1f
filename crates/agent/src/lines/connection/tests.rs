//! Whole connections against somebody who answers with what was asked.

use std::sync::atomic::{AtomicUsize, Ordering};

use net::drain;
use tokio::io::DuplexStream;

use super::*;
use crate::{Rate, Throttled};

struct Echo {
    asked: AtomicUsize,
    slow: Duration,
}

impl Answers for Echo {
    async fn answer(&self, message: &Message<'_>) -> Reply {
        self.asked.fetch_add(1, Ordering::SeqCst);
        tokio::time::sleep(self.slow).await;
        Reply { kind: "echo", payload: serde_json::from_str(message.payload).unwrap() }
    }

    async fn unread(&self, why: &str) {
        assert!(why.starts_with("invalid request format: "), "{why}");
    }
}

struct Fixed;

impl Clock for Fixed {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

fn limits() -> Limits {
    Limits {
        connections: 2,
        frame: 1000,
        idle: Duration::from_secs(120),
        request: Duration::from_secs(120),
        rate: Rate { per_second: 1.0, burst: 1.0, of: Throttled::Others },
    }
}

/// Starts a connection; what is returned is its other end.
fn connected(
    limits: Limits,
    slow: Duration,
    draining: Draining,
) -> (DuplexStream, tokio::task::JoinHandle<usize>) {
    let (ours, theirs) = tokio::io::duplex(1 << 16);
    let task = tokio::spawn(async move {
        let echo = Echo { asked: AtomicUsize::new(0), slow };
        let clock: Arc<dyn Clock> = Arc::new(Fixed);
        carry(ours, &echo, &limits, &clock, draining).await;
        echo.asked.load(Ordering::SeqCst)
    });
    (theirs, task)
}

/// Sends these bytes and the end, and reads every answer.
async fn said(bytes: &[u8], limits: Limits) -> (Vec<Value>, usize) {
    let (_drain, draining) = drain::channel();
    let (mut theirs, task) = connected(limits, Duration::ZERO, draining);
    // The other end may close before it has taken everything.
    let _ = theirs.write_all(bytes).await;
    let _ = theirs.shutdown().await;
    let mut text = String::new();
    theirs.read_to_string(&mut text).await.unwrap();
    let answers = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    (answers, task.await.unwrap())
}

fn message(id: &str, payload: &str) -> String {
    format!("{{\"version\":\"1.0\",\"type\":\"x\",\"id\":\"{id}\",\"payload\":{payload}}}\n")
}

#[tokio::test]
async fn messages_that_come_together_are_answered_in_their_order() {
    let many: String = (0..1000).map(|n| message(&n.to_string(), &format!("{{\"n\":{n}}}"))).collect();
    let (answers, asked) = said(many.as_bytes(), limits()).await;
    assert_eq!((answers.len(), asked), (1000, 1000));
    for (n, answer) in answers.iter().enumerate() {
        assert_eq!((&answer["id"], &answer["payload"]["n"]), (&json!(n.to_string()), &json!(n)));
    }
}

#[tokio::test]
async fn what_cannot_be_read_gets_one_answer_and_the_end() {
    let good = message("1", "{}");
    for bad in [
        "{]\n",
        "{\"version\":\"1.0\"}\n",
        "null\n",
        "{\"version\":\"2\",\"type\":\"x\",\"id\":\"1\"}\n",
        "\u{7}\n",
    ] {
        let (answers, asked) = said(format!("{good}{bad}{good}{good}").as_bytes(), limits()).await;
        assert_eq!((answers.len(), asked), (2, 1), "{bad}");
        assert_eq!(answers[1]["type"], "error_response", "{bad}");
        let error = answers[1]["payload"]["error"].as_str().unwrap();
        assert!(error.starts_with("invalid request format: "), "{error}");
    }
}

#[tokio::test]
async fn a_frame_that_is_too_large_gets_an_answer_although_more_of_it_comes() {
    let large = vec![b'x'; 2 << 20];
    let (_drain, draining) = drain::channel();
    let (theirs, task) = connected(limits(), Duration::ZERO, draining);
    let (mut read, mut write) = tokio::io::split(theirs);
    let writing = tokio::spawn(async move { write.write_all(&large).await });
    let mut text = String::new();
    read.read_to_string(&mut text).await.unwrap();
    assert!(text.contains("the frame is larger than 1000 bytes"), "{text}");
    assert_eq!(text.lines().count(), 1);
    assert_eq!(task.await.unwrap(), 0);
    drop(read);
    let _ = writing.await.unwrap();
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let (_drain, draining) = drain::channel();
    let short = Limits { idle: Duration::from_millis(30), ..limits() };
    let (mut theirs, task) = connected(short, Duration::ZERO, draining);
    theirs.write_all(message("1", "{}").as_bytes()).await.unwrap();
    // Half a frame is no sign of life.
    theirs.write_all(b"{\"version\"").await.unwrap();
    let mut text = String::new();
    theirs.read_to_string(&mut text).await.unwrap();
    assert_eq!((text.lines().count(), task.await.unwrap()), (1, 1));
}

#[tokio::test]
async fn draining_ends_what_is_idle_and_answers_what_has_begun() {
    let (drain, draining) = drain::channel();
    let (mut idle, idle_task) = connected(limits(), Duration::ZERO, draining.clone());
    let (mut busy, busy_task) = connected(limits(), Duration::from_millis(50), draining);
    busy.write_all(message("1", "{}").repeat(2).as_bytes()).await.unwrap();
    tokio::task::yield_now().await;
    tokio::task::yield_now().await;
    drain.start();
    let (mut nothing, mut text) = (String::new(), String::new());
    idle.read_to_string(&mut nothing).await.unwrap();
    busy.read_to_string(&mut text).await.unwrap();
    assert_eq!((nothing.as_str(), idle_task.await.unwrap()), ("", 0));
    assert_eq!((text.lines().count(), busy_task.await.unwrap()), (1, 1));
}

#[tokio::test]
async fn a_connection_too_many_is_told_so() {
    let (ours, mut theirs) = tokio::io::duplex(1 << 16);
    let reply = Reply::error("too many connections");
    let (_, text) = tokio::join!(refuse(ours, &reply, Timestamp::from_millis(0)), async {
        let mut text = String::new();
        theirs.read_to_string(&mut text).await.unwrap();
        drop(theirs);
        text
    });
    assert!(text.contains("too many connections"), "{text}");
}
