//! Step 7 for a program: the credential into the files that the program reads, and nowhere else.
//!
//! Arguments, environment and standard input are made of the inputs and of public facts; a secret has no way into them, for the
//! catalogue refuses a file that names one there, and here a slot for a secret is filled in files only.

use std::path::PathBuf;
use std::sync::Arc;

use catalog::{AuthScheme, Integration, Operation, Piece, Slot, Text};
use model::{Code, Refusal};
use net::Private;
use runner::{Limits, Room};
use secrets::Mask;
use zeroize::Zeroizing;

use super::masked::mask;
use crate::broker::Broker;
use crate::outgoing::Minted;
use crate::path::admit::Admitted;
use crate::path::resolve::Lent;
use crate::programs::{Ready, Way};

/// A command with its files in place.
pub(crate) struct Prepared {
    pub(crate) room: Room,
    pub(crate) command: runner::Command,
    pub(crate) sandbox: Arc<runner::Sandbox>,
    pub(crate) mask: Option<Arc<Mask>>,
    /// The token that was made for this run, and ends with it.
    pub(crate) token: Option<Arc<Minted>>,
    /// What the evidence says of it.
    pub(crate) facts: Vec<(String, String)>,
}

/// Makes the command, and writes the files of its room.
pub(super) fn prepare(broker: &Broker, admitted: &mut Admitted, lent: &Lent) -> Result<Prepared, Refusal> {
    let ready = broker.machine().ready().map_err(|why| Refusal::new(Code::SourceUnavailable, why))?;
    let way = admitted.way.take();
    let way = way.ok_or_else(|| Refusal::new(Code::SourceUnavailable, "no program was found"))?;
    let integration = &admitted.integration;
    let call = admitted.permit.call();
    let operation = integration.operations().get(call.operation());
    let (operation, cli) = operation
        .and_then(|operation| Some((operation, operation.cli()?)))
        .ok_or_else(|| Refusal::new(Code::NotFound, "the operation has no command"))?;
    let made = cli.command(admitted.fetched.as_ref().unwrap_or_else(|| call.inputs()))?;
    let room = ready.rooms.make().map_err(|error| unready(&error))?;
    let fill = Fill { integration, room: &room, lent };
    for (name, text) in integration.program_files(call.operation()) {
        if let Some(bytes) = fill.file(text)? {
            room.write(name, &bytes).map_err(|error| unready(&error))?;
        }
    }
    if let Some(pem) = authorities(integration) {
        room.write(AUTHORITIES, pem.as_bytes()).map_err(|error| unready(&error))?;
    }
    for (name, text) in &made.files {
        room.write(name, text.as_bytes()).map_err(|error| unready(&error))?;
    }
    let environment = integration.program().into_iter().flat_map(|program| program.environment());
    let environment = environment.filter_map(|(name, text)| {
        Some((name.clone(), Zeroizing::new(text.fill(|slot| fill.public(slot))?)))
    });
    let environment: Vec<_> = environment.collect();
    let args: Option<Vec<String>> = made.args.iter().map(|arg| arg.fill(|slot| fill.public(slot))).collect();
    let args = args.ok_or_else(|| {
        Refusal::new(Code::BadRequest, "an argument names something that this integration does not have")
    })?;
    let facts = facts(ready, &way.program, &made.args, way.sandbox.kind());
    let Way { program, sandbox } = *way;
    let limits = limits(integration, operation);
    let command = runner::Command {
        program,
        args,
        environment,
        stdin: made.stdin.map(|text| Zeroizing::new(text.into_bytes())),
        folder: folder(ready, made.folder.as_deref())?,
        changes: !cli.looks(),
        sockets: integration.program().is_some_and(catalog::Program::unix_sockets),
        limits,
        hosts: hosts(admitted)?,
        private: if integration.dangerous_allow_private() { Private::Allowed } else { Private::Refused },
    };
    let mask = mask(broker, integration, lent, &admitted.permit)?;
    let token = lent.special().and_then(|special| special.for_run(integration));
    Ok(Prepared { room, command, sandbox, mask, token, facts })
}

