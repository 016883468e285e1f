//! Questions in Slack, through the binary: `doorward approval relay` beside a running broker, with a Slack that is not one.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant, SystemTime};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use testkit::{Doorward, Upstream};

use crate::approvals::started;
use crate::network_wire::{capability, gateway};
use crate::write;

const SIGNING: &str = "CANARY-signing-secret-0123456789";

/// The relay, and where it takes answers.
struct Relay {
    child: Child,
    address: String,
    lines: Receiver<String>,
}

impl Relay {
    fn start(doorward: &Doorward) -> Self {
        let mut command = doorward.command();
        command.args(["approval", "relay", "--listen", "127.0.0.1:0", "--every", "1s"]);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let mut said = String::new();
        let address = loop {
            let line = lines.recv_timeout(LIMIT).unwrap_or_else(|_| panic!("it does not listen: {said}"));
            if let Some((_, rest)) = line.split_once("http://") {
                break rest.split('/').next().unwrap().to_owned();
            }
            said.push_str(&line);
        };
        Self { child, address, lines }
    }

    /// The status of an answer that Slack would send now, signed with this.
    fn pressed(&self, said: &Value, signing: &str) -> u16 {
        let body = format!("payload={}", utf8_percent_encode(&said.to_string(), NON_ALPHANUMERIC));
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs().to_string();
        let key = crypto::MacKey::new(signing.as_bytes().try_into().unwrap());
        let tag = crypto::to_hex(&key.tag(&[b"v0:", now.as_bytes(), b":", body.as_bytes()]));
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let request = format!(
            "POST /slack/interactivity HTTP/1.1\r\nHost: answers.example\r\nConnection: close\r\nContent-Type: application/x-www-form-urlencoded\r\n\
             X-Slack-Signature: v0={tag}\r\nX-Slack-Request-Timestamp: {now}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut reply = String::new();
        stream.read_to_string(&mut reply).unwrap();
        reply.split(' ').nth(1).unwrap().parse().unwrap()
    }

    fn stop(mut self) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).unwrap();
        assert!(self.child.wait().unwrap().success());
        let said: Vec<String> = self.lines.iter().collect();
        assert!(!said.join("\n").contains("CANARY"), "{said:?}");
    }
}

/// What Slack was told by this method, once it was.
fn told(slack: &Upstream, method: &str, times: usize) -> Vec<Value> {
    let began = Instant::now();
    loop {
        let said: Vec<Value> = slack
            .requests()
            .iter()
            .filter(|one| one.target.ends_with(method))
            .map(|one| serde_json::from_slice(&one.body).unwrap())
            .collect();
        if said.len() >= times {
            return said;
        }
        assert!(began.elapsed() < LIMIT, "Slack was not told: {method}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn a_question_goes_to_slack_once_and_the_signed_answer_of_a_known_member_decides() {
    let (upstream, slack) = (Upstream::start(), Upstream::start());
    let (doorward, running) = started(&upstream);
    assert!(running.stop().success());
    doorward.watch(slack.canary());
    doorward.watch(SIGNING);
    let data = doorward.data();
    write(
        &data.join("integrations/slack.yaml"),
        &format!("name: slack\nextends: slack\nbase_url: {}\ndangerous_allow_private: true\n", slack.url()),
    );
    write(
        &data.join("settings.toml"),
        "[approvals.slack]\nchannel = \"C1\"\nteam = \"T1\"\n[approvals.slack.people]\nU1 = \"ada\"\n",
    );
    for method in ["chat.postMessage", "chat.update"] {
        slack.answer_with(
            &format!("/api/{method}"),
            200,
            json!({ "ok": true, "channel": "C1", "ts": "17.1" }),
        );
    }
    let said = doorward.run(&["approval", "relay"], "").failed_with(1);
    assert!(said.contains("doorward up"), "{said}");
    let running = doorward.start_up(&["--gateway", "127.0.0.1:0"]);
    let _ = doorward.run(&["secret", "put", "slack/token"], slack.canary()).succeeded();
    let _ = doorward.run(&["secret", "put", "slack/signing"], SIGNING).succeeded();
    let _ = doorward.run(&["role", "grant", "ada", "manager"], "").succeeded();
    let token = capability(&running, "&integrations=house&approval=writes");
    let host = running.gateway_url.trim_start_matches("http://");
    let request = format!(
        "POST /house/echo HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nContent-Length: 3\r\n\r\none"
    );
    let asked = || gateway(&running.gateway_url).unwrap().ask(request.as_bytes()).unwrap();
    let id = asked().header("x-doorward-approval").unwrap();

    let relay = Relay::start(&doorward);
    let message = told(&slack, "chat.postMessage", 1).remove(0);
    assert!(message.to_string().contains(&id), "{message}");
    let button = &message["blocks"][2]["elements"][0];
    let said = |user: &str| {
        json!({
            "type": "block_actions", "user": { "id": user }, "team": { "id": "T1" }, "channel": { "id": "C1" },
            "message": { "ts": "17.1" }, "actions": [{ "action_id": button["action_id"], "value": button["value"] }],
        })
    };
    assert_eq!(relay.pressed(&said("U1"), "another-secret-of-somebody-else1"), 401);
    assert_eq!(relay.pressed(&said("U9"), SIGNING), 403);
    assert_eq!(asked().status, 403, "nobody said yes yet");
    assert_eq!(relay.pressed(&said("U1"), SIGNING), 200);
    assert_eq!(asked().status, 200);
    let over = told(&slack, "chat.update", 1).remove(0);
    assert!(over.to_string().contains("Approved by `ada`"), "{over}");
    relay.stop();

    // Another one knows what was told, and tells nothing twice.
    let relay = Relay::start(&doorward);
    let asked = gateway(&running.gateway_url).unwrap().ask(request.replace("one", "two").as_bytes()).unwrap();
    assert_eq!(asked.status, 403);
    let all = told(&slack, "chat.postMessage", 2);
    assert_eq!(all.len(), 2);
    assert!(!all[1].to_string().contains(&id), "{}", all[1]);
    relay.stop();
    assert!(running.stop().success());
    doorward.assert_no_canary();
}

/// So long that a busy machine is not taken for one where nothing happens.
const LIMIT: Duration = Duration::from_secs(120);
