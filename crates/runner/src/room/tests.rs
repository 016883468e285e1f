//! Folders: who may look into them, and what is left of them.

use super::*;

fn rooms() -> (tempfile::TempDir, Rooms) {
    let folder = tempfile::tempdir().unwrap();
    let rooms = Rooms::among(&[folder.path().to_owned()]).unwrap();
    (folder, rooms)
}

#[test]
fn a_file_is_for_its_owner_only_and_gone_when_the_run_is_over() {
    let (_folder, rooms) = rooms();
    let room = rooms.make().unwrap();
    let path = room.write("kubeconfig", b"CANARY-1").unwrap();
    assert_eq!(path, room.file("kubeconfig"));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for folder in path.ancestors().skip(1).take(3) {
        assert_eq!(fs::metadata(folder).unwrap().permissions().mode() & 0o777, 0o700, "{}", folder.display());
    }
    // Whoever has it open still finds nothing in it.
    let open = File::open(&path).unwrap();
    room.wipe().unwrap();
    assert!(!path.exists());
    let mut left = String::new();
    std::io::Read::read_to_string(&mut { open }, &mut left).unwrap();
    assert_eq!(left, "\0".repeat(8));
}

#[test]
fn a_folder_that_is_dropped_is_wiped_as_well() {
    let (folder, rooms) = rooms();
    let room = rooms.make().unwrap();
    room.write("token", b"CANARY-1").unwrap();
    drop(room);
    let left = fs::read_dir(folder.path().join(format!("doorward-{}", rustix::process::geteuid().as_raw())));
    assert_eq!(left.unwrap().count(), 0);
}

#[test]
fn what_a_killed_broker_left_is_wiped_and_what_is_in_use_is_not() {
    let (folder, rooms) = rooms();
    let used = rooms.make().unwrap();
    let path = used.write("token", b"CANARY-1").unwrap();
    let dead = rooms.base.join("dead");
    super::folder(&dead).unwrap();
    put(&dead.join(LOCK), b"");
    let again = Rooms::among(&[folder.path().to_owned()]).unwrap();
    let _made = again.make().unwrap();
    assert!(path.exists());
    assert!(!dead.exists());
}

#[test]
fn a_name_that_leads_elsewhere_is_refused() {
    let (_folder, rooms) = rooms();
    let room = rooms.make().unwrap();
    for name in ["", ".", "..", "a/b", "/etc/passwd", "a\0b", "a b"] {
        assert!(room.write(name, b"x").is_err(), "{name:?}");
    }
    room.write(".once", b"x").unwrap();
    room.write("once", b"x").unwrap();
    assert!(room.write("once", b"x").is_err());
}

#[test]
fn a_place_that_others_can_look_into_is_not_used() {
    let folder = tempfile::tempdir().unwrap();
    let base = folder.path().join(format!("doorward-{}", rustix::process::geteuid().as_raw()));
    fs::create_dir(&base).unwrap();
    fs::set_permissions(&base, fs::Permissions::from_mode(0o755)).unwrap();
    assert!(Rooms::among(&[folder.path().to_owned()]).is_err());
    let other = tempfile::tempdir().unwrap();
    assert!(Rooms::among(&[folder.path().to_owned(), other.path().to_owned()]).is_ok());
}

fn put(path: &Path, text: impl AsRef<[u8]>) {
    use std::io::Write;
    File::create(path).unwrap().write_all(text.as_ref()).unwrap();
}
