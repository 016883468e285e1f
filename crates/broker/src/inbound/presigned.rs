//! A presigned request for AWS: a client's signature that stands in the query and not in a header.
//!
//! It was made with whatever key the client has, and is no credential here. What it asks for (region, service, until when) is taken over
//! as from a header, and its parameters go, before anything is matched; so what is signed again is what was looked at.

use catalog::{AuthScheme, Integration};
use crypto::sigv4::{Claim, parse_amz_date};
use http::header::{AUTHORIZATION, HeaderValue};
use model::{Code, Refusal, Target, Timestamp};

use super::Forward;

impl Forward {
    /// Puts what a presigned query asks for into the head, where the integration signs for AWS.
    ///
    /// # Errors
    /// `bad_request` where it has no reading, another algorithm, or an end that has passed.
    pub(crate) fn signed_in_head(
        &mut self,
        integration: &Integration,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let query = self.target.query().unwrap_or_default();
        let signs = || integration.auth().iter().any(|scheme| matches!(scheme, AuthScheme::SigV4(_)));
        if integration.has_plain_auth() || !query.contains(SIGNATURE) || !signs() {
            return Ok(());
        }
        let pairs: Vec<(String, String)> =
            self.target.pairs().map(|(name, value)| (name.into_owned(), value.into_owned())).collect();
        let pairs: Vec<(&str, &str)> =
            pairs.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let one = |wanted: &str| pairs.iter().find(|(name, _)| *name == wanted).map(|(_, value)| *value);
        if one("X-Amz-Algorithm").is_some_and(|name| name.starts_with("AWS4-ECDSA")) {
            return Err(refused("it is signed with SigV4A, and requests are signed again with SigV4 only"));
        }
        let claim = Claim::from_query(&pairs).map_err(|error| refused(&error.to_string()))?;
        let (began, lasts) = (one("X-Amz-Date"), one("X-Amz-Expires").and_then(|text| text.parse().ok()));
        let began = began.and_then(|text| parse_amz_date(text).ok());
        let (Some(began), Some(lasts)) = (began, lasts) else {
            return Err(refused("its date has no reading"));
        };
        if now > began.after(std::time::Duration::from_secs(lasts)) {
            return Err(refused("its time is over"));
        }
        let (id, region, service) = (claim.access_key_id(), claim.region(), claim.service());
        let (day, signature) =
            (one("X-Amz-Date").unwrap_or_default().get(..8).unwrap_or_default(), one(SIGNATURE));
        let header = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{day}/{region}/{service}/aws4_request, SignedHeaders=host, Signature={}",
            signature.unwrap_or_default()
        );
        let header = HeaderValue::from_str(&header).map_err(|_| refused("its credential has no reading"))?;
        self.target = without(&self.target)?;
        self.headers.insert(AUTHORIZATION, header);
        Ok(())
    }
}

/// The target without the parameters of the signature; the rest stays as it was written.
fn without(target: &Target) -> Result<Target, Refusal> {
    let ours = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy();
        !PARAMETERS.contains(&&*name)
    };
    let left: Vec<&str> = target.query().unwrap_or_default().split('&').filter(ours).collect();
    let text = match left.is_empty() {
        true => target.path().to_owned(),
        false => format!("{}?{}", target.path(), left.join("&")),
    };
    text.parse().map_err(|_| refused("what is left of its target has no reading"))
}

#[cold]
fn refused(why: &str) -> Refusal {
    Refusal::new(Code::BadRequest, format!("the presigned request can't be signed again: {why}"))
        .hint("let the client presign it anew with AWS4-HMAC-SHA256, or send it unsigned")
}

const SIGNATURE: &str = "X-Amz-Signature";
const PARAMETERS: [&str; 7] = [
    "X-Amz-Algorithm",
    "X-Amz-Credential",
    "X-Amz-Date",
    "X-Amz-Expires",
    "X-Amz-Security-Token",
    SIGNATURE,
    "X-Amz-SignedHeaders",
];
