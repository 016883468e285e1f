//! What a configuration means, and which one is read.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;

use super::*;

fn places(folder: &Path) -> Places {
    Places {
        configs: vec![find::Candidate::users(folder.join("agent.yaml"))],
        socket: folder.join("agent.sock"),
        policies: folder.join("policies"),
        audit: folder.join("audit.log"),
        pid_file: None,
        daemon_pid_file: folder.join("agent.pid"),
    }
}

fn read(text: &str) -> Outcome<AgentSettings> {
    read_with(text, &Typed::default(), &[])
}

fn read_with(text: &str, typed: &Typed, environment: &[(&str, &str)]) -> Outcome<AgentSettings> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.yaml");
    store::files::replace(&path, text.as_bytes(), 0o600).unwrap();
    let lookup = |name: &str| {
        environment.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
    };
    AgentSettings::load(&places(folder.path()), typed, &lookup)
}

fn said(text: &str) -> String {
    let failure = read(text).unwrap_err();
    format!("{failure} {}", failure.hint.as_deref().unwrap_or_default())
}

/// The configuration of the seed's documents, whole.
const SEED: &str = r#"
version: "1.0"
mode: standard
log_level: info
socket_path: ~/.aether-vault/agent.sock
pid_file: ~/.aether-vault/agent.pid
capability_engine:
  enable: true
  default_ttl: 300
  max_ttl: 3600
  max_uses: 100
  issuer: aether-vault-agent
  signing_algorithm: ed25519
  enable_usage_tracking: true
  cleanup_interval: 60
  keys: {private_key_file: a, public_key_file: b, auto_generate: true}
policy_engine:
  enable: true
  directory: ~/.aether-vault/policies
  default_decision: deny
  cache: {enable: true, ttl: 300, size: 1000}
  enable_reloading: true
  reload_interval: 60
  enable_validation: true
audit:
  enable: true
  log_file: ~/.aether-vault/audit.log
  log_level: info
  enable_buffer: true
  buffer_size: 1000
  flush_interval: 60
  enable_rotation: true
  max_file_size: 104857600
  max_backup_files: 10
  enable_compression: true
  enable_signature: true
  signature_key_file: ""
  enable_siem: false
  siem_endpoint: ""
  siem_format: json
ipc:
  timeout: 30
  max_connections: 100
  enable_auth: true
  enable_tls: false
  tls_cert_file: ""
  tls_key_file: ""
  auth_timeout: 30
  conn_timeout: 60
storage:
  enable_persistence: true
  storage_file: ~/.aether-vault/capabilities.json
  enable_compression: false
  enable_encryption: true
  encryption_key_file: ""
health:
  enable_checks: true
  check_interval: 30
  enable_metrics: true
  metrics_port: 9090
"#;

#[test]
fn every_key_of_the_seed_is_known_and_what_has_no_effect_is_named() {
    let settings = read_with(SEED, &Typed::default(), &[("HOME", "/srv/ada")]).unwrap();
    assert_eq!(settings.socket.value, Path::new("/srv/ada/.aether-vault/agent.sock"));
    assert_eq!(settings.ttl, Ttl { default: 300, most: 3600, uses: 100 });
    assert_eq!(settings.metrics.unwrap().to_string(), "127.0.0.1:9090");
    let idle: Vec<&str> = settings.idle.iter().map(|(key, _)| *key).collect();
    for key in [
        "capability_engine.signing_algorithm",
        "capability_engine.keys.private_key_file",
        "audit.siem_endpoint",
    ] {
        assert!(idle.contains(&key), "{key} in {idle:?}");
    }
    assert_eq!(idle.len(), 28);
}

#[test]
fn an_unknown_key_is_named_with_its_line_and_the_nearest_one() {
    let said = said("version: \"1.0\"\nipc:\n  max_conections: 3\n");
    assert!(said.contains("agent.yaml:3") && said.contains("max_connections"), "{said}");
}

#[test]
fn what_would_protect_less_than_it_says_is_refused() {
    for (text, expected) in [
        ("audit: {enable: false}", "without evidence"),
        ("audit: {enable_siem: true}", "not sent to a SIEM"),
        ("ipc: {enable_tls: true}", "has no TLS"),
        ("ipc: {enable_auth: false}", "kernel"),
        ("policy_engine: {enable: false}", "without a policy"),
        ("policy_engine: {default_decision: allow}", "deny"),
        ("storage: {enable_encryption: false}", "encrypted"),
        ("ipc: {socket_mode: \"0666\"}", "0660"),
        ("ipc: {socket_mode: \"0600\", socket_group: 7}", "lets no group in"),
        ("capability_engine: {default_ttl: 600, max_ttl: 300}", "don't fit"),
        ("capability_engine: {max_ttl: 864000}", "don't fit"),
        ("ipc: {max_connections: 0}", "max_connections"),
        ("ipc: {rate_limit: {requests_per_second: 0}}", "requests_per_second"),
        ("identities: [{name: all}]", "no fact"),
        ("identities: [{name: app, exe: /usr/bin/app}]", "alone"),
        ("identities: [{uid: 7}]", "no `name`"),
        ("version: \"2\"", "version"),
        ("mode: relaxed", "development"),
        ("log_level: loud", "log level"),
    ] {
        let said = said(text);
        assert!(said.contains(expected), "{text}: {said}");
    }
}

