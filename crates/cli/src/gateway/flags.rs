//! Flags with one dash, as programs in Go have them: `-config config.yaml` is `--config config.yaml`.

use std::ffi::OsString;

/// The command line with two dashes where `doorward gateway` was typed with one.
pub(crate) fn doubled(arguments: Vec<OsString>) -> Vec<OsString> {
    let at = command_at(&arguments);
    if arguments.get(at).is_none_or(|word| word != "gateway") {
        return arguments;
    }
    let double = |word: OsString| {
        let text = word.to_string_lossy();
        let name = text.strip_prefix('-').filter(|rest| !rest.starts_with('-'));
        let name = name.and_then(|rest| rest.split('=').next());
        // What is no flag at all is doubled as well, so that it is named whole in what is said about it.
        let is_flag = |name: &str| {
            let shorts = name.chars().all(|short| matches!(short, 'v' | 'h' | 'V'));
            let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
            let word = name.starts_with(|first: char| first.is_ascii_alphabetic()) && name.chars().all(plain);
            name.len() > 1 && word && !shorts
        };
        match name {
            Some(name) if is_flag(name) => format!("-{text}").into(),
            _ => word,
        }
    };
    let (before, after) = arguments.split_at(at + 1);
    before.iter().cloned().chain(after.iter().cloned().map(double)).collect()
}

/// Where the command is: before it stand flags of every command, some with a value behind them.
fn command_at(arguments: &[OsString]) -> usize {
    let mut at = 1;
    while let Some(word) = arguments.get(at).filter(|word| word.to_string_lossy().starts_with('-')) {
        at += if ["--home", "--format", "--log"].iter().any(|flag| word == flag) { 2 } else { 1 };
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    fn doubled_text(line: &str) -> String {
        let words = line.split(' ').map(OsString::from).collect();
        doubled(words).iter().map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn one_dash_is_as_good_as_two_for_flags_of_the_gateway() {
        for (typed, read) in [
            ("doorward gateway -config c -watch -addr :80", "doorward gateway --config c --watch --addr :80"),
            (
                "doorward --json gateway -disable_x_at_int=true",
                "doorward --json gateway --disable_x_at_int=true",
            ),
            ("doorward gateway -v --config c -x", "doorward gateway -v --config c -x"),
            (
                "doorward gateway -vv -bogus -max_body_size -10",
                "doorward gateway -vv --bogus --max_body_size -10",
            ),
            ("doorward --home /h gateway -addr :80", "doorward --home /h gateway --addr :80"),
            ("doorward --log json -v gateway -watch", "doorward --log json -v gateway --watch"),
            ("doorward --home gateway up -watch", "doorward --home gateway up -watch"),
            ("doorward up -watch", "doorward up -watch"),
            ("doorward integration show gateway -watch", "doorward integration show gateway -watch"),
        ] {
            assert_eq!(doubled_text(typed), read, "{typed}");
        }
    }
}
