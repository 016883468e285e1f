//! A shell that runs the blocks of one page, as a reader's would.
//!
//! # Invariants
//!
//! - No address is fixed: where a page says 8080, 8000 or 9090, the port that the system picked stands.
//! - Whatever the page started ends with it.

use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use testkit::{Doorward, Upstream};

use super::page::{Block, Way};

/// The shell of one page.
pub(super) struct Shell {
    child: Child,
    to: ChildStdin,
    answers: mpsc::Receiver<String>,
    folder: PathBuf,
    canary: String,
    number: usize,
    /// What stands in a page, and what is run instead.
    places: Vec<(String, String)>,
}

impl Shell {
    pub(super) fn start(doorward: &Doorward, upstream: &Upstream, page: &str) -> Self {
        for name in ["vault", "aws-vault", "integrations"] {
            let _ = doorward.command_as(name);
        }
        let plain = doorward.command_as("doorward");
        let mut command = Command::new("bash");
        command.args(["--noprofile", "--norc"]).env_clear().current_dir(doorward.folder()).process_group(0);
        for (name, value) in plain.get_envs() {
            command.envs(value.map(|value| (name, value)));
        }
        command.env("DOORWARD_GATEWAY", "127.0.0.1:0").env("UPSTREAM", upstream.url());
        command.env("CANARY", upstream.canary()).env("PAGE", crate::written::root().join(page));
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().unwrap();
        let (mut to, from) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (answer, answers) = mpsc::channel();
        let _ = std::thread::spawn(move || {
            BufReader::new(from).lines().map_while(Result::ok).for_each(|line| drop(answer.send(line)));
        });
        let folder = doorward.folder().join("blocks");
        std::fs::create_dir(&folder).unwrap();
        writeln!(to, "set -eo pipefail\n{PRELUDE}").unwrap();
        let canary = upstream.canary().to_owned();
        Self { child, to, answers, folder, canary, number: 0, places: Vec::new() }
    }

    /// Does what the page says with a block.
    ///
    /// # Errors
    /// What went otherwise than the page says, with what was printed.
    pub(super) fn run(&mut self, block: &Block) -> Result<(), String> {
        for first in &block.first {
            self.plain(first, "")?;
            if let Ok(printed) = std::fs::read_to_string(self.folder.with_file_name("up.out")) {
                self.learn(&printed);
            }
        }
        for (name, command) in &block.places {
            self.places.retain(|(known, _)| known != name);
            let told = self.plain(command, "")?;
            self.places.push((name.clone(), told.trim().to_owned()));
        }
        let printed = match &block.way {
            Way::Not => return Ok(()),
            Way::Run => self.plain(&block.text, &block.typed)?,
            Way::Refused => {
                let (status, printed) =
                    self.block(&block.text, &block.typed, "set +e; ", "; s=$?; set -e; echo $s")?;
                if status == "0" {
                    return Err(format!("was not refused:\n{printed}"));
                }
                printed
            }
            Way::Stays(ready) => self.stay(&block.text, ready)?,
        };
        if let Some(missing) = block.says.iter().find(|text| !printed.contains(self.placed(text).as_str())) {
            return Err(format!("does not say `{missing}`, but:\n{printed}"));
        }
        Ok(())
    }

    /// Runs commands that have to succeed; answers what they printed.
    fn plain(&mut self, text: &str, typed: &str) -> Result<String, String> {
        self.block(text, typed, "", "; echo 0").map(|(_, printed)| printed)
    }

    fn block(
        &mut self,
        text: &str,
        typed: &str,
        before: &str,
        behind: &str,
    ) -> Result<(String, String), String> {
        let [run, input, output] = self.files(&self.placed(text));
        let (run, input, shown) = (run.display(), input.display(), output.display());
        let typed =
            if typed.is_empty() { String::new() } else { format!("printf '%s\\n' \"{typed}\" > {input}; ") };
        writeln!(self.to, "{typed}{before}source {run} < {input} > {shown} 2>&1{behind}")
            .map_err(|error| error.to_string())?;
        let answer = self.answers.recv_timeout(HANG);
        let printed = self.read(&output)?;
        match answer {
            Ok(status) => Ok((status, printed)),
            Err(mpsc::RecvTimeoutError::Timeout) => Err(format!("did not end within {HANG:?}:\n{printed}")),
            Err(mpsc::RecvTimeoutError::Disconnected) => Err(format!("failed:\n{printed}")),
        }
    }

