//! Tests of the recovery key: shown, typed back, mistyped.

use super::*;

fn text(key: &RecoveryKey) -> String {
    key.show(str::to_owned)
}

fn bytes(key: &RecoveryKey) -> [u8; 32] {
    key.key().expose(|key| *key)
}

#[test]
fn what_is_shown_is_read_back_in_any_case_with_and_without_dashes() {
    let key = RecoveryKey::generate().unwrap();
    let shown = text(&key);
    for typed in [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), format!(" {shown}\n")] {
        assert_eq!(bytes(&RecoveryKey::read(&typed).unwrap()), bytes(&key), "{typed}");
    }
}

#[test]
fn it_is_shown_as_groups_of_five() {
    let shown = text(&RecoveryKey::generate().unwrap());
    let groups: Vec<&str> = shown.split('-').collect();
    assert_eq!(groups[0], "DWR1");
    assert_eq!(groups.len(), 13);
    assert!(groups[1..12].iter().all(|group| group.len() == 5));
    assert_eq!(groups[12].len(), 4);
}

#[test]
fn every_single_mistyped_character_is_noticed() {
    let shown = text(&RecoveryKey::generate().unwrap());
    for at in 0..shown.len() {
        for letter in ALPHABET.iter().map(|letter| char::from(*letter)) {
            let mut typed: Vec<char> = shown.chars().collect();
            if typed[at] == letter || typed[at] == '-' {
                continue;
            }
            typed[at] = letter;
            let typed: String = typed.into_iter().collect();
            assert!(RecoveryKey::read(&typed).is_err(), "{typed}");
        }
    }
}

#[test]
fn nothing_but_case_and_dashes_is_forgiven() {
    let shown = text(&RecoveryKey::generate().unwrap());
    let swapped = shown.replacen('0', "O", 1).replacen('1', "I", 1);
    for typed in
        [shown.replace('-', " "), shown.replace("DWR1", "DWR2"), shown[5..].to_owned(), format!("{shown}0")]
    {
        assert!(RecoveryKey::read(&typed).is_err(), "{typed}");
    }
    assert!(swapped == shown || RecoveryKey::read(&swapped).is_err());
}

#[test]
fn an_error_does_not_repeat_what_was_typed() {
    let typed = format!("{}X", text(&RecoveryKey::generate().unwrap()));
    let error = RecoveryKey::read(&typed).err().unwrap();
    assert!(!format!("{error} {error:?}").contains(&typed[5..15]));
}
