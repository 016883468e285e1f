//! The rules by which a plan is made.

use std::time::Duration;

use crypto::Digest;

use crate::profile::{Profile, WebIdentity};
use crate::session::{Key, Kind};

use super::fingerprint::Print;
use super::{At, Base, Below, Caching, Error, Gives, Mfa, Note, Plan, Purpose, RoleCall, Step, Want};

/// Plans the way to the credentials of a profile. `stored` says whether keys are stored under a name; it is asked only for
/// the profile and those of its sources that are needed.
///
/// # Errors
/// When nothing says where credentials come from, or settings that are needed are missing.
pub fn plan(profile: &Profile, stored: &dyn Fn(&str) -> bool, want: &Want) -> Result<Plan, Error> {
    let (line, origin) = line(profile, stored)?;
    let mut planner = Planner { want, line, notes: Vec::new(), steps: Vec::new() };
    planner.run(origin)
}

/// The profile whose stored keys a rotation replaces: the profile itself, or the first of its sources with stored keys.
///
/// # Errors
/// When there is none.
pub fn master<'p>(profile: &'p Profile, stored: &dyn Fn(&str) -> bool) -> Result<&'p Profile, Error> {
    let found = profile.line().find(|one| stored(&one.name));
    found.ok_or_else(|| Error::NoMaster { profile: profile.name.clone() })
}

/// What a chain begins with.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Origin {
    Keys,
    Sso,
    WebIdentity,
    Process,
    Machine,
}

/// The profiles that take part, the named one first, and what the last one begins with. In each profile stored keys come
/// first, then its source, SSO, web identity, and a program.
fn line<'p>(
    profile: &'p Profile,
    stored: &dyn Fn(&str) -> bool,
) -> Result<(Vec<&'p Profile>, Origin), Error> {
    let mut line = Vec::new();
    for one in profile.line() {
        line.push(one);
        let origin = if stored(&one.name) {
            Origin::Keys
        } else if one.source.is_some() {
            continue;
        } else if one.credential_source.is_some() {
            Origin::Machine
        } else if one.sso.is_some() {
            Origin::Sso
        } else if one.web_identity.is_some() {
            Origin::WebIdentity
        } else if one.credential_process.is_some() {
            Origin::Process
        } else {
            return Err(Error::NoCredentials { profile: one.name.clone() });
        };
        return Ok((line, origin));
    }
    Err(Error::NoCredentials { profile: profile.name.clone() })
}

struct Planner<'p> {
    want: &'p Want,
    /// From the named profile to the one with the base; never empty.
    line: Vec<&'p Profile>,
    notes: Vec<Note>,
    steps: Vec<Step>,
}

/// Credentials on their way: who they are, and the fingerprint of how they came about.
struct Held {
    below: Below,
    fingerprint: Digest,
}

