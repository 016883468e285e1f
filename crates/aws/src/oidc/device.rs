//! Waiting for a person with a device code (RFC 8628, section 3.5).

use std::time::Duration;

use super::{Device, Error, Grant, Oidc, Registration, TOKEN, Token, not_text};
use crate::wire::Error as WireError;

impl Oidc<'_> {
    /// Asks for the token of a device code until a person has confirmed it, in the rhythm that the service wants. The
    /// first question is asked at once, as the person may have confirmed already.
    ///
    /// # Errors
    /// [`Error::Expired`] and [`Error::Declined`], or what the service said. A question without an answer is asked again,
    /// a few times.
    pub async fn wait_for(&self, me: &Registration, device: &Device) -> Result<Token, Error> {
        let mut interval = device.interval;
        let mut silent = 0;
        loop {
            let body = me.body(TOKEN)?.text("grantType", Grant::DeviceCode.name());
            let body = body.secret("deviceCode", &device.device_code).ok_or(not_text())?;
            match self.token(body).await {
                Ok(token) => return Ok(token),
                Err(error) => match said(&error) {
                    Said::Pending => silent = 0,
                    Said::SlowDown => {
                        silent = 0;
                        interval = longer(interval + SLOW_DOWN);
                    }
                    Said::Nothing if silent < MOST_SILENT => {
                        silent += 1;
                        interval = longer(interval * 2);
                    }
                    Said::Expired => return Err(Error::Expired),
                    Said::Declined => return Err(Error::Declined),
                    Said::Nothing | Said::Other => return Err(error.into()),
                },
            }
            if self.wire.now().after(interval) >= device.expires {
                return Err(Error::Expired);
            }
            self.wire.rest(interval).await;
        }
    }
}

/// What the service answers to a question that comes early.
enum Said {
    Pending,
    SlowDown,
    Expired,
    Declined,
    Nothing,
    Other,
}

fn said(error: &WireError) -> Said {
    match error {
        WireError::Net { .. } => Said::Nothing,
        WireError::Refused(fault) => match fault.code() {
            "AuthorizationPendingException" | "authorization_pending" => Said::Pending,
            "SlowDownException" | "slow_down" => Said::SlowDown,
            "ExpiredTokenException" | "expired_token" => Said::Expired,
            "AccessDeniedException" | "access_denied" => Said::Declined,
            _ => Said::Other,
        },
        _ => Said::Other,
    }
}

fn longer(interval: Duration) -> Duration {
    interval.min(Duration::from_secs(LONGEST_INTERVAL))
}

/// Seconds between questions where the service does not say (RFC 8628, section 3.2).
pub(super) const INTERVAL: u64 = 5;
/// Seconds between questions at most: a person waits for the answer.
pub(super) const LONGEST_INTERVAL: u64 = 60;
const SLOW_DOWN: Duration = Duration::from_secs(5);
/// Questions in a row that may stay without an answer.
const MOST_SILENT: u32 = 4;
