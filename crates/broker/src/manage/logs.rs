//! `log.append`: a line in a stream of the evidence. Its record is the line: what it says stands in the fields of its outcome.

use model::{Code, Refusal};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Done, Managing};

/// What comes with it.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    message: String,
    #[serde(default)]
    fields: Map<String, Value>,
}

pub(super) fn append(managing: &mut Managing<'_>) -> Result<Done, Refusal> {
    let text = managing.payload()?.text()?;
    let Line { message, fields: more } = serde_json::from_str(&text)
        .map_err(|error| Refusal::new(Code::BadRequest, format!("the line is not understood: {error}")))?;
    if message.is_empty() || message.len() > LONGEST {
        return Err(Refusal::new(Code::BadRequest, format!("a line has 1 to {LONGEST} bytes of text")));
    }
    if more.len() > FIELDS {
        return Err(Refusal::new(Code::BadRequest, format!("a line has {FIELDS} fields at most")));
    }
    let mut fields = Vec::new();
    let mut rest = message.as_str();
    while !rest.is_empty() {
        let cut = rest.floor_char_boundary(PIECE);
        let (piece, after) = rest.split_at_checked(cut).unwrap_or((rest, ""));
        fields.push(("message".to_owned(), piece.to_owned()));
        rest = after;
    }
    for (name, value) in more {
        let text = match value {
            Value::String(text) => text,
            other => other.to_string(),
        };
        if name.len() > NAME || text.len() > PIECE {
            return Err(Refusal::new(
                Code::BadRequest,
                "a field has a name of 48 and a value of 200 bytes at most",
            ));
        }
        fields.push((format!("field.{name}"), text));
    }
    Ok(Done { value: json!({ "status": "ok" }), fields, code: None })
}

/// Longest line, in bytes: eight pieces.
const LONGEST: usize = 8 * PIECE;
/// What surely fits into one field of an outcome.
const PIECE: usize = 200;
/// Most fields beside the line: an outcome has sixteen.
const FIELDS: usize = 8;
/// Longest name of a field.
const NAME: usize = 48;
