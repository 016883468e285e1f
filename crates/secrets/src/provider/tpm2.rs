//! This machine's TPM 2 as a key provider, by the programs of tpm2-tools: an object sealed under the primary key of the owner
//! hierarchy, which is made anew from the TPM's own seed each time, so that nothing of it is kept in the TPM.
//!
//! Its use may need registers that are as they were (`pcrs`), or the value in a file (`auth`), which the TPM protects against
//! trying. Both together are refused: the programs would take the value as an argument, where everybody sees it.
//!
//! Source: the manual pages of tpm2-tools 5, and the TPM 2.0 library specification, part 1 ("sealed data object").

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use memory::Secret;
use zeroize::Zeroizing;

use super::KeyProvider;
use super::asking::ask;
use super::choice::{KeyChoice, Wrong, absolute};
use super::facts::Facts;
use super::home_id::HomeId;
use super::kept::{Keeps, Kept};
use super::payload::Payload;
use super::private::{self, Folder};
use crate::source::program::{self, Run, Said};
use crate::source::{Environment, Setup, Trouble};

/// A TPM.
struct Tpm2 {
    pcrs: Option<String>,
    auth: Option<PathBuf>,
    setup: Setup,
}

/// How the object was sealed.
#[derive(Clone, Copy)]
struct Bound<'a> {
    pcrs: Option<&'a str>,
    auth: Option<&'a Path>,
}

/// The TPM that was chosen: `tpm2`, `tpm2?pcrs=sha256:0,7`, `tpm2?auth=/PATH`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    if choice.has_place() {
        return Err(Wrong::new("nothing stands behind a colon: it is this machine's TPM"));
    }
    choice.options(&["pcrs", "auth"])?;
    let pcrs = choice.option("pcrs");
    if pcrs.is_some_and(|pcrs| !is_selection(pcrs)) {
        return Err(Wrong::new("`pcrs` is a bank and numbers of registers, such as `sha256:0,7`"));
    }
    let auth = choice.option("auth").map(|path| absolute(path, "`auth`")).transpose()?;
    if pcrs.is_some() && auth.is_some() {
        let why = "`pcrs` and `auth` can't be had together: its programs would take the value as an argument";
        return Err(Wrong::new(why));
    }
    Ok(of(pcrs, auth.as_deref(), setup))
}

/// This machine's TPM.
pub(super) fn of(pcrs: Option<&str>, auth: Option<&Path>, setup: &Setup) -> Box<dyn KeyProvider> {
    let (pcrs, auth) = (pcrs.map(str::to_owned), auth.map(Path::to_owned));
    Box::new(Kept(Tpm2 { pcrs, auth, setup: setup.clone() }))
}

impl Keeps for Tpm2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let bound = Bound { pcrs: self.pcrs.as_deref(), auth: self.auth.as_deref() };
        let (public, private) = ask(&self.setup, async |_| {
            let talk = Talk::begin(&self.setup.environment, bound)?;
            let sealed = talk.seal(payload, bound).await;
            talk.end().await;
            sealed
        })?;
        let (pcrs, auth) = (self.pcrs.clone(), self.auth.clone());
        let (public, private) = (crypto::to_base64(&public), crypto::to_base64(&private));
        Ok(Facts::Tpm2 { home: *home, pcrs, auth, public, private })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::Tpm2 { home: _, pcrs, auth, public, private } = facts else {
            return Err(Trouble::Wrong("they are no facts of it"));
        };
        let bound = Bound { pcrs: pcrs.as_deref(), auth: auth.as_deref() };
        let decoded =
            |text| crypto::from_base64(text).map_err(|_| Trouble::Wrong("its parts are not base 64"));
        let (public, private) = (decoded(public)?, decoded(private)?);
        if bound.pcrs.is_some_and(|pcrs| !is_selection(pcrs)) {
            return Err(Trouble::Wrong("its registers are not of the form"));
        }
        ask(&self.setup, async |_| {
            let talk = Talk::begin(&self.setup.environment, bound)?;
            let opened = talk.unseal((&public, &private), bound).await;
            talk.end().await;
            opened
        })
    }
}

/// One conversation with the TPM, in a folder of its own that goes with it. Nothing secret is ever in that folder.
struct Talk<'a> {
    environment: &'a Environment,
    folder: Folder,
}

impl<'a> Talk<'a> {
    fn begin(environment: &'a Environment, bound: Bound<'_>) -> Result<Self, Trouble> {
        if let Some(auth) = bound.auth {
            private::check(auth)?;
        }
        Ok(Self { environment, folder: Folder::make(environment)? })
    }

