//! A text that lies elsewhere, such as the values of a release: where it is, and what it has to be.
//!
//! Nothing is fetched here. A reference says which request of which integration gives its text, and takes what came only where its
//! SHA-256 is the one that was written. So whoever approves a call with a reference approves the text, wherever it lies.

use std::fmt::Write as _;

use model::{Authority, Code, IntegrationName, Refusal, Target};
use percent_encoding::utf8_percent_encode;
use serde_json::Value;

use crate::path::SEGMENT;
use crate::{AuthScheme, Integration};

/// A reference, as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    place: Place,
    digest: crypto::Digest,
    /// The integration by which it is read, where several could.
    by: Option<IntegrationName>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Place {
    /// A file of a server: where that is, and path and query.
    Server(Authority, Target),
    /// A file of a Git repository: the host of the repository, its path without `.git`, the file's path, and the commit.
    Git { host: Authority, repository: String, file: String, commit: String },
    /// An object of a store.
    Object { bucket: String, key: String },
}

/// The request that gives the text of a reference.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetch {
    /// Path and query behind the service root.
    pub target: Target,
    /// What it asks to be answered with.
    pub accept: &'static str,
    form: Form,
    /// How much of the path the integration's own address has.
    depth: usize,
}

/// How the text stands in the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    Whole,
    /// In Base64, in the field `content` of a JSON object.
    Content,
}

impl Fetch {
    /// How narrow the integration is: of several that have a place, the one with the longest address is meant.
    #[must_use]
    pub const fn depth(&self) -> usize {
        self.depth
    }
}

impl Reference {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it, for people. The text is not repeated.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (place, behind) = text.split_once('#').ok_or(NO_DIGEST)?;
        let (mut digest, mut by) = (None, None);
        for pair in behind.split('&') {
            match pair.split_once('=') {
                Some(("sha256", hex)) if digest.is_none() => digest = Some(read_digest(hex)?),
                Some(("integration", name)) if by.is_none() => {
                    by = Some(name.parse().map_err(|_| "`integration=` is followed by the name of one")?);
                }
                _ => return Err(NO_DIGEST.to_owned()),
            }
        }
        let digest = digest.ok_or(NO_DIGEST)?;
        let place = match place.split_once("://") {
            Some(("https", rest)) => server(rest)?,
            Some(("git+https", rest)) => git(rest)?,
            Some(("s3", rest)) => object(rest)?,
            _ => return Err(FORMS.to_owned()),
        };
        Ok(Self { place, digest, by })
    }

    /// The request of an integration that gives the text; `None` where the place is not this integration's.
    #[must_use]
    pub fn fetch(&self, integration: &Integration) -> Option<Fetch> {
        if integration.internal() || integration.wildcard().is_some() {
            return None;
        }
        if self.by.as_ref().is_some_and(|by| by != integration.name()) {
            return None;
        }
        let base = integration.base_path();
        let whole = |target: Target| {
            let depth = base.len();
            Some(Fetch { target, accept: "*/*", form: Form::Whole, depth })
        };
        match &self.place {
            Place::Server(at, target) => {
                let there = same(at, integration.authority());
                there.then(|| target.strip_prefix(base)).flatten().and_then(whole)
            }
            Place::Object { bucket, key } => {
                let host = integration.authority().host();
                let in_store = integration.auth().iter().any(|scheme| matches!(scheme, AuthScheme::SigV4(_)));
                let at_aws = host
                    .strip_prefix(bucket.as_str())
                    .is_some_and(|rest| rest.starts_with(".s3.") && rest.ends_with(AWS));
                let there = at_aws && base.is_empty() || base.strip_prefix('/') == Some(bucket);
                (in_store && there)
                    .then(|| format!("/{}", escaped(key)).parse().ok())
                    .flatten()
                    .and_then(whole)
            }
            Place::Git { host, repository, file, commit } => {
                let (target, accept, form) =
                    forge(integration, host, (repository, file, commit)).filter(|_| !file.is_empty())?;
                Some(Fetch { target: target.parse().ok()?, accept, form, depth: base.len() })
            }
        }
    }

    /// The text, where it is the one that was written.
    ///
    /// # Errors
    /// `bad_request` where it is another one, or none.
    pub fn text(&self, fetch: &Fetch, body: &[u8]) -> Result<String, Refusal> {
        let wrong = |what: &str| Refusal::new(Code::BadRequest, what.to_owned());
        let bytes = match fetch.form {
            Form::Whole => body.to_vec(),
            Form::Content => content(body).ok_or_else(|| wrong("the answer holds no file"))?,
        };
        let found = crypto::sha256(&[&bytes]);
        if found != self.digest {
            let message = format!(
                "the text that is there has another SHA-256 than the one that was written: {}",
                crypto::to_hex(&found)
            );
            return Err(wrong(&message).hint("nothing was run; somebody may have changed it"));
        }
        String::from_utf8(bytes).map_err(|_| wrong("what is there is no text"))
    }

    /// Its digest, as it is written.
    #[must_use]
    pub fn digest(&self) -> String {
        crypto::to_hex(&self.digest)
    }

    /// The only integration by which it may be read, where it says so.
    #[must_use]
    pub const fn by(&self) -> Option<&IntegrationName> {
        self.by.as_ref()
    }
}

