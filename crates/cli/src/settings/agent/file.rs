//! `agent.yaml`, as it is written. Every key of the seed's configuration is known; an unknown one is an error that names its
//! line and the nearest known one.
//!
//! Keys whose work Doorward does in another way have no effect, and `agent config --validate` says so. Where ignoring one
//! would leave somebody less protected than they believe, it is an error instead.

use std::path::PathBuf;

use serde::Deserialize;
use serde::de::{Deserializer, Error as _};

/// How the agent behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Default, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// Policies decide.
    #[default]
    Standard,
    /// The same with shorter times, fewer requests.
    Hardened,
    /// Grants without policy files.
    Development,
}

impl Mode {
    /// As it is written.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Hardened => "hardened",
            Self::Development => "development",
        }
    }
}

/// A value that a key of the seed may have, of which Doorward knows one only.
macro_rules! fixed {
    ($($(#[$doc:meta])* $name:ident = $value:literal, $reason:literal;)+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(crate) struct $name;

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                if bool::deserialize(deserializer)? == $value { Ok(Self) } else { Err(D::Error::custom($reason)) }
            }
        }
    )+ };
}

fixed! {
    /// `capability_engine.enable`.
    EngineOn = true, "an agent without its capability engine could grant nothing; leave `enable` out";
    /// `policy_engine.enable`.
    PolicyOn = true, "requests are never granted without a policy; leave `enable` out, or use the mode `development`";
    /// `policy_engine.enable_validation`.
    ValidationOn = true, "policy files are always checked; leave `enable_validation` out";
    /// `audit.enable`.
    AuditOn = true, "nothing is granted or used without evidence; leave `enable` out";
    /// `audit.enable_siem`.
    SiemOff = false, "events are not sent to a SIEM from here; set it to `false`, and ship `log_file` or `doorward evidence export`";
    /// `ipc.enable_auth`.
    AuthOn = true, "the kernel always says who is at the other end; leave `enable_auth` out";
    /// `ipc.enable_tls`.
    TlsOff = false, "a Unix socket has no TLS; set it to `false`, who may connect is said by `socket_mode`";
    /// `storage.enable_persistence`.
    PersistenceOn = true, "grants are always kept, because a revocation has to be; leave `enable_persistence` out";
    /// `storage.enable_encryption`.
    EncryptionOn = true, "what is stored is always encrypted; leave `enable_encryption` out";
}

/// The one default decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Decision {
    /// What no policy allows is denied.
    Deny,
}

macro_rules! section {
    ($($(#[$doc:meta])* $name:ident { $($key:ident: $kind:ty,)+ })+) => { $(
        $(#[$doc])*
        #[derive(Debug, Clone, Default, PartialEq, Deserialize)]
        #[serde(deny_unknown_fields, default)]
        pub(crate) struct $name { $(pub(crate) $key: Option<$kind>,)+ }
    )+ };
}

section! {
    /// The whole file.
    File {
        version: Version,
        mode: Mode,
        log_level: String,
        socket_path: PathBuf,
        pid_file: PathBuf,
        capability_engine: CapabilityEngine,
        policy_engine: PolicyEngine,
        audit: Audit,
        ipc: Ipc,
        storage: Storage,
        health: Health,
        identities: Vec<Identity>,
        preauthorize: PathBuf,
    }
    /// `capability_engine`.
    CapabilityEngine {
        enable: EngineOn,
        default_ttl: u64,
        max_ttl: u64,
        max_uses: u64,
        issuer: String,
        signing_algorithm: String,
        enable_usage_tracking: bool,
        cleanup_interval: u64,
        keys: Keys,
    }
    /// `capability_engine.keys`.
    Keys { private_key_file: PathBuf, public_key_file: PathBuf, auto_generate: bool, }
    /// `policy_engine`.
    PolicyEngine {
        enable: PolicyOn,
        directory: PathBuf,
        default_decision: Decision,
        cache: Cache,
        enable_reloading: bool,
        reload_interval: u64,
        enable_validation: ValidationOn,
    }
    /// `policy_engine.cache`.
    Cache { enable: bool, ttl: u64, size: usize, }
    /// `audit`.
    Audit {
        enable: AuditOn,
        log_file: PathBuf,
        log_level: String,
        enable_buffer: bool,
        buffer_size: u64,
        flush_interval: u64,
        enable_rotation: bool,
        max_file_size: u64,
        max_backup_files: u32,
        enable_compression: bool,
        enable_signature: bool,
        signature_key_file: PathBuf,
        enable_siem: SiemOff,
        siem_endpoint: String,
        siem_format: String,
    }
    /// `ipc`.
    Ipc {
        timeout: u64,
        max_connections: usize,
        enable_auth: AuthOn,
        enable_tls: TlsOff,
        tls_cert_file: PathBuf,
        tls_key_file: PathBuf,
        auth_timeout: u64,
        conn_timeout: u64,
        max_frame: usize,
        socket_mode: SocketMode,
        socket_group: Group,
        rate_limit: RateLimit,
    }
    /// `ipc.rate_limit`.
    RateLimit { requests_per_second: f64, burst: f64, everybody: bool, }
    /// `storage`.
    Storage {
        enable_persistence: PersistenceOn,
        storage_file: PathBuf,
        enable_compression: bool,
        enable_encryption: EncryptionOn,
        encryption_key_file: PathBuf,
    }
    /// `health`.
    Health {
        enable_checks: bool,
        check_interval: u64,
        enable_metrics: bool,
        metrics_port: u16,
        metrics_address: std::net::IpAddr,
    }
    /// An entry of `identities`: facts that the kernel gives, and the name of whoever they are true of.
    Identity {
        name: String,
        uid: u32,
        gid: u32,
        cgroup: String,
        unit: String,
        container: String,
        service_account: String,
        exe: String,
        sha256: String,
        foreign: bool,
    }
}

/// `ipc.socket_mode`: never for everybody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub(crate) enum SocketMode {
    /// Its owner only.
    #[serde(rename = "0600")]
    Owner,
    /// Its owner and a group.
    #[serde(rename = "0660")]
    Group,
}

/// `ipc.socket_group`: a name or a number.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Group {
    /// The number.
    Id(u32),
    /// The name.
    Name(String),
}

