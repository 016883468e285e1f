//! `wincred`: the Credential Manager of Windows, by its own PowerShell; also from Linux under Windows.
//!
//! An entry is a generic credential `aws-vault:aws-vault:NAME` with the bare bytes. Windows keeps at most 2,560 of them, so
//! long values are in parts ([`crate::parts`]).
//!
//! A script is given to PowerShell as an argument; what it works on, secrets among it, is a line of standard input:
//!
//! ```text
//! read TARGET | write TARGET LABEL BLOB | erase TARGET | list PREFIX       (each in base 64)
//! ok [BASE64 ..] | none | error NUMBER
//! ```

use std::time::Duration;

use zeroize::Zeroizing;

use crate::parts::{About, Cells};
use crate::program::{Call, Program};
use crate::{Error, Kind, Settings};

/// The Credential Manager of the person who is signed in.
#[derive(Debug)]
pub(crate) struct Wincred {
    program: Program,
    prefix: String,
}

impl Wincred {
    /// Looks for PowerShell.
    pub(crate) fn open(settings: &Settings) -> Result<Self, Error> {
        let own = &settings.wincred;
        if own.program.is_none() && !cfg!(windows) {
            return Err(Error::unavailable(KIND, "it is a part of Windows"));
        }
        let program = Program::find(KIND, own.program.as_deref(), "powershell.exe", &settings.programs)?;
        Ok(Self { program, prefix: format!("{}:{}:", own.service, own.prefix) })
    }

    /// Asks the script for one thing; `None` where there is no such credential.
    fn ask(
        &self,
        verb: &str,
        words: &[&[u8]],
        what: &'static str,
    ) -> Result<Option<Vec<Zeroizing<Vec<u8>>>>, Error> {
        let length = words.iter().map(|word| word.len() * 2 + 8).sum::<usize>() + 16;
        let mut line = Zeroizing::new(String::with_capacity(length));
        line.push_str(verb);
        for word in words {
            line.push(' ');
            line.push_str(&Zeroizing::new(crypto::to_base64(word)));
        }
        line.push('\n');
        let utf16: Vec<u8> = SCRIPT.encode_utf16().flat_map(u16::to_le_bytes).collect();
        let script = crypto::to_base64(&utf16);
        let arguments = ["-NoLogo", "-NoProfile", "-NonInteractive", "-EncodedCommand", &script];
        let call = Call {
            arguments: arguments.map(Into::into).to_vec(),
            input: Some(line.as_bytes()),
            within: Some(LIMIT),
            ..Call::default()
        };
        let said = self.program.run(&call)?.succeeded(KIND, what)?;
        let unknown = || Error::refused(KIND, what, "its answer is not understood");
        let said = std::str::from_utf8(&said).map_err(|_| unknown())?;
        let mut words = said.split_ascii_whitespace();
        match words.next() {
            Some("ok") => {
                let decoded = words.map(|word| crypto::from_base64(word).map(Zeroizing::new));
                decoded.collect::<Result<_, _>>().map(Some).map_err(|_| unknown())
            }
            Some("none") => Ok(None),
            Some("error") => {
                let number = words.next().unwrap_or("without a number");
                Err(Error::refused(KIND, what, &format!("Windows says error {number}")))
            }
            _ => Err(unknown()),
        }
    }

    /// The bytes of a credential that another program keeps.
    pub(crate) fn credential(&self, target: &str) -> Result<memory::Secret, Error> {
        let found = self.ask("read", &[target.as_bytes()], "read a credential")?;
        let words = found.ok_or_else(|| Error::missing(KIND, target))?;
        let mut bytes = words.into_iter().next().unwrap_or_default();
        Ok(memory::Secret::new(std::mem::take(&mut *bytes))?)
    }

    fn target(&self, cell: &str) -> String {
        format!("{}{cell}", self.prefix)
    }
}

impl Cells for Wincred {
    fn kind(&self) -> Kind {
        KIND
    }

    fn most(&self) -> usize {
        MOST
    }

    fn read(&self, cell: &str) -> Result<Option<Zeroizing<Vec<u8>>>, Error> {
        let found = self.ask("read", &[self.target(cell).as_bytes()], "read an entry")?;
        // No word is a credential without bytes.
        Ok(found.map(|words| words.into_iter().next().unwrap_or_default()))
    }

    fn write(&self, cell: &str, bytes: &[u8], about: About<'_>) -> Result<(), Error> {
        let words = [self.target(cell).into_bytes(), about.label.as_bytes().to_vec()];
        let [target, label] = &words;
        self.ask("write", &[target, label, bytes], "store an entry").map(drop)
    }

    fn erase(&self, cell: &str) -> Result<(), Error> {
        let erased = self.ask("erase", &[self.target(cell).as_bytes()], "remove an entry")?;
        erased.map(drop).ok_or_else(|| Error::missing(KIND, cell))
    }

    fn list(&self) -> Result<Vec<String>, Error> {
        let found = self.ask("list", &[self.prefix.as_bytes()], "list its entries")?;
        let names = found.unwrap_or_default().into_iter().filter_map(|target| {
            let target = String::from_utf8(target.to_vec()).ok()?;
            target.strip_prefix(&self.prefix).map(str::to_owned)
        });
        Ok(names.collect())
    }
}

const KIND: Kind = Kind::Wincred;
/// `CRED_MAX_CREDENTIAL_BLOB_SIZE` (wincred.h).
const MOST: usize = 2560;
/// PowerShell takes a second to start on a slow machine.
const LIMIT: Duration = Duration::from_secs(60);
/// `CredReadW`, `CredWriteW`, `CredDeleteW` and `CredEnumerateW` of advapi32 (wincred.h).
const SCRIPT: &str = include_str!("wincred/credentials.ps1");
