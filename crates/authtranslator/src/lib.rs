//! The configuration of AuthTranslator, read and translated into integrations of ours.
//!
//! [`Config::read`] reads its `config.yaml` (YAML or JSON) as strictly as that program does. [`Config::translate`] makes of each
//! entry the text of one of our integration files: `doorward import authtranslator` writes these texts into the user's
//! folder, and `doorward gateway --config` runs the very same texts, so that both behave alike. This crate reads no file,
//! resolves no secret and decides nothing; rules (`allowlist.yaml`, `denylist.yaml`) are `policy`'s.
//!
//! # Invariants
//!
//! - Nothing is dropped: each key either has its meaning in the text, or a [`Note`] says what became of it, or the whole
//!   file is an error.
//! - What is not a secret reference, where one belongs, is an error that does not repeat it.
//! - Two entries never become one: names that would are an error.
//!
//! ```
//! use authtranslator::{Config, Options};
//!
//! let text = "
//! integrations:
//!   - name: slack
//!     destination: https://slack.com
//!     outgoing_auth:
//!       - {type: token, params: {secrets: [\"env:SLACK_TOKEN\"], header: Authorization, prefix: \"Bearer \"}}
//! ";
//! let translated = Config::read(text, "config.yaml")?.translate(&Options::default(), &mut |_, _| Err("not here".to_owned()))?;
//! assert_eq!(translated.integrations[0].written.name.as_str(), "slack");
//! # Ok::<(), catalog::Error>(())
//! ```

mod again;
mod assemble;
mod config;
mod destination;
mod duration;
mod home;
mod name;
mod params;
mod plugin;
mod secret;
mod text;
mod translate;

pub use again::{Before, translated};
pub use config::Config;
pub use translate::{Integration, Keep, ManagedIdentity, Note, Options, Translated, Untaken};

#[cfg(test)]
mod tests;
