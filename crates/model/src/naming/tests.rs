//! Tests of the module `naming`.

use proptest::prelude::*;

use super::*;
use crate::{Container, Exe, RunId};

const ID: &str = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

fn rule(json: &str) -> NamingRule {
    serde_json::from_str(json).unwrap()
}

fn list(rules: &[&str]) -> Naming {
    Naming::new(rules.iter().map(|json| rule(json)).collect(), Wishes::Proven).unwrap()
}

fn ada() -> Holder {
    Holder {
        uid: Some(1000),
        gid: Some(100),
        cgroup: Some("/system.slice/web.service/worker".to_owned()),
        unit: Some("web.service".to_owned()),
        ..Holder::default()
    }
}

fn named(naming: &Naming, holder: &Holder, wish: Option<&str>) -> Result<(String, How), Code> {
    naming.prove(holder, wish).map(|named| (named.to_string(), named.how())).map_err(|refusal| refusal.code)
}

fn ok(name: &str, how: How) -> Result<(String, How), Code> {
    Ok((name.to_owned(), how))
}

#[test]
fn without_a_list_a_caller_is_its_uid_and_nothing_else() {
    let naming = Naming::default();
    assert_eq!(named(&naming, &ada(), None), ok("uid:1000", How::Uid));
    assert_eq!(named(&naming, &ada(), Some("uid:1000")), ok("uid:1000", How::Uid));
    assert_eq!(named(&naming, &ada(), Some("uid:0")), Err(Code::Denied));
    assert_eq!(named(&naming, &ada(), Some("deployer")), Err(Code::Denied));
    assert_eq!(named(&naming, &Holder::default(), None), Err(Code::Unauthenticated));
}

#[test]
fn every_name_that_a_caller_may_have_is_known() {
    let naming = list(&[
        r#"{"name": "other", "uid": 1001}"#,
        r#"{"name": "web", "unit": "web.service"}"#,
        r#"{"name": "ada", "uid": 1000}"#,
        r#"{"name": "deployer", "uid": 1000, "exe": "/usr/bin/deploy"}"#,
    ]);
    let names: Vec<String> = naming.names(&ada()).iter().map(ToString::to_string).collect();
    // Which program it runs is not known, so it may be that one.
    assert_eq!(names, ["uid:1000", "web", "ada", "deployer"]);
}

#[test]
fn the_first_entry_that_fits_names_a_caller() {
    let naming = list(&[
        r#"{"name": "other", "uid": 1001}"#,
        r#"{"name": "web", "unit": "web.service"}"#,
        r#"{"name": "ada", "uid": 1000}"#,
    ]);
    assert_eq!(named(&naming, &ada(), None), ok("web", How::Mapped));
    assert_eq!(named(&naming, &ada(), Some("ada")), ok("ada", How::Mapped));
    assert_eq!(named(&naming, &ada(), Some("other")), Err(Code::Denied));
    let guest = Holder { uid: Some(7), unit: None, ..ada() };
    assert_eq!(named(&naming, &guest, None), ok("uid:7", How::Uid));
}

#[test]
fn every_fact_of_an_entry_has_to_hold() {
    let whole = r#"{"name": "n", "uid": 1000, "gid": 100, "cgroup": "/system.slice", "unit": "web.service"}"#;
    assert_eq!(named(&list(&[whole]), &ada(), Some("n")), ok("n", How::Mapped));
    for changed in [
        Holder { uid: Some(1), ..ada() },
        Holder { gid: Some(1), ..ada() },
        Holder { cgroup: Some("/system.slicer/web.service".to_owned()), ..ada() },
        Holder { unit: Some("web.service.service".to_owned()), ..ada() },
        Holder { unit: None, ..ada() },
    ] {
        assert_eq!(named(&list(&[whole]), &changed, Some("n")), Err(Code::Denied), "{changed:?}");
    }
}

