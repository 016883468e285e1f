//! What a token says of itself (RFC 7519). Its signature is for whom it was made; here nothing is decided by it but when to
//! renew it and which account to name.

use memory::Secret;
use model::Timestamp;
use serde::Deserialize;
use serde_json::Value;

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
        exp: Option<Value>,
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
    let ends = written.exp.filter(|exp| !exp.is_null()).map(|exp| end(&exp));
    let account = written.auth.and_then(|auth| auth.chatgpt_account_id);
    Some(Claims { ends, account: account.filter(|account| super::is_name(account)) })
}

/// When a token says that it ends: seconds, or milliseconds, as a number or a text. An end that is none is over: whoever says one does not
/// mean that there is no end.
fn end(exp: &Value) -> Timestamp {
    let number = exp.as_f64().or_else(|| exp.as_str().and_then(|text| text.trim().parse().ok()));
    let number = number.filter(|number| (0.0..1e15).contains(number)).unwrap_or_default();
    // As elsewhere in such files: what would be thousands of years away is in milliseconds.
    let millis = if number < 1e11 { number * 1000.0 } else { number };
    Timestamp::from_millis(format!("{millis:.0}").parse().unwrap_or_default())
}
