//! Where a file of the peer's is, and what stands in it now.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ETAG, HeaderValue, IF_NONE_MATCH, USER_AGENT};
use http::{Request, StatusCode};
use model::{Authority, Scheme};
use net::egress::{Egress, EgressConfig, EgressLimits};

use crate::failure::{Failure, Outcome};
use crate::wire;

/// Whether somebody named it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Named {
    Yes,
    /// It is looked for under its usual name.
    No,
}

/// A file, or what an address gives.
#[derive(Debug)]
pub(crate) struct Source {
    place: Place,
    named: Named,
    seen: Mutex<Seen>,
}

#[derive(Debug)]
enum Place {
    File(PathBuf),
    Remote { authority: Authority, path: String },
}

/// What was seen last.
#[derive(Debug, Default)]
struct Seen {
    /// What a file looked like, so that an unchanged one is not read.
    stamp: Option<[i64; 5]>,
    text: Option<String>,
    etag: Option<HeaderValue>,
    asked: Option<Instant>,
    /// Whether an address gave nothing when all was read.
    failed: bool,
    /// Whether it was said that an address gives nothing: once, until it gives something again.
    told: bool,
}

impl Source {
    /// Reads where it is. What holds `://` is an address, but `file://`.
    pub(crate) fn read(written: &str, named: Named, private: bool) -> Outcome<Self> {
        let place = match written.split_once("://") {
            None => Place::File(written.into()),
            Some(("file", path)) => Place::File(path.into()),
            Some((scheme, rest)) => remote(scheme, rest, private)?,
        };
        if named == Named::Yes && written.is_empty() {
            return Err(Failure::usage("the name of a file is empty"));
        }
        Ok(Self { place, named, seen: Mutex::default() })
    }

