//! What a service said when it refused, without the secrets that it was sent: some repeat the request.

use cloud::Sent;
use memory::Secret;

use super::{Mask, Unmaskable};

/// A text of a service without the secrets of the request that it answers.
#[must_use]
pub fn said_without(text: &str, sent: &Sent) -> String {
    said_without_all(text, sent, &[])
}

/// The same, searched for what these masks find as well. All are searched for at once: of two secrets that overlap, masking one first
/// would leave a rest of the other that nobody finds.
#[must_use]
pub fn said_without_all(text: &str, sent: &Sent, more: &[&Mask]) -> String {
    let mut own = Vec::new();
    for secret in sent.iter() {
        let made = Secret::new(secret.to_vec()).map_err(|_| Unmaskable::Memory);
        match made.and_then(|secret| Mask::new(&secret)) {
            Ok(mask) => own.push(mask),
            // It would be found everywhere, so it is enough that it might be there.
            Err(Unmaskable::Short) if !stands_in(text, secret) => {}
            Err(_) => return HIDDEN.to_owned(),
        }
    }
    let masks: Vec<&Mask> = own.iter().chain(more.iter().copied()).collect();
    let Ok(mask) = Mask::join(&masks) else { return HIDDEN.to_owned() };
    match mask.text(text.as_bytes()) {
        Some(masked) => String::from_utf8_lossy(&masked.bytes).into_owned(),
        None => text.to_owned(),
    }
}

fn stands_in(text: &str, secret: &[u8]) -> bool {
    !secret.is_empty() && text.as_bytes().windows(secret.len()).any(|seen| crypto::same(seen, secret).is_ok())
}

/// In place of a text in which a secret may be that can't be searched for.
const HIDDEN: &str = "[masked]";

#[cfg(test)]
mod tests;
