//! A grammar for the tests of this module, and what every grammar needs.

use std::ffi::OsString;

use super::*;

/// A program with one of everything.
pub(super) static SAMPLE: Grammar = Grammar {
    name: "sample",
    about: "A program for tests.",
    version: "1.2.3",
    flags: &[
        Flag::switch("debug", "Talk more").env(&["SAMPLE_DEBUG"]),
        Flag::one_of("form", "How to print", &["plain", "rich"]).default("plain").env(&["SAMPLE_FORM"]),
        Flag::text("secret-sauce", "Not shown").hidden(),
    ],
    commands: &[
        Command {
            name: "help",
            aliases: &[],
            about: "Show help.",
            hidden: false,
            flags: &[],
            args: &[Arg::rest("command", "Show help on command.").hint(Hint::Commands)],
        },
        Command {
            name: "run",
            aliases: &["r"],
            about: "Run something.",
            hidden: false,
            flags: &[
                Flag::duration("duration", "How long").short('d').env(&["SAMPLE_LONG", "SAMPLE_DURATION"]),
                Flag::switch("quick", "Faster").short('q'),
                Flag::switch("no-session", "Without one").short('n'),
                Flag::text("region", "Where").short('r'),
            ],
            args: &[
                Arg::optional("who", "For whom").env("SAMPLE_WHO").hint(Hint::Names),
                Arg::optional("cmd", "What"),
                Arg::rest("args", "With what"),
            ],
        },
        Command {
            name: "copy",
            aliases: &[],
            about: "Copy something.",
            hidden: false,
            flags: &[
                Flag::one_of("from", "From where", &["a", "b"]).required(),
                Flag::one_of("to", "Where to", &["a", "b"]).required(),
            ],
            args: &[Arg::required("what", "What")],
        },
        Command { name: "secretly", aliases: &[], about: "Hidden.", hidden: true, flags: &[], args: &[] },
    ],
};

/// Words as a shell gives them.
pub(super) fn words(text: &[&str]) -> Vec<OsString> {
    text.iter().map(OsString::from).collect()
}

/// Reads words where these variables are set.
pub(super) fn read_with(text: &[&str], set: &[(&str, &str)]) -> Result<Reading, Error> {
    let environment =
        |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
    read(&SAMPLE, &words(text), &environment, &|| vec!["alpha".to_owned(), "beta".to_owned()])
}

/// The command that words mean.
pub(super) fn parsed(text: &[&str]) -> Parsed {
    match read_with(text, &[]) {
        Ok(Reading::Run(parsed)) => parsed,
        other => panic!("{text:?}: {other:?}"),
    }
}

/// The text that words ask for.
pub(super) fn said(text: &[&str]) -> Saying {
    match read_with(text, &[]) {
        Ok(Reading::Say(saying)) => saying,
        other => panic!("{text:?}: {other:?}"),
    }
}

/// The line of a mistake.
pub(super) fn mistake(text: &[&str]) -> String {
    read_with(text, &[]).err().unwrap_or_else(|| panic!("{text:?}")).line("sample")
}

/// Checks that no two flags that may stand together have one name, and that defaults have the form of their flags.
pub fn is_sound(grammar: &'static Grammar) {
    let mut commands: Vec<&str> = Vec::new();
    for command in grammar.commands {
        commands.extend(std::iter::once(&command.name).chain(command.aliases));
        let mut longs: Vec<&str> = grammar.flags(Some(command)).map(|flag| flag.long).collect();
        let mut shorts: Vec<char> = grammar.flags(Some(command)).filter_map(|flag| flag.short).collect();
        let (all, letters) = (longs.len(), shorts.len());
        longs.sort_unstable();
        longs.dedup();
        shorts.sort_unstable();
        shorts.dedup();
        assert_eq!((longs.len(), shorts.len()), (all, letters), "`{}` has a flag twice", command.name);
        let many = command.args.iter().position(|arg| arg.many);
        assert!(many.is_none_or(|place| place + 1 == command.args.len()), "`{}`", command.name);
        for flag in grammar.flags(Some(command)) {
            assert!(!(flag.required && flag.default.is_some()), "`{}`", flag.long);
            match (flag.kind, flag.default) {
                (Kind::Switch, Some(text)) => assert!(value::switch(text).is_ok(), "`{}`", flag.long),
                (Kind::Duration, Some(text)) => assert!(value::duration(text).is_ok(), "`{}`", flag.long),
                (Kind::OneOf(words), Some(text)) => assert!(words.contains(&text), "`{}`", flag.long),
                (Kind::Text, _) | (_, None) => {}
            }
            assert!(!flag.about.is_empty() && flag.short != Some('-'), "`{}`", flag.long);
        }
    }
    let all = commands.len();
    commands.sort_unstable();
    commands.dedup();
    assert_eq!(commands.len(), all, "a command is there twice");
}

#[test]
fn the_grammar_of_the_tests_is_sound() {
    is_sound(&SAMPLE);
}
