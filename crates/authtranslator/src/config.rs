//! `config.yaml` as it is written. Every level refuses keys that it does not know.

use std::collections::BTreeMap;
use std::fmt;

use catalog::{Error, yaml};
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_saphyr::Spanned;

/// A whole configuration.
#[derive(Debug)]
pub struct Config {
    /// The file as errors name it.
    pub(crate) file: String,
    pub(crate) integrations: Vec<Spanned<Entry>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    integrations: Option<Entries>,
}

/// A list, and never a map by names, which their older documents show.
#[derive(Debug)]
struct Entries(Vec<Spanned<Entry>>);

impl<'de> Deserialize<'de> for Entries {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Entries;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("a list of integrations")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Entries, A::Error> {
                let mut entries = Vec::new();
                while let Some(entry) = items.next_element()? {
                    entries.push(entry);
                }
                Ok(Entries(entries))
            }

            fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<Entries, A::Error> {
                Err(de::Error::custom(
                    "`integrations` is a list, and the name stands in each entry: `- name: slack`",
                ))
            }
        }

        deserializer.deserialize_any(List)
    }
}

/// One integration as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Entry {
    pub(crate) name: Spanned<String>,
    pub(crate) destination: Spanned<String>,
    pub(crate) incoming_auth: Option<Vec<Spanned<Way>>>,
    pub(crate) outgoing_auth: Option<Vec<Spanned<Way>>>,
    pub(crate) in_rate_limit: Option<Spanned<i64>>,
    pub(crate) out_rate_limit: Option<Spanned<i64>>,
    pub(crate) rate_limit_window: Option<Spanned<Value>>,
    pub(crate) rate_limit_strategy: Option<Spanned<String>>,
    pub(crate) idle_conn_timeout: Option<Spanned<Value>>,
    pub(crate) tls_handshake_timeout: Option<Spanned<Value>>,
    pub(crate) response_header_timeout: Option<Spanned<Value>>,
    pub(crate) tls_insecure_skip_verify: Option<Switch>,
    pub(crate) disable_keep_alives: Option<Switch>,
    pub(crate) max_idle_conns: Option<Spanned<i64>>,
    pub(crate) max_idle_conns_per_host: Option<Spanned<i64>>,
}

/// Yes or no, in every way in which they write it: also as YAML 1.1 has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Switch(pub(crate) bool);

impl<'de> Deserialize<'de> for Switch {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Word;

        impl Visitor<'_> for Word {
            type Value = Switch;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("`true` or `false`")
            }

            fn visit_bool<E: de::Error>(self, written: bool) -> Result<Switch, E> {
                Ok(Switch(written))
            }

            fn visit_str<E: de::Error>(self, written: &str) -> Result<Switch, E> {
                let any = |words: &[&str]| {
                    let title = |word: &str| {
                        word.get(..1).unwrap_or_default().to_uppercase() + word.get(1..).unwrap_or_default()
                    };
                    words.iter().any(|word| {
                        written == *word || written == word.to_uppercase() || written == title(word)
                    })
                };
                match written {
                    _ if any(&["y", "yes", "on"]) => Ok(Switch(true)),
                    _ if any(&["n", "no", "off"]) => Ok(Switch(false)),
                    _ => Err(E::custom("expected `true` or `false`")),
                }
            }
        }

        deserializer.deserialize_any(Word)
    }
}

/// One way of proving or of putting a credential on, as it is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Way {
    #[serde(rename = "type")]
    pub(crate) kind: Spanned<String>,
    pub(crate) params: Option<BTreeMap<String, Spanned<Value>>>,
}

impl Config {
    /// Reads a configuration; an empty file has no integrations.
    ///
    /// # Errors
    /// The line that is wrong. What was written there is not repeated where it could be a secret.
    pub fn read(text: &str, file: &str) -> Result<Self, Error> {
        let blank =
            text.lines().map(str::trim).all(|line| line.is_empty() || line == "---" || line.starts_with('#'));
        let integrations = if blank {
            Vec::new()
        } else {
            yaml::read_foreign::<File>(text, file)?.integrations.map(|Entries(list)| list).unwrap_or_default()
        };
        Ok(Self { file: file.to_owned(), integrations })
    }

    /// One item of the list, read by itself; `None` where that can't be.
    pub(crate) fn item(text: &str, file: &str) -> Option<Self> {
        let Entries(integrations) = yaml::read_foreign(text, file).ok()?;
        Some(Self { file: file.to_owned(), integrations })
    }

    /// How many integrations it describes.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.integrations.len()
    }

    /// Whether it describes none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.integrations.is_empty()
    }
}
