//! A question in words, for people who read it elsewhere. The same for all places.

use crate::approval::{Answer, Decided, Row, Standing};

/// Whose question it is, in one line.
pub(super) fn headline(row: &Row) -> String {
    let what = &row.what;
    format!(
        "`{}` asks to do `{}/{}` on `{}`",
        row.principal,
        what.integration,
        what.operation,
        plain(&what.resource.to_string(), LINE)
    )
}

/// What would be done, line by line, as far as it can be shown here. The digest is over all of it.
pub(super) fn details(row: &Row) -> Vec<(String, String)> {
    let what = &row.what;
    let mut facts =
        vec![("risk", what.risk.as_str().to_owned()), ("access", what.access.as_str().to_owned())];
    facts.extend(what.request.as_ref().map(|request| ("request", request.clone())));
    facts.extend(what.program.as_ref().map(|program| ("program", program.join(" "))));
    facts.extend(row.purpose.as_ref().map(|purpose| ("purpose", purpose.clone())));
    facts.extend(row.break_glass.as_ref().map(|reason| ("BREAKS THE GLASS", reason.clone())));
    let mut lines: Vec<(String, String)> =
        facts.into_iter().map(|(name, text)| (name.to_owned(), plain(&text, LINE))).collect();
    let shown = what.inputs.iter().take(MOST_INPUTS);
    lines.extend(shown.map(|(name, value)| (format!("input {}", plain(name, 80)), plain(value, LINE))));
    if what.inputs.len() > MOST_INPUTS {
        lines.push(("more".to_owned(), format!("{} more inputs", what.inputs.len() - MOST_INPUTS)));
    }
    if let Some(body) = &what.body {
        let text = body.text.as_deref().map_or_else(|| "(not text)".to_owned(), |text| plain(text, BODY));
        let cut = body.cut || body.text.as_ref().is_some_and(|text| text.chars().count() > BODY);
        let more = if cut { ", not all of it shown" } else { "" };
        lines.push((format!("body, {} bytes{more}", body.bytes), text));
    }
    lines.push(("asked".to_owned(), row.asked.to_string()));
    lines.push(("until".to_owned(), row.expires.to_string()));
    lines.push(("digest".to_owned(), row.digest.clone()));
    lines
}

/// How it stands, in one line.
pub(super) fn standing(row: &Row, standing: Standing) -> String {
    match &row.decided {
        Some(Decided { answer, by, reason, .. }) => {
            let word = match answer {
                Answer::Approved => "Approved",
                Answer::Denied => "Denied",
            };
            let why = reason.as_ref().map(|reason| format!(": {}", plain(reason, LINE))).unwrap_or_default();
            format!("{word} by `{by}`{why}")
        }
        None if standing == Standing::Pending => "Waits for an answer".to_owned(),
        None => "Nobody answered in time".to_owned(),
    }
}

/// Without what would change how a line reads, and no longer than that.
fn plain(text: &str, most: usize) -> String {
    let hidden = |c: char| {
        c.is_control() && c != '\n'
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let mut shown: String = text.chars().take(most).map(|c| if hidden(c) { '\u{fffd}' } else { c }).collect();
    if text.chars().nth(most).is_some() {
        shown.push_str(" [cut]");
    }
    shown
}

const LINE: usize = 300;
const BODY: usize = 1_200;
const MOST_INPUTS: usize = 8;
