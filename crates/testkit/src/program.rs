//! Scripts that tests start.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes a script that can be started, over what was there.
///
/// Another process writes it: a test that forks while this one has the file open for writing would keep it open in its child
/// for a moment, and the kernel starts no program that somebody writes (`ETXTBSY`, execve(2)).
///
/// # Panics
/// When it could not be written.
pub fn program(path: impl AsRef<Path>, text: &str) {
    let mut writer = Command::new("/bin/sh")
        .args(["-c", "cat > \"$0\" && chmod 755 \"$0\""])
        .arg(path.as_ref())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts");
    let mut input = writer.stdin.take().expect("its input was asked for");
    input.write_all(text.as_bytes()).expect("the shell reads");
    drop(input);
    assert!(writer.wait().expect("a child is waited for").success(), "{}", path.as_ref().display());
}
