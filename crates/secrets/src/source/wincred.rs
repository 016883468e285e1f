//! `wincred:TARGET`: a generic credential of Windows, its bytes as they are, or with `#utf16le` the text that they write in
//! UTF-16; `#raw` and `#utf8` say that they are to be left. Asked through `PowerShell`, also from Linux under Windows.

use async_trait::async_trait;
use model::SecretRef;
use zeroize::Zeroizing;

use super::config::Tool;
use super::{
    Environment, Fetched, Lender, SecretSource, Setup, Trouble, aged, desktop, guarded, of_scheme, pick,
};
use crate::Error;

/// The Credential Manager.
pub(super) struct Wincred {
    tool: Tool,
    environment: Environment,
}

impl Wincred {
    pub(super) fn new(setup: &Setup) -> Self {
        Self { tool: setup.config.wincred.clone(), environment: setup.environment.clone() }
    }
}

#[async_trait]
impl SecretSource for Wincred {
    fn scheme(&self) -> &'static str {
        SCHEME
    }

    async fn fetch(&self, reference: &SecretRef, _lender: &dyn Lender) -> Result<Fetched, Error> {
        let failed = |why| Error::source(reference, why);
        of_scheme(reference, SCHEME).map_err(failed)?;
        let wide = match reference.field() {
            None | Some("raw" | "utf8") => false,
            Some("utf16le") => true,
            Some(_) => return Err(failed(Trouble::Wrong("behind `#` stands `raw`, `utf8` or `utf16le`"))),
        };
        let (mut settings, target) = (desktop::settings(&self.environment), reference.path().to_owned());
        settings.wincred.program.clone_from(&self.tool.program);
        let more =
            self.tool.environment.iter().filter_map(|name| Some((name.into(), self.environment.raw(name)?)));
        settings.programs.environment.extend(more);
        let secret =
            desktop::asked(reference, move || ::keyring::windows_credential(&settings, &target)).await?;
        if !wide {
            return aged(reference, secret);
        }
        let text =
            narrow(&pick::plain(&secret)).ok_or_else(|| failed(Trouble::Wrong("it is no text in UTF-16")))?;
        aged(reference, guarded(text)?)
    }
}

/// A text in UTF-16, little end first, without the mark of its order and the NUL at its end.
fn narrow(bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (pairs, rest) = bytes.as_chunks::<2>();
    if !rest.is_empty() {
        return None;
    }
    let units =
        pairs.iter().map(|pair| u16::from_le_bytes(*pair)).filter(|unit| *unit != 0 && *unit != 0xfeff);
    let mut text = Zeroizing::new(Vec::with_capacity(bytes.len() * 2));
    for sign in char::decode_utf16(units) {
        text.extend_from_slice(sign.ok()?.encode_utf8(&mut [0; 4]).as_bytes());
    }
    Some(text)
}

pub(super) const SCHEME: &str = "wincred";

#[cfg(test)]
mod tests;
