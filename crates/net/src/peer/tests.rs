//! Real sockets, real processes.

use std::io::Write;
use std::os::unix::net::UnixStream as Blocking;
use std::process::{Command, Stdio};

use tokio::io::AsyncReadExt;

use super::*;

/// A listener as a door has it, and a client's connection to it.
async fn connected() -> (Blocking, UnixStream) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    name_senders(&listener).unwrap();
    let client = Blocking::connect(&path).unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    (client, stream)
}

/// A child that writes to the socket that it inherited as its output.
fn child_says(client: &Blocking, word: &str) {
    let output = Stdio::from(OwnedFd::from(client.try_clone().unwrap()));
    let status = Command::new("/bin/echo").arg(word).stdout(output).status().unwrap();
    assert!(status.success());
}

#[tokio::test]
async fn what_the_maker_sends_is_read_also_when_it_came_before_it_was_accepted() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    name_senders(&listener).unwrap();
    let mut client = Blocking::connect(&path).unwrap();
    client.write_all(b"early ").unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let (mut from, process) = FromPeer::accepted(stream).unwrap();
    assert_eq!(from.first_byte().await.unwrap(), Some(b'e'));
    client.write_all(b"late").unwrap();
    drop(client);
    let mut text = String::new();
    from.read_to_string(&mut text).await.unwrap();
    assert_eq!(text, "early late");
    assert_eq!(process.pid, i32::try_from(std::process::id()).ok());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_somebody_else_sends_over_the_same_connection_is_refused() {
    let (mut client, stream) = connected().await;
    let (mut from, _) = FromPeer::accepted(stream).unwrap();
    client.write_all(b"mine").unwrap();
    let mut four = [0; 4];
    from.read_exact(&mut four).await.unwrap();
    assert_eq!(&four, b"mine");
    child_says(&client, "theirs");
    client.write_all(b"mine again").unwrap();
    let error = from.read(&mut [0; 64]).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::PermissionDenied);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn pieces_of_two_senders_are_never_taken_for_one() {
    let (mut client, stream) = connected().await;
    client.write_all(b"{").unwrap();
    child_says(&client, "}");
    let (mut from, _) = FromPeer::accepted(stream).unwrap();
    let mut all = [0; 64];
    assert_eq!(from.read(&mut all).await.unwrap(), 1);
    assert_eq!(from.read(&mut all).await.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn descriptors_that_somebody_sends_are_closed() {
    use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};
    let (client, stream) = connected().await;
    let (mut from, _) = FromPeer::accepted(stream).unwrap();
    let (read, write) = std::io::pipe().unwrap();
    {
        let sent = [write.as_fd()];
        let mut space = [std::mem::MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(1))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        assert!(control.push(SendAncillaryMessage::ScmRights(&sent)));
        sendmsg(&client, &[io::IoSlice::new(b"x")], &mut control, SendFlags::empty()).unwrap();
    }
    assert_eq!(from.read(&mut [0; 8]).await.unwrap(), 1);
    drop(write);
    // Nobody holds the writing end any more, so there is an end to read.
    let mut read = read;
    assert_eq!(std::io::Read::read(&mut read, &mut [0; 1]).unwrap(), 0);
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_handle_tells_that_its_process_has_ended() {
    let mut child = Command::new("/bin/cat").stdin(Stdio::piped()).spawn().unwrap();
    let handle = Handle::of_child(child.id()).unwrap();
    let Alive { .. } = handle.alive().unwrap();
    drop(child.stdin.take());
    handle.ended().await.unwrap();
    assert!(handle.alive().is_err());
    child.wait().unwrap();
    assert!(handle.alive().is_err());
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_process_that_connects_and_ends_is_gone_before_anything_is_done_for_it() {
    if !kernel_has_handles() {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("s");
    let listener = tokio::net::UnixListener::bind(&path).unwrap();
    name_senders(&listener).unwrap();
    let script = "import socket,sys; s=socket.socket(socket.AF_UNIX); s.connect(sys.argv[1]); s.send(b'x')";
    let status = Command::new("/usr/bin/env").args(["python3", "-c", script]).arg(&path).status().unwrap();
    assert!(status.success());
    let (stream, _) = listener.accept().await.unwrap();
    let gone = match FromPeer::accepted(stream) {
        Err(error) => error.kind() == io::ErrorKind::ConnectionAborted,
        // Newer kernels give a handle of a process that is gone as well.
        Ok((_, process)) => process.handle.unwrap().alive().is_err(),
    };
    assert!(gone);
}
