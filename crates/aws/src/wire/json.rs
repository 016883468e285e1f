//! JSON in both directions (SSO, OIDC), with secrets in it.

use std::fmt;

use memory::Secret;
use serde::de::{Deserialize, Deserializer, Visitor};
use zeroize::Zeroizing;

/// The body of an error, in all the words that the services have for it.
#[derive(serde::Deserialize)]
pub(super) struct ErrorBody {
    #[serde(rename = "__type")]
    pub(super) kind: Option<String>,
    pub(super) code: Option<String>,
    pub(super) error: Option<String>,
    pub(super) message: Option<String>,
    #[serde(rename = "Message")]
    pub(super) capital: Option<String>,
    #[serde(rename = "error_description")]
    pub(super) description: Option<String>,
}

/// A text that goes from the reply into guarded memory, and nowhere else. Never empty.
pub(crate) struct SecretText(pub(crate) Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        optional(deserializer)?.ok_or_else(|| serde::de::Error::custom("the text is empty"))
    }
}

/// Reads a text that may be `null` or empty. Errors never quote it.
pub(crate) fn optional<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<SecretText>, D::Error> {
    struct Text;
    impl<'de> Visitor<'de> for Text {
        type Value = Option<SecretText>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a text")
        }

        fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Self::Value, E> {
            if text.is_empty() {
                return Ok(None);
            }
            Secret::new(text.as_bytes().to_vec()).map(|text| Some(SecretText(text))).map_err(E::custom)
        }

        fn visit_none<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_unit<E: serde::de::Error>(self) -> Result<Self::Value, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
            deserializer.deserialize_str(self)
        }
    }
    deserializer.deserialize_option(Text)
}

/// An object that is written member by member and wiped.
pub(crate) struct Object(Zeroizing<String>);

impl Object {
    /// An object with room for so many bytes; an object that outgrows it is moved and the old place wiped.
    pub(crate) fn with_room(bytes: usize) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(bytes));
        text.push('{');
        Self(text)
    }

    /// Adds a text.
    pub(crate) fn text(mut self, name: &str, value: &str) -> Self {
        self.name(name);
        self.quoted(value);
        self
    }

    /// Adds a number.
    pub(crate) fn number(mut self, name: &str, value: u64) -> Self {
        self.name(name);
        self.push(&value.to_string());
        self
    }

    /// Adds `true`.
    pub(crate) fn truth(mut self, name: &str) -> Self {
        self.name(name);
        self.push("true");
        self
    }

    /// Adds a list of texts, unless it is empty.
    pub(crate) fn texts<T: AsRef<str>>(mut self, name: &str, values: &[T]) -> Self {
        if values.is_empty() {
            return self;
        }
        self.name(name);
        self.push("[");
        for (index, value) in values.iter().enumerate() {
            if index > 0 {
                self.push(",");
            }
            self.quoted(value.as_ref());
        }
        self.push("]");
        self
    }

    /// Adds an object of texts.
    pub(crate) fn object(mut self, name: &str, members: &[(&str, &str)]) -> Self {
        self.name(name);
        self.push("{");
        for (index, (member, value)) in members.iter().enumerate() {
            if index > 0 {
                self.push(",");
            }
            self.quoted(member);
            self.push(":");
            self.quoted(value);
        }
        self.push("}");
        self
    }

    /// Adds the text of a secret; `None` where it is not text.
    pub(crate) fn secret(mut self, name: &str, value: &Secret) -> Option<Self> {
        self.name(name);
        #[expect(
            clippy::disallowed_methods,
            reason = "puts a token or a client secret into the body of a request"
        )]
        value.expose(|bytes| {
            let text = std::str::from_utf8(bytes).ok()?;
            self.quoted(text);
            Some(())
        })?;
        Some(self)
    }

    /// The whole text.
    pub(crate) fn end(mut self) -> Zeroizing<String> {
        self.push("}");
        self.0
    }

    fn name(&mut self, name: &str) {
        if self.0.len() > 1 {
            self.push(",");
        }
        self.quoted(name);
        self.push(":");
    }

    /// RFC 8259, section 7.
    fn quoted(&mut self, text: &str) {
        self.push("\"");
        for sign in text.chars() {
            match sign {
                '"' => self.push("\\\""),
                '\\' => self.push("\\\\"),
                sign if u32::from(sign) < 0x20 => self.push(&format!("\\u{:04x}", u32::from(sign))),
                sign => self.push(sign.encode_utf8(&mut [0; 4])),
            }
        }
        self.push("\"");
    }

    fn push(&mut self, text: &str) {
        if self.0.capacity() - self.0.len() < text.len() {
            let mut larger = Zeroizing::new(String::with_capacity(2 * (self.0.len() + text.len())));
            larger.push_str(&self.0);
            self.0 = larger;
        }
        self.0.push_str(text);
    }
}

#[cfg(test)]
mod tests;
