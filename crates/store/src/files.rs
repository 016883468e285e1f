//! Files that are never half-written: write, sync, rename, sync the folder.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use crate::Error;

/// Replaces the file at `path`, or makes it, with these permissions. Readers see the old bytes or the new ones.
///
/// # Errors
/// When any step fails; the old file is untouched then.
pub fn replace(path: &Path, bytes: &[u8], mode: u32) -> Result<(), Error> {
    replace_for(path, bytes, mode, None)
}

/// The same for the members of a group too; the file has exactly these permissions, whatever the process's mask is.
///
/// # Errors
/// When any step fails; the old file is untouched then.
pub fn replace_for(path: &Path, bytes: &[u8], mode: u32, group: Option<u32>) -> Result<(), Error> {
    replace_owned(path, bytes, mode, (None, group))
}

/// The same with the permissions, the owner and the group of the file that is replaced.
///
/// # Errors
/// When any step fails, such as giving it to its owner; the old file is untouched then.
pub fn replace_like(path: &Path, bytes: &[u8], like: &std::fs::Metadata) -> Result<(), Error> {
    use std::os::unix::fs::MetadataExt;
    let other = |of_it: u32, ours: u32| (of_it != ours).then_some(of_it);
    let user = other(like.uid(), rustix::process::geteuid().as_raw());
    let group = other(like.gid(), rustix::process::getegid().as_raw());
    replace_owned(path, bytes, like.mode() & 0o7777, (user, group))
}

/// Takes so many bytes of the disk behind a place in a file, which stays as long as it is. Where the file system can't do that, it is as
/// though there were room.
///
/// # Errors
/// When there is none.
pub fn reserve(file: &File, from: u64, bytes: u64) -> std::io::Result<()> {
    use rustix::fs::{FallocateFlags, fallocate};
    use rustix::io::Errno;
    match fallocate(file, FallocateFlags::KEEP_SIZE, from, bytes) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) | Ok(()) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn replace_owned(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    owner: (Option<u32>, Option<u32>),
) -> Result<(), Error> {
    let wrong = |what| move |source| Error::File { what, path: path.to_owned(), source };
    if let Some(why) = kept(path) {
        return Err(wrong("write")(std::io::Error::other(why)));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{}.new", std::process::id()));
    let fresh = folder.join(name);
    let written = write_new(&fresh, bytes, mode, owner).and_then(|()| std::fs::rename(&fresh, path));
    if let Err(source) = written {
        // Best effort: the half-written file must not stay, but the first error is the one to report.
        let _ = std::fs::remove_file(&fresh);
        return Err(wrong("write")(source));
    }
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(wrong("sync the folder of"))
}

/// Why what is at a path is never replaced or removed: a device or a pipe would be gone, and a file in its place; a link of the
/// system, such as `/dev/stdout`, leads everybody to what is theirs. Nothing for a file, a link to one, and where nothing is.
#[must_use]
pub fn kept(path: &Path) -> Option<&'static str> {
    if std::fs::metadata(path).is_ok_and(|found| !found.is_file()) {
        return Some("it is there and no regular file");
    }
    let mut at = path.to_owned();
    for _ in 0..LONGEST_CHAIN {
        let leads = std::fs::read_link(&at).ok()?;
        let folder = at.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let real = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
        if SYSTEM.iter().any(|of_it| real.starts_with(of_it)) {
            return Some("it is a link of the system");
        }
        at = real.join(leads);
    }
    Some("it is a link that leads nowhere")
}

fn write_new(
    path: &Path,
    bytes: &[u8],
    mode: u32,
    (user, group): (Option<u32>, Option<u32>),
) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    let _ = std::fs::remove_file(path);
    // Its owner's alone until it belongs to the group.
    let mut file = OpenOptions::new().write(true).create_new(true).mode(mode & 0o600).open(path)?;
    if user.is_some() || group.is_some() {
        std::os::unix::fs::fchown(&file, user, group)?;
    }
    file.set_permissions(std::fs::Permissions::from_mode(mode))?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a folder that only its owner may look into, and its parents.
///
/// # Errors
/// When it can't be made, or belongs to somebody else.
pub fn private_folder(path: &Path) -> Result<(), Error> {
    use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
    let wrong = |what| move |source| Error::File { what, path: path.to_owned(), source };
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path).map_err(wrong("make"))?;
    let seen = std::fs::metadata(path).map_err(wrong("look at"))?;
    if seen.uid() != rustix::process::geteuid().as_raw() {
        return Err(wrong("use")(std::io::Error::other("it belongs to another user")));
    }
    if seen.permissions().mode() & 0o077 != 0 {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700)).map_err(wrong("protect"))?;
    }
    Ok(())
}

/// Folders whose links are the system's.
const SYSTEM: [&str; 2] = ["/dev", "/proc"];
/// As many links as the system itself follows.
const LONGEST_CHAIN: usize = 40;

#[cfg(test)]
mod tests;
