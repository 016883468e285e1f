//! The program as it is shipped: link-time optimisation, and a profile of its own work that is checked in.
//!
//! The profile is read from one file of the repository. Code that changed since it was made is compiled without it, so an old
//! profile costs speed and nothing else; `cargo xtask profile` makes a new one. A crate that gets another library is another
//! crate to the compiler, with all that is built on it: a profile of other libraries is as good as none, and that is said.

use std::path::{Path, PathBuf};

use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// The profile, in the form of `llvm-profdata`, packed.
pub(super) const PROFILE: &str = "crates/cli/doorward.profdata.gz";

/// The functions that ran while the profile was made, by name, packed. They are laid side by side: the kernel maps code by
/// pages, and what lies between two functions that run is resident with them.
pub(super) const ORDER: &str = "crates/cli/doorward.order.gz";

/// SHA-256 of the `Cargo.lock` with which the profile was made.
pub(super) const MADE_WITH: &str = "crates/cli/doorward.profdata.lock";

/// SHA-256 of `Cargo.lock`, in hex.
pub(super) fn libraries(root: &Path) -> Outcome<String> {
    let line = Program::new(root, "sha256sum", &["Cargo.lock"]).output()?;
    Ok(line.split_whitespace().next().unwrap_or_default().to_owned())
}

/// Builds it and says where it is.
pub(crate) fn shipped(root: &Path) -> Outcome<PathBuf> {
    shipped_in(root, &root.join("target/shipped"))
}

/// The same in a target folder of another name.
pub(super) fn shipped_in(root: &Path, folder: &Path) -> Outcome<PathBuf> {
    // One place for the profile, wherever the build is: its path is an argument of the compiler.
    let kept = root.join("target/shipped");
    std::fs::create_dir_all(&kept).map_err(|error| Failure::doing("make `target/shipped`", &error))?;
    let (profile, order) = (kept.join("doorward.profdata"), kept.join("doorward.order"));
    unpack(root, PROFILE, &profile)?;
    unpack(root, ORDER, &order)?;
    let made_with = super::read(&root.join(MADE_WITH))?;
    if made_with.trim() != libraries(root)? {
        println!(
            "note: the profile was made with other libraries, so it helps little or not at all; `cargo xtask profile` makes a new one"
        );
    }
    // Names of functions that are gone are passed over.
    let flags = format!(
        "-Cprofile-use={} -Clink-arg=-Wl,--symbol-ordering-file={} -Clink-arg=-Wl,--no-warn-symbol-ordering \
         -Clink-arg=-Wl,-z,keep-text-section-prefix",
        profile.display(),
        order.display()
    );
    compile(root, folder, &flags)
}

/// What a function is called that link-time optimisation makes known to other units: by its unit, not by a digest of all code in
/// it, which no list of names could foresee.
const PROMOTED: &str = "-Cllvm-args=-use-source-filename-for-promoted-locals";

/// Builds the program with these flags, in a target folder of its own: other flags would build everything else anew.
pub(super) fn compile(root: &Path, folder: &Path, flags: &str) -> Outcome<PathBuf> {
    let triple = host(root)?;
    let home = std::env::var_os("CARGO_HOME").map(PathBuf::from);
    let home = home.or_else(|| std::env::home_dir().map(|home| home.join(".cargo")));
    let home = home.unwrap_or_else(|| PathBuf::from("/nowhere"));
    // Whoever reads a panic or an error of a C library sees the same path, wherever it was built.
    // The last one that fits counts: what build scripts wrote is in the target folder.
    let places = [(root, "/doorward"), (home.as_path(), "/cargo"), (folder, "/target")];
    let rust: Vec<String> =
        places.iter().map(|(from, to)| format!("--remap-path-prefix={}={to}", from.display())).collect();
    let c: Vec<String> =
        places.iter().map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display())).collect();
    let arguments = [
        "build",
        "--locked",
        "--profile",
        "dist",
        "--package",
        "cli",
        "--bin",
        "doorward",
        "--target",
        &triple,
    ];
    Program::cargo(root, &arguments)
        .env("CARGO_TARGET_DIR", folder)
        .env("RUSTFLAGS", format!("{flags} {PROMOTED} {}", rust.join(" ")))
        .env("CFLAGS", c.join(" "))
        .run()?;
    Ok(folder.join(triple).join("dist/doorward"))
}

/// The target triple of this machine.
pub(super) fn host(root: &Path) -> Outcome<String> {
    let text = Program::new(root, "rustc", &["--version", "--verbose"]).output()?;
    let triple = text.lines().find_map(|line| line.strip_prefix("host: "));
    triple.map(str::to_owned).ok_or_else(|| Failure::new("`rustc` did not say what machine this is"))
}

/// Unpacks a file, unless what is there is the same: a newer profile would build everything once more.
fn unpack(root: &Path, packed: &str, to: &Path) -> Outcome {
    let fresh = to.with_extension("fresh");
    let command = format!("gzip -dc {packed} > \"$0\"");
    let fresh_text = fresh.to_string_lossy();
    Program::new(root, "sh", &["-c", &command, &fresh_text]).run()?;
    let same = match (std::fs::read(&fresh), std::fs::read(to)) {
        (Ok(new), Ok(old)) => new == old,
        _ => false,
    };
    let done = if same { std::fs::remove_file(&fresh) } else { std::fs::rename(&fresh, to) };
    done.map_err(|error| Failure::doing("unpack what the build is guided by", &error))
}