/// `version`: text or a number, whatever the seed's examples write.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(untagged)]
pub(crate) enum Version {
    /// A number such as `1.0`.
    Number(f64),
    /// The same as text.
    Text(String),
}

impl Version {
    /// Whether it is the one that is known.
    pub(crate) fn is_known(&self) -> bool {
        match self {
            Self::Number(number) => (*number - 1.0).abs() < f64::EPSILON,
            Self::Text(text) => matches!(text.as_str(), "1" | "1.0" | "1.0.0"),
        }
    }
}

impl File {
    /// Every key of the file that has no effect here, with the reason.
    pub(crate) fn without_effect(&self) -> Vec<(&'static str, &'static str)> {
        let engine = self.capability_engine.clone().unwrap_or_default();
        let keys = engine.keys.unwrap_or_default();
        let audit = self.audit.clone().unwrap_or_default();
        let policy = self.policy_engine.clone().unwrap_or_default();
        let ipc = self.ipc.clone().unwrap_or_default();
        let storage = self.storage.clone().unwrap_or_default();
        let health = self.health.clone().unwrap_or_default();
        let rows = [
            (engine.issuer.is_some(), "capability_engine.issuer", ISSUER),
            (engine.signing_algorithm.is_some(), "capability_engine.signing_algorithm", SIGNING),
            (engine.enable_usage_tracking.is_some(), "capability_engine.enable_usage_tracking", TRACKING),
            (engine.cleanup_interval.is_some(), "capability_engine.cleanup_interval", CLEANUP),
            (keys.private_key_file.is_some(), "capability_engine.keys.private_key_file", KEYS),
            (keys.public_key_file.is_some(), "capability_engine.keys.public_key_file", KEYS),
            (keys.auto_generate.is_some(), "capability_engine.keys.auto_generate", KEYS),
            (audit.enable_rotation.is_some(), "audit.enable_rotation", ROTATION),
            (audit.max_file_size.is_some(), "audit.max_file_size", ROTATION),
            (audit.max_backup_files.is_some(), "audit.max_backup_files", ROTATION),
            (policy.cache.is_some(), "policy_engine.cache", CACHE),
            (audit.log_level.is_some(), "audit.log_level", ALL_EVENTS),
            (audit.enable_buffer.is_some(), "audit.enable_buffer", BUFFER),
            (audit.buffer_size.is_some(), "audit.buffer_size", BUFFER),
            (audit.flush_interval.is_some(), "audit.flush_interval", BUFFER),
            (audit.enable_compression.is_some(), "audit.enable_compression", COMPRESSION),
            (audit.enable_signature.is_some(), "audit.enable_signature", SIGNATURE),
            (audit.signature_key_file.is_some(), "audit.signature_key_file", SIGNATURE),
            (audit.siem_endpoint.is_some(), "audit.siem_endpoint", SIEM),
            (audit.siem_format.is_some(), "audit.siem_format", SIEM),
            (ipc.tls_cert_file.is_some(), "ipc.tls_cert_file", TLS),
            (ipc.tls_key_file.is_some(), "ipc.tls_key_file", TLS),
            (ipc.auth_timeout.is_some(), "ipc.auth_timeout", AUTH),
            (storage.storage_file.is_some(), "storage.storage_file", STORAGE),
            (storage.enable_compression.is_some(), "storage.enable_compression", COMPRESSION),
            (storage.encryption_key_file.is_some(), "storage.encryption_key_file", STORAGE),
            (health.enable_checks.is_some(), "health.enable_checks", HEALTH),
            (health.check_interval.is_some(), "health.check_interval", HEALTH),
        ];
        rows.into_iter().filter(|(there, ..)| *there).map(|(_, key, why)| (key, why)).collect()
    }
}

const ISSUER: &str = "capabilities are always issued by `aether-vault-agent`";
const SIGNING: &str = "capabilities are chains of HMAC-SHA-256, evidence is signed with Ed25519";
const TRACKING: &str = "uses are always counted";
const CLEANUP: &str = "what has expired is tidied away each minute";
const KEYS: &str = "keys are in the home, under its key provider";
const ALL_EVENTS: &str = "every event is written";
const ROTATION: &str = "the audit log is rotated at 100 MiB, and ten former files are kept";
const CACHE: &str = "decisions are remembered as long as the policies are the same";
const BUFFER: &str = "an event is on the disk before its answer";
const COMPRESSION: &str = "files are not compressed";
const SIGNATURE: &str = "evidence is always signed, with the home's key";
const SIEM: &str = "nothing is sent to a SIEM";
const TLS: &str = "a Unix socket has no TLS";
const AUTH: &str = "the kernel says who connects, without waiting";
const STORAGE: &str = "grants are in the home, encrypted";
const HEALTH: &str = "the supervisor is told each half of its own interval";
