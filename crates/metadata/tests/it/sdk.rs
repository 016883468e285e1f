//! The real SDKs of the clouds against our servers: each program of `tests/sdk` prints what it found.
//!
//! The environment of a program has nothing but the address of a server (and the token, for ECS), an empty home and the
//! search path, so there is no other source that it could have found something in.

#[path = "../../../xtask/src/setup/place.rs"]
#[expect(dead_code, reason = "OpenAI's library has a test of its own")]
mod place;

use std::path::{Path, PathBuf};
use std::process::Command;

use metadata::{Reach, Version1};
use place::{GO, JAVA, NODE, PYTHON, RUST, Sdk};

use crate::house::{KEY, Running, SHOWN, Still, TOKEN, identity};

/// The root of the repository.
fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap()
}

/// Where an SDK is installed. `None` when it isn't, on a kind of machine for which that is listed.
fn installed(sdk: Sdk) -> Option<PathBuf> {
    let folder = sdk.folder(&root()).unwrap().expect("HOME is set");
    if folder.is_dir() {
        return Some(folder);
    }
    let check = format!("sdk-{}", sdk.name);
    let listed = std::fs::read_to_string(root().join("docs/checks/not-here.toml")).unwrap();
    assert!(
        listed.contains(&format!("check = \"{check}\"")),
        "the SDK for {} is not installed, and `{check}` is not listed in docs/checks/not-here.toml; run `cargo xtask setup`",
        sdk.name
    );
    crate::skip(&check, "the SDK is not installed");
    None
}

/// Runs a program in an environment with nothing but these variables, and answers with what it printed.
///
/// SDKs give a server that they take for a near one a second and no second attempt, and not all let that be changed; on a machine
/// that does other things a second may pass. So each is asked again, a few times.
fn printed(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
    let mut tried = Err(String::new());
    for _ in 0..5 {
        tried = tried.or_else(|_| printed_once(program, arguments, variables));
    }
    tried.unwrap_or_else(|why| panic!("{why}"))
}

#[expect(clippy::disallowed_methods, reason = "programs are found on the search path")]
fn printed_once(program: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Result<String, String> {
    let home = tempfile::tempdir().unwrap();
    let ran = Command::new(program)
        .args(arguments)
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", home.path())
        .envs(PATIENCE.iter().chain(variables).copied())
        .current_dir(home.path())
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    match ran.status.success() {
        true => Ok(out.trim().to_owned()),
        false => Err(format!("{}: {}\n--- stdout\n{out}\n--- stderr\n{err}", program.display(), ran.status)),
    }
}

/// For those SDKs that let it be set: how long they wait for a server, in seconds.
const PATIENCE: [(&str, &str); 3] = [
    ("AWS_METADATA_SERVICE_TIMEOUT", "60"),
    ("AWS_METADATA_SERVICE_NUM_ATTEMPTS", "3"),
    ("GCE_METADATA_TIMEOUT", "60"),
];

/// Asks both servers of AWS credentials, EC2 in its second version only, by a program that prints the id of a key.
fn finds_the_key_in_both(program: &Path, arguments: &[&str]) {
    let ec2 = Running::ec2_at(Still::real(), Version1::Refused);
    let address = format!("http://{}", ec2.address);
    assert_eq!(printed(program, arguments, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address)]), KEY);
    assert!(ec2.given().iter().all(|line| *line == format!("ec2 - {KEY}")) && !ec2.given().is_empty());

    let ecs = Running::ecs_at(Still::real(), Reach::Loopback);
    let variables = |path: &str| format!("http://{}{path}", ecs.address);
    let found = |address: &str| {
        printed(
            program,
            arguments,
            &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", address), ("AWS_CONTAINER_AUTHORIZATION_TOKEN", SHOWN)],
        )
    };
    assert_eq!(found(&variables("")), KEY);
    let role = "arn:aws:iam::111122223333:role/canary";
    assert_eq!(found(&variables(&format!("/role-arn/{role}"))), "ASIACANARY0000000002");
    assert!(ecs.given().contains(&format!("ecs {role} ASIACANARY0000000002")));
}

#[test]
fn boto3_finds_the_key() {
    let Some(folder) = installed(PYTHON) else { return };
    let program = root().join("tests/sdk/python/aws.py");
    finds_the_key_in_both(&folder.join("venv/bin/python"), &[&program.to_string_lossy()]);
}

