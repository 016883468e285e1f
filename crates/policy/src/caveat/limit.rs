//! The caveats that are more than a list: rate, holder, approval, methods, values of inputs.

use std::collections::BTreeMap;
use std::fmt;
use std::num::NonZeroU32;
use std::sync::Arc;

use model::{Holder, Method, ParseError, RunId};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::list::List;
use super::pattern::Text;
use super::row;

/// So many calls in so many seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenRate", into = "WrittenRate")]
pub struct Rate {
    calls: NonZeroU32,
    seconds: NonZeroU32,
}

impl Rate {
    /// `calls` in `seconds`.
    #[must_use]
    pub const fn new(calls: NonZeroU32, seconds: NonZeroU32) -> Self {
        Self { calls, seconds }
    }

    /// How many calls.
    #[must_use]
    pub const fn calls(self) -> NonZeroU32 {
        self.calls
    }

    /// In how many seconds.
    #[must_use]
    pub const fn seconds(self) -> NonZeroU32 {
        self.seconds
    }

    /// Whether this one allows no more calls, neither at once nor in the long run.
    pub(crate) fn is_within(self, parent: Self) -> bool {
        let mine = u64::from(self.calls.get()) * u64::from(parent.seconds.get());
        let theirs = u64::from(parent.calls.get()) * u64::from(self.seconds.get());
        self.calls <= parent.calls && mine <= theirs
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} per {}s", self.calls, self.seconds)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRate {
    calls: NonZeroU32,
    per: String,
}

impl TryFrom<WrittenRate> for Rate {
    type Error = ParseError;

    fn try_from(written: WrittenRate) -> Result<Self, ParseError> {
        let duration = model::parse_duration(&written.per)?;
        let whole = duration.subsec_nanos() == 0;
        let seconds = u32::try_from(duration.as_secs()).ok().and_then(NonZeroU32::new).filter(|_| whole);
        let expected = "whole seconds, such as `60s` or `1h`";
        Ok(Self {
            calls: written.calls,
            seconds: seconds.ok_or_else(|| ParseError::new("rate", &written.per, expected))?,
        })
    }
}

impl From<Rate> for WrittenRate {
    fn from(rate: Rate) -> Self {
        Self { calls: rate.calls, per: format!("{}s", rate.seconds) }
    }
}

/// Which calls somebody approves first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Approval {
    /// Every call.
    All,
    /// Calls that write.
    Writes,
}

impl fmt::Display for Approval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::All => "of all calls",
            Self::Writes => "of writes",
        })
    }
}

/// Facts about the holder; all that are named must hold. A cgroup holds for all below it, by whole segments.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "WrittenHolder", into = "WrittenHolder")]
pub struct HolderIs {
    uid: Option<u32>,
    cgroup: Option<Arc<str>>,
    key: Option<[u8; 32]>,
    run: Option<RunId>,
}

impl HolderIs {
    /// A holder with this user id, cgroup and thumbprint of a key, where given.
    ///
    /// # Errors
    /// When nothing is given, or the cgroup is not a path below the root.
    pub fn new(uid: Option<u32>, cgroup: Option<&str>, key: Option<[u8; 32]>) -> Result<Self, ParseError> {
        let wrong =
            |text: &str| ParseError::new("holder", text, "a uid, a key, or a cgroup such as `/user.slice`");
        if uid.is_none() && cgroup.is_none() && key.is_none() {
            return Err(wrong(""));
        }
        match cgroup {
            Some(path) if !is_below_root(path) => Err(wrong(path)),
            _ => Ok(Self { uid, cgroup: cgroup.map(Into::into), key, run: None }),
        }
    }

    /// Whatever belongs to this run.
    #[must_use]
    pub const fn of_run(run: RunId) -> Self {
        Self { uid: None, cgroup: None, key: None, run: Some(run) }
    }

    /// The same, and belonging to this run.
    #[must_use]
    pub fn and_run(self, run: RunId) -> Self {
        Self { run: Some(run), ..self }
    }

    /// The run that it belongs to, where it is bound to one.
    #[must_use]
    pub const fn run(&self) -> Option<RunId> {
        self.run
    }

    pub(crate) fn parts(&self) -> HolderParts<'_> {
        let Self { uid, cgroup, key, run } = self;
        HolderParts { uid: *uid, cgroup: cgroup.as_deref(), key: key.as_ref(), run: *run }
    }

    /// Whether each fact that is named here is known, and the same.
    pub(crate) fn is(&self, holder: &Holder) -> bool {
        // What is not compared here may name a caller, and binds no capability.
        let Holder {
            uid,
            cgroup,
            key,
            run,
            gid: _,
            unit: _,
            container: _,
            service_account: _,
            exe: _,
            sight: _,
        } = holder;
        let same_run = self.run.is_none() || self.run == *run;
        let same_uid = self.uid.is_none() || self.uid == *uid;
        let same_key = self.key.is_none() || self.key == *key;
        let below = match (&self.cgroup, cgroup) {
            (None, _) => true,
            (Some(wanted), Some(path)) => is_at_or_below(path, wanted),
            (Some(_), None) => false,
        };
        same_uid && same_key && same_run && below
    }

    /// Whether no fact contradicts the parent's.
    pub(crate) fn is_within(&self, parent: &Self) -> bool {
        let uid = self.uid.is_none() || parent.uid.is_none() || self.uid == parent.uid;
        let key = self.key.is_none() || parent.key.is_none() || self.key == parent.key;
        let cgroup = match (&self.cgroup, &parent.cgroup) {
            (Some(mine), Some(theirs)) => is_at_or_below(mine, theirs),
            _ => true,
        };
        let run = self.run.is_none() || parent.run.is_none() || self.run == parent.run;
        uid && key && cgroup && run
    }
}

