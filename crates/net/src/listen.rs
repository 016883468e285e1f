//! Opens doors: TCP addresses that several threads share, and Unix sockets.
//!
//! # Invariants
//!
//! - An address or path on which somebody listens already is refused, never shared by accident and never taken over.
//! - A Unix socket appears at its path only when it is bound, listening and closed to everybody but its owner (mode 0600) or
//!   one named group (mode 0660). There is no way to open it to everybody.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;

use crate::Error;
use crate::fellow::{Handed, Handing};
use crate::peer::name_senders;

/// A TCP socket that is bound and listening, not yet owned by a runtime: it may be handed to the thread that serves it.
#[derive(Debug)]
pub struct Bound(std::net::TcpListener);

impl Bound {
    /// Where it listens; the port is never 0.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn address(&self) -> Result<SocketAddr, Error> {
        self.0.local_addr().map_err(|source| listen_error("a TCP socket", source))
    }

    /// The same socket once more, for another task that accepts from it.
    ///
    /// # Errors
    /// When the system has no descriptor left.
    pub fn again(&self) -> Result<Self, Error> {
        self.0.try_clone().map(Self).map_err(|source| listen_error("a TCP socket", source))
    }

    /// Gives it to the runtime of this thread.
    ///
    /// # Errors
    /// When the runtime does not take it.
    pub fn listener(self) -> Result<Listener, Error> {
        let place = self.address()?;
        let socket = tokio::net::TcpListener::from_std(self.0)
            .map_err(|source| listen_error(&place.to_string(), source))?;
        Ok(Listener { kind: Kind::Tcp(socket), tls: None, handed: None })
    }
}

/// Binds one address `threads` times, so that as many single-threaded runtimes accept from it and the kernel spreads the
/// connections. With port 0 the first socket picks the port and the others follow.
///
/// # Errors
/// [`Error::Taken`] when somebody listens there already, [`Error::Listen`] for everything else.
pub fn bind_tcp(address: SocketAddr, threads: NonZeroUsize) -> Result<Vec<Bound>, Error> {
    let failed = |source: io::Error| match source.kind() {
        io::ErrorKind::AddrInUse => Error::Taken { place: address.to_string().into() },
        _ => listen_error(&address.to_string(), source),
    };
    if threads.get() == 1 {
        return Ok(vec![Bound(tcp_socket(address, Sharing::Alone).map_err(failed)?)]);
    }
    // A port that is shared lets a second broker of the same user share it as well, without a word. A socket that wants
    // it for itself finds that out first.
    if address.port() != 0 {
        drop(tcp_socket(address, Sharing::Alone).map_err(failed)?);
    }
    let first = tcp_socket(address, Sharing::Threads).map_err(failed)?;
    let settled = first.local_addr().map_err(failed)?;
    let mut all = vec![Bound(first)];
    for _ in 1..threads.get() {
        all.push(Bound(tcp_socket(settled, Sharing::Threads).map_err(failed)?));
    }
    Ok(all)
}

/// Who may connect to a Unix socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Its owner.
    #[default]
    Owner,
    /// Its owner, and the members of this group; of the group that the process has, where none is named.
    Group(Option<u32>),
}

impl Access {
    const fn mode(self) -> u32 {
        match self {
            Self::Owner => 0o600,
            Self::Group(_) => 0o660,
        }
    }
}

/// Binds a Unix socket for its owner. A socket that a dead process left there is replaced; a live one, or anything else, is
/// not.
///
/// # Errors
/// [`Error::Taken`] when somebody answers there, [`Error::Listen`] for everything else.
pub fn bind_unix(path: &Path) -> Result<Listener, Error> {
    bind_unix_for(path, Access::Owner)
}

/// Takes over a Unix socket that another process bound for us and listens on, such as systemd. Its path is left alone at the
/// end: it belongs to that process.
///
/// # Errors
/// When the descriptor is no listening Unix socket, or the runtime does not take it.
pub fn adopt_unix(descriptor: std::os::fd::OwnedFd) -> Result<Listener, Error> {
    let place = "the socket that was handed over";
    let failed = |source| listen_error(place, source);
    let strange = || failed(io::Error::new(io::ErrorKind::InvalidInput, "it is no listening Unix socket"));
    let socket = Socket::from(descriptor);
    let unix = socket.domain().is_ok_and(|domain| domain == Domain::UNIX);
    if !unix
        || !socket.is_listener().unwrap_or(false)
        || socket.r#type().is_ok_and(|kind| kind != Type::STREAM)
    {
        return Err(strange());
    }
    socket.set_nonblocking(true).map_err(failed)?;
    let path = socket.local_addr().ok().and_then(|address| address.as_pathname().map(Path::to_owned));
    let place = Place { path: path.unwrap_or_default(), id: None };
    let socket = std::os::unix::net::UnixListener::from(std::os::fd::OwnedFd::from(socket));
    let socket = tokio::net::UnixListener::from_std(socket).map_err(failed)?;
    name_senders(&socket).map_err(failed)?;
    Ok(Listener { kind: Kind::Unix(socket, place), tls: None, handed: None })
}

