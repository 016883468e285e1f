//! Sign-ins of people: an access token as it was taken over, or one that its refresh token was exchanged for.
//!
//! A sign-in is renewed only where its profile says so. What it was renewed to is kept as a whole, sealed, before it is used; the next
//! process finds it there and asks nobody. A sign-in has one place for that, whichever integration it serves: two
//! places would spend one refresh token twice, upon which the issuer takes back both.

use cloud::sign_in::{self, Profile, Renew};
use cloud::{Form, Granted, Token};
use memory::Secret;
use model::{Code, Refusal, Timestamp};
use secrets::{Claim, Mask};

use super::oauth2::unkept;
use super::{Making, Minter, Reach, form, shown};
use crate::outgoing::Made;

/// Which sign-in a token is of, and what else of it has to be masked.
pub(super) struct OfProfile {
    pub(super) id: String,
    pub(super) made: Made,
    pub(super) masks: Vec<Mask>,
}

/// The place of what a profile's refresh token was exchanged for. No name of an integration begins so.
pub(crate) fn place_of_profile(id: &str) -> String {
    format!("@profile/{id}")
}

impl Minter<'_> {
    /// The token of a sign-in, renewed where it has to be and may be.
    pub(super) async fn signed_in(
        &self,
        signed: &catalog::SignedIn,
        making: &mut Making,
        now: Timestamp,
    ) -> Result<(Token, OfProfile), Refusal> {
        let profile = self.profile(&signed.key)?;
        let (profile, made) = match profile.renew {
            Renew::Never => (profile, Made::Taken),
            Renew::WhenDue => self.renewed(signed, &profile, making, now).await?,
        };
        if profile.has_ended(now) {
            return Err(said(&sign_in::Error::Expired("codex"), Some(&profile.id)));
        }
        let of_profile = OfProfile { id: profile.id, made, masks: masks(profile.refresh.as_ref())? };
        // One of which nobody knows when it ends is looked at again before long.
        let ends = profile.ends.unwrap_or_else(|| now.after(UNSAID));
        Ok((Token { value: profile.access, ends }, of_profile))
    }

    /// The profile that the call was lent; a bare access token is one as well.
    fn profile(&self, field: &str) -> Result<Profile, Refusal> {
        #[expect(clippy::disallowed_methods, reason = "reads the sign-in that the token is of")]
        self.secret(field)?.expose(|bytes| {
            if bytes.starts_with(b"{") {
                return Profile::read(bytes, field).map_err(|error| said(&error, None));
            }
            let kept = Secret::new(bytes.trim_ascii().to_vec());
            let kept = kept.map_err(|error| said(&sign_in::Error::Memory(error), None))?;
            let found = Profile::manual(kept, None, None);
            let id = format!("{}:{field}", sign_in::CODEX);
            found.named(sign_in::CODEX, Some(id), Renew::Never).map_err(|error| said(&error, None))
        })
    }

    /// The newest form of a profile, claimed for the time of the exchange.
    async fn renewed(
        &self,
        signed: &catalog::SignedIn,
        profile: &Profile,
        making: &mut Making,
        now: Timestamp,
    ) -> Result<(Profile, Made), Refusal> {
        let (unsealed, place) = (self.worker.broker().unsealed()?, place_of_profile(&profile.id));
        if let Some(unstored) = making.unstored.take() {
            let claim = self.claim_at(&place, &signed.key).await?;
            if let Err(error) = unsealed.secrets().settle_renewal(&claim, None, Some(&unstored)).await {
                making.unstored = Some(unstored);
                return Err(unkept(&error));
            }
        }
        let claim = self.claim_at(&place, &signed.key).await?;
        let renewed = self.exchanged(signed, &claim, now).await;
        match renewed {
            Ok(Exchanged::Newest(newest)) => {
                let _ = unsealed.secrets().settle_renewal(&claim, None, None).await;
                Ok((newest, Made::Taken))
            }
            Ok(Exchanged::Fresh { used, fresh, document }) => {
                let used = claim.tokens.get(used);
                if let Err(error) = unsealed.secrets().settle_renewal(&claim, used, Some(&document)).await {
                    making.unstored = Some(document);
                    return Err(unkept(&error));
                }
                Ok((fresh, Made::Asked))
            }
            Err(refusal) => {
                let _ = unsealed.secrets().settle_renewal(&claim, None, None).await;
                Err(refusal)
            }
        }
    }

    /// Asks the issuer, where the newest form is not good any more. Of those that are kept the newest is tried first.
    async fn exchanged(
        &self,
        signed: &catalog::SignedIn,
        claim: &Claim,
        now: Timestamp,
    ) -> Result<Exchanged, Refusal> {
        let mut newest = None;
        let mut last = None;
        for (place, kept) in claim.tokens.iter().enumerate() {
            #[expect(clippy::disallowed_methods, reason = "reads the sign-in that is kept")]
            let kept = kept.expose(|bytes| Profile::read(bytes, "the kept sign-in"));
            let kept = kept.map_err(|error| said(&error, None))?;
            if place == 0 && kept.is_good(now) {
                return Ok(Exchanged::Newest(kept));
            }
            let imprint = self.spent_imprint(kept.refresh.as_ref());
            let spent = self.worker.broker().outgoing().spent();
            if imprint.is_some_and(|imprint| spent.knows(&imprint)) {
                last = Some(said(&sign_in::Error::Unrenewable(kept.id.clone(), SPENT), None));
                newest.get_or_insert(kept);
                continue;
            }
            match self.asked(signed, &kept, now).await? {
                Ok(granted) => {
                    let fresh = kept.renewed(granted).map_err(|error| said(&error, None))?;
                    let mut document = fresh.write().map_err(|error| said(&error, None))?;
                    let document = Secret::new(std::mem::take(&mut *document));
                    let document = document.map_err(|error| said(&sign_in::Error::Memory(error), None))?;
                    return Ok(Exchanged::Fresh { used: place, fresh, document });
                }
                Err(cloud::Error::Refused(fault)) if sign_in::is_spent(&fault) => {
                    if let Some(imprint) = imprint {
                        spent.note(imprint);
                    }
                    last = Some(self.refused(&cloud::Error::Refused(fault)));
                }
                Err(error) => return Err(self.refused(&error)),
            }
            newest.get_or_insert(kept);
        }
        match (newest.filter(|newest| !newest.has_ended(now)), last) {
            // It is good for a moment yet.
            (Some(newest), _) => Ok(Exchanged::Newest(newest)),
            (None, Some(refusal)) => Err(refusal.hint(AGAIN)),
            (None, None) => Err(said(&sign_in::Error::Required, None)),
        }
    }

    /// What tells a refresh token from others, and says nothing of it.
    fn spent_imprint(&self, refresh: Option<&Secret>) -> Option<[u8; 32]> {
        #[expect(clippy::disallowed_methods, reason = "takes the imprint of a refresh token")]
        refresh.map(|refresh| {
            refresh.expose(|bytes| self.worker.broker().outgoing().imprints().tag(&[b"spent", bytes]))
        })
    }

    async fn asked(
        &self,
        signed: &catalog::SignedIn,
        profile: &Profile,
        now: Timestamp,
    ) -> Result<Result<Granted, cloud::Error>, Refusal> {
        let Some(refresh) = &profile.refresh else {
            let error = sign_in::Error::Unrenewable(profile.id.clone(), "has no refresh token");
            return Err(said(&error, None));
        };
        let mut fields = Form::new();
        fields.text("grant_type", "refresh_token").text("client_id", &signed.client_id);
        #[expect(clippy::disallowed_methods, reason = "puts the refresh token into the form")]
        refresh.expose(|bytes| {
            fields.secret("refresh_token", str::from_utf8(bytes).unwrap_or_default());
        });
        let request = form(&signed.endpoint.path, fields)?;
        let reply = self.ask(&signed.endpoint.authority, Reach::Service, request).await?;
        let place = shown(&signed.endpoint);
        Ok(self.told((&place, &reply, now), |answered| answered.oauth2()))
    }
}

