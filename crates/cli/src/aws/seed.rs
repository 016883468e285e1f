//! Seeds of MFA devices: typed or piped in, kept in Doorward's own store, and never shown again.

use std::io::{IsTerminal, Read};
use std::process::ExitCode;

use broker::mint::What;
use memory::Secret;
use zeroize::Zeroizing;

use super::desk::{self, Desk};
use super::keys::guarded;
use super::speech::{self, Wrong};
use crate::compat::aws_vault::command::Wanted;
use crate::failure::Failure;
use crate::typed;

/// Stores the seed of the device of a profile.
pub(super) fn add(desk: &Desk, name: &str) -> Result<ExitCode, Wrong> {
    let serial = serial(desk, name)?;
    let seed = asked(&serial)?;
    let mut inputs = desk::input(name);
    inputs.insert("serial".to_owned(), serial.clone());
    desk.ask("mfa.add", inputs, What::AddSeed { serial: serial.clone(), seed }, desk.tools(None)?)?;
    speech::say(
        "warning: key and device are in one place now: whoever can use this home needs no second factor",
    );
    let said = format!("Stored the seed of `{serial}`; its codes are made here from now on.\n");
    speech::told(&said, || serde_json::json!({ "profile": name, "mfa_serial": serial, "seed": "stored" }))
}

/// Forgets it.
pub(super) fn remove(desk: &Desk, name: &str, force: bool) -> Result<ExitCode, Wrong> {
    let serial = serial(desk, name)?;
    if !force && !super::keys::confirmed(&format!("Forget the seed of \"{serial}\"? (y|N) "))? {
        return Ok(ExitCode::SUCCESS);
    }
    let mut inputs = desk::input(name);
    inputs.insert("serial".to_owned(), serial.clone());
    desk.ask("mfa.remove", inputs, What::RemoveSeed { serial: serial.clone() }, desk.tools(None)?)?;
    let said = format!("Forgot the seed of `{serial}`.\n");
    speech::told(&said, || serde_json::json!({ "profile": name, "mfa_serial": serial, "seed": "removed" }))
}

fn serial(desk: &Desk, name: &str) -> Result<String, Wrong> {
    let profile = desk.known_profile(name, &Wanted::default())?;
    profile.mfa_serial.ok_or_else(|| {
        Wrong::new(format!("profile `{name}` names no MFA device"))
            .hint(format!("`doorward aws configure {name} mfa_serial=ARN`"))
    })
}

/// Asks without showing what is typed; without a terminal, stdin holds the seed.
fn asked(serial: &str) -> Result<Secret, Wrong> {
    let failed = |error: std::io::Error| Wrong(Failure::doing("could not read the seed", &error));
    if std::io::stdin().is_terminal() {
        let prompt = format!("Enter the secret key of {serial}");
        let mut typed = typed::asking(|| typed::unseen(&prompt)).map_err(failed)?;
        return guarded(std::mem::take(&mut *typed));
    }
    let mut text = Zeroizing::new(String::with_capacity(MOST));
    let most = u64::try_from(MOST).unwrap_or(u64::MAX);
    std::io::stdin().lock().take(most).read_to_string(&mut text).map_err(failed)?;
    if text.trim().is_empty() {
        return Err(Wrong::new("stdin holds no seed").hint("type it on a terminal, or pipe it in"));
    }
    guarded(std::mem::take(&mut *text))
}

const MOST: usize = 4096;
