//! Where a service of AWS is asked: the place that the user's settings name, or the one that AWS publishes.

use model::{Authority, Scheme};

use super::{Error, Partition};

/// A service that this crate asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Service {
    /// Security Token Service.
    Sts,
    /// Identity and Access Management: one place for a whole partition.
    Iam,
    /// The portal of IAM Identity Center.
    Sso,
    /// Sign-in for IAM Identity Center.
    Oidc,
    /// Secrets Manager.
    SecretsManager,
    /// Systems Manager, for its Parameter Store.
    Ssm,
    /// Key Management Service.
    Kms,
}

/// `sts_regional_endpoints`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StsEndpoints {
    /// Each region has its own.
    #[default]
    Regional,
    /// The regions of before 2019 share `sts.amazonaws.com`.
    Legacy,
}

/// What decides about an endpoint.
#[derive(Debug, Clone, Copy, Default)]
pub struct Locator<'a> {
    /// The region; empty is none.
    pub region: Option<&'a str>,
    /// The address that the settings name instead (`endpoint_url`).
    pub custom: Option<&'a str>,
    /// `sts_regional_endpoints`.
    pub sts: StsEndpoints,
    /// Whether the hosts with validated cryptography are asked (`use_fips_endpoint`).
    pub fips: bool,
    /// Whether the hosts that have IPv6 as well are asked (`use_dualstack_endpoint`).
    pub dual_stack: bool,
}

/// A place that is asked, and the region that requests to it are signed for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Endpoint {
    authority: Authority,
    path: Box<str>,
    region: Box<str>,
}

impl Endpoint {
    /// The endpoint of a service.
    ///
    /// # Errors
    /// [`Error::Region`] when neither a region nor an address is known; [`Error::Endpoint`] when one is malformed.
    pub fn locate(service: Service, locator: &Locator<'_>) -> Result<Self, Error> {
        let region = locator.region.map(str::trim).filter(|region| !region.is_empty());
        if let Some(address) = locator.custom.map(str::trim).filter(|address| !address.is_empty()) {
            // Without a region an empty one is signed for: what answers at an address of one's own often has none.
            return Self::at(address, region.unwrap_or_default());
        }
        let region = region.ok_or(Error::Region(service.name()))?;
        let label = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if region.len() > 63 || !region.bytes().all(label) || region.starts_with('-') || region.ends_with('-')
        {
            return Err(Error::Endpoint {
                text: region.into(),
                expected: "a region, such as `eu-central-1`",
            });
        }
        let (host, signed_for) = published(service, region, locator);
        Self::at(&format!("https://{host}"), &signed_for)
    }

    /// The endpoint at an address such as `https://host`, `http://localhost:4566` or `https://host/prefix`.
    ///
    /// # Errors
    /// [`Error::Endpoint`] when it is none, or holds a query or a password.
    pub fn at(address: &str, region: &str) -> Result<Self, Error> {
        let expected = "an endpoint, such as `https://sts.example.com` or `http://localhost:4566`";
        let wrong = || Error::Endpoint { text: without_password(address).into(), expected };
        let (scheme, rest) = address.split_once("://").ok_or_else(wrong)?;
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at_checked(at).ok_or_else(wrong)?,
            None => (rest, ""),
        };
        let path = path.trim_end_matches('/');
        let plain =
            |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>' | b'\\');
        if !path.bytes().all(plain) || path.split('/').any(|segment| matches!(segment, "." | "..")) {
            return Err(wrong());
        }
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let authority = format!("{}://{host}", scheme.to_ascii_lowercase()).parse().map_err(|_| wrong())?;
        Ok(Self { authority, path: path.into(), region: region.into() })
    }

    /// Scheme, host and port.
    #[must_use]
    pub const fn authority(&self) -> &Authority {
        &self.authority
    }

    /// The path in front of every request's own, without a slash at its end; mostly empty.
    #[must_use]
    pub const fn path(&self) -> &str {
        &self.path
    }

    /// The region that requests are signed for.
    #[must_use]
    pub const fn region(&self) -> &str {
        &self.region
    }

    /// As an address.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{}{}", self.authority, self.path)
    }

    /// Whether requests are readable on the way.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        self.authority.scheme() == Scheme::Http
    }
}

impl Service {
    /// Its name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sts => "STS",
            Self::Iam => "IAM",
            Self::Sso => "IAM Identity Center",
            Self::Oidc => "the sign-in of IAM Identity Center",
            Self::SecretsManager => "Secrets Manager",
            Self::Ssm => "Systems Manager",
            Self::Kms => "KMS",
        }
    }

    const fn prefix(self) -> &'static str {
        match self {
            Self::Sts => "sts",
            Self::Iam => "iam",
            Self::Sso => "portal.sso",
            Self::Oidc => "oidc",
            Self::SecretsManager => "secretsmanager",
            Self::Ssm => "ssm",
            Self::Kms => "kms",
        }
    }
}

/// The host that AWS publishes, and the region that it is signed for.
fn published(service: Service, region: &str, locator: &Locator<'_>) -> (String, String) {
    let partition = Partition::of(region);
    let Locator { fips, dual_stack, sts, .. } = *locator;
    if service == Service::Iam {
        let iam = partition.iam;
        let host = match (fips, dual_stack) {
            (false, false) => iam.host,
            (true, false) => iam.fips,
            (false, true) => iam.dual_stack,
            (true, true) => iam.fips_dual_stack,
        };
        return (host.to_owned(), iam.region.to_owned());
    }
    let plain = !fips && !dual_stack;
    let shared = region == "aws-global" || (sts == StsEndpoints::Legacy && LEGACY.contains(&region));
    if service == Service::Sts && plain && shared {
        return ("sts.amazonaws.com".to_owned(), "us-east-1".to_owned());
    }
    let prefix = service.prefix();
    let host = match (fips, dual_stack) {
        (false, false) => format!("{prefix}.{region}.{}", partition.dns),
        (false, true) => format!("{prefix}.{region}.{}", partition.dual_stack_dns),
        // All hosts of this partition are validated; there are no others.
        (true, false) if partition.name == "aws-us-gov" => format!("{prefix}.{region}.{}", partition.dns),
        (true, false) => format!("{prefix}-fips.{region}.{}", partition.dns),
        (true, true) => format!("{prefix}-fips.{region}.{}", partition.dual_stack_dns),
    };
    (host, region.to_owned())
}

/// An address without what may be a password in it.
fn without_password(address: &str) -> String {
    match (address.split_once("://"), address.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://...@{rest}"),
        (None, Some((_, rest))) => format!("...@{rest}"),
        (_, None) => address.to_owned(),
    }
}

/// The regions that share one STS with `sts_regional_endpoints = legacy`.
const LEGACY: &[&str] = &[
    "ap-northeast-1",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "aws-global",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

#[cfg(test)]
mod tests;
