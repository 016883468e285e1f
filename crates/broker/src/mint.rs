//! Credentials with an end, made from stored ones: what step 8 does for the integration `aws-credentials`.
//!
//! A door resolves the profile and says where keys are kept and how people are asked ([`Tools`]); here the long-lived key is
//! lent, for the permit and the receipt of the call, and what comes out is a lease. The stored key itself goes out in one
//! case only: the operation `session.disclose`.
//!
//! # Invariants
//!
//! - An entry of a keyring is read through [`secrets::Lending`] only, which wants both proofs.
//! - A kept session is given again only where everything that it was made for is the same.
//! - A new key is kept before the old one is deleted, at every point of a rotation, and no key is left that no note names.

pub mod afar;
mod cloud;
mod console;
mod fields;
mod key;
mod known;
mod mend;
mod needs;
mod reach;
mod refusal;
mod rotate;
mod seed;
mod session;
mod shelf;
mod sign_in;
mod sso;
mod steps;
mod token;
mod unfinished;

use std::sync::Arc;
use std::time::Duration;

use ::evidence::Receipt;
use ::secrets::{Kept, Lending, Own};
use aws::chain::{RoleCall, Want};
use aws::profile::Profile;
use aws::wire::Wire;
use bytes::Bytes;
use catalog::Integration;
use memory::Secret;
use model::{Code, Refusal, TenantName};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use store::Storage;
use tokio::sync::OnceCell;

use crate::inbound::{Answer, Asked};
use crate::path::admit::Admitted;
use crate::{Lease, Worker};
use known::Known;
use needs::{MEMBER, Stop};
use unfinished::Unfinished;

pub use self::cloud::{CloudWish, Place};
pub use needs::{Given, Left, Needs};
pub use reach::Reach;
pub use rotate::{OldKey, Progress, Stage};
pub use seed::Seeds;
pub use shelf::Shelf;
pub use sign_in::{Browser, SignIn, sign_in};

/// The integration whose operations are performed here.
pub const AWS: &str = "aws-credentials";

/// Every operation that is performed here.
pub const MINTED: [&str; 12] = [
    "console.open",
    "key.add",
    "key.list",
    "key.migrate",
    "key.remove",
    "key.rotate",
    "metadata.answer",
    "mfa.add",
    "mfa.remove",
    "session.clear",
    "session.disclose",
    "session.get",
];

/// The integration whose tokens are those of Google Cloud.
pub const GCP: &str = "gcp-credentials";

/// The integration whose tokens are those of Microsoft Entra.
pub const AZURE: &str = "azure-credentials";

/// Every operation of each of these two.
pub const MINTED_OF_CLOUDS: [&str; 3] = ["key.check", "metadata.answer", "token.get"];

/// What is wanted, and what it is done with.
pub struct Wish {
    /// What is wanted. It has to fit the operation.
    pub what: What,
    /// What it is done with.
    pub tools: Tools,
    /// What the door got because a call before this one lacked it.
    pub given: Arc<Given>,
}

/// What is wanted.
pub enum What {
    /// Credentials of a profile.
    Lease(OfProfile),
    /// A role, assumed with credentials that were lent before.
    Assume {
        /// The credentials.
        base: Arc<Lease>,
        /// The role.
        role: Box<RoleCall>,
    },
    /// The address of the console, signed in.
    Console(OfProfile, Console),
    /// The address of the console, signed in with credentials that the caller has; the profile says the region.
    ConsoleOf(Lease, Box<Profile>, Console),
    /// The token of a sign-in as the AWS CLI keeps it.
    Token {
        /// The start URL.
        start_url: String,
    },
    /// To record that a server gave a lease to somebody.
    Answered {
        /// What the evidence says about it.
        fields: Vec<(String, String)>,
    },
    /// To keep a key under the name of a profile.
    Add {
        /// The profile.
        profile: String,
        /// The key.
        key: Lease,
    },
    /// To forget the key of a profile and all its sessions.
    Remove {
        /// The profile.
        profile: String,
    },
    /// To forget sessions: of a profile with its sign-in, or all.
    Clear {
        /// The profile and the start URL of its sign-in; `None` is all.
        of: Option<(String, Option<String>)>,
    },
    /// To keep the seed of an MFA device.
    AddSeed {
        /// Its ARN or serial number.
        serial: String,
        /// The seed, in base 32 or as an `otpauth` address.
        seed: Secret,
    },
    /// To forget the seed of an MFA device.
    RemoveSeed {
        /// Its ARN or serial number.
        serial: String,
    },
    /// A token of another cloud.
    OfCloud(Box<CloudWish>),
    /// To know which entries there are.
    List,
    /// To replace the key of a profile.
    Rotate(OfProfile, OldKey, Arc<dyn Progress>),
    /// To copy a key to the other keyring.
    Migrate {
        /// The profile.
        profile: String,
        /// What is there is replaced.
        overwrite: bool,
        /// The copy stays alone.
        delete_source: bool,
    },
}

