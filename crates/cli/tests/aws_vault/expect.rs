//! Compares what came of a step with what was expected. Each difference is a line for people.

use std::path::Path;

use regex::Regex;
use testkit::aws::Call;

use crate::case::{Expect, Expected};
use crate::run::{Ended, Place};

/// Everything that differs.
pub(crate) fn differences(expect: &Expect, ended: &Ended, calls: &[Call], place: &Place) -> Vec<String> {
    let mut out = Vec::new();
    if expect.rc.is_some_and(|rc| ended.rc != Some(rc)) {
        out.push(format!(
            "rc={}, want {}; stderr {:?}",
            ended.rc.map_or("timeout".to_owned(), |rc| rc.to_string()),
            expect.rc.unwrap_or_default(),
            tail(&ended.stderr)
        ));
    }
    let stdout = Text { label: "stdout", got: &ended.stdout, place };
    stdout.is(expect.stdout.as_deref(), &mut out);
    stdout.has(&expect.stdout_contains, &expect.stdout_lacks, expect.stdout_match.as_deref(), &mut out);
    let stderr = Text { label: "stderr", got: &ended.stderr, place };
    stderr.is(expect.stderr.as_deref(), &mut out);
    stderr.has(&expect.stderr_contains, &expect.stderr_lacks, expect.stderr_match.as_deref(), &mut out);
    if let Some(expected) = &expect.calls {
        out.extend(of_calls(expected, calls, &ended.stderr));
    }
    keys(expect, place, &mut out);
    files(expect, place, &mut out);
    out
}

/// One of the two outputs.
struct Text<'a> {
    label: &'static str,
    got: &'a str,
    place: &'a Place,
}

impl Text<'_> {
    fn is(&self, want: Option<&str>, out: &mut Vec<String>) {
        let want = want.map(|want| self.place.filled(want));
        if let Some(want) = want.filter(|want| want != self.got) {
            out.push(format!("{} is {:?}, want {want:?}", self.label, self.got));
        }
    }

    fn has(&self, contains: &[String], lacks: &[String], pattern: Option<&str>, out: &mut Vec<String>) {
        let Self { label, got, place } = self;
        for want in contains.iter().map(|want| place.filled(want)).filter(|want| !got.contains(want)) {
            out.push(format!("{label} lacks {want:?}: {:?}", tail(got)));
        }
        for not in lacks.iter().map(|not| place.filled(not)).filter(|not| got.contains(not)) {
            out.push(format!("{label} must not contain {not:?}: {:?}", tail(got)));
        }
        if let Some(pattern) = pattern.filter(|pattern| !found(pattern, got)) {
            out.push(format!("{label} does not match {pattern:?}: {:?}", tail(got)));
        }
    }
}

/// Compares calls in order; one that is optional is left out where the next one fits.
fn of_calls(expected: &[Expected], calls: &[Call], stderr: &str) -> Vec<String> {
    let mut out = Vec::new();
    let mut left = calls.iter().peekable();
    let listed = || {
        let got: Vec<_> = calls.iter().map(|call| call.api.as_str()).collect();
        let want: Vec<_> = expected.iter().map(|call| call.api.as_str()).collect();
        vec![format!("calls {got:?}, want {want:?}; stderr {:?}", tail(stderr))]
    };
    for want in expected {
        match left.peek() {
            Some(call) if call.api == want.api => out.extend(of_call(want, call)),
            _ if want.optional => continue,
            _ => return listed(),
        }
        left.next();
    }
    if left.peek().is_some() { listed() } else { out }
}

fn of_call(want: &Expected, got: &Call) -> Vec<String> {
    let mut out = Vec::new();
    let api = &want.api;
    for (name, value) in &want.params {
        let want = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        let got = got.param(name);
        if got.as_deref() != Some(&want) {
            out.push(format!("{api}: {name}={got:?}, want {want:?}"));
        }
    }
    for (name, pattern) in &want.params_match {
        let got = got.param(name).unwrap_or_default();
        if !found(pattern, &got) {
            out.push(format!("{api}: {name}={got:?} does not match {pattern:?}"));
        }
    }
    for name in want.absent.iter().filter(|name| got.params.contains_key(*name)) {
        out.push(format!("{api}: {name} should be absent, is {:?}", got.param(name)));
    }
    if let Some(want) = &want.tags {
        let tags = (1..)
            .map_while(|i| {
                Some((
                    got.param(&format!("Tags.member.{i}.Key"))?,
                    got.param(&format!("Tags.member.{i}.Value"))?,
                ))
            })
            .collect();
        if *want != tags {
            out.push(format!("{api}: tags {tags:?}, want {want:?}"));
        }
    }
    if let Some(want) = &want.transitive {
        let keys: Vec<_> = (1..).map_while(|i| got.param(&format!("TransitiveTagKeys.member.{i}"))).collect();
        if *want != keys {
            out.push(format!("{api}: transitive {keys:?}, want {want:?}"));
        }
    }
    for (name, want, got) in
        [("signed_by", &want.signed_by, &got.signed_by), ("region", &want.region, &got.region)]
    {
        if want.as_ref().is_some_and(|want| want != got) {
            out.push(format!("{api}: {name}={got:?}, want {:?}", want.as_ref().and_then(Option::as_ref)));
        }
    }
    out
}

fn keys(expect: &Expect, place: &Place, out: &mut Vec<String>) {
    let keys = names(&place.work.join("keys"));
    for pattern in &expect.keys_match {
        let whole = Regex::new(&format!(r"\A(?:{pattern})\z")).unwrap();
        if !keys.iter().any(|key| whole.is_match(key)) {
            out.push(format!("no stored key matches {pattern:?}: {keys:?}"));
        }
    }
    if let Some(count) = expect.keys_count.filter(|count| *count != keys.len()) {
        out.push(format!("{} stored keys, want {count}: {keys:?}", keys.len()));
    }
}

fn files(expect: &Expect, place: &Place, out: &mut Vec<String>) {
    let read = |name: &str| {
        std::fs::read(place.work.join(name))
            .map_or("<missing>".to_owned(), |bytes| String::from_utf8_lossy(&bytes).into_owned())
    };
    if let Some(want) = &expect.config_after {
        let (got, want) = (read("config"), place.filled(want));
        if got != want {
            out.push(format!("config is {got:?}, want {want:?}"));
        }
    }
    for (name, pattern) in &expect.files_match {
        let got = read(name);
        if !found(pattern, &got) {
            out.push(format!("{name}: {:?} does not match {pattern:?}", tail(&got)));
        }
    }
    for name in expect.files_absent.iter().filter(|name| place.work.join(name).exists()) {
        out.push(format!("{name} must not be there"));
    }
}

/// The names in a folder, sorted; none where there is no folder.
fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<_> = entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// Whether a pattern is found; `.` matches line ends as well.
fn found(pattern: &str, text: &str) -> bool {
    Regex::new(&format!("(?s:{pattern})")).unwrap_or_else(|error| panic!("{error}")).is_match(text)
}

/// The end of a text, short enough to read.
fn tail(text: &str) -> &str {
    let from = text.char_indices().rev().nth(600).map_or(0, |(at, _)| at);
    text.get(from..).unwrap_or_default()
}
