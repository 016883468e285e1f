//! Where a secret is, as a `config.yaml` says it. A secret itself is refused.

use model::SecretRef;

use crate::flags::Error;

/// Looks at what stands behind the flag of a secret.
///
/// # Errors
/// For anything that is no reference. It is not repeated: people paste raw secrets where a reference belongs.
pub(super) fn check(flag: &str, text: &str) -> Result<(), Error> {
    let refused = |why: &str| {
        Err(Error::new(format!("`-{flag}` takes a reference to a secret, {why} (what was typed is not shown)")).hint(
            "write where it is, such as `env:SLACK_TOKEN` or `file:/run/secrets/slack`; if what you typed was real, replace it",
        ))
    };
    let Some((scheme, rest)) = text.split_once(':') else { return refused("and this is none") };
    if scheme == "dangerousLiteral" {
        return refused("and a literal on a command line is seen by every process of this machine");
    }
    let clean =
        !rest.is_empty() && rest.len() <= 1024 && rest == rest.trim() && !rest.chars().any(char::is_control);
    if !clean || !(SCHEMES.contains(&scheme) || text.parse::<SecretRef>().is_ok()) {
        return refused("and this is none");
    }
    let mut name = rest.chars();
    let starts = name.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
    if scheme == "env" && !(starts && name.all(|c| c.is_ascii_alphanumeric() || c == '_')) {
        return refused("and behind `env:` stands no name of a variable");
    }
    Ok(())
}

/// What that program knows beside what this one does.
const SCHEMES: [&str; 10] =
    ["env", "file", "k8s", "gcp", "aws", "azure", "vault", "keychain", "secretservice", "wincred"];
