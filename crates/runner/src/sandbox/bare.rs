//! The sandbox that we make with our own hands; see [`crate::stage`] for what happens in it.

use std::path::Path;
use std::process::Command as Process;

use super::view;
use crate::channel::Land;
use crate::{Program, Room, Sandbox, stage};

/// `us inside space`.
pub(super) fn process(own: &Path, room: &Room, files: u64) -> Process {
    let mut process = Process::new(own);
    process.args([stage::WORD, stage::SPACE]).arg(room.work()).arg(files.to_string());
    process
}

impl Sandbox {
    /// What a program may see where the file system is the machine's own.
    pub(crate) fn land(
        &self,
        room: &Room,
        program: &Program,
        (folder, changes): (Option<&Path>, bool),
    ) -> Land {
        let mut run = view::present(view::SYSTEM);
        run.extend(view::present(view::MORE));
        run.extend(self.readable().iter().cloned());
        run.push(program.real().to_owned());
        let mut read = view::present(view::SETTINGS);
        read.push(room.files());
        let mut write = view::present(view::DEVICES);
        write.push(room.work());
        let place = if changes { &mut write } else { &mut read };
        place.extend(folder.map(Path::to_owned));
        Land { run, read, write }
    }
}
