//! What a provider says is wrong, in the shapes that providers have. The credential was masked in it on its way here.

use serde_json::Value;

/// The message of an error: `error.message` (Google, Azure, OpenAI, Anthropic), `Error.Message` (AWS), or `message` beside a `code`
/// (Oracle). With the code in front, where it is a word.
pub(super) fn said(body: &[u8]) -> Option<String> {
    let read: Value = serde_json::from_slice(body).ok()?;
    let error = read.get("error").or_else(|| read.get("Error")).unwrap_or(&read);
    let text = |name: &str, other: &str| error.get(name).or_else(|| error.get(other))?.as_str();
    let message = text("message", "Message")?;
    let message: String =
        without_signatures(message).chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    let code = text("code", "Code").filter(|code| {
        !code.is_empty() && code.len() <= LONGEST_CODE && code.bytes().all(|b| b.is_ascii_alphanumeric())
    });
    Some(match code.filter(|code| code.bytes().any(|b| b.is_ascii_uppercase())) {
        Some(code) => format!("{code}: {message}"),
        None => message,
    })
}

/// A text without the signatures in it: a provider that repeats the header of a request repeats what was made with the credential.
fn without_signatures(text: &str) -> String {
    let mut told = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.to_ascii_lowercase().find(SIGNED) {
        let (before, behind) = rest.split_at(at + SIGNED.len());
        let signature = behind.trim_start_matches(['\\', '"', '\'']);
        let (quotes, _) = behind.split_at(behind.len() - signature.len());
        let end = signature.find(|c: char| !c.is_ascii_alphanumeric() && !"+/=%_-".contains(c));
        let (signature, after) = signature.split_at(end.unwrap_or(signature.len()));
        told.extend([
            before,
            quotes,
            if signature.len() < SHORTEST_SIGNATURE { signature } else { "[masked]" },
        ]);
        rest = after;
    }
    told.push_str(rest);
    told
}

/// Whether it is about the time: then nothing was said of the credential.
pub(super) fn clocks_differ(message: &str) -> bool {
    SIGNS.iter().any(|sign| message.contains(sign))
}

/// AWS, Oracle, Google, Microsoft.
const SIGNS: [&str; 7] = [
    "RequestTimeTooSkewed",
    "RequestExpired",
    "Signature expired",
    "Signature not yet current",
    "allowed clock skew",
    "reasonable timeframe",
    "AADSTS700024",
];
const SIGNED: &str = "signature=";
/// What is shorter is no signature.
const SHORTEST_SIGNATURE: usize = 16;
const LONGEST: usize = 300;
const LONGEST_CODE: usize = 64;

#[cfg(test)]
mod tests;
