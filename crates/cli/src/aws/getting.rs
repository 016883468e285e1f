//! Calls that may lack something only a person or a program of the user can give: it is got while the home is open to others,
//! and the call made again.
//!
//! Whoever lacks the same thing at the same time waits for the first one, so that one code and one sign-in serve all.

use std::fs::{File, OpenOptions};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use aws::chain::{At, Mfa};
use aws::mfa::{Prompt, Question};
use aws::process::{Edges, Program};
use aws::profile::Profile;
use aws::wire::{Endpoint, Service, Wire};
use broker::mint::{Browser, Given, Needs, Reach};
use broker::{Outbound, SystemClock};
use model::{Clock, Timestamp};
use rustix::fs::{FlockOperation, flock};
use rustix::io::Errno;

use super::aside::Outside;
use super::speech::Wrong;
use crate::compat::environment;
use crate::failure::Failure;
use crate::wire;

/// Makes the way in which the codes of a device are asked for.
pub(super) type Prompts = dyn Fn(&Mfa) -> Result<Box<dyn Prompt>, aws::mfa::Error> + Send + Sync;

/// How what is lacking is got.
pub(super) struct Getting<'a> {
    /// The profile that it is for.
    pub(super) profile: &'a Profile,
    /// How codes are asked for.
    pub(super) prompts: &'a Prompts,
    /// How people sign in.
    pub(super) browser: &'a dyn Browser,
    /// How AWS is reached.
    pub(super) reach: &'a Reach,
    /// What asks AWS.
    pub(super) wire: &'a Wire,
    /// What is done about others meanwhile.
    pub(super) outside: &'a Outside,
}

impl Getting<'_> {
    /// Calls until nothing is lacking. `call` is given what was got so far; it is given everything once only.
    pub(super) fn until(
        &self,
        mut call: impl FnMut(Arc<Given>) -> Result<Outbound, Failure>,
    ) -> Result<Outbound, Wrong> {
        let mut given = Arc::new(Given::default());
        let mut turn = None;
        let mut left = MOST;
        while left > 0 {
            let outbound = call(Arc::clone(&given))?;
            let Outbound::Answer(answer) = &outbound else { return Ok(outbound) };
            let Some(needs) = Needs::read(&answer.value) else { return Ok(outbound) };
            match needs {
                // Each of them ends by itself: AWS is asked three times at most, and a rotation rests for so long.
                Needs::Answer => self.outside.wait(self.wire)?,
                Needs::Rest { millis } => std::thread::sleep(Duration::from_millis(millis)),
                needs if turn.is_none() => {
                    left -= 1;
                    self.outside.let_go();
                    // Somebody may get it while we wait for our turn, so it is looked again.
                    turn = Some(Turn::wait(needs.name())?);
                }
                needs => {
                    left -= 1;
                    let so_far = Arc::try_unwrap(given).unwrap_or_default();
                    given = Arc::new(self.got(&needs, so_far)?);
                }
            }
        }
        Err(Wrong::new("the credentials could not be had although everything was given that they lacked"))
    }

    fn got(&self, needs: &Needs, mut given: Given) -> Result<Given, Wrong> {
        match needs {
            Needs::Code { serial, process } => {
                let device = Mfa { serial: serial.clone(), process: process.clone() };
                let wrong = |error: aws::mfa::Error| Wrong(Failure::of(&error).maybe_hint(error.hint()));
                let code = (self.prompts)(&device)
                    .and_then(|prompt| prompt.ask(&Question { serial }))
                    .map_err(wrong)?;
                given.codes.retain(|(known, _)| known != serial);
                given.codes.push((serial.clone(), code));
            }
            Needs::Credentials { command } => {
                let now = SystemClock::default().now();
                given.credentials = Some(self.run(program(command).credentials(now))?);
            }
            Needs::Machine { source } => {
                let now = SystemClock::default().now();
                let found = wire::runtime()?.block_on(aws::source::credentials(source, &environment, now));
                let wrong = |error: aws::source::Error| Wrong(Failure::of(&error).maybe_hint(error.hint()));
                given.credentials = Some(found.map_err(wrong)?);
            }
            Needs::Later { serial, until } => wait(serial, *until)?,
            Needs::Answer | Needs::Rest { .. } => {}
            Needs::Token { command } => given.token = Some(self.run(program(command).token(Edges::Kept))?),
            Needs::SignIn { start_url } => {
                let found = self.profile.line().find_map(|profile| {
                    profile
                        .sso
                        .as_ref()
                        .filter(|sso| sso.start_url == *start_url)
                        .map(|sso| (sso, At::of(profile)))
                });
                let (sso, mut at) = found.ok_or_else(|| Wrong::new("the profile names no sign-in"))?;
                at.region = sso.region.clone().or(at.region);
                let endpoint =
                    Endpoint::locate(Service::Oidc, &at.locator(Service::Oidc, at.region.as_deref()));
                let endpoint =
                    endpoint.map_err(|error| Wrong(Failure::of(&error).maybe_hint(error.hint())))?;
                let wire = super::reach::wire(self.reach)?;
                let done =
                    wire::runtime()?.block_on(broker::mint::sign_in(&wire, &endpoint, sso, self.browser));
                let again = format!(
                    "`doorward aws exec {} -- true` signs in again; `--device-code --no-browser` from another machine",
                    self.profile.name
                );
                given.signed_in = Some(done.map_err(|error| {
                    let failure = Failure::of(&error).maybe_hint(error.hint());
                    let hint = failure
                        .hint
                        .as_deref()
                        .map_or_else(|| again.clone(), |hint| format!("{hint}; {again}"));
                    Wrong(failure.hint(hint)).after(&format!("the sign-in at `{start_url}` is over: "))
                })?);
            }
        }
        Ok(given)
    }

    fn run<T>(&self, program: impl Future<Output = Result<T, aws::process::Error>>) -> Result<T, Wrong> {
        let done = wire::runtime()?.block_on(program);
        done.map_err(|error| Wrong(Failure::of(&error).maybe_hint(error.hint())))
    }
}

