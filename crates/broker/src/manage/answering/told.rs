//! A question in words, for people who read it elsewhere. The same for all places.

use crate::approval::{self, Answer, Decided, Row, Standing};

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
    let mut facts = vec![
        ("risk", what.risk.as_str().to_owned()),
        ("access", what.access.as_str().to_owned()),
        ("asked", row.asked.to_string()),
        ("until", row.expires.to_string()),
        ("digest", row.digest.clone()),
    ];
    facts.extend(what.request.as_ref().map(|request| ("request", request.clone())));
    facts.extend(what.program.as_ref().map(|program| ("program", program.join(" "))));
    facts.extend(approval::progress(&row.agreed, row.approvers).map(|so_far| ("answers", so_far)));
    facts.extend(row.purpose.as_ref().map(|purpose| ("purpose", purpose.clone())));
    facts.extend(row.break_glass.as_ref().map(|reason| ("BREAKS THE GLASS", reason.clone())));
    let mut lines: Vec<(String, String)> =
        facts.into_iter().map(|(name, text)| (name.to_owned(), plain(&text, LINE))).collect();
    let shown = what.inputs.iter().take(MOST_INPUTS);
    lines.extend(shown.map(|(name, value)| (format!("input {}", plain(name, 80)), plain(value, LINE))));
    if what.inputs.len() > MOST_INPUTS {
        lines.push(("more".to_owned(), format!("{} more inputs", what.inputs.len() - MOST_INPUTS)));
    }
    // Last, and marked line by line: nothing in it can pass for one of the lines above.
    if let Some(body) = &what.body {
        let text = body.text.as_deref().unwrap_or("(not text)");
        let cut = body.cut || text.chars().count() > BODY;
        let more = if cut { ", not all of it shown" } else { "" };
        let shown: String = text.chars().take(BODY).collect();
        let marked: String = shown.lines().map(|line| format!("\n| {}", plain(line, BODY))).collect();
        lines.push((format!("body, {} bytes{more}", body.bytes), marked));
    }
    lines
}

/// How it stands, in one line.
pub(super) fn standing(row: &Row, standing: Standing) -> String {
    match &row.decided {
        Some(decided @ Decided { answer, by, reason, .. }) => {
            let (word, by) = match answer {
                Answer::Approved => ("Approved", approval::approvers(decided, &row.agreed)),
                Answer::Denied => ("Denied", vec![by.clone()]),
            };
            let by = by.iter().map(ToString::to_string).collect::<Vec<_>>().join("`, `");
            let why = reason.as_ref().map(|reason| format!(": {}", plain(reason, LINE))).unwrap_or_default();
            format!("{word} by `{by}`{why}")
        }
        None if standing == Standing::Pending => "Waits for an answer".to_owned(),
        None => "Nobody answered in time".to_owned(),
    }
}

/// Without what would change how a line reads, and no longer than that.
fn plain(text: &str, most: usize) -> String {
    let whole = model::shown(text);
    let mut shown: String = whole.chars().take(most).collect();
    if whole.chars().nth(most).is_some() {
        shown.push_str(" [cut]");
    }
    shown
}

const LINE: usize = 300;
const BODY: usize = 1_200;
const MOST_INPUTS: usize = 8;