#[test]
fn a_fact_that_cannot_be_found_out_refuses_and_does_not_fall_through() {
    let naming =
        list(&[r#"{"name": "web", "uid": 1000, "unit": "web.service"}"#, r#"{"name": "ada", "uid": 1000}"#]);
    let blind = Holder { cgroup: None, unit: None, ..ada() };
    assert_eq!(named(&naming, &blind, None), Err(Code::Unauthenticated));
    assert_eq!(named(&naming, &blind, Some("web")), Err(Code::Unauthenticated));
    assert_eq!(named(&naming, &blind, Some("ada")), ok("ada", How::Mapped));
    // The uid rules the first entry out, whatever the unit is.
    let other = Holder { uid: Some(7), ..blind };
    assert_eq!(named(&naming, &other, None), ok("uid:7", How::Uid));
}

#[test]
fn a_program_narrows_and_never_names() {
    for alone in [
        r#"{"name": "n", "exe": "/usr/bin/psql"}"#.to_owned(),
        format!(r#"{{"name": "n", "exe": "/usr/bin/psql", "sha256": "{ID}"}}"#),
        format!(r#"{{"name": "n", "sha256": "{ID}", "foreign": true}}"#),
    ] {
        assert!(Naming::new(vec![rule(&alone)], Wishes::Proven).is_err(), "{alone}");
    }
    let naming =
        list(&[&format!(r#"{{"name": "n", "uid": 1000, "exe": "/usr/bin/psql", "sha256": "{ID}"}}"#)]);
    assert!(naming.needs().exe);
    let psql = |sha256| Some(Box::new(Exe { path: "/usr/bin/psql".to_owned(), sha256 }));
    let right = check::hash(ID);
    let with = |exe| Holder { exe, ..ada() };
    assert_eq!(named(&naming, &with(psql(right)), None), ok("n", How::Narrowed));
    assert_eq!(named(&naming, &with(psql(Some([7; 32]))), Some("n")), Err(Code::Denied));
    assert_eq!(named(&naming, &with(psql(None)), None), Err(Code::Unauthenticated));
    assert_eq!(named(&naming, &with(None), None), Err(Code::Unauthenticated));
    assert!(naming.needs().sha256);
}

#[test]
fn whoever_is_not_seen_from_near_needs_an_entry_that_says_so() {
    let near = list(&[r#"{"name": "app", "uid": 1000}"#]);
    let far = list(&[r#"{"name": "app", "uid": 1000, "foreign": true}"#]);
    for sight in [Sight::ForeignProcesses, Sight::ForeignUsers] {
        let there = Holder { sight, uid: Some(1000), ..Holder::default() };
        assert_eq!(named(&near, &there, None), Err(Code::Unauthenticated));
        assert_eq!(named(&near, &there, Some("uid:1000")), Err(Code::Unauthenticated));
        assert_eq!(named(&far, &there, None), ok("app", How::Mapped));
        assert_eq!(named(&far, &Holder { uid: Some(7), ..there }, None), Err(Code::Unauthenticated));
    }
}

#[test]
fn what_belongs_to_a_run_has_the_name_of_the_run_only() {
    let naming = list(&[r#"{"name": "ada", "uid": 1000}"#]);
    let believing = Naming::new(Vec::new(), Wishes::Believed).unwrap();
    let run = RunId::from_bytes([7; 16]);
    let inside = Holder { run: Some(run), ..ada() };
    for naming in [naming, believing] {
        assert_eq!(named(&naming, &inside, None), ok(&format!("run:{run}"), How::Run));
        assert_eq!(named(&naming, &inside, Some("ada")), Err(Code::Denied));
        assert_eq!(named(&naming, &inside, Some("uid:1000")), Err(Code::Denied));
    }
}

#[test]
fn development_believes_a_wish_and_says_that_nothing_proved_it() {
    let naming = Naming::new(vec![rule(r#"{"name": "ada", "uid": 1000}"#)], Wishes::Believed).unwrap();
    assert_eq!(named(&naming, &ada(), Some("ci")), ok("ci", How::Unproven));
    assert_eq!(named(&naming, &ada(), Some("ada")), ok("ada", How::Mapped));
    let far = Holder { sight: Sight::ForeignProcesses, ..Holder::default() };
    assert_eq!(named(&naming, &far, None), ok("nobody", How::Unproven));
}

#[test]
fn containers_are_known_by_id_or_pod_and_rootless_ones_with_their_user() {
    let container = |rootless| {
        let pod = Some("11111111-2222-3333-4444-555555555555".to_owned());
        Some(Box::new(Container { runtime: "podman", id: ID.to_owned(), pod, rootless }))
    };
    let there = |rootless| Holder { container: container(rootless), ..ada() };
    let short = list(&[r#"{"name": "c", "container": "0123456789ab"}"#]);
    let pod = list(&[r#"{"name": "c", "container": "pod:11111111-2222-3333-4444-555555555555"}"#]);
    let with_user = list(&[r#"{"name": "c", "container": "0123456789ab", "uid": 1000}"#]);
    assert_eq!(named(&short, &there(None), Some("c")), ok("c", How::Mapped));
    assert_eq!(named(&pod, &there(None), Some("c")), ok("c", How::Mapped));
    assert_eq!(named(&short, &there(Some(1000)), Some("c")), Err(Code::Denied));
    assert_eq!(named(&with_user, &there(Some(1000)), Some("c")), ok("c", How::Mapped));
    assert_eq!(named(&short, &ada(), Some("c")), Err(Code::Denied));
}

#[test]
fn an_entry_that_cannot_be_meant_is_refused() {
    for wrong in [
        r#"{"name": "", "uid": 1}"#,
        r#"{"name": "uid:0", "uid": 1}"#,
        r#"{"name": "run:x", "uid": 1}"#,
        r#"{"name": "a b", "uid": 1}"#,
        r#"{"name": "n"}"#,
        r#"{"name": "n", "foreign": true}"#,
        r#"{"name": "n", "cgroup": "/"}"#,
        r#"{"name": "n", "cgroup": "/a/../b"}"#,
        r#"{"name": "n", "unit": "web"}"#,
        r#"{"name": "n", "unit": "web.service/app.service"}"#,
        r#"{"name": "n", "container": "abc"}"#,
        r#"{"name": "n", "container": "pod:"}"#,
        r#"{"name": "n", "service_account": "default"}"#,
        r#"{"name": "n", "uid": 1, "exe": "psql"}"#,
        r#"{"name": "n", "uid": 1, "sha256": "ABCD"}"#,
    ] {
        let error = Naming::new(vec![rule(wrong)], Wishes::Proven).unwrap_err();
        assert!(error.hint().is_some() && error.to_string().starts_with("the entry `"), "{wrong}: {error}");
    }
    assert!(serde_json::from_str::<NamingRule>(r#"{"name": "n", "uid": 1, "user": "ada"}"#).is_err());
}

fn some<T: std::fmt::Debug + Clone + 'static>(values: &'static [T]) -> impl Strategy<Value = Option<T>> {
    proptest::option::of(proptest::sample::select(values))
}

proptest! {
    // Knowing less of a caller never gives it a name that it would not have with everything known.
    #[test]
    fn forgetting_a_fact_never_gives_another_mapped_name(
        uid in some(&[1000_u32, 0]), unit in some(&["web.service", "db.service"]),
        exe in some(&["/usr/bin/psql", "/usr/bin/cat"]), forget in 0..3_u8,
    ) {
        let naming = list(&[
            r#"{"name": "a", "uid": 1000, "unit": "web.service", "exe": "/usr/bin/psql"}"#,
            r#"{"name": "b", "unit": "db.service"}"#,
            r#"{"name": "c", "uid": 1000}"#,
        ]);
        let exe = exe.map(|path| Box::new(Exe { path: path.to_owned(), sha256: None }));
        let known = Holder { uid, unit: unit.map(str::to_owned), exe, ..ada() };
        let less = match forget {
            0 => Holder { uid: None, ..known.clone() },
            1 => Holder { cgroup: None, unit: None, ..known.clone() },
            _ => Holder { exe: None, ..known.clone() },
        };
        if let Ok((name, How::Mapped | How::Narrowed)) = named(&naming, &less, None) {
            prop_assert_eq!(named(&naming, &known, None).unwrap().0, name);
        }
    }
}