/// Waits for the next code of a device, while the home is open to others.
fn wait(serial: &str, until: Timestamp) -> Result<(), Wrong> {
    let left = until.since(SystemClock::default().now());
    if left > LONGEST_WAIT {
        let message =
            format!("the code of `{serial}` was used, and the next one comes in {} s", left.as_secs());
        return Err(Wrong::new(message));
    }
    super::speech::say(&format!("waiting {} s for the next code of {serial}", left.as_secs() + 1));
    std::thread::sleep(left);
    Ok(())
}

/// A program of the user's own profile file. It may be this one again, for another profile, so it gets what we got.
const fn program(command: &str) -> Program<'_> {
    Program { command, within: LONGEST, without: &[] }
}

/// The turn of this process to ask for one thing.
pub(super) struct Turn(#[expect(dead_code, reason = "the turn lasts as long as the file is open")] File);

impl Turn {
    /// Waits until nobody else asks for the same thing.
    pub(super) fn wait(name: &str) -> Result<Self, Wrong> {
        let (file, path) = Self::file(name)?;
        flock(&file, FlockOperation::LockExclusive).map_err(|error| unlocked(&path, &error.into()))?;
        Ok(Self(file))
    }

    /// The turn where nobody else has it.
    pub(super) fn at_once(name: &str) -> Result<Option<Self>, Wrong> {
        let (file, path) = Self::file(name)?;
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => Ok(Some(Self(file))),
            Err(Errno::WOULDBLOCK) => Ok(None),
            Err(error) => Err(unlocked(&path, &error.into())),
        }
    }

    fn file(name: &str) -> Result<(File, PathBuf), Wrong> {
        let home = super::counter::place()?;
        let digest = crypto::to_hex(&crypto::sha256(&[name.as_bytes()]));
        let path = home.folder().join(format!("lock.{}", digest.get(..16).unwrap_or_default()));
        let file = OpenOptions::new().create(true).truncate(false).write(true).mode(0o600).open(&path);
        let file = file.map_err(|error| unlocked(&path, &error))?;
        Ok((file, path))
    }
}

fn unlocked(path: &Path, error: &std::io::Error) -> Wrong {
    Wrong(Failure::doing(format!("could not lock `{}`", path.display()), error))
}

/// A device, a program and a sign-in at most, and each once more where what was given turned out to be over.
const MOST: usize = 8;
const LONGEST_WAIT: Duration = Duration::from_secs(90);
/// As long as a person needs to touch a token or type into a window of such a program.
const LONGEST: Duration = Duration::from_secs(300);