/// The same as [`bind_unix`] for whoever may connect.
///
/// # Errors
/// [`Error::Taken`] when somebody answers there, [`Error::Listen`] for everything else.
pub fn bind_unix_for(path: &Path, access: Access) -> Result<Listener, Error> {
    let shown = path.display().to_string();
    let failed = |source| listen_error(&shown, source);
    refuse_unless_stale(path)?;
    let (Some(parent), Some(_)) = (path.parent(), path.file_name()) else {
        return Err(failed(io::ErrorKind::InvalidInput.into()));
    };
    // Bound in a directory of its own and moved when it is closed to others, so that there is no moment in which it
    // stands at its path with the mode that the process's mask gave it.
    let nest = parent.join(format!(".dw{:x}", std::process::id()));
    // A process with this number may have died in the middle; in a container it always has the same number.
    let _ = std::fs::remove_dir_all(&nest);
    std::fs::DirBuilder::new().mode(0o700).create(&nest).map_err(failed)?;
    let bound = bind_in(&nest, path, access);
    let _ = std::fs::remove_dir_all(&nest);
    let (socket, place) = bound.map_err(failed)?;
    Ok(Listener { kind: Kind::Unix(socket, place), tls: None, handed: None })
}

/// A door that is open, owned by the runtime of one thread. Given to [`serve`](crate::serve).
pub struct Listener {
    pub(crate) kind: Kind,
    pub(crate) tls: Option<TlsAcceptor>,
    /// What other brokers of the same store hand on.
    pub(crate) handed: Option<mpsc::Receiver<Handed>>,
}

impl Listener {
    /// The same door with TLS in front of every connection.
    #[must_use]
    pub fn with_tls(self, config: Arc<rustls::ServerConfig>) -> Self {
        Self { tls: Some(TlsAcceptor::from(config)), ..self }
    }

    /// The same door for what other brokers hand on as well.
    #[must_use]
    pub fn with_handed(self, Handing(handed): Handing) -> Self {
        Self { handed: Some(handed), ..self }
    }

    /// Address and port of a TCP door, `None` for a Unix socket.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        match &self.kind {
            Kind::Tcp(socket) => socket.local_addr().ok(),
            Kind::Unix(..) => None,
        }
    }

    /// Closes the door. The path of a Unix socket is removed, if it is still this socket.
    pub(crate) fn close(self) {
        if let Kind::Unix(socket, place) = self.kind {
            drop(socket);
            if file_id(&place.path).is_ok_and(|id| Some(id) == place.id) {
                let _ = std::fs::remove_file(&place.path);
            }
        }
    }
}

impl std::fmt::Debug for Listener {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Listener").field("kind", &self.kind).finish_non_exhaustive()
    }
}

#[derive(Debug)]
pub(crate) enum Kind {
    Tcp(tokio::net::TcpListener),
    Unix(tokio::net::UnixListener, Place),
}

/// Where a Unix socket stands, and which file it is.
#[derive(Debug)]
pub(crate) struct Place {
    path: PathBuf,
    /// `None` where somebody else made it, who will remove it.
    id: Option<(u64, u64)>,
}

fn bind_in(nest: &Path, path: &Path, access: Access) -> io::Result<(tokio::net::UnixListener, Place)> {
    let egg = nest.join("s");
    let socket = tokio::net::UnixListener::bind(&egg)?;
    name_senders(&socket)?;
    if let Access::Group(Some(group)) = access {
        std::os::unix::fs::chown(&egg, None, Some(group))?;
    }
    std::fs::set_permissions(&egg, std::fs::Permissions::from_mode(access.mode()))?;
    let id = Some(file_id(&egg)?);
    std::fs::rename(&egg, path)?;
    Ok((socket, Place { path: path.to_owned(), id }))
}

fn refuse_unless_stale(path: &Path) -> Result<(), Error> {
    let shown = path.display().to_string();
    match std::fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(listen_error(&shown, error)),
        Ok(found) if !found.file_type().is_socket() => return Err(Error::Taken { place: shown.into() }),
        Ok(_) => {}
    }
    match std::os::unix::net::UnixStream::connect(path) {
        Ok(_) => Err(Error::Taken { place: shown.into() }),
        Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        // A full queue of waiting connections is a sign of life, too.
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => Err(Error::Taken { place: shown.into() }),
        Err(error) => Err(listen_error(&shown, error)),
    }
}

fn file_id(path: &Path) -> io::Result<(u64, u64)> {
    let found = std::fs::symlink_metadata(path)?;
    Ok((found.dev(), found.ino()))
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Alone,
    Threads,
}

fn tcp_socket(address: SocketAddr, sharing: Sharing) -> io::Result<std::net::TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if sharing == Sharing::Threads {
        socket.set_reuse_port(true)?;
    }
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn listen_error(place: &str, source: io::Error) -> Error {
    Error::Listen { place: place.into(), source }
}

/// Connections that the kernel keeps for us while we are busy.
const BACKLOG: i32 = 1024;

#[cfg(test)]
mod tests;
