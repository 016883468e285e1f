//! Which run a control group names.

use super::*;

#[test]
fn a_control_group_names_the_run_that_stands_first_in_its_path() {
    let run: RunId = "run_01j00000000000000000000000".parse().unwrap();
    for path in [
        format!("/doorward-{run}"),
        format!("/user.slice/user-1000.slice/user@1000.service/app.slice/doorward-{run}.scope"),
        format!("/a/doorward-{run}/doorward-run_01j00000000000000000000001"),
        format!("/a/doorward-{run}/deeper"),
    ] {
        assert_eq!(named(&path), Some(run), "{path}");
    }
    for path in
        ["/", "/a/b", "/doorward-run_x", "/doorward.service", "/xdoorward-run_01j00000000000000000000000"]
    {
        assert_eq!(named(path), None, "{path}");
    }
}