impl Planner<'_> {
    fn run(&mut self, origin: Origin) -> Result<Plan, Error> {
        let Some((last, above)) = self.line.clone().split_last().map(|(last, above)| (*last, above.to_vec()))
        else {
            return Err(Error::NoCredentials { profile: String::new() });
        };
        let (base, mut held) = self.base(last, origin)?;
        if origin == Origin::Keys {
            let shared = self.shares_session(last, above.last().copied());
            if !shared && self.would_give_keys() {
                self.notes.push(Note::KeysKept { profile: last.name.clone() });
            }
            if shared || self.would_give_keys() {
                held = self.session_token(last, &held);
            }
        }
        if matches!(origin, Origin::Keys | Origin::Machine) && last.role.is_some() {
            held = self.assume(last, &held);
        }
        for profile in above.iter().rev().filter(|profile| profile.role.is_some()) {
            held = self.assume(profile, &held);
        }
        self.see_to_policy(&base)?;
        let gives = match held.below {
            Below::Keys | Below::TemporaryKeys => Gives::StoredKeys,
            Below::Session
            | Below::Role
            | Below::Sso
            | Below::WebIdentity
            | Below::Process
            | Below::Machine => Gives::Lease,
        };
        let (steps, notes) = (std::mem::take(&mut self.steps), std::mem::take(&mut self.notes));
        Ok(Plan { base, steps, notes, gives })
    }

    /// What the chain begins with.
    fn base(&mut self, profile: &Profile, origin: Origin) -> Result<(Base, Held), Error> {
        let missing = || Error::NoCredentials { profile: profile.name.clone() };
        let (name, at) = (profile.name.clone(), At::of(profile));
        if profile.role.is_some() && matches!(origin, Origin::Sso | Origin::Process) {
            self.notes.push(Note::RoleIgnored { profile: name.clone() });
        }
        Ok(match origin {
            Origin::Keys => {
                let below = if self.want.temporary_keys { Below::TemporaryKeys } else { Below::Keys };
                let fingerprint = Print::of("keys").text(&name).finish();
                (Base::Keys { profile: name }, Held { below, fingerprint })
            }
            Origin::Sso => {
                let sso = profile.sso.clone().ok_or_else(missing)?;
                for (key, value) in [
                    ("sso_region", &sso.region),
                    ("sso_account_id", &sso.account_id),
                    ("sso_role_name", &sso.role_name),
                ] {
                    if value.is_none() {
                        return Err(Error::Sso { profile: name, key });
                    }
                }
                let fingerprint = Print::of(Kind::SsoRole.as_str()).sso(&sso, &at).finish();
                let key = self.key(Kind::SsoRole, &name, &sso.start_url, fingerprint);
                (
                    Base::Sso { profile: name, sso: Box::new(sso), at, key },
                    Held { below: Below::Sso, fingerprint },
                )
            }
            Origin::WebIdentity => {
                let token = profile.web_identity.clone().ok_or_else(missing)?;
                self.web_identity(profile, token)?
            }
            Origin::Machine => {
                let source = profile.credential_source.clone().ok_or_else(missing)?;
                if profile.role.is_none() {
                    return Err(Error::NoRole { profile: name });
                }
                let fingerprint = Print::of("machine").machine(&source).finish();
                (Base::Machine { profile: name, source }, Held { below: Below::Machine, fingerprint })
            }
            Origin::Process => {
                let command = profile.credential_process.clone().ok_or_else(missing)?;
                let fingerprint = Print::of(Kind::Process.as_str()).text(&command).finish();
                let key = self.key(Kind::Process, &name, "", fingerprint);
                (Base::Process { profile: name, command, key }, Held { below: Below::Process, fingerprint })
            }
        })
    }

    fn web_identity(&self, profile: &Profile, token: WebIdentity) -> Result<(Base, Held), Error> {
        let role =
            role_call(profile, None).ok_or_else(|| Error::WebIdentity { profile: profile.name.clone() })?;
        let fingerprint = Print::of(Kind::WebIdentity.as_str()).role(&role).token(&token).finish();
        let key = self.key(Kind::WebIdentity, &profile.name, "", fingerprint);
        Ok((Base::WebIdentity { role, token, key }, Held { below: Below::WebIdentity, fingerprint }))
    }

    /// Whether aws-vault calls `GetSessionToken` with the stored keys of `owner`, which feeds `consumer`.
    fn shares_session(&self, owner: &Profile, consumer: Option<&Profile>) -> bool {
        let mut roles = self.line.iter().filter(|profile| profile.role.is_some());
        let (first, second) = (roles.next(), roles.next());
        let login = self.want.purpose == Purpose::Login;
        if self.want.no_session
            || self.want.temporary_keys
            || login && (consumer.is_none() || first.is_none())
        {
            return false;
        }
        // A single role may live longer than AWS allows with a session: it is assumed with the keys.
        let long = second.is_none() && first.is_some_and(|only| only.durations.role > MOST_CHAINED);
        let feeds_a_role = consumer.is_some_and(|consumer| consumer.role.is_some());
        let same_device = consumer
            .is_none_or(|consumer| owner.mfa_serial.is_some() && consumer.mfa_serial == owner.mfa_serial);
        (owner.role.is_none() || feeds_a_role) && !long && same_device
    }

    /// Whether a program would get the stored keys themselves, without having asked for them. aws-vault gives them where
    /// a profile without a role has a source with another MFA device or none.
    fn would_give_keys(&self) -> bool {
        let asked = self.want.no_session || self.want.temporary_keys || self.want.purpose != Purpose::Exec;
        !asked && self.line.iter().all(|profile| profile.role.is_none())
    }

    fn session_token(&mut self, owner: &Profile, held: &Held) -> Held {
        let target = self.line.len() == 1;
        let durations = owner.durations;
        let duration = if target { durations.session } else { durations.chained_session };
        let (mfa, at) = (device(owner, &self.line), At::of(owner));
        // The length of a session that only assumes roles shows nowhere, and a longer one serves who did not choose.
        let chosen = Some(duration).filter(|_| target && durations.session_chosen);
        let print = Print::of(Kind::SessionToken.as_str()).bytes(&held.fingerprint).sts(&at);
        let fingerprint = print.mfa(mfa.as_ref()).length(chosen).finish();
        let serial = mfa.as_ref().map_or("", |mfa| &mfa.serial).to_owned();
        let key = self.key(Kind::SessionToken, &owner.name, &serial, fingerprint);
        self.steps.push(Step::SessionToken { profile: owner.name.clone(), duration, mfa, at, key });
        Held { below: Below::Session, fingerprint }
    }

    fn assume(&mut self, profile: &Profile, held: &Held) -> Held {
        let cap = held.below.caps().then_some(MOST_CHAINED);
        let Some(role) = role_call(profile, cap) else {
            return Held { below: held.below, fingerprint: held.fingerprint };
        };
        if role.duration < role.wanted {
            self.notes.push(Note::Capped {
                profile: profile.name.clone(),
                wanted: role.wanted,
                got: role.duration,
                below: held.below,
            });
        }
        let mfa = self.code_for(profile, held.below);
        let print = Print::of(Kind::AssumeRole.as_str()).bytes(&held.fingerprint);
        let fingerprint = print.role(&role).mfa(mfa.as_ref()).finish();
        let serial = mfa.as_ref().map_or("", |mfa| &mfa.serial).to_owned();
        let cached = self.want.caching == Caching::Every || mfa.is_some();
        let key = self.key(Kind::AssumeRole, &profile.name, &serial, fingerprint).filter(|_| cached);
        self.steps.push(Step::AssumeRole { role, mfa, key });
        Held { below: Below::Role, fingerprint }
    }

    /// The device whose code goes with the role of a profile: its own, unless its code went with an earlier call, or no
    /// user signs.
    fn code_for(&mut self, profile: &Profile, below: Below) -> Option<Mfa> {
        let mfa = device(profile, &self.line)?;
        if self.steps.iter().filter_map(Step::mfa).any(|earlier| earlier.serial == mfa.serial) {
            return None;
        }
        if !below.may_send_mfa() {
            self.notes.push(Note::NoMfa { profile: profile.name.clone(), below });
            return None;
        }
        Some(mfa)
    }

    /// A policy that no call takes would leave more rights than asked for. The federation token of a login takes it.
    fn see_to_policy(&self, base: &Base) -> Result<(), Error> {
        let Some(target) = self.line.first() else { return Ok(()) };
        let narrowed = target.policy.is_some() || !target.policy_arns.is_empty();
        let last_is_target = match (self.steps.last(), base) {
            (Some(Step::AssumeRole { role, .. }), _) | (None, Base::WebIdentity { role, .. }) => {
                role.profile == target.name
            }
            (None, Base::Keys { .. }) => self.want.purpose == Purpose::Login,
            _ => false,
        };
        if narrowed && !last_is_target { Err(Error::Policy { profile: target.name.clone() }) } else { Ok(()) }
    }

    fn key(&self, kind: Kind, profile: &str, mfa: &str, fingerprint: Digest) -> Option<Key> {
        let key = || Key { kind, profile: profile.to_owned(), mfa: mfa.to_owned(), fingerprint };
        (self.want.purpose != Purpose::Rotate).then(key)
    }
}

fn role_call(profile: &Profile, cap: Option<Duration>) -> Option<Box<RoleCall>> {
    let wanted = profile.durations.role;
    Some(Box::new(RoleCall {
        profile: profile.name.clone(),
        role: profile.role.clone()?,
        policy: profile.policy.clone(),
        policy_arns: profile.policy_arns.clone(),
        duration: cap.map_or(wanted, |cap| wanted.min(cap)),
        wanted,
        at: At::of(profile),
    }))
}

/// The device of a profile, and the program that prints its codes: the profile's own, or one that another profile of the
/// line names for the same device.
fn device(profile: &Profile, line: &[&Profile]) -> Option<Mfa> {
    let serial = profile.mfa_serial.clone()?;
    let others = line.iter().filter(|other| other.mfa_serial.as_ref() == Some(&serial));
    let process =
        profile.mfa_process.as_ref().or_else(|| others.filter_map(|other| other.mfa_process.as_ref()).next());
    Some(Mfa { process: process.cloned(), serial })
}

/// The longest that AWS lets a role live that another session assumes ("role chaining", IAM user guide, "Roles terms and
/// concepts").
const MOST_CHAINED: Duration = Duration::from_hours(1);