/// What slots are filled with.
struct Fill<'a> {
    integration: &'a Integration,
    room: &'a Room,
    lent: &'a Lent,
}

impl Fill<'_> {
    /// What may stand in the environment: what anybody may see, and a session with an end.
    fn public(&self, slot: &Slot) -> Option<String> {
        match slot {
            Slot::File(name) => Some(self.room.file(name).to_string_lossy().into_owned()),
            Slot::Folder => Some(self.room.work().to_string_lossy().into_owned()),
            Slot::Files => Some(self.room.files().to_string_lossy().into_owned()),
            Slot::BaseUrl => self.integration.address(),
            Slot::Host => {
                let named = self.integration.wildcard().is_none();
                named.then(|| self.integration.authority().host_header())
            }
            Slot::Ca => {
                authorities(self.integration)?;
                Some(self.room.file(AUTHORITIES).to_string_lossy().into_owned())
            }
            Slot::Lease(field) => self.lease(field),
            Slot::Secret(_) | Slot::Credential => None,
            Slot::Input(_) | Slot::Escaped(_) | Slot::Path(_) | Slot::Body | Slot::Each(_) => None,
        }
    }

    /// A part of the session that is lent.
    #[expect(
        clippy::disallowed_methods,
        reason = "a session with an end goes into the environment of the program"
    )]
    fn lease(&self, field: &str) -> Option<String> {
        let (session, minted) = self.lent.special()?.session()?;
        let text =
            |secret: &memory::Secret| secret.expose(|bytes| Some(str::from_utf8(bytes).ok()?.to_owned()));
        match field {
            "access_key_id" => Some(session.access_key_id.clone()),
            "secret_access_key" => text(&minted.value),
            "session_token" => text(&session.token),
            _ => None,
        }
    }

    /// A file, with the secrets in it; nothing where it names what is not there.
    fn file(&self, text: &Text) -> Result<Option<Zeroizing<Vec<u8>>>, Refusal> {
        // As large as it gets, so that no copy is left behind where it grows.
        let mut bytes = Zeroizing::new(Vec::with_capacity(LARGEST_FILE));
        for piece in text.pieces() {
            match piece {
                Piece::Plain(text) => bytes.extend_from_slice(text.as_bytes()),
                Piece::Slot(Slot::Secret(name)) => {
                    let opened = self.lent.find(self.integration, name)?;
                    self.put(&mut bytes, &super::bytes_of(opened))?;
                }
                Piece::Slot(Slot::Credential) => {
                    let credential = credential(self.integration, self.lent)?;
                    self.put(&mut bytes, &credential)?;
                }
                Piece::Slot(slot) => match self.public(slot) {
                    Some(text) => bytes.extend_from_slice(text.as_bytes()),
                    None => return Ok(None),
                },
            }
        }
        if bytes.len() > LARGEST_FILE {
            return Err(Refusal::new(Code::TooLarge, "a file of the program is too large"));
        }
        Ok(Some(bytes))
    }

    /// A secret within quotation marks of YAML, JSON or TOML must not end them.
    fn put(&self, bytes: &mut Vec<u8>, secret: &[u8]) -> Result<(), Refusal> {
        if secret.iter().any(|byte| byte.is_ascii_control() || matches!(byte, b'"' | b'\'' | b'\\')) {
            let message = format!(
                "the stored credential of `{}` can't stand in a file of its program",
                self.integration.name()
            );
            return Err(Refusal::new(Code::SecretMissing, message)
                .hint("it has line breaks, quotation marks or backslashes in it; store one without: `doorward secret rotate`"));
        }
        bytes.extend_from_slice(secret);
        Ok(())
    }
}

