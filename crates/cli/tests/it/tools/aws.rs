//! AWS' own command line, on a server that checks signatures and rights as AWS does. What it gets is the session of a role.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};
use testkit::{Doorward, port};

use super::{Started, Watch, done, installed, op, record, settings};
use crate::place::{MOTO, PYTHON};
use crate::{has_sandbox, home, write_integration};

const NAME: &str = "tools-aws";
const ROLE: &str = "arn:aws:iam::123456789012:role/ops";

/// The server, and AWS' command line for whoever set it up.
struct Cloud {
    url: String,
    aws: PathBuf,
    folder: PathBuf,
    _server: Started,
}

impl Cloud {
    fn start(doorward: &Doorward, python: &Path, moto: &Path) -> Self {
        let port = port();
        let mut server = Command::new(moto.join("venv/bin/python"));
        server.args(["-m", "moto.server", "-H", "127.0.0.1", "-p", &port.to_string()]);
        // What is set up comes first; from then on signatures and rights count.
        server.env("INITIAL_NO_AUTH_ACTION_COUNT", SET_UP.to_string());
        let mut server = Started::new(doorward.folder(), "moto", server);
        server.until("moto", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
        let url = format!("http://127.0.0.1:{port}");
        let aws = python.join("venv/bin/python");
        Self { url, aws, folder: doorward.folder().to_owned(), _server: server }
    }

    /// What whoever set it up says, outside of Doorward.
    #[track_caller]
    fn admin(&self, args: &[&str]) -> Value {
        let mut command = Command::new(&self.aws);
        command
            .args(["-m", "awscli", "--region=us-east-1", "--output=json", "--endpoint-url", &self.url])
            .args(args);
        command
            .env("HOME", &self.folder)
            .env("AWS_ACCESS_KEY_ID", "AKIAADMIN")
            .env("AWS_SECRET_ACCESS_KEY", "admin");
        let said = command.output().unwrap();
        assert!(said.status.success(), "{args:?}: {}", String::from_utf8_lossy(&said.stderr));
        serde_json::from_slice(&said.stdout).unwrap_or(Value::Null)
    }
}

/// How many calls set it up.
const SET_UP: usize = 6;

/// What may be read by a program of this Python besides its own folder.
fn python_itself(venv: &Path) -> PathBuf {
    let real = venv.join("venv/bin/python").canonicalize().unwrap();
    real.parent().unwrap().parent().unwrap().to_owned()
}

fn allows(actions: &[&str]) -> String {
    json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": actions, "Resource": "*" }] }).to_string()
}

#[expect(clippy::too_many_lines, reason = "one story, on a server that takes seconds to start")]
#[test]
fn aws_itself_works_with_the_session_of_a_role_and_never_with_the_stored_key() {
    let (Some(python), Some(moto)) = (installed(PYTHON, NAME), installed(MOTO, NAME)) else { return };
    if !has_sandbox(NAME) {
        return;
    }
    let doorward = home();
    let cloud = Cloud::start(&doorward, &python, &moto);
    cloud.admin(&["iam", "create-user", "--user-name=doorward"]);
    let key = cloud.admin(&["iam", "create-access-key", "--user-name=doorward"]);
    let assume = allows(&["sts:AssumeRole"]);
    cloud.admin(&[
        "iam",
        "put-user-policy",
        "--user-name=doorward",
        "--policy-name=assume",
        "--policy-document",
        &assume,
    ]);
    let trust = json!({ "Version": "2012-10-17", "Statement": [{ "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "AWS": "*" } }] });
    cloud.admin(&[
        "iam",
        "create-role",
        "--role-name=ops",
        "--assume-role-policy-document",
        &trust.to_string(),
    ]);
    let may = allows(&[
        "sts:GetCallerIdentity",
        "ec2:StartInstances",
        "ec2:StopInstances",
        "ec2:DescribeInstances",
        "tag:GetResources",
    ]);
    cloud.admin(&[
        "iam",
        "put-role-policy",
        "--role-name=ops",
        "--policy-name=ops",
        "--policy-document",
        &may,
    ]);
    let made = cloud.admin(&["ec2", "run-instances", "--image-id=ami-12c6146b", "--count=1"]);
    let instance = made["Instances"][0]["InstanceId"].as_str().unwrap().to_owned();
    let (id, secret) = (
        key["AccessKey"]["AccessKeyId"].as_str().unwrap(),
        key["AccessKey"]["SecretAccessKey"].as_str().unwrap(),
    );
    doorward.watch(secret);

    let programs = doorward.folder().join("programs");
    std::fs::create_dir(&programs).unwrap();
    let aws = programs.join("aws");
    let lines = format!("#!/bin/sh\nexec {} -m awscli \"$@\"\n", python.join("venv/bin/python").display());
    testkit::program(&aws, &lines);
    settings(&doorward, &[&programs], &[&python, &python_itself(&python)]);
    let url = &cloud.url;
    let integration = |name: &str, more: &str| {
        write_integration(
            &doorward,
            &format!(
                "name: {name}\nextends: aws\nbase_url: {url}\ndangerous_allow_private: true\nauth:\n  - {{scheme: sigv4, access_key_id: access_key_id, \
                 secret_access_key: secret_access_key, token_url: \"{url}\", role: \"{ROLE}\"{more}}}\n"
            ),
        );
    };
    integration("cloud", "");
    let _ = doorward.run(&["init"], "").succeeded();
    let _ = doorward.run(&["secret", "put", "cloud/access_key_id"], id).succeeded();
    let _ = doorward.run(&["secret", "put", "cloud/secret_access_key"], secret).succeeded();
    let watch = Watch::for_secrets(&[secret]);
    let region = ("region", "us-east-1");

    let told = done(&doorward, "cloud.identity.show", &[region]);
    assert_eq!((&told["used"], &told["exit"]), (&json!("cli"), &json!(0)));
    let arn = told["evidence_fields"]["arn"].as_str().unwrap();
    assert!(arn.starts_with("arn:aws:sts::123456789012:assumed-role/ops/doorward-"), "{arn}");
    let kept = record(&doorward, &told);
    for part in [
        "session=arn:aws:sts::123456789012:assumed-role/ops/doorward-",
        "session_key=ASIA",
        "minted=aws_session ",
    ] {
        assert!(kept.contains(part), "{part} in {kept}");
    }

    let told = done(&doorward, "cloud.instances.stop", &[region, ("instances", &instance)]);
    assert_eq!(told["evidence_fields"]["instances"], instance);
    // This server keeps no trail, and a look at it that fails neither hides the write nor repeats it.
    assert!(told["evidence_fields"]["events"].as_str().unwrap().starts_with("missing: "), "{told}");
    assert!(record(&doorward, &told).contains("events=missing: "));
    let (told, was_done) = op(&doorward, "cloud.instances.terminate", &[region, ("instances", &instance)]);
    assert!(!was_done && told["stderr"].as_str().unwrap().contains("not authorized"), "{told}");

    // The same session signs requests: nothing but the question for it is signed with the stored key.
    integration("cloud", ", region: us-east-1, service: sts");
    settings(&doorward, &[], &[]);
    let told = done(&doorward, "cloud.identity.show", &[region]);
    assert_eq!(told["used"], "http");
    assert!(record(&doorward, &told).contains("session=arn:aws:sts::123456789012:assumed-role/ops/"));

    // EC2 answers in XML, and what it says is evidence as well.
    integration("cloud", ", region: us-east-1, service: ec2");
    let told = done(&doorward, "cloud.instances.start", &[region, ("instances", &instance)]);
    let fields = &told["evidence_fields"];
    assert_eq!((&told["used"], &fields["instances"]), (&json!("http"), &json!(instance)));
    assert_eq!(fields["states"], "pending");
    assert!(record(&doorward, &told).contains(&format!("instances={instance}")));

    // A key that may not assume the role gets nothing.
    let _ =
        doorward.run(&["secret", "rotate", "cloud/secret_access_key"], "wrong-wrong-wrong-wrong").succeeded();
    let refused =
        doorward.run(&["op", "run", "cloud.identity.show", "--input", "region=us-east-1"], "").failed_with(1);
    assert!(refused.contains("can't be assumed") && refused.contains("sts:AssumeRole"), "{refused}");

    watch.saw_nothing();
    doorward.assert_no_canary();
}
