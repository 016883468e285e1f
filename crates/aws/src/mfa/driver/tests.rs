//! Tests of the module `driver`.

use super::super::tests::Stage;
use super::*;

fn staged(programs: &[&str], change: impl FnOnce(&mut Facts)) -> Result<Driver, Error> {
    let stage = Stage::new();
    for program in programs {
        stage.program(program, "echo 123456");
    }
    let mut facts = stage.facts();
    change(&mut facts);
    choose(None, &facts)
}

#[test]
fn the_terminal_asks_where_stdout_is_one() {
    let chosen = staged(&["zenity"], |facts| (facts.terminal, facts.stdout_is_terminal) = (true, true));
    assert_eq!(chosen.unwrap(), Driver::Terminal);
}

#[test]
fn where_stdout_goes_elsewhere_the_first_program_by_name_asks() {
    let chosen = staged(&["zenity", "ykman", "kdialog"], |facts| facts.terminal = true);
    assert_eq!(chosen.unwrap(), Driver::Kdialog);
    assert_eq!(staged(&["zenity", "ykman"], |_| ()).unwrap(), Driver::Ykman);
}

#[test]
fn with_a_server_a_program_asks_or_else_the_terminal() {
    let serve = |facts: &mut Facts| {
        (facts.terminal, facts.stdout_is_terminal, facts.serving) = (true, true, Serving::Yes);
    };
    assert_eq!(staged(&["zenity"], serve).unwrap(), Driver::Zenity);
    assert_eq!(staged(&[], serve).unwrap(), Driver::Terminal);
}

#[test]
fn a_window_is_not_opened_without_a_screen_while_there_is_a_terminal() {
    let chosen = staged(&["zenity"], |facts| (facts.terminal, facts.screen) = (true, false));
    assert_eq!(chosen.unwrap(), Driver::Terminal);
    let chosen = staged(&["kdialog", "ykman"], |facts| (facts.terminal, facts.screen) = (true, false));
    assert_eq!(chosen.unwrap(), Driver::Ykman);
}

#[test]
fn without_a_terminal_and_a_screen_the_first_program_by_name_asks_all_the_same() {
    let unseen = |facts: &mut Facts| (facts.terminal, facts.screen) = (false, false);
    assert_eq!(staged(&["zenity", "ykman", "kdialog"], unseen).unwrap(), Driver::Kdialog);
    assert_eq!(staged(&["zenity", "ykman"], unseen).unwrap(), Driver::Ykman);
    assert_eq!(staged(&["zenity"], unseen).unwrap(), Driver::Zenity);
    assert!(matches!(staged(&[], unseen), Err(Error::Nobody)));
}

#[test]
fn a_stored_seed_goes_before_asking_and_pass_only_when_named() {
    let chosen = staged(&["zenity"], |facts| (facts.seed, facts.terminal) = (true, true));
    assert_eq!(chosen.unwrap(), Driver::Totp);
    assert!(matches!(staged(&["pass"], |_| ()), Err(Error::Nobody)));
    let stage = Stage::new();
    stage.program("pass", "");
    assert_eq!(choose(Some(Driver::PassOtp), &stage.facts()).unwrap(), Driver::PassOtp);
}

#[test]
fn what_is_available_comes_in_the_order_of_names() {
    let stage = Stage::new();
    for program in ["zenity", "ykman", "osascript", "kdialog"] {
        stage.program(program, "");
    }
    let names: Vec<&str> =
        available(&Facts { terminal: true, ..stage.facts() }).into_iter().map(Driver::name).collect();
    assert_eq!(names, ["kdialog", "osascript", "terminal", "ykman", "zenity"]);
}

#[test]
fn a_file_that_cannot_be_run_and_a_relative_folder_of_the_path_do_not_count() {
    let stage = Stage::new();
    std::fs::File::create(stage.path().join("zenity")).unwrap();
    assert!(available(&stage.facts()).is_empty());
    let relative = Facts { search: vec![PathBuf::from("."), PathBuf::new()], ..Facts::default() };
    assert!(available(&relative).is_empty());
}

#[test]
fn every_name_is_read_back_and_others_are_refused() {
    for driver in DRIVERS {
        assert_eq!(driver.name().parse::<Driver>().unwrap(), *driver);
    }
    assert!(DRIVERS.is_sorted_by_key(|driver| driver.name()));
    let error = "nope".parse::<Driver>().unwrap_err();
    assert_eq!(error.to_string(), "`nope` is not a prompt driver");
    assert!(error.hint().unwrap().contains("kdialog, osascript, pass-otp, terminal"));
}
