//! What a token says of itself (RFC 7519). Its signature is for whom it was made; here nothing is decided by it but when to
//! renew it and which account to name.

use memory::Secret;
use model::Timestamp;
use serde::Deserialize;

/// What is read of a token.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Claims {
    /// `exp`.
    pub(super) ends: Option<Timestamp>,
    /// `chatgpt_account_id`.
    pub(super) account: Option<String>,
}

/// The claims of a token; none where it is no JSON Web Token.
#[expect(clippy::disallowed_methods, reason = "reads when the token ends and whose it is")]
pub(super) fn of(token: &Secret) -> Claims {
    token.expose(|bytes| read(bytes).unwrap_or_default())
}

fn read(token: &[u8]) -> Option<Claims> {
    #[derive(Deserialize)]
    struct Written {
        exp: Option<f64>,
        #[serde(rename = "https://api.openai.com/auth")]
        auth: Option<Auth>,
    }
    #[derive(Deserialize)]
    struct Auth {
        chatgpt_account_id: Option<String>,
    }
    let text = str::from_utf8(token).ok()?;
    let mut parts = text.split('.');
    let (_, middle, Some(_), None) = (parts.next()?, parts.next()?, parts.next(), parts.next()) else {
        return None;
    };
    let written: Written = serde_json::from_slice(&crypto::from_base64url(middle).ok()?).ok()?;
    let seconds = written.exp.filter(|exp| (1.0..1e11).contains(exp));
    let ends = seconds.and_then(|seconds| format!("{seconds:.0}").parse::<u64>().ok());
    let account = written.auth.and_then(|auth| auth.chatgpt_account_id);
    Some(Claims {
        ends: ends.map(|seconds| Timestamp::from_millis(seconds.saturating_mul(1000))),
        account: account.filter(|account| super::is_name(account)),
    })
}
