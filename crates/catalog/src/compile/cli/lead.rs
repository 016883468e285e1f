//! What a value of an input can be: whether it can begin with `-`, whether it can mean something else in an address.

use regex_syntax::hir::{Class, Hir, HirKind};

use crate::{InputField, Kind};

/// Whether some value that the input accepts begins with `-`, as far as its kind and its pattern tell.
pub(super) fn can_be_a_dash(field: &InputField) -> bool {
    match (field.kind, &field.pattern) {
        (Kind::Boolean | Kind::Json, _) => false,
        (Kind::String | Kind::Integer | Kind::List, None) => true,
        // What can't be read is taken for the worst.
        (Kind::String | Kind::Integer | Kind::List, Some(pattern)) => {
            regex_syntax::parse(pattern.as_str()).map_or(true, |hir| first(&hir) != First::Never)
        }
    }
}

/// Whether some value that the input accepts has a character in it that ends the path of an address, or escapes one.
pub(super) fn can_change_an_address(field: &InputField) -> bool {
    match (field.kind, &field.pattern) {
        (Kind::Boolean | Kind::Integer, _) => false,
        (Kind::String | Kind::List | Kind::Json, None) => true,
        (Kind::String | Kind::List | Kind::Json, Some(pattern)) => {
            regex_syntax::parse(pattern.as_str()).map_or(true, |hir| holds(&hir))
        }
    }
}

fn holds(hir: &Hir) -> bool {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => false,
        HirKind::Literal(literal) => literal.0.iter().any(|byte| ENDS.contains(byte)),
        HirKind::Class(Class::Unicode(class)) => {
            let within = |end: &u8| {
                class
                    .ranges()
                    .iter()
                    .any(|range| range.start() <= char::from(*end) && char::from(*end) <= range.end())
            };
            ENDS.iter().any(within)
        }
        HirKind::Class(Class::Bytes(class)) => {
            let within =
                |end: &u8| class.ranges().iter().any(|range| range.start() <= *end && *end <= range.end());
            ENDS.iter().any(within)
        }
        HirKind::Repetition(repetition) => holds(&repetition.sub),
        HirKind::Capture(capture) => holds(&capture.sub),
        HirKind::Concat(parts) | HirKind::Alternation(parts) => parts.iter().any(holds),
    }
}

/// What ends a path, or stands for something else in it (RFC 3986, section 3.3).
const ENDS: &[u8] = b"?#%";

/// What a part of a pattern begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum First {
    /// Never a `-`, and never nothing.
    Never,
    /// It can be nothing, so the next part decides.
    Nothing,
    /// It can be a `-`.
    Dash,
}

fn first(hir: &Hir) -> First {
    match hir.kind() {
        HirKind::Empty | HirKind::Look(_) => First::Nothing,
        HirKind::Literal(literal) => match literal.0.first() {
            Some(b'-') => First::Dash,
            Some(_) => First::Never,
            None => First::Nothing,
        },
        HirKind::Class(Class::Unicode(class)) => {
            dash(class.ranges().iter().any(|range| range.start() <= '-' && '-' <= range.end()))
        }
        HirKind::Class(Class::Bytes(class)) => {
            dash(class.ranges().iter().any(|range| range.start() <= b'-' && b'-' <= range.end()))
        }
        HirKind::Repetition(repetition) => match first(&repetition.sub) {
            First::Never if repetition.min == 0 => First::Nothing,
            other => other,
        },
        HirKind::Capture(capture) => first(&capture.sub),
        HirKind::Concat(parts) => {
            parts.iter().map(first).find(|part| *part != First::Nothing).unwrap_or(First::Nothing)
        }
        HirKind::Alternation(parts) => {
            let all: Vec<First> = parts.iter().map(first).collect();
            [First::Dash, First::Nothing].into_iter().find(|one| all.contains(one)).unwrap_or(First::Never)
        }
    }
}

const fn dash(is: bool) -> First {
    if is { First::Dash } else { First::Never }
}
