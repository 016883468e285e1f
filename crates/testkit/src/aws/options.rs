//! How a fake of AWS behaves: what it answers, what it refuses, and which of its rules are off.
//!
//! Options come as a struct or as JSON, so that data files of cases can carry them. An unknown key is an error.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// What a fake does. The default is AWS as it is, for a user `alice` with one key.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Options {
    /// Rules that are switched off.
    pub lenient: Vec<Rule>,
    /// Calls that are refused, by name (`iam.DeleteAccessKey`).
    pub fail: BTreeMap<String, Fail>,
    /// Calls that are done, but whose answer waits until [`super::Fake::set`] takes them out of this list.
    pub hold: Vec<String>,
    /// Keys that the fake did not issue, by access key id.
    pub known: BTreeMap<String, Known>,
    /// The seconds that credentials of STS say they live, instead of those asked for.
    pub lifetime: Option<i64>,
    /// The longest role session in seconds (`MaxSessionDuration`).
    pub role_max: u64,
    /// The external id that every role's trust asks for; `None` where none does.
    pub external_id: Option<String>,
    /// The one code that MFA devices accept; `None` accepts any six digits once.
    pub mfa_code: Option<String>,
    /// Whom `GetCallerIdentity` names.
    pub caller_arn: String,
    /// Whom `GetUser` names.
    pub user_name: String,
    /// How many access keys the user has at the start; AWS lets a user have two.
    pub keys_at_start: u64,
    /// How many calls with a key fresh from `CreateAccessKey` are refused before it has spread.
    pub new_key_refusals: u64,
    /// What polls for a token say, in order: `pending`, `slow_down`, `expired`, `denied`, `ok`. After the last: `ok`.
    pub oidc_sequence: Vec<String>,
    /// The seconds between polls that the device flow names.
    pub oidc_interval: u64,
    /// The seconds that a token of OIDC says it lives.
    pub oidc_expires: i64,
    /// Whether tokens of OIDC come with a refresh token.
    pub oidc_refresh: bool,
    /// The statuses of `GetRoleCredentials`, in order. After the last: 200.
    pub sso_status_sequence: Vec<u16>,
    /// The seconds that credentials of the portal live.
    pub sso_lifetime: i64,
    /// The accounts that the portal lists, with their roles.
    pub sso_accounts: BTreeMap<String, Vec<String>>,
    /// The status of `getSigninToken`.
    pub signin_status: u16,
    /// The token of `getSigninToken`. The default holds what has to be escaped in a URL.
    pub signin_token: String,
}

/// A refusal that a test asks for.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fail {
    /// The code of the error document. Not needed where `lose` is set.
    #[serde(default)]
    pub code: String,
    /// The status of HTTP.
    #[serde(default = "forbidden")]
    pub status: u16,
    /// The message.
    #[serde(default = "no_reason")]
    pub message: String,
    /// How often; always where it is not said.
    #[serde(default)]
    pub times: Option<u64>,
    /// Not a refusal: the call is done, and the connection closes without an answer.
    #[serde(default)]
    pub lose: bool,
}

/// A key from elsewhere.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Known {
    /// The secret access key.
    pub secret: String,
    /// The session token; a long-lived key has none. With one, the key is that of a role.
    #[serde(default)]
    pub token: Option<String>,
}

/// What AWS refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Rule {
    /// A signature that is missing, wrong, of an unknown or a deleted key, or of a session without its token.
    Signature,
    /// Credentials that have ended.
    Expired,
    /// Parameters outside the limits of the API reference: durations, names, the form of a code.
    Limits,
    /// A code that the device does not show.
    Code,
    /// A code that was used before.
    CodeReuse,
    /// An MFA device shown by a caller who is a session already.
    MfaFromSession,
    /// More than an hour for a role that was assumed by a role.
    Chaining,
    /// `GetSessionToken` by a session.
    SessionFromSession,
    /// `GetFederationToken` by a session.
    FederationFromSession,
    /// IAM by a session of `GetSessionToken` without MFA.
    IamWithoutMfa,
    /// `GetUser` and the like without a user name, by somebody who is no user.
    UserFromRole,
    /// A third access key.
    TwoKeys,
    /// A token, client or device code that the portal or OIDC did not issue.
    Bearer,
    /// Sign-in to the console with credentials that cannot.
    Signin,
}

impl Options {
    /// Reads options from JSON, as data files have them. Fails the test on an unknown key or value.
    #[must_use]
    pub fn from_json(options: &Value) -> Self {
        Self::deserialize(options).unwrap_or_else(|error| panic!("the options of the fake of AWS: {error}"))
    }

    /// The same with the keys of this object replaced.
    #[must_use]
    pub(super) fn with(&self, change: &Value) -> Self {
        let mut all = serde_json::to_value(self).expect("the test kit works");
        if let (Some(all), Some(change)) = (all.as_object_mut(), change.as_object()) {
            all.extend(change.iter().map(|(key, value)| (key.clone(), value.clone())));
        }
        Self::from_json(&all)
    }

    /// Whether a rule holds.
    pub(super) fn demands(&self, rule: Rule) -> bool {
        !self.lenient.contains(&rule)
    }

    /// The refusal that is due for this call, counted.
    pub(super) fn due(&mut self, api: &str) -> Option<Fail> {
        let fail = self.fail.get_mut(api)?;
        match &mut fail.times {
            Some(0) => None,
            Some(times) => {
                *times -= 1;
                Some(fail.clone())
            }
            None => Some(fail.clone()),
        }
    }
}

impl Default for Options {
    fn default() -> Self {
        Self {
            lenient: Vec::new(),
            fail: BTreeMap::new(),
            hold: Vec::new(),
            known: BTreeMap::new(),
            lifetime: None,
            role_max: 43_200,
            external_id: None,
            mfa_code: None,
            caller_arn: "arn:aws:iam::111111111111:user/alice".to_owned(),
            user_name: "alice".to_owned(),
            keys_at_start: 1,
            new_key_refusals: 0,
            oidc_sequence: Vec::new(),
            oidc_interval: 1,
            oidc_expires: 28_800,
            oidc_refresh: false,
            sso_status_sequence: Vec::new(),
            sso_lifetime: 3_600,
            sso_accounts: BTreeMap::new(),
            signin_status: 200,
            signin_token: "tok+en/==".to_owned(),
        }
    }
}

fn forbidden() -> u16 {
    403
}

fn no_reason() -> String {
    "fake refusal".to_owned()
}
