//! Where the agent is looked for.

use super::*;

fn found(variables: &[(&str, &str)]) -> Vec<String> {
    let named = |name: &str| {
        variables.iter().find(|(known, _)| *known == name).map(|(_, value)| PathBuf::from(value))
    };
    places(named).iter().map(|path| path.display().to_string()).collect()
}

#[test]
fn the_home_comes_before_the_machine() {
    let home = "/users/ada";
    assert_eq!(
        found(&[("HOME", home)]),
        ["/users/ada/.local/share/doorward/socket", "/users/ada/.aether-vault/agent.sock", SYSTEM_SOCKET]
    );
    assert_eq!(found(&[("HOME", home), ("XDG_DATA_HOME", "/data")])[0], "/data/doorward/socket");
    assert_eq!(
        found(&[("HOME", home), ("XDG_DATA_HOME", "/data"), ("DOORWARD_HOME", "/own")])[0],
        "/own/socket"
    );
    assert_eq!(found(&[]), [SYSTEM_SOCKET]);
}

#[test]
fn waits_double_up_to_the_longest() {
    let retry = Retry::default();
    for (attempt, longest) in [(0, 100), (1, 200), (4, 1600), (5, 2000), (40, 2000)] {
        let wait = retry.wait(attempt).as_millis();
        assert!((longest / 2..=longest).contains(&wait), "{attempt}: {wait}");
    }
}
