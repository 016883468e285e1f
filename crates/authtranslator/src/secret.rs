//! Secret references: theirs into ours.

use model::SecretRef;

/// What one of their references is here.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// A reference of ours.
    At(SecretRef),
    /// The secret itself stood there.
    Literal(String),
}

/// Reads a reference of theirs. The error is fit to be shown: what was written may be a secret, so only a prefix that is one
/// is repeated.
pub(crate) fn place(written: &str) -> Result<Place, String> {
    let Some((prefix, rest)) = written.split_once(':').filter(|(prefix, _)| PREFIXES.contains(prefix)) else {
        let forms = PREFIXES.join(":`, `");
        return Err(format!(
            "expected a secret reference that begins with `{forms}:` (what stands here is not shown)"
        ));
    };
    if rest.is_empty() {
        return Err(format!("there is nothing behind `{prefix}:`"));
    }
    if prefix == "dangerousLiteral" {
        return Ok(Place::Literal(rest.to_owned()));
    }
    let ours = translated(prefix, rest)?;
    let reference = ours.parse().map_err(|_| {
        format!(
            "this secret reference, which begins with `{prefix}:`, can't be read by this version of Doorward"
        )
    })?;
    Ok(Place::At(reference))
}

fn translated(prefix: &str, rest: &str) -> Result<String, String> {
    match prefix {
        "file" => file(rest),
        _ => Ok(format!("{prefix}:{rest}")),
    }
}

/// A path, or a path and the key of a line in it: what stands behind the last colon and holds no slash.
fn file(rest: &str) -> Result<String, String> {
    let (path, key) = match rest.rsplit_once(':') {
        Some((path, key)) if !key.contains(['/', '\\']) => (path, Some(key)),
        _ => (rest, None),
    };
    let slashes = path.len() - path.trim_start_matches('/').len();
    let path = if slashes > 1 { path.get(slashes - 1..).unwrap_or_default() } else { path };
    if !path.starts_with('/') {
        return Err(
            "a path begins with `/` here: another one would mean another file in each folder".to_owned()
        );
    }
    if path.contains('#') || key == Some("") {
        return Err("a path with `#`, or an empty key, can't be a reference here".to_owned());
    }
    Ok(key.map_or_else(|| format!("file:{path}"), |key| format!("file:{path}#{key}")))
}

const PREFIXES: &[&str] = &[
    "env",
    "file",
    "k8s",
    "gcp",
    "aws",
    "azure",
    "vault",
    "keychain",
    "secretservice",
    "wincred",
    "store",
    "dangerousLiteral",
];
