//! Two different calls never have one resource.

use super::*;

fn resource(template: &str, pairs: &[(&str, &str)]) -> Result<String, Refusal> {
    let inputs = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    Template::parse(template).unwrap().resource(&inputs).map(|resource| resource.to_string())
}

#[test]
fn an_input_cannot_hold_the_separator_of_its_resource() {
    assert_eq!(resource("repo:{a}/{b}", &[("a", "x"), ("b", "y")]).unwrap(), "repo:x/y");
    assert!(resource("repo:{a}/{b}", &[("a", "x/y"), ("b", "z")]).is_err());
    assert_eq!(resource("project:{a}", &[("a", "x/y")]).unwrap(), "project:x/y");
}

#[test]
fn a_resource_without_its_input_is_any() {
    assert_eq!(resource("model:{m}", &[]).unwrap(), "*");
    assert_eq!(resource("model:{m}", &[("m", "")]).unwrap(), "*");
    assert!(resource("model:{m}", &[("m", "a b")]).is_err());
}

#[test]
fn a_template_cannot_become_a_bare_wildcard() {
    let problem = |text| Template::parse(text).unwrap().resource_problem();
    assert!(problem("*").is_none() && problem("repo:{a}/{b}").is_none());
    assert!(problem("{a}").is_some() && problem("repo{a}").is_some() && problem("r:{a}{b}").is_some());
    for wrong in ["{", "}", "a:{b", "a:{B}", "a}:{b}"] {
        assert!(Template::parse(wrong).is_err(), "{wrong}");
    }
}