impl What {
    /// How much time a kept session has to have left.
    fn margin(&self) -> Duration {
        match self {
            Self::Lease(of) | Self::Console(of, _) | Self::Rotate(of, ..) => of.profile.cache_margin,
            _ => Duration::ZERO,
        }
    }
}

/// Whose credentials, and how.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfProfile {
    /// The profile, resolved.
    pub profile: Box<Profile>,
    /// What the caller allows.
    pub want: Want,
    /// No kept session is used.
    pub refresh: bool,
}

/// How the console is signed in to.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Console {
    /// The page behind the sign-in.
    pub path: Option<String>,
    /// Whoever is signed in already is signed out first.
    pub auto_logout: bool,
    /// What the address says who made it.
    pub issuer: String,
}

/// Where things are kept and how AWS is reached.
#[derive(Clone)]
pub struct Tools {
    /// Where long-lived keys are.
    pub keys: Shelf,
    /// Where sessions and tokens are; mostly the same place.
    pub sessions: Shelf,
    /// Where keys are copied to.
    pub other: Option<Shelf>,
    /// Whether stored seeds make codes.
    pub seeds: Seeds,
    /// How AWS is reached.
    pub wire: Arc<Wire>,
    /// What [`Self::wire`] was made from.
    pub reach: Reach,
    /// The words of aws-vault for what a keyring says; set where a command line of its kind is spoken.
    pub words: Option<Arc<Words>>,
}

impl Tools {
    /// The same with Doorward's own store opened, where it is one of the places.
    fn opened(mut self, open: impl FnOnce() -> Shelf) -> Self {
        let places = [Some(&mut self.keys), Some(&mut self.sessions), self.other.as_mut()];
        let mut own: Vec<&mut Shelf> = places.into_iter().flatten().filter(|shelf| shelf.is_own()).collect();
        if !own.is_empty() {
            // One for all of them: what is one place stays one.
            let opened = open();
            own.iter_mut().for_each(|shelf| **shelf = opened.clone());
        }
        self
    }
}

/// Another program's words for an error of a keyring.
pub type Words = dyn Fn(&keyring::Error) -> Option<String> + Send + Sync;

/// What came of it.
pub struct Minted {
    /// The credential, where one is given.
    pub lease: Option<Box<Lease>>,
    /// What is said about it.
    pub value: Value,
    /// What the evidence says about it.
    pub fields: Vec<(String, String)>,
}

/// Whether an integration mints what it gives.
pub(crate) fn mints(integration: &Integration) -> bool {
    integration.internal() && [AWS, AZURE, GCP].contains(&integration.name().as_str())
}

/// Performs one operation, for a permit and the receipt of its intent.
pub(crate) async fn run(
    worker: &Arc<Worker>,
    admitted: &mut Admitted,
    intent: &Receipt,
) -> Result<Minted, Refusal> {
    let wish = match &mut admitted.inbound.asked {
        Asked::Operate(operate) => operate.wish.take(),
        Asked::Forward(_) => None,
    };
    let Some(wish) = wish else {
        let message = "this operation needs a profile, and none came with it";
        return Err(Refusal::new(Code::BadRequest, message).hint("`doorward aws exec PROFILE -- COMMAND`"));
    };
    let call = admitted.permit.call();
    if call.integration().as_str() != AWS {
        return cloud::run(worker, admitted, intent, *wish).await;
    }
    let lending = Lending::to(&admitted.permit, intent)
        .map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
    let Wish { what, tools, given } = *wish;
    let (storage, tenant) = (Arc::clone(worker.broker().storage()), admitted.permit.tenant().clone());
    let keyring = worker.broker().unsealed()?.secrets().keyring();
    let keyring = keyring.map_err(|error| crate::broker::refused(&error, error.code(), error.hint()))?;
    let own = |kept| {
        let own = Own::new(Arc::clone(&storage), Arc::clone(&keyring), tenant.clone(), kept);
        Shelf::new(Box::new(own))
    };
    let mut minting = Minting {
        lending: Arc::new(lending),
        tools: tools.opened(|| own(Kept::Credentials)),
        given,
        unfinished: Unfinished::new(Arc::clone(&storage), tenant.clone()),
        known: Known::new(Arc::clone(&storage), tenant.clone()),
        margin: what.margin(),
        seeds: own(Kept::Seeds),
        seeded: OnceCell::new(),
        storage,
        tenant,
    };
    let done = perform(&minting, call.operation().as_str(), what).await;
    let mut seeded = minting.seeded.take();
    let left = &minting.given.left.seeded;
    // Whatever came of a call that broke off because AWS is waited for elsewhere: it will begin from the start.
    let done = if minting.tools.wire.goes_on() { Err(Stop::Needs(Needs::Answer)) } else { done };
    if minting.tools.wire.is_under_way()
        && let Some(made) = seeded.take()
    {
        // The request that was sent has it.
        let _ = left.set(made);
    }
    match done {
        Ok(mut minted) => {
            if let Some((serial, _)) = seeded.as_ref().or_else(|| left.get()) {
                minted.fields.push(("mfa_seed".to_owned(), serial.clone()));
            }
            Ok(minted)
        }
        Err(Stop::Refused(refusal)) => Err(refusal),
        Err(Stop::Needs(needs)) => {
            let fields = vec![("needs".to_owned(), needs.word().to_owned())];
            Ok(Minted { lease: None, value: serde_json::json!({ MEMBER: needs }), fields })
        }
    }
}