    async fn seal(&self, payload: &Payload, bound: Bound<'_>) -> Result<(Vec<u8>, Vec<u8>), Trouble> {
        self.primary().await?;
        let attributes = match bound {
            Bound { pcrs: Some(_), .. } => "fixedtpm|fixedparent|noda",
            // What somebody could try is protected against trying.
            Bound { auth: Some(_), .. } => "fixedtpm|fixedparent|userwithauth",
            Bound { .. } => "fixedtpm|fixedparent|userwithauth|noda",
        };
        let mut words =
            words_of(["-C", "primary.ctx", "-i", "-", "-u", "public", "-r", "private", "-a", attributes]);
        if let Some(pcrs) = bound.pcrs {
            self.run("tpm2_startauthsession", words_of(["-S", "session.ctx"])).await?;
            let policy =
                self.run("tpm2_policypcr", words_of(["-S", "session.ctx", "-l", pcrs, "-L", "policy"]));
            let policy = policy.await;
            self.run("tpm2_flushcontext", words_of(["session.ctx"])).await?;
            policy?;
            words.extend(words_of(["-L", "policy"]));
        }
        words.extend(bound.auth.into_iter().flat_map(authorised));
        let fed = Zeroizing::new(payload.as_bytes().to_vec());
        self.program("tpm2_create", words)?.fed(fed).await.and_then(|said| judged("tpm2_create", said))?;
        Ok((self.folder.read("public")?, self.folder.read("private")?))
    }

    async fn unseal(
        &self,
        (public, private): (&[u8], &[u8]),
        bound: Bound<'_>,
    ) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        self.folder.write("public", public)?;
        self.folder.write("private", private)?;
        self.primary().await?;
        let load = words_of(["-C", "primary.ctx", "-u", "public", "-r", "private", "-c", "object.ctx"]);
        self.run("tpm2_load", load).await?;
        self.tidied().await;
        let mut words = words_of(["-c", "object.ctx"]);
        if let Some(pcrs) = bound.pcrs {
            self.run("tpm2_startauthsession", words_of(["--policy-session", "-S", "session.ctx"])).await?;
            self.run("tpm2_policypcr", words_of(["-S", "session.ctx", "-l", pcrs])).await?;
            words.extend(words_of(["-p", "session:session.ctx"]));
        }
        words.extend(bound.auth.into_iter().flat_map(authorised));
        let opened = self.run("tpm2_unseal", words).await;
        if bound.pcrs.is_some() {
            // A session that was used is gone already; one that was refused is not.
            let _ = self.run("tpm2_flushcontext", words_of(["session.ctx"])).await;
        }
        opened
    }

    /// The primary key of the owner, the same each time.
    async fn primary(&self) -> Result<(), Trouble> {
        self.tidied().await;
        let made = self.run(
            "tpm2_createprimary",
            words_of(["-C", "o", "-g", "sha256", "-G", "ecc", "-c", "primary.ctx"]),
        );
        made.await?;
        self.tidied().await;
        Ok(())
    }

    async fn end(self) {
        self.tidied().await;
    }

    /// Without a resource manager objects stay in the TPM, which has room for three. Where there is one it removes them.
    async fn tidied(&self) {
        let place = self.environment.text("TPM2TOOLS_TCTI").unwrap_or_default();
        if RAW.iter().any(|raw| place.starts_with(raw)) && !place.contains("tpmrm") {
            let _ = self.run("tpm2_flushcontext", words_of(["-t"])).await;
        }
    }

    async fn run(&self, name: &'static str, words: Vec<OsString>) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        self.program(name, words)?.run().await.and_then(|said| judged(name, said))
    }

    fn program(&self, name: &'static str, mut arguments: Vec<OsString>) -> Result<Run<'static>, Trouble> {
        let program = program::find(name, None, self.environment)?;
        arguments.insert(0, "-Q".into());
        let environment = program::inherited(self.environment, ["PATH", "TPM2TOOLS_TCTI"]);
        let folder = Some(self.folder.path().to_owned());
        Ok(Run { name, program, arguments, environment, token: None, within: WITHIN, folder })
    }
}

/// What one of its programs said. They tell in words of their own why the TPM refused.
fn judged(name: &'static str, said: Said) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let at = || "the TPM".to_owned();
    let why = if said.complained(&["policy check failed"]) {
        "its registers are not as they were when the key was sealed"
    } else if said.complained(&["da implications", "hmac check failed"]) {
        "the value in the `auth` file is another one"
    } else if said.complained(&["lockout"]) {
        "it is locked because a wrong value was tried too often; it opens by itself after a while"
    } else if said.complained(&["integrity check"]) {
        "the key was sealed by another TPM, or the TPM was cleared since"
    } else if said.complained(&["could not load tcti", "tcti init", "failed to open", "could not connect"]) {
        return Err(Trouble::Unreachable { at: at(), what: "can't be reached".to_owned() });
    } else {
        return said.succeeded(name);
    };
    Err(Trouble::Refused { at: at(), why: why.to_owned() })
}

fn words_of<const N: usize>(words: [&str; N]) -> Vec<OsString> {
    words.into_iter().map(OsString::from).collect()
}

/// `-p file:PATH`.
fn authorised(path: &Path) -> [OsString; 2] {
    let mut place = OsString::from("file:");
    place.push(path);
    ["-p".into(), place]
}

/// A bank and numbers of registers.
fn is_selection(text: &str) -> bool {
    let Some((bank, numbers)) = text.split_once(':') else { return false };
    BANKS.contains(&bank) && numbers.split(',').all(|number| number.parse::<u8>().is_ok_and(|n| n < 24))
}

pub(super) const NAME: &str = "tpm2";
/// SHA-1 binds nothing any more.
const BANKS: [&str; 3] = ["sha256", "sha384", "sha512"];
/// Places where no resource manager is between.
const RAW: [&str; 3] = ["swtpm", "mssim", "device"];
/// A TPM may take seconds.
const WITHIN: Duration = Duration::from_secs(8);
