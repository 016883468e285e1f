//! The kinds of keyrings and their names.

use std::fmt;
use std::str::FromStr;

/// A kind of keyring. [`Kind::ALL`] has them in the order in which [`crate::first_usable`] tries them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// Doorward's own store. It is made elsewhere and only has its name here.
    Doorward,
    /// Windows Credential Manager.
    Wincred,
    /// Windows Credential Manager behind Windows Hello. Refused, see [`crate::open`].
    Winhello,
    /// A keychain of macOS.
    Keychain,
    /// The Secret Service of a Linux desktop (GNOME Keyring, KeePassXC and others).
    SecretService,
    /// KDE's wallet.
    Kwallet,
    /// The key service of the Linux kernel. Forgets everything when the machine restarts.
    Keyctl,
    /// The program `pass`: files encrypted with GnuPG.
    Pass,
    /// The program `passage`: files encrypted with age.
    Passage,
    /// Files that a passphrase encrypts.
    File,
    /// A 1Password Connect server.
    OpConnect,
    /// 1Password with the token of a service account, through the program `op`.
    Op,
    /// 1Password with the desktop application, through the program `op`.
    OpDesktop,
    /// Proton Pass, through the program `pass-cli`.
    ProtonPass,
}

impl Kind {
    /// All kinds, in the order in which the first usable one is looked for.
    pub const ALL: [Self; 14] = [
        Self::Doorward,
        Self::Wincred,
        Self::Winhello,
        Self::Keychain,
        Self::SecretService,
        Self::Kwallet,
        Self::Keyctl,
        Self::Pass,
        Self::Passage,
        Self::File,
        Self::OpConnect,
        Self::Op,
        Self::OpDesktop,
        Self::ProtonPass,
    ];

    /// The name that people type, such as `secret-service`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Doorward => "doorward",
            Self::Wincred => "wincred",
            Self::Winhello => "winhello",
            Self::Keychain => "keychain",
            Self::SecretService => "secret-service",
            Self::Kwallet => "kwallet",
            Self::Keyctl => "keyctl",
            Self::Pass => "pass",
            Self::Passage => "passage",
            Self::File => "file",
            Self::OpConnect => "op-connect",
            Self::Op => "op",
            Self::OpDesktop => "op-desktop",
            Self::ProtonPass => "proton-pass",
        }
    }

    /// Other names of the same kind.
    #[must_use]
    pub const fn aliases(self) -> &'static [&'static str] {
        match self {
            Self::Op => &["op-service-account"],
            _ => &[],
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was typed names no kind of keyring.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no kind of keyring")]
pub struct UnknownKind(pub String);

impl UnknownKind {
    /// What to type instead.
    #[must_use]
    pub fn hint(&self) -> String {
        let names: Vec<&str> = Kind::ALL.into_iter().map(Kind::name).collect();
        format!("one of {}", names.join(", "))
    }
}

impl FromStr for Kind {
    type Err = UnknownKind;

    fn from_str(text: &str) -> Result<Self, UnknownKind> {
        Self::ALL
            .into_iter()
            .find(|kind| kind.name() == text || kind.aliases().contains(&text))
            .ok_or_else(|| UnknownKind(text.to_owned()))
    }
}

#[cfg(test)]
mod tests;
