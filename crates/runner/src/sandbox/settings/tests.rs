//! Copies of settings: when they are made again, and what is not copied.

use std::os::unix::fs::symlink;

use super::*;

struct Machine {
    folder: tempfile::TempDir,
    settings: Settings,
}

impl Machine {
    fn with(names: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("rooms")).unwrap();
        let rooms = Rooms::among(&[folder.path().join("rooms")]).unwrap();
        let paths: Vec<_> = names.iter().map(|name| folder.path().join(name)).collect();
        Self { folder, settings: Settings::of(rooms, paths) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaced as systems do it, so that it is another file.
    fn put(&self, name: &str, text: &str) {
        put(&self.path("fresh"), text);
        fs::rename(self.path("fresh"), self.path(name)).unwrap();
    }
}

#[expect(clippy::disallowed_methods, reason = "half of a file harms no test")]
fn put(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
}

fn shown(copied: &Copied, path: &Path) -> Option<String> {
    let (_, name) = copied.files().iter().find(|(at, _)| at == path)?;
    Some(fs::read_to_string(copied.folder().join(name)).unwrap())
}

#[test]
fn a_setting_that_changed_comes_or_goes_is_copied_again_and_else_nothing_is() {
    let machine = Machine::with(&["hosts", "passwd"]);
    machine.put("hosts", "before");
    let (hosts, passwd) = (machine.path("hosts"), machine.path("passwd"));
    let first = machine.settings.now().unwrap();
    assert_eq!((shown(&first, &hosts).as_deref(), shown(&first, &passwd)), (Some("before"), None));
    assert!(Arc::ptr_eq(&first, &machine.settings.now().unwrap()));

    machine.put("hosts", "behind");
    machine.put("passwd", "nobody");
    let second = machine.settings.now().unwrap();
    assert_eq!(shown(&second, &hosts).as_deref(), Some("behind"));
    assert_eq!(shown(&second, &passwd).as_deref(), Some("nobody"));
    // Whoever began before goes on with what was there then.
    assert_eq!(shown(&first, &hosts).as_deref(), Some("before"));
    let folder = first.folder();
    drop(first);
    assert!(!folder.exists());

    fs::remove_file(&hosts).unwrap();
    let third = machine.settings.now().unwrap();
    assert_eq!((shown(&third, &hosts), shown(&third, &passwd).as_deref()), (None, Some("nobody")));
}

#[test]
fn what_is_behind_a_link_is_copied_and_folders_and_large_files_are_not() {
    let machine = Machine::with(&["localtime", "certs", "large", "none"]);
    machine.put("zone", "UTC");
    symlink("zone", machine.path("localtime")).unwrap();
    fs::create_dir(machine.path("certs")).unwrap();
    machine.put("large", &"x".repeat(usize::try_from(LARGEST).unwrap() + 1));
    let copied = machine.settings.now().unwrap();
    assert_eq!(shown(&copied, &machine.path("localtime")).as_deref(), Some("UTC"));
    assert_eq!(copied.files().len(), 1);
    assert_eq!(copied.whole(), [machine.path("certs"), machine.path("large")]);
    machine.put("zone", "CET");
    assert_eq!(shown(&machine.settings.now().unwrap(), &machine.path("localtime")).as_deref(), Some("CET"));
}

#[test]
fn a_setting_that_can_not_be_copied_is_an_error() {
    let machine = Machine::with(&["loop"]);
    // What is there is said by the link alone, so nothing is read; a pipe is there and has no end.
    symlink("loop", machine.path("loop")).unwrap();
    assert!(machine.settings.now().unwrap().files().is_empty());
    fs::remove_dir_all(machine.path("rooms")).unwrap();
    machine.put("other", "x");
    fs::remove_file(machine.path("loop")).unwrap();
    symlink("other", machine.path("loop")).unwrap();
    assert!(matches!(machine.settings.now(), Err(Error::Room { .. })));
}