    /// Whether it counts: somebody named it, it is there, or it was once. A list that is gone is no list that allows or denies nothing.
    pub(crate) fn counts(&self) -> bool {
        match &self.place {
            Place::File(path) if self.named == Named::No => {
                fs::symlink_metadata(path).is_ok() || self.seen().text.is_some()
            }
            Place::File(_) | Place::Remote { .. } => true,
        }
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How messages name it; never with a user name.
    pub(crate) fn name(&self) -> String {
        match &self.place {
            Place::File(path) => path.display().to_string(),
            Place::Remote { authority, path } => {
                let path = path.split('?').next().unwrap_or_default();
                format!("{authority}{path}")
            }
        }
    }

    /// What stands in it now. Blocks.
    pub(crate) fn text(&self, fetch: Duration) -> Outcome<String> {
        match &self.place {
            Place::File(path) => {
                let mut seen = self.seen();
                // Looked at first: what changes while it is read is read again.
                seen.stamp = stamp(path);
                let text = whole(path).map_err(|failure| match (self.named, &seen.text) {
                    (Named::No, Some(_)) => failure.hint(GONE),
                    _ => failure,
                })?;
                seen.text = Some(text.clone());
                Ok(text)
            }
            Place::Remote { authority, path } => {
                let fetched = self.fetched(authority, path, fetch);
                self.seen().failed = fetched.is_err();
                fetched
            }
        }
    }

    /// The same, where it may have changed: a file that looks the same is not read, an address not asked before its time. `None` where
    /// it can't be read; an address that gives nothing for a while is as it was.
    pub(crate) fn look(&self, fetch: Duration, poll: Duration) -> Option<String> {
        match &self.place {
            Place::File(path) => {
                let known = {
                    let seen = self.seen();
                    let same = seen.stamp.is_some() && seen.stamp == stamp(path);
                    if same { seen.text.clone() } else { None }
                };
                known.or_else(|| self.text(fetch).ok())
            }
            Place::Remote { authority, path } => {
                let is_time = self.seen().asked.is_none_or(|asked| asked.elapsed() >= poll);
                let fetched = is_time.then(|| self.fetched(authority, path, fetch));
                let mut seen = self.seen();
                match fetched {
                    Some(Ok(_)) => (seen.failed, seen.told) = (false, false),
                    Some(Err(failure)) if !seen.told => {
                        tracing::warn!(%failure, "what was read before stays in use");
                        seen.told = true;
                    }
                    _ => {}
                }
                seen.text.clone().filter(|_| !seen.failed)
            }
        }
    }

    fn fetched(&self, authority: &Authority, path: &str, fetch: Duration) -> Outcome<String> {
        let wrong = |what: String| Failure::new(format!("could not read `{}`: {what}", self.name()));
        let etag = {
            let mut seen = self.seen();
            seen.asked = Some(Instant::now());
            seen.text.as_ref().and(seen.etag.clone())
        };
        let mut request = Request::get(path)
            .header(USER_AGENT, concat!("doorward/", env!("CARGO_PKG_VERSION")))
            .body(Bytes::new())
            .map_err(|_| wrong("the address can't be asked".to_owned()))?;
        if let Some(etag) = &etag {
            request.headers_mut().insert(IF_NONE_MATCH, etag.clone());
        }
        let limits = EgressLimits { connect: fetch, reply: fetch, bytes: LARGEST };
        let egress = Egress::new(EgressConfig { limits, ..EgressConfig::default() });
        let reply = wire::runtime()?
            .block_on(egress.send(authority, request))
            .map_err(|error| Failure::doing(format!("could not read `{}`", self.name()), &error))?;
        let mut seen = self.seen();
        match (reply.status(), &seen.text) {
            (StatusCode::NOT_MODIFIED, Some(text)) if etag.is_some() => Ok(text.clone()),
            (StatusCode::OK, _) => {
                seen.etag = reply.headers().get(ETAG).cloned();
                let text =
                    std::str::from_utf8(reply.body()).map_err(|_| wrong("it is not text".to_owned()))?;
                seen.text = Some(text.to_owned());
                Ok(text.to_owned())
            }
            (status, _) => Err(wrong(format!("the answer was {}, and only 200 is one", status.as_u16()))),
        }
    }
}

fn remote(scheme: &str, rest: &str, private: bool) -> Outcome<Place> {
    let rest = rest.split('#').next().unwrap_or_default();
    let at = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at_checked(at).unwrap_or((rest, ""));
    if authority.contains('@') {
        return Err(Failure::usage(
            "an address with a user name: every user of this machine can read arguments",
        )
        .hint("serve the file where it needs no password, or copy it: `--config config.yaml`"));
    }
    let authority: Authority =
        format!("{}://{}", scheme.to_ascii_lowercase(), authority.to_ascii_lowercase()).parse().map_err(
            |_| {
                Failure::usage("this is no address that a file could be fetched from")
                    .hint("`https://config.example/config.yaml`")
            },
        )?;
    if authority.scheme() == Scheme::Http && !private {
        return Err(Failure::usage(
            "over plain http anybody on the way could change what credentials may do",
        )
        .hint("use `https://`; for this machine, `--dangerous-allow-private`"));
    }
    let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
    Ok(Place::Remote { authority, path })
}

/// What tells a file from every other, and from itself after a change. Links are followed, because that is how a
/// configuration is swapped.
fn stamp(path: &Path) -> Option<[i64; 5]> {
    let seen = fs::metadata(path).ok()?;
    let number = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    Some([number(seen.dev()), number(seen.ino()), number(seen.size()), seen.ctime(), seen.ctime_nsec()])
}

fn whole(path: &Path) -> Outcome<String> {
    let failed =
        |error: std::io::Error| Failure::doing(format!("could not read `{}`", path.display()), &error);
    let size = fs::metadata(path).map_err(failed)?.len();
    if size > u64::try_from(LARGEST).unwrap_or(u64::MAX) {
        return Err(Failure::new(format!("`{}` is larger than 64 MiB", path.display())));
    }
    fs::read_to_string(path).map_err(failed)
}

/// What became of a list that nobody named.
const GONE: &str = "what it said stays in force; put it back, or start again without it";
/// Largest file, in bytes.
const LARGEST: usize = 64 << 20;
