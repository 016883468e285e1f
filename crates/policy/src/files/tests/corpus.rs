//! Files that are kept because a reader may stumble over them, and what becomes of them when they are damaged.

use super::*;
use crate::tests::{Dice, rounds};

/// The name says whether it is read.
const CORPUS: [(&str, &str); 13] = [
    ("ok-default.json", include_str!("corpus/ok-default.json")),
    ("ok-restrictive.yaml", include_str!("corpus/ok-restrictive.yaml")),
    ("ok-conditions.yaml", include_str!("corpus/ok-conditions.yaml")),
    ("ok-escapes.json", include_str!("corpus/ok-escapes.json")),
    ("bad-twice.json", include_str!("corpus/bad-twice.json")),
    ("bad-comma.json", include_str!("corpus/bad-comma.json")),
    ("bad-alias.yaml", include_str!("corpus/bad-alias.yaml")),
    ("bad-star.yaml", include_str!("corpus/bad-star.yaml")),
    ("bad-laughs.yaml", include_str!("corpus/bad-laughs.yaml")),
    ("bad-deep.json", include_str!("corpus/bad-deep.json")),
    ("bad-deep.yaml", include_str!("corpus/bad-deep.yaml")),
    ("bad-number.json", include_str!("corpus/bad-number.json")),
    ("bad-regex.yaml", include_str!("corpus/bad-regex.yaml")),
];

/// Words that make a damaged file come closer to a good one than random bytes do.
const PIECES: [&str; 20] = [
    "\"",
    "'",
    ": ",
    "{",
    "}",
    "[",
    "]",
    ",",
    "*",
    "&a ",
    "*a",
    "\n",
    "\n  - ",
    "null",
    "-1",
    "\\u0000",
    "\u{feff}",
    "deny",
    "secret:/db/*",
    "!!str ",
];

fn format(name: &str) -> Format {
    if name.ends_with(".json") { Format::Json } else { Format::Yaml }
}

#[test]
fn every_kept_file_is_read_or_refused_as_its_name_says() {
    for (name, text) in CORPUS {
        let read = read::policy(text, format(name), name);
        assert_eq!(read.is_ok(), name.starts_with("ok-"), "{name}: {:?}", read.err());
    }
    let star = read::policy(CORPUS[7].1, Format::Yaml, "a.yaml").unwrap_err();
    assert!(star.to_string().contains("quotes"), "{star}");
}

/// Whatever is read compiles; whatever isn't names a line of the file; a JSON file says the same read as YAML.
#[test]
fn torture_policy_files_that_are_damaged_are_read_whole_or_refused_with_a_line() {
    let (mut read_some, mut refused) = (0_u64, 0_u64);
    for seed in 0..rounds() {
        let mut dice = Dice::new(seed + 31);
        let (name, text) = CORPUS[dice.roll(CORPUS.len())];
        let mut damaged: Vec<char> = text.chars().collect();
        for _ in 0..dice.roll(4) {
            let at = dice.roll(damaged.len().max(1)).min(damaged.len());
            let until = (at + dice.roll(12)).min(damaged.len());
            let piece: Vec<char> = dice.pick(&PIECES).chars().collect();
            match dice.roll(3) {
                0 => drop(damaged.drain(at..until)),
                1 => drop(damaged.splice(at..at, piece)),
                _ => drop(damaged.splice(at..until, piece)),
            }
        }
        let damaged: String = damaged.into_iter().collect();
        match read::policy(&damaged, format(name), name) {
            Ok(policy) => {
                read_some += 1;
                if format(name) == Format::Json {
                    let again = read::policy(&damaged, Format::Yaml, name).unwrap();
                    assert_eq!(format!("{policy:?}"), format!("{again:?}"), "{damaged}");
                }
                // Compiling is slow, so not each time.
                if seed % 16 == 0 {
                    assert!(Set::of(vec![policy]).is_ok(), "{damaged}");
                }
            }
            Err(Error::Invalid { line, .. }) => {
                refused += 1;
                assert!(line >= 1 && line <= damaged.lines().count() + 1, "line {line} of {damaged:?}");
            }
            Err(other) => panic!("{other}: {damaged}"),
        }
    }
    assert!(read_some > 0 && refused > 0, "{read_some} read, {refused} refused");
}
