//! Which route a path means. A path is read in one way: split at `/`, then decoded, then compared.

use std::collections::BTreeMap;

use percent_encoding::percent_decode_str;

use super::route::Route;
use super::table;

/// What a path and a method mean.
pub(crate) enum Found {
    /// A route, with what stands in the path by name.
    Route(&'static Route, BTreeMap<&'static str, String>),
    /// The path is there, with these methods.
    Methods(Vec<&'static str>),
    /// There is no such path.
    Nothing,
}

/// Finds the route.
pub(crate) fn find(method: &str, path: &str) -> Found {
    let matching: Vec<_> =
        table::routes().filter_map(|route| Some((route, matched(route.path, path)?))).collect();
    // A word that is written out is meant before a place that takes any word.
    let best = matching.iter().map(|(_, places)| places.len()).min();
    let mut methods = Vec::new();
    for (route, places) in matching {
        if Some(places.len()) != best {
            continue;
        }
        if route.method == method || (route.method == "GET" && method == "HEAD") {
            return Found::Route(route, places);
        }
        methods.push(route.method);
        if route.method == "GET" {
            methods.push("HEAD");
        }
    }
    if methods.is_empty() {
        return Found::Nothing;
    }
    methods.push("OPTIONS");
    Found::Methods(methods)
}

fn matched(template: &'static str, path: &str) -> Option<BTreeMap<&'static str, String>> {
    let mut places = BTreeMap::new();
    let (mut wanted, mut written) = (template.split('/'), path.split('/'));
    loop {
        match (wanted.next(), written.next()) {
            (None, None) => return Some(places),
            (Some(wanted), Some(written)) => segment(wanted, written, &mut places)?,
            _ => return None,
        }
    }
}

fn segment(wanted: &'static str, written: &str, places: &mut BTreeMap<&'static str, String>) -> Option<()> {
    let (wanted, verb) = split(wanted);
    let (written, said) = split(written);
    if verb != said {
        return None;
    }
    match wanted.strip_prefix('{').and_then(|rest| rest.strip_suffix('}')) {
        None => (wanted == written).then_some(()),
        Some(name) => {
            let decoded = percent_decode_str(written).decode_utf8().ok()?;
            let plain = !decoded.is_empty() && !decoded.chars().any(char::is_control);
            plain.then(|| drop(places.insert(name, decoded.into_owned())))
        }
    }
}

/// A segment and the verb behind its colon.
fn split(segment: &str) -> (&str, Option<&str>) {
    segment.rsplit_once(':').map_or((segment, None), |(segment, verb)| (segment, Some(verb)))
}

#[cfg(test)]
mod tests;
