//! A run from its start to its end.

use std::net::{IpAddr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream as Pair;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use model::Authority;
use net::relay::{Relay, Serves};
use rustix::process::{Pid, Signal};
use tokio::io::Interest;
use tokio::net::UnixStream;
use tokio::process::Child;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout, timeout_at};
use zeroize::Zeroizing;

use crate::channel::{self, Bounds, Order, Word};
use crate::error::system;
use crate::sandbox::{Seen, view};
use crate::{Captured, Command, Error, Exit, Kind, Limits, Program, Ran, Room, Sandbox, capture};

impl Sandbox {
    /// Runs a command whose files are in this room, to its end or to the end of its time.
    ///
    /// # Errors
    /// When the sandbox or the program could not be started: then the program did nothing.
    pub async fn run(&self, room: &Room, command: Command) -> Result<Ran, Error> {
        let direct = direct(&command.hosts);
        let order = self.order(room, &command, &direct)?;
        let Command { program, limits, hosts, private, folder, changes, sockets, .. } = command;
        if sockets && !self.shuts_in_sockets() {
            return Err(Error::Sandbox("sockets of the program can't be shut in".to_owned()));
        }
        let (ours, theirs) = Pair::pair().map_err(system("make a channel into the sandbox"))?;
        // Held until the program has ended: it reads them.
        let settings = self.settings()?;
        let seen = Seen {
            room,
            program: Some((&program, folder.as_deref(), changes)),
            settings: settings.as_deref(),
            sockets,
        };
        let mut ready = self.process(&seen, limits.files)?;
        ready.process.stdin(OwnedFd::from(theirs)).stdout(Stdio::piped()).stderr(Stdio::piped());
        // A group of its own, so that all of it can be ended at once.
        ready.process.process_group(0);
        // The process holds the other end of the channel, so it is dropped behind its start.
        let child = ready.start(|process| tokio::process::Command::from(process).kill_on_drop(true).spawn());
        let child = child.map_err(system("start the sandbox"))?;
        let started = Instant::now();
        let mut running = Running::new(child, self.kind())?;
        let listeners = match running.set_up(ours, order).await {
            Ok(listeners) => listeners,
            Err(error) => {
                running.end().await;
                return Err(error);
            }
        };
        let relay = Arc::new(Relay::new(hosts, private));
        let mut serving = JoinSet::new();
        for (place, listener) in listeners.into_iter().enumerate() {
            let serves = direct.get(place).map_or(Serves::Proxy, |(_, host)| Serves::Host(host.clone()));
            serving.spawn(Arc::clone(&relay).serve(listener.into(), serves));
        }
        let (exit, stdout, stderr) = running.until_the_end((limits, started + limits.time), &program).await?;
        // What still passes ends here.
        drop((serving, settings));
        let refused = relay.refused();
        Ok(Ran { exit, stdout, stderr, took: started.elapsed(), sandbox: self.kind(), refused })
    }

    /// What the step inside is told.
    fn order(
        &self,
        room: &Room,
        command: &Command,
        direct: &[(SocketAddr, Authority)],
    ) -> Result<Zeroizing<Vec<u8>>, Error> {
        let Command { program, args, environment, stdin, limits, folder, changes, .. } = command;
        let stdin: Option<PathBuf> = stdin.as_deref().map(|bytes| room.write(STDIN, bytes)).transpose()?;
        let work = room.work();
        let mut all: Vec<(String, String)> = vec![("PATH".to_owned(), view::PATH.to_owned())];
        for name in ["HOME", "TMPDIR"] {
            all.push((name.to_owned(), work.to_string_lossy().into_owned()));
        }
        all.extend(FIXED.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        all.extend(environment.iter().map(|(name, value)| (name.clone(), value.to_string())));
        let boxed = self.kind() != Kind::None;
        let mut order = Order {
            program: program.path().to_owned(),
            args: args.clone(),
            environment: all,
            stdin,
            work,
            listen: boxed.then(|| direct.iter().map(|(address, _)| *address).collect()),
            limits: bounds(limits),
            folder: folder.clone(),
            land: (self.kind() == Kind::Landlock)
                .then(|| self.land(room, program, (folder.as_deref(), *changes))),
            calls: self.filter().is_some(),
        };
        let written = channel::written(&order, self.filter().unwrap_or_default())
            .map_err(system("write the order of a program"));
        for (_, value) in &mut order.environment {
            zeroize::Zeroize::zeroize(value);
        }
        written
    }
}

fn bounds(limits: &Limits) -> Bounds {
    Bounds {
        memory: limits.memory,
        file: limits.files,
        processes: limits.processes,
        // Several threads spend more than one second a second.
        cpu: limits.time.as_secs().saturating_mul(4).max(5),
    }
}

/// The hosts on this machine, and where the program finds them: at the same place.
fn direct(hosts: &[Authority]) -> Vec<(SocketAddr, Authority)> {
    let here = |host: &Authority| {
        let ip: IpAddr = if host.host() == "localhost" {
            IpAddr::from([127, 0, 0, 1])
        } else {
            host.host().parse().ok().filter(IpAddr::is_loopback)?
        };
        Some((SocketAddr::new(ip, host.port()), host.clone()))
    };
    hosts.iter().filter_map(here).take(channel::MOST_LISTENERS - 1).collect()
}

/// A sandbox with its processes.
struct Running {
    child: Child,
    group: Pid,
    kind: Kind,
    channel: Option<UnixStream>,
    /// What came over the channel until now.
    heard: Vec<u8>,
}

impl Running {
    fn new(child: Child, kind: Kind) -> Result<Self, Error> {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let lost = || Error::SetUp("it ended at once".to_owned());
        Ok(Self { child, group: group.ok_or_else(lost)?, kind, channel: None, heard: Vec::new() })
    }