/// What the first auth scheme puts on a request, without what stands before it.
#[expect(clippy::disallowed_methods, reason = "writes the token into the file that the program reads")]
fn credential(integration: &Integration, lent: &Lent) -> Result<Zeroizing<Vec<u8>>, Refusal> {
    if let Some(token) = lent.special().and_then(|special| special.token(0)) {
        return Ok(token.value.expose(|token| Zeroizing::new(token.to_vec())));
    }
    match integration.auth().first().and_then(AuthScheme::choice) {
        Some(choice) => Ok(super::bytes_of(lent.chosen(integration, choice)?)),
        None => Err(crate::path::resolve::missing("credential")),
    }
}

/// Where the program may go: where the request would go, or to the integration; and where the integration's file says besides.
fn hosts(admitted: &Admitted) -> Result<Vec<model::Authority>, Refusal> {
    let integration = &admitted.integration;
    let own = match admitted.permit.call().request() {
        Some((_, authority, _)) => authority,
        None if integration.wildcard().is_some() => {
            return Err(Refusal::new(
                Code::BadRequest,
                "the call names no host that the program could go to",
            ));
        }
        None => integration.authority(),
    };
    Ok(std::iter::once(own).chain(integration.reaches()).cloned().collect())
}

fn limits(integration: &Integration, operation: &Operation) -> Limits {
    let time = operation.cli().and_then(catalog::Cli::timeout).unwrap_or(integration.limits().total);
    Limits { time, ..Limits::default() }
}

/// A folder of the caller, where those who run the broker allow programs to work in it.
fn folder(ready: &Ready, wanted: Option<&str>) -> Result<Option<PathBuf>, Refusal> {
    let Some(wanted) = wanted else { return Ok(None) };
    let refused = |why: &str| {
        Err(Refusal::new(Code::Denied, format!("the program can't work in this folder: {why}"))
            .hint("`operations.folders` of settings.toml names the folders that programs may work in"))
    };
    let Ok(real) = std::fs::canonicalize(wanted) else { return refused("it can't be found") };
    if !real.is_dir() || !std::path::Path::new(wanted).is_absolute() {
        return refused("it is no folder with a whole path");
    }
    // What is in the home, its keys among it, would be in reach of the program; so would the files of other runs.
    let closed = ready.closed.iter().filter_map(|folder| std::fs::canonicalize(folder).ok());
    if closed.into_iter().any(|folder| real.starts_with(&folder) || folder.starts_with(&real)) {
        return refused("files of Doorward itself are in it or around it");
    }
    let allowed = ready.folders.iter().filter_map(|folder| std::fs::canonicalize(folder).ok());
    if allowed.into_iter().any(|folder| real.starts_with(folder)) {
        return Ok(Some(real));
    }
    refused("it is not below one that is allowed")
}

/// What is recorded of a command: which program in which state, and its arguments as a digest, for inputs stand in them.
fn facts(
    ready: &Ready,
    program: &runner::Program,
    args: &[Text],
    sandbox: runner::Kind,
) -> Vec<(String, String)> {
    let mut hasher = crypto::Hasher::new();
    let words = std::iter::once(program.name().to_owned()).chain(args.iter().map(ToString::to_string));
    for word in words {
        hasher.update(&u64::try_from(word.len()).unwrap_or(u64::MAX).to_be_bytes());
        hasher.update(word.as_bytes());
    }
    let mut facts = vec![
        ("used".to_owned(), "cli".to_owned()),
        ("program".to_owned(), program.path().to_string_lossy().into_owned()),
        ("argv_sha256".to_owned(), crypto::to_hex(&hasher.finish())),
        ("sandbox".to_owned(), sandbox.as_str().to_owned()),
    ];
    if let Some(digest) = ready.programs.digest(program) {
        facts.push(("program_sha256".to_owned(), crypto::to_hex(&digest)));
    }
    facts
}

fn unready(error: &runner::Error) -> Refusal {
    let refusal = Refusal::new(Code::SourceUnavailable, error.to_string());
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

/// The only certificate authorities that count for the integration, where its file names them.
fn authorities(integration: &Integration) -> Option<&str> {
    integration.connection()?.authorities.as_deref()
}

/// The file of a room that holds them.
const AUTHORITIES: &str = "authorities.pem";
const LARGEST_FILE: usize = 64 * 1024;
