//! Templates match whole, still-encoded segments.

use super::*;

fn read(template: &str, path: &str) -> Option<Inputs> {
    let target: Target = path.parse().unwrap();
    Template::parse(template).unwrap().read(&segments(&target), &|name| name == "project")
}

#[test]
fn an_input_is_one_segment_that_is_not_empty() {
    assert_eq!(read("/a/{x}/c", "/a/b/c").unwrap()["x"], "b");
    for wrong in ["/a//c", "/a/b/c/", "/a/b/d/c", "/a/b", "/A/b/c", "/"] {
        assert_eq!(read("/a/{x}/c", wrong), None, "{wrong}");
    }
}

#[test]
fn an_escaped_slash_makes_no_segment_and_matches_only_where_it_is_expected() {
    assert_eq!(read("/a/{x}/c", "/a%2F1%2Fc"), None);
    assert_eq!(read("/a/{x}/c", "/a/1%2f2/c"), None);
    assert_eq!(read("/a/{project}/c", "/a/1%2f2/c").unwrap()["project"], "1/2");
}

#[test]
fn a_semicolon_never_matches() {
    assert_eq!(read("/a/{x}", "/a/b;c=d"), None);
    assert_eq!(read("/a/{x...}", "/a/b/c;d"), None);
}

#[test]
fn the_rest_is_one_segment_or_more() {
    assert_eq!(read("/a/{x...}", "/a/b%20c/d").unwrap()["x"], "b c/d");
    assert_eq!(read("/a/{x...}", "/a"), None);
    assert_eq!(read("/a/{x...}", "/a/"), None);
    assert_eq!(read("/a/{x...}", "/a/b%2Fc"), None);
}

#[test]
fn an_escaped_literal_is_still_that_literal() {
    assert!(read("/v1/a:b", "/v1/a%3Ab").is_some());
}

#[test]
fn a_literal_is_narrower_than_an_input_and_an_input_than_the_rest() {
    let parse = |text| Template::parse(text).unwrap();
    assert_eq!(parse("/a/b").narrower(&parse("/a/{x}")), Some(Ordering::Less));
    assert_eq!(parse("/a/{x}").narrower(&parse("/a/{x...}")), Some(Ordering::Less));
    assert!(parse("/a/{x}/c").overlaps(&parse("/a/b/{y}")));
    assert_eq!(parse("/a/{x}/c").narrower(&parse("/a/b/{y}")), None);
    assert_eq!(parse("/a/{x}").narrower(&parse("/a/{y}")), None);
    assert!(!parse("/a/{x}").overlaps(&parse("/a/{x}/c")));
    assert!(!parse("/a/b/{x...}").overlaps(&parse("/a/b")));
}

#[test]
fn a_broken_template_is_refused() {
    for wrong in ["a", "/a//b", "/a/{x...}/b", "/{X}", "/{}", "/a{x}", "/{x}/{x}", "/a%20b", "/../a", "/a;b"]
    {
        assert!(Template::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_written_path_is_read_back() {
    let template = Template::parse("/p/{project}/f/{path...}").unwrap();
    let inputs: Inputs = [("project", "a/b c"), ("path", "x/y?z")].map(|(k, v)| (k.into(), v.into())).into();
    let path = template.write(&inputs, &|name| name == "project").unwrap();
    assert_eq!(path, "/p/a%2Fb%20c/f/x/y%3Fz");
    assert_eq!(read("/p/{project}/f/{path...}", &path).unwrap(), inputs);
    assert_eq!(template.write(&inputs, &|_| false), None);
}

#[test]
fn the_root_and_a_trailing_slash_are_paths_of_their_own() {
    let read = |template: &str, target: &str| {
        let target: Target = target.parse().unwrap();
        Template::parse(template).unwrap().read(&segments(&target), &|_| false).is_some()
    };
    assert!(read("/", "/"));
    assert!(read("/a/", "/a/"));
    assert!(!read("/a/", "/a"));
    assert!(!read("/", "/a"));
    assert!(!read("/{name}", "/"));
    assert!(Template::parse("/a//b").is_err());
}

#[test]
fn a_verb_stands_behind_an_input() {
    let template = Template::parse("/v1/targets/{target}:authorize-session").unwrap();
    let read = |path: &str| {
        let target: Target = path.parse().unwrap();
        template.read(&segments(&target), &|_| false)
    };
    assert_eq!(read("/v1/targets/t_1:authorize-session").unwrap()["target"], "t_1");
    assert_eq!(read("/v1/targets/t_1%3Aauthorize-session").unwrap()["target"], "t_1");
    for other in ["/v1/targets/t_1", "/v1/targets/:authorize-session", "/v1/targets/t_1:authorize-session/x"]
    {
        assert!(read(other).is_none(), "{other}");
    }
    let inputs = Inputs::from([("target".to_owned(), "t_1".to_owned())]);
    assert_eq!(template.write(&inputs, &|_| false).unwrap(), "/v1/targets/t_1:authorize-session");
    let wider = Template::parse("/v1/targets/{target}").unwrap();
    assert!(template.overlaps(&wider) && template.narrower(&wider) == Some(Ordering::Less));
    let other = Template::parse("/v1/targets/{target}:cancel").unwrap();
    assert!(!template.overlaps(&other));
    for wrong in ["/{a}:", "/{a}:b:c", "/{a}b", "/x{a}:b"] {
        assert!(Template::parse(wrong).is_err(), "{wrong}");
    }
}
