//! Recipients of age as a key provider, by the program `age`: keys of age, of SSH, and of plugins (`age-plugin-…` in `PATH`),
//! such as those of hardware tokens.
//!
//! Everybody who knows a recipient can encrypt for it, and age authenticates nothing else, so the home stands within: see the
//! guide for what that means. Nobody is there to be asked while a home is unlocked: an identity with a passphrase, or a
//! plugin that wants to ask, is refused by `age`.

use std::ffi::OsStr;
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
use super::private;
use crate::source::program::{self, Run};
use crate::source::{Setup, Trouble};

/// Some recipients, one of whom is us.
struct Age {
    recipients: Vec<String>,
    identity: PathBuf,
    setup: Setup,
}

/// The recipients that were chosen: `age:RECIPIENT,RECIPIENT?identity=/PATH`.
pub(super) fn choose(
    choice: &KeyChoice,
    setup: &Setup,
    _typed: &mut Option<Secret>,
) -> Result<Box<dyn KeyProvider>, Wrong> {
    choice.options(&["identity"])?;
    let recipients: Vec<String> = choice
        .place("one recipient, or several with commas between")?
        .split(',')
        .map(str::to_owned)
        .collect();
    if !recipients.iter().all(|recipient| is_recipient(recipient)) {
        return Err(Wrong::new("a recipient is `age1…`, `ssh-ed25519 …` or `ssh-rsa …`"));
    }
    let identity = choice.option("identity");
    let identity =
        identity.ok_or_else(|| Wrong::new("the option `identity` names the file that opens it"))?;
    Ok(of(&recipients, &absolute(identity, "`identity`")?, setup))
}

/// These recipients, and the identity that opens.
pub(super) fn of(recipients: &[String], identity: &Path, setup: &Setup) -> Box<dyn KeyProvider> {
    Box::new(Kept(Age {
        recipients: recipients.to_vec(),
        identity: identity.to_owned(),
        setup: setup.clone(),
    }))
}

impl Age {
    async fn does(&self, words: &[&OsStr], fed: &Zeroizing<Vec<u8>>) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let program =
            program::find("age", self.setup.config.age.program.as_deref(), &self.setup.environment)?;
        let environment = program::inherited(&self.setup.environment, ["HOME", "PATH"]);
        let arguments = words.iter().map(|word| (*word).to_owned()).collect();
        let run =
            Run { name: "age", program, arguments, environment, token: None, within: WITHIN, folder: None };
        run.fed(fed.clone()).await?.succeeded("age")
    }
}

impl Keeps for Age {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, payload: &Payload, home: &HomeId) -> Result<Facts, Trouble> {
        let mut words = vec![OsStr::new("--encrypt")];
        for recipient in &self.recipients {
            words.extend([OsStr::new("--recipient"), OsStr::new(recipient)]);
        }
        let plain = Zeroizing::new(payload.as_bytes().to_vec());
        let sealed = ask(&self.setup, async |_| self.does(&words, &plain).await)?;
        let (recipients, identity) = (self.recipients.clone(), self.identity.clone());
        Ok(Facts::Age { home: *home, recipients, identity, wrapped: crypto::to_base64(&sealed) })
    }

    fn open(&self, facts: &Facts) -> Result<Zeroizing<Vec<u8>>, Trouble> {
        let Facts::Age { wrapped, .. } = facts else { return Err(Trouble::Wrong("they are no facts of it")) };
        private::check(&self.identity)?;
        let sealed =
            crypto::from_base64(wrapped).map_err(|_| Trouble::Wrong("what it sealed is not base 64"))?;
        let words = [OsStr::new("--decrypt"), OsStr::new("--identity"), self.identity.as_os_str()];
        ask(&self.setup, async |_| self.does(&words, &Zeroizing::new(sealed.clone())).await)
    }
}

fn is_recipient(text: &str) -> bool {
    let begins = ["age1", "ssh-ed25519 ", "ssh-rsa "].iter().any(|start| text.starts_with(start));
    begins && text.len() <= 1024 && text.bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic())
}

pub(super) const NAME: &str = "age";
/// Plugins ask devices.
const WITHIN: Duration = Duration::from_secs(9);
