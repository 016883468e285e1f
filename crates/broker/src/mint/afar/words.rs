//! What program and broker say to each other. A secret is never in here: it is enclosed, and what is here says that it is.

use std::path::PathBuf;

use aws::chain::RoleCall;
use aws::profile::Profile;
use keyring::Fault;
use model::{Code, EvidenceId, Inputs, Refusal, Retry, Timestamp};
use serde::{Deserialize, Serialize};

use super::letter::Malformed;
use crate::mint::{Console, OfProfile, OldKey, Seeds};

/// The first message of a program: what it wants of this connection.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Opening {
    /// One call.
    Call(Box<Calling>),
    /// To record answers of a metadata server, one after the other.
    Answers,
}

/// A call.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Calling {
    pub(super) integration: String,
    pub(super) operation: String,
    pub(super) inputs: Inputs,
    pub(super) what: Wanted,
    pub(super) tools: Tooled,
    pub(super) given: Handed,
}

/// [`What`](crate::mint::What), with every lease enclosed.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Wanted {
    Lease(OfProfile),
    Assume {
        base: Leased,
        role: Box<RoleCall>,
    },
    Console(OfProfile, Console),
    ConsoleOf(Leased, Box<Profile>, Console),
    Token {
        start_url: String,
    },
    Add {
        profile: String,
        key: Leased,
    },
    Remove {
        profile: String,
    },
    Clear {
        of: Option<(String, Option<String>)>,
    },
    /// The seed is enclosed.
    AddSeed {
        serial: String,
    },
    RemoveSeed {
        serial: String,
    },
    List,
    Rotate(OfProfile, OldKey),
    Migrate {
        profile: String,
        overwrite: bool,
        delete_source: bool,
    },
}

/// A lease; its secret key is enclosed, and its session token where there is one.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Leased {
    pub(super) access_key_id: String,
    pub(super) session_token: bool,
    pub(super) expiration: Option<Timestamp>,
}

/// What the program has: keyrings, by their kinds, and its way to AWS. Addresses of proxies are enclosed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Tooled {
    pub(super) keys: String,
    /// What tells it from others of its kind.
    pub(super) keys_at: String,
    /// `None`: the same place.
    pub(super) sessions: Option<String>,
    pub(super) other: Option<String>,
    pub(super) other_at: String,
    pub(super) seeds: Seeds,
    pub(super) https: bool,
    pub(super) http: bool,
    pub(super) except: Option<String>,
    pub(super) bundle: Option<PathBuf>,
    pub(super) compatible: bool,
}

/// [`Given`](crate::mint::Given), with everything enclosed.
#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Handed {
    /// The serial numbers of the devices whose codes are enclosed.
    pub(super) codes: Vec<String>,
    pub(super) credentials: Option<Leased>,
    pub(super) token: bool,
    pub(super) signed_in: Option<SignedIn>,
}

/// A sign-in; access token, refresh token and the secret of the registration are enclosed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SignedIn {
    pub(super) expires: Timestamp,
    pub(super) refresh: bool,
    pub(super) client_id: String,
    pub(super) registration_expires: Timestamp,
}

/// One of the keyrings of a program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Which {
    Keys,
    Sessions,
    Other,
}

/// What the broker says while a call goes on, and at its end.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Said {
    /// A keyring has to do something; the program answers with [`Kept`].
    Ask(Which, Deed),
    /// How far a rotation is.
    Stage(Staged),
    /// The answer. Where there is a lease its secrets are enclosed.
    Answer { evidence: EvidenceId, value: serde_json::Value, lease: Option<Leased> },
    /// There is none.
    Refused(Refused),
}

/// What a keyring has to do.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Deed {
    Names,
    Get {
        name: String,
    },
    /// The bytes are enclosed.
    Set(Entry),
    Remove {
        name: String,
    },
}

/// An entry of a keyring; its bytes are enclosed.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) label: String,
    pub(super) description: String,
    /// Whether a keychain gives it to this program without asking.
    pub(super) trusted: bool,
}

/// What a keyring did.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Kept {
    Names(Vec<String>),
    /// The bytes are enclosed.
    Entry(Entry),
    Done,
    Failed {
        fault: Fault,
        message: String,
        hint: Option<String>,
    },
}

/// [`Stage`](crate::mint::Stage) that owns its words.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub(super) enum Staged {
    Begun { master: String, session: bool },
    Mending(String),
    Left(String),
    Creating,
    Created(String),
    Forgotten(usize, String),
    Deactivated(String),
    Deleting(String),
    Deleted(String),
    Finished,
}

/// [`Refusal`].
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Refused {
    code: String,
    message: String,
    hint: Option<String>,
    retry: Retry,
    evidence: Option<EvidenceId>,
}

/// An answer of a metadata server, to be recorded. Messages of one connection have numbers of their own.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Answered {
    pub(super) number: u64,
    pub(super) integration: String,
    pub(super) inputs: Inputs,
    pub(super) fields: Vec<(String, String)>,
}

/// What came of the record of an answer.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Recorded {
    pub(super) number: u64,
    pub(super) result: Result<EvidenceId, Refused>,
}

impl From<&Refusal> for Refused {
    fn from(refusal: &Refusal) -> Self {
        let Refusal { code, retry, message, hint, evidence, reason: _, quota: _ } = refusal;
        Self {
            code: code.as_str().to_owned(),
            message: message.clone(),
            hint: hint.clone(),
            retry: *retry,
            evidence: *evidence,
        }
    }
}

impl TryFrom<Refused> for Refusal {
    type Error = Malformed;

    fn try_from(refused: Refused) -> Result<Self, Malformed> {
        let Refused { code, message, hint, retry, evidence } = refused;
        let code = Code::from_word(&code)
            .ok_or_else(|| Malformed::Form(format!("`{code}` is no code of a refusal")))?;
        Ok(Self { code, retry, message, hint, evidence, reason: None, quota: None })
    }
}
