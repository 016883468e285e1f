//! Which paths there are, and what stands under them.

use std::time::Duration;

use http::HeaderValue;
use serde_json::json;

use super::Instance;
use crate::reply::{JSON, TEXT};

/// A path that is served.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Path {
    Versions,
    Top,
    Metadata,
    Iam,
    Info,
    Roles,
    Credentials,
    InstanceId,
    Placement,
    Region,
    Zone,
    Dynamic,
    Identities,
    Document,
    Token,
}

impl Path {
    /// Reads a path, with or without a slash at its end. `None` where there is nothing.
    pub(super) fn of(path: &str, role: &str) -> Option<Self> {
        let path = path.strip_prefix('/')?;
        let path = path.strip_suffix('/').unwrap_or(path);
        if path.is_empty() {
            return Some(Self::Versions);
        }
        let (version, rest) = path.split_once('/').unwrap_or((path, ""));
        if !is_version(version) {
            return None;
        }
        Some(match rest {
            "" => Self::Top,
            "meta-data" => Self::Metadata,
            "meta-data/iam" => Self::Iam,
            "meta-data/iam/info" => Self::Info,
            "meta-data/iam/security-credentials" => Self::Roles,
            "meta-data/instance-id" => Self::InstanceId,
            "meta-data/placement" => Self::Placement,
            "meta-data/placement/region" => Self::Region,
            "meta-data/placement/availability-zone" => Self::Zone,
            "dynamic" => Self::Dynamic,
            "dynamic/instance-identity" => Self::Identities,
            "dynamic/instance-identity/document" => Self::Document,
            "api/token" => Self::Token,
            other => {
                let named = other.strip_prefix("meta-data/iam/security-credentials/")?;
                return (named == role).then_some(Self::Credentials);
            }
        })
    }

    /// What stands there. `None` where there is nothing, as without a region; and for what is not a text.
    pub(super) fn said(self, instance: &Instance) -> Option<(HeaderValue, String)> {
        let region = instance.region.as_deref();
        let zone = || region.map(|region| format!("{region}a"));
        let text = |text: &str| Some((TEXT, text.to_owned()));
        match self {
            Self::Versions => text("1.0\nlatest"),
            Self::Top => text("dynamic\nmeta-data"),
            Self::Metadata if region.is_none() => text("iam/\ninstance-id"),
            Self::Metadata => text("iam/\ninstance-id\nplacement/"),
            Self::Iam => text("info\nsecurity-credentials/"),
            Self::Info => Some((JSON, "{\"Code\" : \"Success\"}".to_owned())),
            Self::Roles => text(&instance.role),
            Self::InstanceId => text(&instance.id),
            Self::Placement => region.and_then(|_| text("availability-zone\nregion")),
            Self::Region => region.and_then(text),
            Self::Zone => zone().and_then(|zone| text(&zone)),
            Self::Dynamic => text("instance-identity/"),
            Self::Identities => text("document"),
            Self::Document => {
                let document = json!({
                    "availabilityZone": zone(),
                    "instanceId": instance.id,
                    "region": region,
                    "version": "2017-09-30",
                });
                region.map(|_| (JSON, document.to_string()))
            }
            Self::Credentials | Self::Token => None,
        }
    }
}

/// `latest`, `1.0`, or a date such as `2021-03-23`.
fn is_version(version: &str) -> bool {
    let is_date = || {
        version.len() == 10
            && version.bytes().enumerate().all(|(place, byte)| match place {
                4 | 7 => byte == b'-',
                _ => byte.is_ascii_digit(),
            })
    };
    version == "latest" || version == "1.0" || is_date()
}

/// The lifetime that a request for a token asks for: 1 second to 6 hours.
pub(super) fn lifetime(asked: Option<&HeaderValue>) -> Option<Duration> {
    let text = asked?.to_str().ok()?.trim();
    if text.len() > 5 || !text.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let seconds: u64 = text.parse().ok()?;
    (1..=21_600).contains(&seconds).then(|| Duration::from_secs(seconds))
}
