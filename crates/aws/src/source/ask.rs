//! Asks for the credentials that this machine has.
//!
//! Source: the AWS SDKs and tools reference guide, "IMDS credential provider" and "Container credential provider".

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::time::Duration;

use http::{HeaderName, HeaderValue, Method, Uri, header};
use memory::Secret;
use model::Timestamp;
use net::Neighbour;
use zeroize::Zeroizing;

use super::{CredentialSource, Error, document};
use crate::Lease;

/// Gets the credentials of a source. `variable` is the environment; an empty value counts as none.
///
/// # Errors
/// See [`Error`].
pub async fn credentials(
    source: &CredentialSource,
    variable: &(dyn Fn(&str) -> Option<String> + Sync),
    now: Timestamp,
) -> Result<Lease, Error> {
    let asked = async {
        match source {
            CredentialSource::Environment { .. } => environment(variable, now),
            CredentialSource::Ec2InstanceMetadata => ec2(variable, now).await,
            CredentialSource::EcsContainer => ecs(variable, now).await,
        }
    };
    tokio::time::timeout(LONGEST, asked).await.unwrap_or(Err(Error::Late))
}

fn environment(variable: &dyn Fn(&str) -> Option<String>, now: Timestamp) -> Result<Lease, Error> {
    let needed = |name: &'static str| variable(name).ok_or(Error::Variable(name));
    let guarded = |text: String| {
        let mut text = Zeroizing::new(text);
        Secret::new(std::mem::take(&mut *text).into_bytes())
    };
    let ends = variable(EXPIRATION).map(|text| text.parse::<Timestamp>()).transpose();
    let ends = ends.map_err(|_| Error::Time(EXPIRATION))?;
    if ends.is_some_and(|end| end <= now) {
        return Err(Error::Over);
    }
    Ok(Lease {
        access_key_id: needed("AWS_ACCESS_KEY_ID")?,
        secret_access_key: guarded(needed("AWS_SECRET_ACCESS_KEY")?)?,
        session_token: variable("AWS_SESSION_TOKEN").map(guarded).transpose()?,
        expiration: ends,
    })
}

/// The role of the instance, by version 2 of the protocol: whoever can make a program send one request gets nothing.
async fn ec2(variable: &(dyn Fn(&str) -> Option<String> + Sync), now: Timestamp) -> Result<Lease, Error> {
    if variable("AWS_EC2_METADATA_DISABLED").is_some_and(|text| text.eq_ignore_ascii_case("true")) {
        return Err(Error::Disabled);
    }
    let base = variable("AWS_EC2_METADATA_SERVICE_ENDPOINT").unwrap_or_else(|| EC2.to_owned());
    let place = Neighbour::at(base.trim_end_matches('/'), &[IpAddr::V4(EC2_V4), IpAddr::V6(EC2_V6)])?;
    let lifetime = (LIFETIME, HeaderValue::from_static("300"));
    let token = place.ask(Method::PUT, "/latest/api/token", lifetime).await?;
    let token = || sensitive(&token).map(|value| (TOKEN, value));
    let list = place.ask(Method::GET, ROLES, token()?).await?;
    let role = str::from_utf8(&list).unwrap_or_default().lines().next().unwrap_or_default().trim();
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"+=,.@-_".contains(&byte);
    if role.is_empty() || !role.bytes().all(plain) {
        return Err(Error::NoRole);
    }
    document(&place.ask(Method::GET, &format!("{ROLES}{role}"), token()?).await?, now)
}

/// The role of the container.
async fn ecs(variable: &(dyn Fn(&str) -> Option<String> + Sync), now: Timestamp) -> Result<Lease, Error> {
    let (base, path) = match (variable(RELATIVE), variable(FULL)) {
        (Some(path), _) if path.starts_with('/') => (ECS.to_owned(), path),
        (Some(path), _) => return Err(net::NeighbourError::Address(path).into()),
        (None, Some(full)) => split(&full)?,
        (None, None) => return Err(Error::NoContainer),
    };
    let place = Neighbour::at(&base, &[IpAddr::V4(ECS_V4), IpAddr::V4(EKS_V4), IpAddr::V6(EKS_V6)])?;
    let text = match variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE") {
        Some(file) => {
            let read = std::fs::read(&file).map(Zeroizing::new);
            Some(read.map_err(|source| Error::TokenFile { file, source })?)
        }
        None => variable("AWS_CONTAINER_AUTHORIZATION_TOKEN").map(|text| Zeroizing::new(text.into_bytes())),
    };
    let header = match &text {
        Some(text) => (header::AUTHORIZATION, sensitive(text)?),
        None => (header::ACCEPT, HeaderValue::from_static("application/json")),
    };
    document(&place.ask(Method::GET, &path, header).await?, now)
}

fn split(full: &str) -> Result<(String, String), Error> {
    let wrong = || net::NeighbourError::Address(full.to_owned());
    let uri: Uri = full.parse().map_err(|_| wrong())?;
    let authority = uri.authority().ok_or_else(wrong)?;
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    Ok((format!("{}://{authority}", uri.scheme_str().unwrap_or_default()), path.to_owned()))
}

fn sensitive(text: &[u8]) -> Result<HeaderValue, Error> {
    let mut value = HeaderValue::from_bytes(text.trim_ascii()).map_err(|_| Error::Token)?;
    value.set_sensitive(true);
    Ok(value)
}

const TOKEN: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token");
const LIFETIME: HeaderName = HeaderName::from_static("x-aws-ec2-metadata-token-ttl-seconds");
const ROLES: &str = "/latest/meta-data/iam/security-credentials/";
const EC2: &str = "http://169.254.169.254";
const ECS: &str = "http://169.254.170.2";
const RELATIVE: &str = "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI";
const FULL: &str = "AWS_CONTAINER_CREDENTIALS_FULL_URI";
const EXPIRATION: &str = "AWS_CREDENTIAL_EXPIRATION";
const EC2_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 169, 254);
const EC2_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);
const ECS_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 2);
const EKS_V4: Ipv4Addr = Ipv4Addr::new(169, 254, 170, 23);
const EKS_V6: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x23);
const LONGEST: Duration = Duration::from_secs(10);
