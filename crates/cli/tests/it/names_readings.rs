//! Reads a target as the most careless of servers would.

/// The paths as which a server may read a target: decoded up to three times, folded, without parameters, resolved.
pub(crate) fn readings(target: &str) -> Vec<String> {
    let mut readings = Vec::new();
    let mut path = target.split('?').next().unwrap().to_owned();
    for _ in 0..4 {
        let folded = folded(&path);
        for text in [&path, &folded] {
            readings.push(resolved(text));
            readings.push(resolved(&without_parameters(text)));
        }
        let Some(next) = decoded(&path) else { break };
        path = next;
    }
    readings
}

/// Lookalikes as their compatibility form has them, without what hides, in lower case.
fn folded(path: &str) -> String {
    let mut out = String::new();
    for c in path.chars().filter(|c| !hidden(*c)) {
        match c {
            '\\' => out.push('/'),
            '\u{2024}' | '\u{fe52}' => out.push('.'),
            '\u{2025}' => out.push_str(".."),
            '\u{2026}' => out.push_str("..."),
            '\u{fe68}' => out.push('/'),
            '\u{fe54}' | '\u{37e}' => out.push(';'),
            '\u{ff01}'..='\u{ff5e}' => out.extend(char::from_u32(u32::from(c) - 0xfee0)),
            _ => out.extend(c.to_lowercase()),
        }
    }
    out.to_lowercase().replace('\\', "/")
}

fn hidden(c: char) -> bool {
    c.is_control() || matches!(c, '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn without_parameters(path: &str) -> String {
    path.split('/').map(|segment| segment.split(';').next().unwrap_or_default()).collect::<Vec<_>>().join("/")
}

/// Without doubled slashes and dot segments.
fn resolved(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment.trim_matches([' ', '\t', '\r', '\n']) {
            "" | "." => {}
            ".." => drop(segments.pop()),
            _ => segments.push(segment),
        }
    }
    format!("/{}", segments.join("/"))
}

/// One layer of escapes less; `None` where there is none.
fn decoded(text: &str) -> Option<String> {
    let mut out = Vec::new();
    let mut rest = text.as_bytes();
    let mut changed = false;
    while let Some((first, behind)) = rest.split_first() {
        let pair = behind.get(..2).filter(|_| *first == b'%').and_then(|pair| std::str::from_utf8(pair).ok());
        match pair.and_then(|pair| u8::from_str_radix(pair, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                rest = &behind[2..];
                changed = true;
            }
            None => {
                out.push(*first);
                rest = behind;
            }
        }
    }
    changed.then(|| String::from_utf8_lossy(&out).into_owned())
}

/// Exactly `/notes/{id}`.
pub(crate) fn allowed(path: &str) -> bool {
    path.strip_prefix("/notes/").is_some_and(|id| !id.is_empty() && !id.contains('/'))
}
