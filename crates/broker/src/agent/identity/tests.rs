//! Tests of the module `identity`.

use std::time::Duration;

use model::{Naming, NamingRule, Wishes};

use super::*;
use crate::agent::Mode;

fn config(mode: Mode) -> Config {
    let app = NamingRule { name: "app".to_owned(), uid: Some(7), ..NamingRule::default() };
    let unit = NamingRule {
        name: "web".to_owned(),
        uid: Some(7),
        cgroup: Some("/system.slice/web.service".to_owned()),
        ..NamingRule::default()
    };
    let wishes = if mode == Mode::Development { Wishes::Believed } else { Wishes::Proven };
    let identities = Naming::new(vec![app, unit], wishes).unwrap();
    Config { mode, identities, longest_ttl: Duration::from_secs(9), ..Config::default() }
}

fn holder(uid: u32, cgroup: Option<&str>) -> Holder {
    Holder { uid: Some(uid), cgroup: cgroup.map(str::to_owned), ..Holder::default() }
}

#[test]
fn a_caller_is_called_what_the_configuration_says_or_by_its_user() {
    let config = config(Mode::Standard);
    let named =
        |holder: &Holder, asked| Called::of(&config, holder, asked).map(|found| (found.name, found.source));
    assert_eq!(named(&holder(7, None), None).unwrap(), ("app".to_owned(), Source::Mapped));
    assert_eq!(named(&holder(8, None), None).unwrap(), ("uid:8".to_owned(), Source::Kernel));
    assert_eq!(named(&holder(8, None), Some("")).unwrap(), ("uid:8".to_owned(), Source::Kernel));
}

#[test]
fn a_name_that_is_asked_for_is_a_wish() {
    let config = config(Mode::Standard);
    let named = |holder: &Holder, asked| Called::of(&config, holder, Some(asked)).map(|found| found.source);
    assert_eq!(named(&holder(7, Some("/system.slice/web.service/a")), "web").unwrap(), Source::Mapped);
    assert_eq!(named(&holder(8, None), "uid:8").unwrap(), Source::Kernel);
    for (who, asked) in [
        (holder(7, Some("/system.slice/website.service")), "web"),
        (holder(8, None), "app"),
        (holder(8, None), "uid:7"),
    ] {
        assert_eq!(named(&who, asked).unwrap_err().code, Code::Denied, "{who:?} {asked}");
    }
    // What can't be found out is no answer.
    assert_eq!(named(&holder(7, None), "web").unwrap_err().code, Code::Unauthenticated);
}

#[test]
fn in_development_mode_any_name_is_taken_and_marked_as_unproven() {
    let found = Called::of(&config(Mode::Development), &holder(8, None), Some("app")).unwrap();
    assert_eq!(found.source, Source::Asked);
    let refusal = Called::of(&config(Mode::Development), &holder(8, None), Some("a\nb")).unwrap_err();
    assert_eq!(refusal.code, Code::BadRequest);
}

#[test]
fn nobody_is_called_anything_without_the_kernels_word() {
    let refusal = Called::of(&config(Mode::Development), &Holder::default(), Some("app")).unwrap_err();
    assert_eq!(refusal.code, Code::Unauthenticated);
}
