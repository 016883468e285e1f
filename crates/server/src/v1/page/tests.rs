//! Pages follow one another without a gap, whatever comes or goes meanwhile.

use crypto::MacKey;
use model::Inputs;

use super::*;
use crate::v1::route::same;

const LIST: List =
    List { item: "Tenant", member: "tenants", key: "name", beside: &[], pages: Pages::Door, shape: same };

fn asked(limit: usize, cursor: Option<&str>) -> Asked {
    let cursor = cursor.map(ToOwned::to_owned);
    Asked { inputs: Inputs::new(), payload: None, filters: Vec::new(), search: None, limit, cursor }
}

fn cursors() -> Cursors {
    Cursors::of(MacKey::new([7; 32]))
}

fn tenants(names: &[&str]) -> Value {
    json!({ "tenants": names.iter().map(|name| json!({"name": name, "status": "active"})).collect::<Vec<_>>() })
}

fn names(page: &Value) -> Vec<&str> {
    page["items"].as_array().unwrap().iter().map(|item| item["name"].as_str().unwrap()).collect()
}

#[test]
fn a_page_goes_on_behind_its_last_item_also_when_that_is_gone() {
    let first = of(&LIST, tenants(&["c", "a", "b", "d"]), (&asked(2, None), &cursors())).ok().unwrap();
    assert_eq!((names(&first), first["total"].as_u64()), (vec!["a", "b"], Some(4)));
    let next = first["next"].as_str().unwrap();
    let second =
        of(&LIST, tenants(&["a", "aa", "c", "d"]), (&asked(2, Some(next)), &cursors())).ok().unwrap();
    assert_eq!(names(&second), ["c", "d"]);
    assert!(second["next"].is_null());
}

#[test]
fn a_cursor_of_somebodys_own_making_is_refused() {
    let cursors = cursors();
    let real = cursors.written("team/ops");
    assert_eq!(cursors.read(&real).unwrap(), "team/ops");
    assert_eq!(cursors.written("team/ops"), real, "the same page has the same `ETag`");
    let others = Cursors::of(MacKey::new([8; 32])).written("team/ops");
    for cursor in ["", "x", "c6", "czz", "c\u{e9}", "cff", others.as_str(), &real[..real.len() - 1]] {
        assert!(cursors.read(cursor).is_err(), "{cursor}");
    }
}

#[test]
fn items_are_filtered_before_they_are_counted() {
    let mut asked = asked(10, None);
    asked.filters.push(("status", "erased".to_owned()));
    let page = of(&LIST, tenants(&["a", "b"]), (&asked, &cursors())).ok().unwrap();
    assert_eq!((page["total"].as_u64(), names(&page).len()), (Some(0), 0));
}