/// What a holder is made of.
pub(crate) struct HolderParts<'a> {
    pub(crate) uid: Option<u32>,
    pub(crate) cgroup: Option<&'a str>,
    pub(crate) key: Option<&'a [u8; 32]>,
    pub(crate) run: Option<RunId>,
}

/// A path with a segment that is `.` or `..` is not below anything.
fn is_at_or_below(path: &str, wanted: &str) -> bool {
    is_below_root(path)
        && path.strip_prefix(wanted).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn is_below_root(path: &str) -> bool {
    path.len() <= 1024
        && path.strip_prefix('/').is_some_and(|rest| {
            rest.split('/').all(|segment| !segment.is_empty() && segment != "." && segment != "..")
        })
        && !path.chars().any(char::is_control)
}

impl fmt::Display for HolderIs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let uid = self.uid.map(|uid| format!("uid {uid}"));
        let cgroup = self.cgroup.as_ref().map(|path| format!("cgroup {path}"));
        let key = self.key.as_ref().map(|key| format!("key {}", crypto::to_hex(key)));
        let run = self.run.map(|run| format!("run {run}"));
        let parts: Vec<String> = [uid, cgroup, key, run].into_iter().flatten().collect();
        row(f, parts.iter())
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHolder {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    uid: Option<u32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cgroup: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    run: Option<RunId>,
}

impl TryFrom<WrittenHolder> for HolderIs {
    type Error = ParseError;

    fn try_from(written: WrittenHolder) -> Result<Self, ParseError> {
        let thumbprint = |text: &String| {
            let bytes = crypto::from_hex(text).ok().and_then(|bytes| bytes.try_into().ok());
            bytes.ok_or_else(|| ParseError::new("thumbprint", text, "64 hex digits in lower case"))
        };
        let key = written.key.as_ref().map(thumbprint).transpose()?;
        match written.run {
            Some(run) if written.uid.is_none() && written.cgroup.is_none() && key.is_none() => {
                Ok(Self::of_run(run))
            }
            run => {
                let holder = Self::new(written.uid, written.cgroup.as_deref(), key)?;
                Ok(Self { run, ..holder })
            }
        }
    }
}

impl From<HolderIs> for WrittenHolder {
    fn from(holder: HolderIs) -> Self {
        Self {
            uid: holder.uid,
            cgroup: holder.cgroup.map(|path| path.to_string()),
            key: holder.key.map(|key| crypto::to_hex(&key)),
            run: holder.run,
        }
    }
}

/// Methods of HTTP, as a list that can be written down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods(pub List<Method>);

impl Methods {
    /// The methods.
    pub fn iter(&self) -> std::slice::Iter<'_, Method> {
        self.0.iter()
    }
}

impl Serialize for Methods {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.iter().map(|method| method.as_str()))
    }
}

impl<'de> Deserialize<'de> for Methods {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let written = Vec::<String>::deserialize(deserializer)?;
        let methods = written.iter().map(|name| name.parse()).collect::<Result<Vec<Method>, _>>();
        methods.and_then(List::new).map(Self).map_err(serde::de::Error::custom)
    }
}

/// The values that inputs may have; an input that is named here must be given.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Inputs(Arc<BTreeMap<Text, List<Text>>>);

impl Inputs {
    /// The values by name of input.
    ///
    /// # Errors
    /// When no input is named, or more than [`List::LONGEST`].
    pub fn new(allowed: BTreeMap<Text, List<Text>>) -> Result<Self, ParseError> {
        if allowed.is_empty() || allowed.len() > List::<Text>::LONGEST {
            let count = format!("{} inputs", allowed.len());
            return Err(ParseError::new("list", &count, "1 to 64 entries"));
        }
        Ok(Self(Arc::new(allowed)))
    }

    /// The names with their values, ascending.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&Text, &List<Text>)> {
        self.0.iter()
    }

    pub(crate) fn values(&self, name: &Text) -> Option<&List<Text>> {
        self.0.get(name)
    }
}

impl<'de> Deserialize<'de> for Inputs {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::new(BTreeMap::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl fmt::Display for Inputs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, (name, values)) in self.iter().enumerate() {
            write!(f, "{}{name}=", if at == 0 { "" } else { "; " })?;
            row(f, values.iter())?;
        }
        Ok(())
    }
}