    /// Gives the order, and takes the listeners.
    async fn set_up(&mut self, channel: Pair, order: Zeroizing<Vec<u8>>) -> Result<Vec<OwnedFd>, Error> {
        channel.set_nonblocking(true).map_err(system("use the channel into the sandbox"))?;
        let channel = UnixStream::from_std(channel).map_err(system("use the channel into the sandbox"))?;
        let (mut heard, mut listeners) = (Vec::new(), Vec::new());
        let talking = async {
            tell(&channel, &order).await?;
            drop(order);
            loop {
                channel.readable().await?;
                let more = channel.try_io(Interest::READABLE, || {
                    channel::hear(channel.as_fd(), &mut heard, &mut listeners)
                });
                match more {
                    Ok(0) => return Ok(()),
                    Ok(_) if channel::words(&heard).next().is_some() => return Ok(()),
                    Ok(_) => {}
                    Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        };
        let said = timeout(SET_UP, async {
            tokio::select! {
                said = talking => said.map_err(system("talk into the sandbox")),
                // A short program may have ended before its first word was read: it is still in the channel.
                _ = self.child.wait() => Ok(()),
            }
        });
        said.await.map_err(|_| Error::SetUp("it does not answer".to_owned()))??;
        while channel::words(&heard).next().is_none()
            && channel::hear(channel.as_fd(), &mut heard, &mut listeners).is_ok_and(|bytes| bytes > 0)
        {
        }
        match channel::words(&heard).next() {
            Some(Word::Ready) => {}
            Some(Word::Failed(why)) => return Err(Error::SetUp(why)),
            Some(Word::NotStarted(why)) => return Err(Error::SetUp(why)),
            None => return Err(Error::SetUp(self.last_words().await)),
        }
        // The word behind it may have come with it: that the program could not be started.
        (self.channel, self.heard) = (Some(channel), heard);
        Ok(listeners)
    }

    /// Waits for the end, and reads what is said until then.
    async fn until_the_end(
        mut self,
        (limits, deadline): (Limits, Instant),
        program: &Program,
    ) -> Result<(Exit, Captured, Captured), Error> {
        let (mut stdout, mut stderr) = (Captured::nothing(), Captured::nothing());
        let (out, err) = (self.child.stdout.take(), self.child.stderr.take());
        let waited = {
            let reading = async {
                tokio::join!(
                    capture::read(out, &mut stdout, limits.stdout),
                    capture::read(err, &mut stderr, limits.stderr)
                )
            };
            let mut reading = std::pin::pin!(reading);
            let mut read = false;
            let waiting = async {
                loop {
                    tokio::select! {
                        status = self.child.wait() => return status,
                        _ = &mut reading, if !read => read = true,
                    }
                }
            };
            let waited = timeout_at(deadline, waiting).await;
            if waited.is_err() || self.kind == Kind::None {
                self.end().await;
            }
            if !read {
                // Whoever holds it was ended, or is somebody who can't be.
                let _ = timeout(SET_UP, reading).await;
            }
            waited
        };
        let status = match waited {
            Err(_) => return Ok((Exit::TimedOut, stdout, stderr)),
            Ok(status) => status.map_err(system("wait for the program"))?,
        };
        if let Some(why) = self.not_started() {
            return Err(Error::Start { program: program.path().to_owned(), why });
        }
        let code = status.code().or_else(|| status.signal().map(|signal| 128 + signal));
        let code = code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX);
        Ok((Exit::Status(code), stdout, stderr))
    }

    /// Whether the step inside said at last that it could not become the program.
    fn not_started(&mut self) -> Option<String> {
        let channel = self.channel.as_ref()?;
        let mut none = Vec::new();
        while channel::hear(channel.as_fd(), &mut self.heard, &mut none).is_ok_and(|bytes| bytes > 0) {}
        channel::words(&self.heard).find_map(|word| match word {
            Word::NotStarted(why) => Some(why),
            Word::Ready | Word::Failed(_) => None,
        })
    }

    /// Ends every process of the sandbox.
    async fn end(&mut self) {
        // None of them may be left, which is no error.
        let _ = rustix::process::kill_process_group(self.group, Signal::KILL);
        let _ = timeout(SET_UP, self.child.wait()).await;
    }

    /// What the sandbox said when it gave up.
    async fn last_words(&mut self) -> String {
        let mut said = Captured::nothing();
        let stderr = self.child.stderr.take();
        let _ = timeout(SET_UP, capture::read(stderr, &mut said, 300)).await;
        let text = String::from_utf8_lossy(&said.bytes);
        text.lines().next().map_or_else(|| "it ended without a word".to_owned(), ToOwned::to_owned)
    }
}

async fn tell(channel: &UnixStream, mut bytes: &[u8]) -> std::io::Result<()> {
    while !bytes.is_empty() {
        channel.writable().await?;
        match channel.try_write(bytes) {
            Ok(sent) => bytes = bytes.get(sent..).unwrap_or_default(),
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// What every program finds in its environment.
const FIXED: &[(&str, &str)] =
    &[("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TERM", "dumb"), ("NO_COLOR", "1")];
/// The file that holds what a program reads.
const STDIN: &str = "stdin";
/// For a sandbox to be there, and for its last words.
const SET_UP: Duration = Duration::from_secs(30);
