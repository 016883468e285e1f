//! The list, and what can be typed.

use super::*;

#[test]
fn each_name_is_listed_once_with_its_crate_and_rounds() {
    let text = list();
    assert_eq!(text.lines().count(), LIST.len());
    for torture in LIST {
        assert_eq!(LIST.iter().filter(|other| other.name == torture.name).count(), 1, "{}", torture.name);
        assert!(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(torture.krate).is_dir(),
            "{}",
            torture.krate
        );
    }
}

#[test]
fn an_unknown_name_or_flag_is_refused() {
    for flags in [
        &["nothing"][..],
        &[],
        &["kill9", "--round", "3"],
        &["kill9", "--rounds"],
        &["kill9", "--rounds", "0"],
    ] {
        assert!(run(Path::new("."), flags).is_err(), "{flags:?}");
    }
}
