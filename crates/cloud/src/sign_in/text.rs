//! Texts, times and numbers in files of other programs, which write them in several ways.

use std::fmt;

use memory::Secret;
use model::Timestamp;
use serde::de::{Error as _, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A file without the mark that some editors put in front of UTF-8.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)
}

/// A secret text that goes from the file into guarded memory; `null` and an empty text are nothing.
#[derive(Default)]
pub(super) struct Text(pub(super) Option<Secret>);

/// A moment: a date, seconds or milliseconds since 1970. Zero, `null` and an empty text are nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct When(pub(super) Option<Timestamp>);

/// A number of seconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Lasts(pub(super) Option<u64>);

/// A secret that is written into a file.
pub(super) struct Shown<'a>(pub(super) &'a Secret);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = Text;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Text, E> {
                if text.is_empty() {
                    return Ok(Text(None));
                }
                if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
                    return Err(E::custom("a token that no header can carry"));
                }
                Secret::new(text.as_bytes().to_vec()).map(|secret| Text(Some(secret))).map_err(E::custom)
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<Text, E> {
                Ok(Text(None))
            }
        }
        // What stands there instead may be the token, so it is not repeated.
        deserializer.deserialize_any(Reads).map_err(|_| D::Error::custom("a token that is no plain text"))
    }
}

impl<'de> Deserialize<'de> for When {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reads;
        impl Visitor<'_> for Reads {
            type Value = When;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a date, or a number of seconds or milliseconds")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<When, E> {
                read(text).ok_or_else(|| E::custom("a time that is none"))
            }

            fn visit_u64<E: serde::de::Error>(self, number: u64) -> Result<When, E> {
                Ok(number_of(number))
            }

            fn visit_i64<E: serde::de::Error>(self, number: i64) -> Result<When, E> {
                Ok(number_of(u64::try_from(number).unwrap_or_default()))
            }

            fn visit_f64<E: serde::de::Error>(self, number: f64) -> Result<When, E> {
                if !(0.0..1e15).contains(&number) {
                    return Err(E::custom("a time that is none"));
                }
                // Within the bounds of a u64, whose fraction nobody needs.
                format!("{number:.0}").parse().map(number_of).map_err(E::custom)
            }

            fn visit_unit<E: serde::de::Error>(self) -> Result<When, E> {
                Ok(When(None))
            }
        }
        deserializer.deserialize_any(Reads)
    }
}

impl<'de> Deserialize<'de> for Lasts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Number(f64),
            Text(String),
            Nothing(()),
        }
        let seconds = match Written::deserialize(deserializer)? {
            Written::Number(number) => Some(number),
            Written::Text(text) if text.trim().is_empty() => None,
            Written::Text(text) => Some(text.trim().parse().map_err(D::Error::custom)?),
            Written::Nothing(()) => None,
        };
        match seconds {
            Some(seconds) if (0.0..1e10).contains(&seconds) => {
                format!("{seconds:.0}").parse().map(|seconds| Self(Some(seconds))).map_err(D::Error::custom)
            }
            Some(_) => Err(D::Error::custom("a number of seconds that is none")),
            None => Ok(Self(None)),
        }
    }
}

impl Serialize for Shown<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[expect(clippy::disallowed_methods, reason = "writes the document that keeps the token")]
        self.0.expose(|bytes| match str::from_utf8(bytes) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Err(serde::ser::Error::custom("a token that is no text")),
        })
    }
}

/// Another copy of a token, in guarded memory too.
pub(super) fn copied(secret: &Secret) -> Result<Secret, memory::Error> {
    #[expect(clippy::disallowed_methods, reason = "copies from guarded memory to guarded memory")]
    secret.expose(|bytes| Secret::filled(bytes.len(), |to| to.copy_from_slice(bytes)))
}

fn read(text: &str) -> Option<When> {
    let text = text.trim();
    // The zero time of programs in Go.
    if text.is_empty() || text.starts_with("0001-01-01") {
        return Some(When(None));
    }
    match text.parse::<u64>() {
        Ok(number) => Some(number_of(number)),
        Err(_) => text.parse().ok().map(|at| When(Some(at))),
    }
}

/// No token lasts until the year 5138, so what is larger is milliseconds.
fn number_of(number: u64) -> When {
    let millis = if number > 100_000_000_000 { number } else { number.saturating_mul(1000) };
    When((number > 0).then(|| Timestamp::from_millis(millis)))
}
