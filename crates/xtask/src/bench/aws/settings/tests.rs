//! The flags.

use super::*;

#[test]
fn flags_of_the_aws_bench_are_read() {
    let settings = Settings::parse(&["--rounds", "3", "--program", "target/debug/doorward"]).unwrap();
    assert_eq!((settings.rounds, settings.parallel), (3, 200));
    assert_eq!(settings.program, Some(PathBuf::from("target/debug/doorward")));
    assert_eq!(settings.beside, None);
}

#[test]
fn an_unknown_flag_of_the_aws_bench_and_a_number_out_of_range_are_refused() {
    for wrong in [["--round", "3"].as_slice(), &["--rounds", "0"], &["--parallel", "many"], &["--seconds"]] {
        assert!(Settings::parse(wrong).is_err(), "{wrong:?}");
    }
}
