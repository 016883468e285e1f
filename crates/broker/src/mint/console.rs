//! The web console, signed in with the credentials of a profile.

use aws::chain::{At, Plan};
use aws::iam::Iam;
use aws::profile::Profile;
use aws::signin;
use aws::sts::{Federation, Sts};
use aws::wire::Service;
use model::{Code, Refusal};

use super::fields::{self, From};
use super::needs::Stop;
use super::{Console, Minted, Minting, OfProfile, session};
use crate::Lease;

/// Makes the address. It is as good as the session, so it goes back as a secret.
pub(super) async fn open(minting: &Minting, session: &OfProfile, console: &Console) -> Result<Minted, Stop> {
    let way = session::plan(minting, session).await?;
    let straight = is_session(&way.plan);
    let (lease, _) = session::walk(minting, session, way).await?;
    url(minting, &session.profile, console, (lease, straight)).await
}

/// The same with credentials of the caller.
pub(super) async fn open_with(
    minting: &Minting,
    profile: &Profile,
    console: &Console,
    lease: Lease,
) -> Result<Minted, Stop> {
    url(minting, profile, console, (lease, false)).await
}

/// Whether what the plan gives is a session that the console takes.
fn is_session(plan: &Plan) -> bool {
    use aws::chain::{Base, Step};
    match plan.steps.last() {
        Some(step) => matches!(step, Step::AssumeRole { .. }),
        None => matches!(plan.base, Base::Sso { .. } | Base::WebIdentity { .. }),
    }
}

/// The address for credentials that are there.
pub(super) async fn url(
    minting: &Minting,
    profile: &Profile,
    console: &Console,
    (lease, straight): (Lease, bool),
) -> Result<Minted, Stop> {
    let wrong = |error: aws::wire::Error| minting.wire(&error);
    let lease = if straight { lease } else { federated(minting, profile, lease).await? };
    let place = signin::Console::of(profile.region.as_deref()).map_err(wrong)?;
    let place = match profile.endpoints.services.get("signin") {
        Some(address) => place.with_sign_in(aws::wire::Endpoint::at(address, "").map_err(wrong)?),
        None => place,
    };
    let token = place.token(&minting.tools.wire, &lease).await.map_err(wrong)?;
    let destination = place.destination(console.path.as_deref());
    let mut url = place.login_url(&console.issuer, &destination, &token).map_err(wrong)?;
    if console.auto_logout {
        url = place.logout_url(&url);
    }
    let fields = fields::of(profile, &lease, From::Made);
    let value = serde_json::json!({ "profile": profile.name, "access_key_id": lease.access_key_id });
    // The address takes the place of the secret key: it is what goes out, and nothing else does.
    let secret = memory::Secret::new(url.as_bytes().to_vec())
        .map_err(|error| Refusal::new(Code::SourceUnavailable, error.to_string()))?;
    let lease = Lease { secret_access_key: secret, session_token: None, ..lease };
    Ok(Minted { lease: Some(Box::new(lease)), value, fields })
}

/// A session that the console takes: the credentials themselves where they are a role's, else a federation token of the
/// user.
async fn federated(minting: &Minting, profile: &Profile, lease: Lease) -> Result<Lease, Stop> {
    let wrong = |error: aws::wire::Error| minting.wire(&error);
    let at = At::of(profile);
    let sts = minting.sts(&at)?;
    let sts = Sts::new(&minting.tools.wire, &sts);
    let who = sts.caller_identity(&lease).await.map_err(wrong)?;
    if who.arn.contains(":assumed-role/") {
        return Ok(lease);
    }
    let iam = minting.endpoint(Service::Iam, "iam", &at)?;
    // Many users may not ask for themselves; who they are was said already.
    let name = match Iam::new(&minting.tools.wire, &iam, &lease).user(None).await {
        Ok(user) => user.name,
        Err(error) => who.user_name().ok_or_else(|| minting.wire(&error))?.to_owned(),
    };
    let name: String = name.chars().take(LONGEST_NAME).collect();
    let duration = Some(profile.durations.federation);
    let ask = Federation { name: &name, duration, policy: Some(EVERYTHING), policy_arns: &[] };
    Ok(sts.federation_token(&lease, &ask).await.map_err(wrong)?)
}

/// AWS takes no longer name of a federated user.
const LONGEST_NAME: usize = 32;
/// A federation token may do what both this and the user's own policies allow.
const EVERYTHING: &str =
    r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}"#;