#[test]
fn a_flag_wins_over_the_environment_that_over_the_file_and_that_over_the_default() {
    let file = "socket_path: /from/file\nmode: hardened\n";
    let environment = [("VAULT_AGENT_SOCKET_PATH", "/from/environment"), ("VAULT_AGENT_MODE", "standard")];
    let typed = Typed { socket_path: Some("/from/flag".into()), ..Typed::default() };
    let socket = |settings: AgentSettings| settings.socket.value.display().to_string();
    assert_eq!(socket(read_with(file, &typed, &environment).unwrap()), "/from/flag");
    let settings = read_with(file, &Typed::default(), &environment).unwrap();
    assert_eq!((settings.mode.value, socket(settings)), (Mode::Standard, "/from/environment".to_owned()));
    let settings = read(file).unwrap();
    assert_eq!((settings.mode.value, settings.ttl.most), (Mode::Hardened, 900));
    assert_eq!(settings.limits.rate.of, Throttled::Everybody);
    assert_eq!(socket(settings), "/from/file");
    assert!(socket(read("{}").unwrap()).ends_with("agent.sock"));
    assert!(read_with("{}", &Typed::default(), &[("VAULT_AGENT_MODE", "relaxed")]).is_err());
}

#[test]
fn a_file_that_others_may_write_is_not_believed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("agent.yaml");
    store::files::replace(&path, b"mode: development\n", 0o600).unwrap();
    let load = || AgentSettings::load(&places(folder.path()), &Typed::default(), &|_| None);
    assert_eq!(load().unwrap().mode.value, Mode::Development);
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o666)).unwrap();
    assert!(load().unwrap_err().message.contains("others may write"));
}

#[test]
fn a_socket_is_for_its_owner_or_for_a_group_and_never_for_everybody() {
    assert_eq!(read("{}").unwrap().access, Access::Owner);
    assert_eq!(read("ipc: {socket_group: 12}").unwrap().access, Access::Group(Some(12)));
    assert_eq!(read("ipc: {socket_group: root}").unwrap().access, Access::Group(Some(0)));
    assert_eq!(read("ipc: {socket_mode: \"0660\"}").unwrap().access, Access::Group(None));
    assert!(said("ipc: {socket_group: no-such-group-here}").contains("/etc/group"));
}

#[test]
fn numbers_are_served_by_a_daemon_or_where_somebody_asks() {
    let daemon = Typed { daemon: true, ..Typed::default() };
    let off = "health: {enable_metrics: false}";
    let on =
        |text, typed: &Typed| read_with(text, typed, &[]).unwrap().metrics.map(|address| address.to_string());
    assert_eq!(on("{}", &Typed::default()), None);
    assert_eq!(on("{}", &daemon).as_deref(), Some("127.0.0.1:9090"));
    assert_eq!(on(off, &daemon), None);
    assert_eq!(on("health: {metrics_port: 1234}", &Typed::default()).as_deref(), Some("127.0.0.1:1234"));
    let pid = |typed: &Typed| read_with("{}", typed, &[]).unwrap().pid_file.is_some();
    assert_eq!((pid(&Typed::default()), pid(&daemon)), (false, true));
}

#[test]
fn a_new_file_says_the_defaults() {
    let (written, usual) = (read(GENERATED).unwrap(), read("{}").unwrap());
    let without = |settings: &AgentSettings| {
        let mut document = settings.document();
        for key in ["socket_path", "config_file"] {
            document[key] = serde_json::Value::Null;
        }
        document["policy_engine"]["directory"] = serde_json::Value::Null;
        document
    };
    assert_eq!(without(&written), without(&usual));
    assert!(written.idle.is_empty());
    let hardened = read(&GENERATED.replace("mode: standard", "mode: hardened")).unwrap();
    assert_eq!(without(&hardened), without(&read("mode: hardened").unwrap()));
    assert_eq!((hardened.ttl.default, hardened.limits.rate.per_second), (120, 100.0));
}
