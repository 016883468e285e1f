//! Where things are in a home.

use super::*;

#[test]
fn a_short_path_keeps_its_socket() {
    let home = Home::at("/tmp/home".into(), Some("/run/user/7".into()));
    assert_eq!(home.socket(), PathBuf::from("/tmp/home/socket"));
}

#[test]
fn the_socket_of_a_long_path_moves_to_the_runtime_folder() {
    let long = format!("/tmp/{}", "x".repeat(120));
    let home = Home::at(long.clone().into(), Some("/run/user/7".into()));
    let socket = home.socket();
    assert!(socket.starts_with("/run/user/7"), "{}", socket.display());
    assert!(socket.as_os_str().len() <= LONGEST_SOCKET);
    let other = Home::at(format!("{long}y").into(), Some("/run/user/7".into()));
    assert_ne!(other.socket(), socket);
}

#[test]
fn without_a_runtime_folder_a_long_path_is_refused() {
    let home = Home::at(format!("/tmp/{}", "x".repeat(120)).into(), None);
    let failure = home.socket_to_bind().unwrap_err();
    assert!(failure.hint.unwrap().contains("XDG_RUNTIME_DIR"));
}

#[test]
fn a_home_that_does_not_exist_is_not_made_by_looking_at_it() {
    let folder = tempfile::tempdir().unwrap();
    let home = Home::at(folder.path().join("none"), None);
    let failure = home.storage().err().unwrap();
    assert!(failure.message.contains("there is no home"));
    assert!(!folder.path().join("none").exists());
}