    /// Starts something that goes on, waits until it is ready, and learns where it listens.
    fn stay(&mut self, text: &str, ready: &str) -> Result<String, String> {
        // A port that the page names is picked by the system.
        let text = PORTS.iter().fold(text.to_owned(), |text, (port, _)| {
            text.replace(&format!("127.0.0.1:{port}"), "127.0.0.1:0")
        });
        let [run, input, output] = self.files(&self.placed(&text));
        let ended = output.with_extension("ended");
        let (run, input, shown, end) = (run.display(), input.display(), output.display(), ended.display());
        writeln!(
            self.to,
            "{{ source {run} < {input} > {shown} 2>&1 || true; : > {end}; }} >/dev/null & echo 0"
        )
        .map_err(|error| error.to_string())?;
        let _ = self.answers.recv_timeout(HANG).map_err(|error| error.to_string())?;
        let until = Instant::now() + HANG;
        loop {
            let gone = ended.exists();
            let printed = self.read(&output)?;
            if printed.contains(ready) {
                self.learn(&printed);
                return Ok(printed);
            }
            if gone || Instant::now() > until {
                let what = if gone { "ended before it" } else { "never" };
                return Err(format!("{what} said `{ready}`:\n{printed}"));
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Where the doors are, from what a broker says at its start.
    fn learn(&mut self, printed: &str) {
        for line in printed.lines() {
            let Some((door, rest)) = line.split_once(' ') else { continue };
            let address = rest.trim_start().trim_start_matches("http://");
            let digits = address.strip_prefix("127.0.0.1:").unwrap_or_default();
            let found: String = digits.chars().take_while(char::is_ascii_digit).collect();
            for (port, name) in PORTS {
                if *name == door && !found.is_empty() {
                    self.places.retain(|(known, _)| *known != format!(":{port}"));
                    self.places.push((format!(":{port}"), format!(":{found}")));
                }
            }
        }
    }

    /// A text of the page with the real names in it.
    fn placed(&self, text: &str) -> String {
        self.places.iter().fold(text.to_owned(), |text, (name, real)| text.replace(name.as_str(), real))
    }

    #[expect(clippy::disallowed_methods, reason = "files of a test, which nobody reads after a crash")]
    fn files(&mut self, text: &str) -> [PathBuf; 3] {
        self.number += 1;
        let file = |kind: &str| self.folder.join(format!("{}.{kind}", self.number));
        let [run, input, output] = [file("sh"), file("in"), file("out")];
        std::fs::write(&run, format!("{text}\n")).unwrap();
        std::fs::write(&input, "").unwrap();
        std::fs::write(&output, "").unwrap();
        [run, input, output]
    }

    /// What was printed, in which no secret may be.
    fn read(&self, output: &Path) -> Result<String, String> {
        let printed = String::from_utf8_lossy(&std::fs::read(output).unwrap_or_default()).into_owned();
        if printed.contains(&self.canary) {
            return Err("shows a secret".to_owned());
        }
        Ok(printed)
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        // Every process of the page is in the group of its shell.
        let group = format!("-{}", self.child.id());
        let _ = Command::new("kill").args(["-KILL", "--", &group]).stderr(Stdio::null()).status();
        let _ = self.child.wait();
    }
}

/// What marks above a block may use: `stand_in NAME` puts the test's own service in the place of NAME's, `requests_only`
/// leaves out programs of the machine, `broker` starts one behind the page, `block LANGUAGE N` is a block of the page that a reader has copied into a file.
const PRELUDE: &str = r#"
stand_in() {
  local folder="${DOORWARD_HOME:-$XDG_DATA_HOME/doorward}/integrations"
  mkdir -p "$folder"
  printf 'name: %s\nextends: %s\nbase_url: %s/json%s\ndangerous_allow_private: true\n' "$1" "$1" "$UPSTREAM" "$2" > "$folder/$1.yaml"
}
requests_only() {
  printf '[operations]\npath = ["/nowhere"]\n' > "$XDG_DATA_HOME/doorward/settings.toml"
}
broker() {
  doorward up "$@" > up.out 2>&1 &
  until grep -q ^Ready up.out; do kill -0 $!; sleep 0.02; done
}
block() {
  awk -v language="$1" -v wanted="$2" '
    /^```/ && inside { inside = 0; next }
    /^```/ { inside = 1; found = ($0 == "```" language) && ++seen == wanted; next }
    inside && found' "$PAGE"
}
"#;

/// The ports that pages name, and the doors that have them.
const PORTS: &[(&str, &str)] =
    &[("8080", "gateway"), ("8000", "api"), ("9090", "admin"), ("9090", "metrics")];

/// How long a block may take on a busy machine.
const HANG: Duration = Duration::from_mins(5);