fn read_digest(hex: &str) -> Result<crypto::Digest, String> {
    let bytes = crypto::from_hex(&hex.to_ascii_lowercase()).map_err(|_| NO_DIGEST)?;
    crypto::Digest::try_from(bytes.as_slice()).map_err(|_| NO_DIGEST.to_owned())
}

/// An authority, and what stands behind it without the `/`.
fn parted(rest: &str) -> Result<(Authority, &str), String> {
    let (host, path) = rest.split_once('/').ok_or(FORMS)?;
    let host = format!("https://{host}")
        .parse()
        .map_err(|_| "its host is none, or holds more than a name and a port")?;
    Ok((host, path))
}

fn server(rest: &str) -> Result<Place, String> {
    let (host, path) = parted(rest)?;
    let target = format!("/{path}").parse();
    Ok(Place::Server(host, target.map_err(|_| "its path can be read in two ways")?))
}

fn git(rest: &str) -> Result<Place, String> {
    let (host, path) = parted(rest)?;
    let (path, query) = path.split_once('?').ok_or("a file of a repository needs `?ref=COMMIT`")?;
    let commit = query.strip_prefix("ref=").filter(|commit| {
        (40..=64).contains(&commit.len()) && commit.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
    });
    let commit = commit.ok_or("`?ref=` is followed by the whole name of a commit")?;
    let (repository, file) =
        path.split_once(".git//").ok_or("a file of a repository stands behind `.git//`")?;
    let plain = |path: &str| {
        let part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_plain);
        path.split('/').all(part)
    };
    if !plain(repository) || !plain(file) {
        return Err("the paths of repository and file are made of plain names".to_owned());
    }
    let (repository, file, commit) = (repository.to_owned(), file.to_owned(), commit.to_owned());
    Ok(Place::Git { host, repository, file, commit })
}

fn object(rest: &str) -> Result<Place, String> {
    let (bucket, key) = rest.split_once('/').ok_or(FORMS)?;
    let plain = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'.' | b'-');
    let parts =
        |key: &str| key.split('/').all(|part| !matches!(part, "" | "." | "..") && part.bytes().all(is_plain));
    if !bucket.bytes().all(plain) || !(3..=63).contains(&bucket.len()) || !parts(key) {
        return Err("bucket and key are made of plain names".to_owned());
    }
    Ok(Place::Object { bucket: bucket.to_owned(), key: key.to_owned() })
}

const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b'%' | b'?' | b'#' | b'\\' | b'"')
}

/// Host and port: the scheme is the integration's, which is not plain http but where its own file says so.
fn same(written: &Authority, own: &Authority) -> bool {
    written.host() == own.host() && written.port() == own.port()
}

/// The request of a forge for one file of one of its repositories.
fn forge(
    integration: &Integration,
    host: &Authority,
    (repository, file, commit): (&str, &str, &str),
) -> Option<(String, &'static str, Form)> {
    let own = integration.authority();
    match integration.kind().as_str() {
        "github" => {
            let hosted =
                own.host() == "api.github.com" && host.host() == "github.com" && host.port() == own.port();
            let there = hosted || own.host() != "api.github.com" && same(host, own);
            let two = repository.split('/').count() == 2;
            let target = format!("/repos/{}/contents/{}?ref={commit}", escaped(repository), escaped(file));
            (there && two).then_some((target, "application/vnd.github.raw+json", Form::Whole))
        }
        "gitlab" => {
            let (project, file) = (segment(repository), segment(file));
            let target = format!("/projects/{project}/repository/files/{file}?ref={commit}");
            same(host, own).then_some((target, "application/json", Form::Content))
        }
        _ => None,
    }
}

/// A path, each of its parts escaped.
fn escaped(path: &str) -> String {
    let mut text = String::new();
    for (at, part) in path.split('/').enumerate() {
        let slash = if at == 0 { "" } else { "/" };
        let _ = write!(text, "{slash}{}", utf8_percent_encode(part, SEGMENT));
    }
    text
}

/// A path as one segment.
fn segment(path: &str) -> String {
    utf8_percent_encode(path, SEGMENT).to_string()
}

/// What stands in Base64 in the answer of a forge.
fn content(body: &[u8]) -> Option<Vec<u8>> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let text: String =
        answer.get("content")?.as_str()?.chars().filter(|c| !c.is_ascii_whitespace()).collect();
    crypto::from_base64(&text).ok()
}

const AWS: &str = ".amazonaws.com";
const NO_DIGEST: &str = "it ends with the digest of what is there: `#sha256=` and 64 hexadecimal digits";
const FORMS: &str = "it is `https://HOST/PATH#sha256=HEX`, `git+https://HOST/REPOSITORY.git//PATH?ref=COMMIT#sha256=HEX` or \
                     `s3://BUCKET/KEY#sha256=HEX`";

#[cfg(test)]
mod tests;