/// What came of asking.
enum Exchanged {
    /// The one that is kept is still good.
    Newest(Profile),
    /// A new one, which is not used before its document is stored.
    Fresh { used: usize, fresh: Profile, document: Secret },
}

fn masks(refresh: Option<&Secret>) -> Result<Vec<Mask>, Refusal> {
    let masks = refresh.into_iter().map(Mask::new).collect::<Result<Vec<_>, _>>();
    masks.map_err(|error| {
        Refusal::new(Code::SourceUnavailable, format!("a refresh token can't be masked: {error}"))
    })
}

fn said(error: &sign_in::Error, profile: Option<&str>) -> Refusal {
    let message = match profile {
        Some(profile) => format!("{error} (profile `{profile}`)"),
        None => error.to_string(),
    };
    let refusal = Refusal::new(Code::SecretMissing, message);
    match error.hint() {
        Some(hint) => refusal.hint(hint),
        None => refusal,
    }
}

/// How long a token is believed of which nobody says how long it lasts.
const UNSAID: std::time::Duration = std::time::Duration::from_mins(5);
const SPENT: &str =
    "can't be renewed: its issuer did not take its refresh token, and is not asked with it again";
const AGAIN: &str =
    "somebody else has used the refresh token, or signed out: `doorward llm auth login` signs in once more";
