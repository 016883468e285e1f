//! Whether a request asks its service to read another method than the one that was matched.
//!
//! Web frameworks take `_method=DELETE` in a form, and some in the query, for the method of a `POST`. What was permitted as
//! creating a thing would delete it. Headers that do the same are dropped on the way; a query or a form can't be changed, so
//! such a request is refused.

use catalog::Limits;
use http::header::CONTENT_TYPE;
use http_body::Body as _;
use model::{Code, Method, Refusal};

use super::Forward;

/// Proof that a request has one method, whoever reads it. Only this file makes one.
#[derive(Debug)]
#[must_use]
pub(crate) struct OneMethod(());

/// What the head of a request says of that.
#[derive(Debug)]
#[must_use]
pub(crate) enum Looked {
    /// All is said.
    Settled(OneMethod),
    /// The body may be a form.
    InForm,
}

impl Forward {
    /// Looks at the query.
    ///
    /// # Errors
    /// When it names another method.
    pub(crate) fn method_in_head(&self) -> Result<Looked, Refusal> {
        let proof = named_in(self.target.query().unwrap_or_default().as_bytes(), self.method)?;
        let form = self.method == Method::Post && !self.body.is_end_stream() && self.may_be_form();
        Ok(if form { Looked::InForm } else { Looked::Settled(proof) })
    }

    /// Looks at a form.
    ///
    /// # Errors
    /// When it names another method, and where it can't be looked into.
    pub(crate) async fn method_in_form(&mut self, limits: &Limits) -> Result<OneMethod, Refusal> {
        let method = self.method;
        named_in(&self.readable(limits).await?, method)
    }

    /// A body without a type is none: whoever takes it for a form departs from RFC 9110, section 8.3, and all that streams would
    /// have to be held back for them.
    fn may_be_form(&self) -> bool {
        net::headers::all(&self.headers, &CONTENT_TYPE).any(|value| {
            let text = value.to_str().unwrap_or_default();
            text.split([';', ','])
                .any(|one| one.trim().eq_ignore_ascii_case("application/x-www-form-urlencoded"))
        })
    }
}

/// Whether none of these pairs names another method.
fn named_in(pairs: &[u8], method: Method) -> Result<OneMethod, Refusal> {
    // Nearly all have none of this in them, escaped or not.
    if !pairs.windows(6).any(|six| six.eq_ignore_ascii_case(b"method") || six.contains(&b'%')) {
        return Ok(OneMethod(()));
    }
    for pair in pairs.split(|b| matches!(b, b'&' | b';')) {
        let at = pair.iter().position(|b| *b == b'=').unwrap_or(pair.len());
        let (name, value) = pair.split_at_checked(at).unwrap_or((pair, &[]));
        let decoded = |text: &[u8]| percent_encoding::percent_decode(text).collect::<Vec<u8>>();
        let name = plain(decoded(name));
        if !NAMES.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            continue;
        }
        let value = decoded(value.get(1..).unwrap_or_default());
        if !value.trim_ascii().eq_ignore_ascii_case(method.as_str().as_bytes()) {
            let message = format!(
                "`{}` asks the service to read another method than {}, which is the one that was looked at",
                String::from_utf8_lossy(&name),
                method.as_str()
            );
            return Err(Refusal::new(Code::BadRequest, message)
                .hint("send the request with the method that is meant"));
        }
    }
    Ok(OneMethod(()))
}

/// A name as the most generous of them reads it: PHP drops white space in front, and takes `.`, ` ` and `[` for `_`.
fn plain(mut name: Vec<u8>) -> Vec<u8> {
    for byte in &mut name {
        *byte = if *byte == b'+' { b' ' } else { *byte };
    }
    let read = |b: &u8| if matches!(b, b'.' | b' ' | b'[') { b'_' } else { *b };
    name.trim_ascii().iter().map(read).collect()
}

/// Pairs that frameworks take for the method.
const NAMES: [&[u8]; 8] = [
    b"_method",
    b"_httpmethod",
    b"http-method-override",
    b"x-http-method",
    b"x-http-method-override",
    b"x-method-override",
    b"x-original-method",
    b"x-rest-method",
];

#[cfg(test)]
mod tests;
