//! Namespaces made with our own hands: of users, mounts, processes, network, names and shared memory.
//!
//! In them nobody is root, there is one network interface and it leads nowhere, no other process can be seen or sent a signal, and
//! what is written goes to memory of a fixed size. When the first process in them ends, the kernel ends all others.

use std::ffi::{CString, OsStr, OsString};
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command as Process, ExitCode};

use rustix::mount::{MountFlags, MountPropagationFlags, mount, mount_change};
use rustix::net::{AddressFamily, RecvFlags, SendFlags, SocketFlags, SocketType};
use rustix::thread::UnshareFlags;

use super::{USER, WORD};

/// Makes them and starts the next step in them.
pub(super) fn make(work: &Path, bytes: &OsStr, next: &[OsString]) -> Result<ExitCode, String> {
    super::tie()?;
    let (user, group) = (rustix::process::geteuid().as_raw(), rustix::process::getegid().as_raw());
    unshare()?;
    let map = |name: &str, text: String| {
        let path = format!("/proc/self/{name}");
        write(&path, &text).map_err(|error| format!("could not write `{path}`: {error}"))
    };
    map("setgroups", "deny".to_owned())?;
    map("uid_map", format!("{USER} {user} 1"))?;
    map("gid_map", format!("{USER} {group} 1"))?;
    let wrong = |what: &'static str| move |error: rustix::io::Errno| format!("could not {what}: {error}");
    let private = MountPropagationFlags::PRIVATE | MountPropagationFlags::REC;
    mount_change("/", private).map_err(wrong("part from the mounts outside"))?;
    let size = bytes.to_str().and_then(|text| text.parse::<u64>().ok()).ok_or("there is no size")?;
    let options = CString::new(format!("size={size},mode=0700")).map_err(|error| error.to_string())?;
    mount("tmpfs", work, "tmpfs", MountFlags::NOSUID | MountFlags::NODEV, options.as_c_str())
        .map_err(wrong("make room for what the program writes"))?;
    raise_loopback().map_err(|error| format!("could not raise the loopback interface: {error}"))?;
    // By number, as names may lead elsewhere by now.
    let status = Process::new("/proc/self/exe").arg(WORD).args(next).status();
    let status = status.map_err(|error| format!("could not start the next step: {error}"))?;
    let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal)).unwrap_or(1);
    Ok(ExitCode::from(u8::try_from(code).unwrap_or(1)))
}

#[expect(
    deprecated,
    reason = "the call is unsafe only for file descriptors (CLONE_FILES), which are not parted here; this process has one thread"
)]
fn unshare() -> Result<(), String> {
    let parts = UnshareFlags::NEWUSER
        | UnshareFlags::NEWNS
        | UnshareFlags::NEWPID
        | UnshareFlags::NEWNET
        | UnshareFlags::NEWIPC
        | UnshareFlags::NEWUTS;
    rustix::thread::unshare(parts).map_err(|error| format!("namespaces are not allowed here: {error}"))
}

fn write(path: &str, text: &str) -> std::io::Result<()> {
    use std::io::Write;
    fs::OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes())
}

/// Asks the kernel to raise the first interface (rtnetlink(7)): a header, then `struct ifinfomsg`.
fn raise_loopback() -> std::io::Result<()> {
    let socket = rustix::net::socket_with(
        AddressFamily::NETLINK,
        SocketType::RAW,
        SocketFlags::CLOEXEC,
        // `NETLINK_ROUTE`
        None,
    )?;
    let mut message = Vec::with_capacity(LENGTH);
    message.extend(32_u32.to_ne_bytes());
    message.extend(NEW_LINK.to_ne_bytes());
    message.extend((REQUEST | ACKNOWLEDGE).to_ne_bytes());
    message.extend(1_u32.to_ne_bytes());
    message.extend(0_u32.to_ne_bytes());
    // Family and kind are not said.
    message.extend([0; 4]);
    message.extend(LOOPBACK.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    message.extend(UP.to_ne_bytes());
    rustix::net::send(&socket, &message, SendFlags::empty())?;
    let mut answer = [0; 256];
    let (length, _) = rustix::net::recv(&socket, &mut answer[..], RecvFlags::empty())?;
    let code = answer.get(16..20).filter(|_| length >= 20).and_then(|bytes| bytes.try_into().ok());
    match code.map(i32::from_ne_bytes) {
        Some(0) => Ok(()),
        Some(code) => Err(std::io::Error::from_raw_os_error(-code)),
        None => Err(std::io::ErrorKind::InvalidData.into()),
    }
}

const LENGTH: usize = 32;
/// `RTM_NEWLINK`
const NEW_LINK: u16 = 16;
/// `NLM_F_REQUEST`
const REQUEST: u16 = 1;
/// `NLM_F_ACK`
const ACKNOWLEDGE: u16 = 4;
/// The interface that every network has first.
const LOOPBACK: i32 = 1;
/// `IFF_UP`
const UP: u32 = 1;
