//! What the evidence says about a lease: never the secret, always whose and until when.

use crate::Lease;

/// Where a lease came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// AWS or a program made it now.
    Made,
    /// It was made before.
    Kept,
    /// It is the stored key.
    Stored,
}

impl From {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Made => "made",
            Self::Kept => "kept",
            Self::Stored => "stored key",
        }
    }
}

/// The fields of a lease.
pub(super) fn of(profile: &aws::profile::Profile, lease: &Lease, from: From) -> Vec<(String, String)> {
    let mut fields = vec![
        ("profile".to_owned(), profile.name.clone()),
        ("access_key_id".to_owned(), lease.access_key_id.clone()),
        ("from".to_owned(), from.as_str().to_owned()),
    ];
    if let Some(role) = &profile.role {
        fields.push(("role".to_owned(), role.arn.clone()));
    }
    if let Some(sso) = &profile.sso {
        let named = [("account", &sso.account_id), ("permission_set", &sso.role_name)];
        fields.extend(named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value.clone()?))));
    }
    if let Some(end) = lease.expiration {
        fields.push(("expiration".to_owned(), aws::session::rfc3339(end)));
    }
    fields
}
