//! Whether a value of an input can begin with `-`.

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