async fn perform(minting: &Minting, operation: &str, what: What) -> Result<Minted, Stop> {
    match (operation, what) {
        ("session.get", What::Lease(session)) => session::get(minting, &session).await,
        ("session.get", What::Assume { base, role }) => session::assume(minting, &base, &role).await,
        ("session.get", What::Token { start_url }) => sso::token_file(minting, &start_url).await,
        ("metadata.answer", What::Answered { fields }) => {
            Ok(Minted { lease: None, value: Value::Null, fields })
        }
        ("console.open", What::ConsoleOf(lease, profile, console)) => {
            console::open_with(minting, &profile, &console, lease).await
        }
        ("session.disclose", What::Lease(session)) => session::disclose(minting, &session).await,
        ("session.clear", What::Clear { of }) => key::clear(minting, of).await,
        ("console.open", What::Console(session, console)) => console::open(minting, &session, &console).await,
        ("key.list", What::List) => key::list(minting).await,
        ("key.add", What::Add { profile, key }) => key::add(minting, profile, key).await,
        ("key.remove", What::Remove { profile }) => key::remove(minting, &profile).await,
        ("key.rotate", What::Rotate(session, old, progress)) => {
            rotate::run(minting, &session, (old, progress)).await
        }
        ("mfa.add", What::AddSeed { serial, seed }) => seed::add(minting, serial, seed).await,
        ("mfa.remove", What::RemoveSeed { serial }) => seed::remove(minting, &serial).await,
        ("key.migrate", What::Migrate { profile, overwrite, delete_source }) => {
            key::migrate(minting, &profile, overwrite, delete_source).await
        }
        (other, _) => {
            let message = format!("`{AWS}/{other}` is not what is asked for with this");
            Err(Refusal::new(Code::BadRequest, message).into())
        }
    }
}

/// A lease as a door on this machine hands it out: JSON with the members `evidence`, `answer` and `lease`, the last one as
/// `credential_process` has it.
///
/// # Errors
/// When a secret in it is not text.
pub fn spoken(answer: &Answer, lease: &Lease) -> Result<Bytes, Refusal> {
    let said = serde_json::json!({ "evidence": answer.evidence, "answer": answer.value }).to_string();
    let unwritten = || Refusal::new(Code::SourceUnavailable, "the lease is not text, so it can't be written");
    let lease = lease.to_process_json().ok_or_else(unwritten)?;
    let open = said.strip_suffix('}').unwrap_or(&said);
    let mut text = Vec::with_capacity(open.len() + lease.len() + 16);
    for part in [open.as_bytes(), b",\"lease\":", lease.as_bytes(), b"}"] {
        text.extend_from_slice(part);
    }
    Ok(text.into())
}

/// One call on its way.
struct Minting {
    lending: Arc<Lending>,
    tools: Tools,
    given: Arc<Given>,
    unfinished: Unfinished,
    known: Known,
    /// A kept session with less than this left is not used.
    margin: Duration,
    /// Where seeds of MFA devices are: always our own store.
    seeds: Shelf,
    /// The code that a seed made for this call, and for which device.
    seeded: OnceCell<(String, aws::mfa::Code)>,
    storage: Arc<dyn Storage>,
    tenant: TenantName,
}
