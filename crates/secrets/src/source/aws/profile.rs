//! The keys of a profile, from the files that all programs for AWS share.

use std::path::PathBuf;

use aws::Lease;
use memory::Secret;
use zeroize::Zeroizing;

use crate::source::Trouble;

/// The keys that a profile has itself. Files are small and read again each time, so that a key which was rotated there is seen.
pub(super) fn keys(name: &str, variable: &dyn Fn(&str) -> Option<String>) -> Result<Lease, Trouble> {
    let mut known = false;
    for (setting, usual) in FILES {
        let Some(path) = place(setting, usual, variable) else { continue };
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => Zeroizing::new(text),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(source) => return Err(Trouble::System { what: "read a file of profiles", source }),
        };
        let own = |key: &str| value(&text, name, key);
        known |= titles(&text).any(|title| is_of(title, name));
        let (Some(id), Some(key)) = (own("aws_access_key_id"), own("aws_secret_access_key")) else {
            continue;
        };
        let secret = |text: &str| {
            let kept = Secret::new(text.as_bytes().to_vec());
            kept.map_err(|_| Trouble::Wrong("there is no guarded memory for the key of the profile"))
        };
        return Ok(Lease {
            access_key_id: id.to_owned(),
            secret_access_key: secret(key)?,
            session_token: own("aws_session_token").map(secret).transpose()?,
            expiration: None,
        });
    }
    Err(Trouble::setting(if known {
        format!(
            "the profile `{name}` has no keys of its own: name the one with the keys, and the role at the auth scheme"
        )
    } else {
        format!(
            "there is no profile `{name}` in the files of AWS (`AWS_SHARED_CREDENTIALS_FILE`, `AWS_CONFIG_FILE`)"
        )
    }))
}

fn place(setting: &str, usual: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<PathBuf> {
    variable(setting).map(PathBuf::from).or_else(|| Some(PathBuf::from(variable("HOME")?).join(usual)))
}

/// The title that a line is.
fn title(line: &str) -> Option<&str> {
    line.trim().strip_prefix('[')?.split(']').next().map(str::trim)
}

fn titles(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter_map(title)
}

/// In the file with the keys a section has the name of its profile, in the other one `profile` stands before it.
fn is_of(title: &str, name: &str) -> bool {
    title == name || title.strip_prefix("profile ").is_some_and(|rest| rest.trim() == name)
}

/// The value of a key in the section of a profile. A line that begins with white space belongs to the one before it.
fn value<'a>(text: &'a str, name: &str, key: &str) -> Option<&'a str> {
    let mut within = false;
    for line in text.lines() {
        if let Some(title) = title(line) {
            within = is_of(title, name);
        } else if let Some((known, value)) = line.split_once('=').filter(|_| within)
            && !line.starts_with(char::is_whitespace)
            && known.trim() == key
        {
            return Some(value.trim()).filter(|value| !value.is_empty());
        }
    }
    None
}

/// The file with the keys comes first, as with AWS' own programs.
const FILES: [(&str, &str); 2] =
    [("AWS_SHARED_CREDENTIALS_FILE", ".aws/credentials"), ("AWS_CONFIG_FILE", ".aws/config")];
