//! A text of a JSON document that goes from the answer into guarded memory. Errors never quote it.

use std::fmt;

use memory::Secret;
use serde::de::{Deserialize, Deserializer, Error as _, Visitor};

/// A text that is a secret.
pub(crate) struct SecretText(pub(crate) Secret);

impl<'de> Deserialize<'de> for SecretText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = SecretText;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<SecretText, E> {
                Secret::new(text.as_bytes().to_vec()).map(SecretText).map_err(E::custom)
            }
        }
        // The library's own words quote what they met.
        deserializer.deserialize_str(Text).map_err(|_| D::Error::custom("a text was expected"))
    }
}