#[test]
fn the_aws_command_line_signs_with_the_key() {
    let Some(folder) = installed(PYTHON) else { return };
    let python = folder.join("venv/bin/python");
    // Signing an address needs no network. The folder was moved after it was filled, so its scripts name another one.
    let arguments = ["-m", "awscli", "s3", "presign", "s3://bucket/key", "--region", "eu-central-1"];
    let ec2 = Running::ec2_at(Still::real(), Version1::Refused);
    let address = format!("http://{}", ec2.address);
    let signed = printed(&python, &arguments, &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address)]);
    assert!(signed.contains(KEY), "{signed}");
    let ecs = Running::ecs_at(Still::real(), Reach::Loopback);
    let address = format!("http://{}", ecs.address);
    let token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", SHOWN);
    let signed = printed(&python, &arguments, &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address), token]);
    assert!(signed.contains(KEY), "{signed}");
}

#[test]
fn the_sdk_for_go_finds_the_key() {
    let Some(folder) = installed(GO) else { return };
    finds_the_key_in_both(&folder.join("sdk"), &[]);
}

#[test]
fn the_sdk_for_node_finds_the_key() {
    let Some(folder) = installed(NODE) else { return };
    finds_the_key_in_both(Path::new("node"), &[&folder.join("main.mjs").to_string_lossy()]);
}

#[test]
fn the_sdk_for_java_finds_the_key() {
    let Some(folder) = installed(JAVA) else { return };
    let classes = format!("{}:{}", folder.join("classes").display(), folder.join("jars/*").display());
    finds_the_key_in_both(Path::new("java"), &["-cp", &classes, "Main"]);
}

#[test]
fn the_sdk_for_rust_finds_the_key() {
    let Some(folder) = installed(RUST) else { return };
    finds_the_key_in_both(&folder.join("target/debug/sdk"), &[]);
}

#[test]
fn a_script_finds_the_key() {
    let ec2 = Running::ec2_at(Still::real(), Version1::Refused);
    let address = format!("http://{}", ec2.address);
    let script = root().join("tests/sdk/shell");
    let shell = |name: &str| script.join(name);
    assert_eq!(printed(&shell("ec2.sh"), &[], &[("AWS_EC2_METADATA_SERVICE_ENDPOINT", &address)]), KEY);
    let ecs = Running::ecs_at(Still::real(), Reach::Loopback);
    let address = format!("http://{}", ecs.address);
    let token = ("AWS_CONTAINER_AUTHORIZATION_TOKEN", SHOWN);
    assert_eq!(
        printed(&shell("ecs.sh"), &[], &[("AWS_CONTAINER_CREDENTIALS_FULL_URI", &address), token]),
        KEY
    );
}

#[test]
fn google_auth_finds_the_project_and_both_kinds_of_token() {
    let Some(folder) = installed(PYTHON) else { return };
    let gcp = Running::gcp(Still::real());
    let address = gcp.address.to_string();
    let program = root().join("tests/sdk/python/gcp.py");
    let found = printed(
        &folder.join("venv/bin/python"),
        &[&program.to_string_lossy()],
        &[("GCE_METADATA_HOST", &address), ("GCE_METADATA_IP", &address)],
    );
    let lines: Vec<&str> = found.lines().collect();
    assert_eq!(lines, ["canary-project", TOKEN, &identity()]);
    let wants = gcp.asks();
    assert!(
        wants.iter().any(|ask| ask.ends_with("access https://www.googleapis.com/auth/cloud-platform")),
        "{wants:?}"
    );
    assert!(wants.iter().any(|ask| ask.ends_with("identity https://audience.example")), "{wants:?}");
}

#[test]
fn azure_identity_finds_the_token() {
    let Some(folder) = installed(PYTHON) else { return };
    let azure = Running::azure(Still::real());
    let address = format!("http://{}", azure.address);
    let program = root().join("tests/sdk/python/azure_identity.py");
    let python = folder.join("venv/bin/python");
    let variables = [("AZURE_POD_IDENTITY_AUTHORITY_HOST", &*address)];
    assert_eq!(printed(&python, &[&program.to_string_lossy()], &variables), TOKEN);
    assert_eq!(azure.asks(), ["azure  resource https://vault.azure.net"]);
}
