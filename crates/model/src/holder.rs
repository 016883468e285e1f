//! Facts about the process at the other end of a Unix socket. Each is absent unless it is certain.

use crate::RunId;

/// Facts about the process at the other end, as the kernel gave them.
///
/// `uid`, `gid`, `cgroup`, `unit`, `container`, `service_account` and `run` are strong: the process can't change them by itself.
/// `exe` is weak: whoever has the same uid can bring a process to run any program it may execute, so it narrows and never names.
/// Arguments, environment and working directory are the process's own word and are no facts at all.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holder {
    /// User id.
    pub uid: Option<u32>,
    /// Group id.
    pub gid: Option<u32>,
    /// Control group (v2 path, below the root).
    pub cgroup: Option<String>,
    /// The systemd unit that its control group belongs to: `web.service` of the system, or `user@1000.service/app.service`
    /// of a user's manager, which is worth what that user is.
    pub unit: Option<String>,
    /// The container that its control group belongs to, the outermost one.
    pub container: Option<Box<Container>>,
    /// The Kubernetes service account that its token was verified for: `namespace/name`.
    pub service_account: Option<String>,
    /// The program that it runs.
    pub exe: Option<Box<Exe>>,
    /// The run that it belongs to: a program that was started with a capability of its own, or something that one started.
    pub run: Option<RunId>,
    /// Thumbprint of a key that the caller proved to hold.
    pub key: Option<[u8; 32]>,
    /// Whether its numbers mean here what they mean there.
    pub sight: Sight,
}

/// A container, as its runtime wrote it into the path of the control group.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Container {
    /// What made it: `docker`, `containerd`, `cri-o`, `podman`, `kubernetes` where the path does not say more.
    pub runtime: &'static str,
    /// Its id: 64 hexadecimal digits.
    pub id: String,
    /// The uid of the Kubernetes pod that it is in.
    pub pod: Option<String>,
    /// The user whose own manager started it (rootless). That user could have made up the path: it is worth what the user is.
    pub rootless: Option<u32>,
}

/// A program file.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Exe {
    /// Its path, in the file system that the broker sees too.
    pub path: String,
    /// SHA-256 of its bytes, where somebody asked for it.
    pub sha256: Option<[u8; 32]>,
}

/// From where a process is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub enum Sight {
    /// It is in our namespaces, or in ones below ours.
    #[default]
    Near,
    /// It has no number in our process namespace: another container. Only its uid and gid are known.
    ForeignProcesses,
    /// Its user namespace is another one: its uid may stand for several, or for one of its own choice.
    ForeignUsers,
}

impl Sight {
    /// What is said of a process that is seen like this.
    #[must_use]
    pub const fn says(self) -> &'static str {
        match self {
            Self::Near => "in the namespaces of the broker",
            Self::ForeignProcesses => "outside of the process namespace of the broker",
            Self::ForeignUsers => "in another user namespace than the broker",
        }
    }
}
