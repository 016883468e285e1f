//! Embeds the console: the files of `console/` as they are, one sorted table, under an address that names what is in all of them.
//!
//! The page names its modules, so that a browser asks for all of them at once; no file is changed otherwise. Beside each file stands the
//! same in gzip, so that nothing is compressed while Doorward runs.

use std::error::Error;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

#[expect(
    clippy::disallowed_methods,
    reason = "a build script gets its folder from the environment and writes two files"
)]
fn main() -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let root = PathBuf::from(std::env::var("CARGO_MANIFEST_DIR")?).join("../../console").canonicalize()?;
    let mut names = Vec::new();
    collect(&root, "", &mut names)?;
    names.sort();
    let mut version = Fnv::new();
    let mut table = String::from("&[\n");
    for name in names.iter().filter(|name| *name != PAGE) {
        let file = root.join(name);
        version.take(name.as_bytes());
        let bytes = fs::read(&file)?;
        version.take(&bytes);
        let packed = out.join(format!("{}.gz", name.replace('/', "-")));
        fs::write(&packed, gzip(&bytes)?)?;
        writeln!(
            table,
            "    Asset {{ name: {name:?}, bytes: include_bytes!({file:?}), packed: include_bytes!({packed:?}) }},"
        )?;
    }
    table.push_str("]\n");
    let page = fs::read_to_string(root.join(PAGE))?;
    version.take(page.as_bytes());
    let modules = names.iter().filter(|name| name.ends_with(".js") && !SCRIPTS.contains(&name.as_str()));
    let mut preloads = String::new();
    for name in modules {
        writeln!(preloads, "<link rel=\"modulepreload\" href=\"/console/a/-/{name}\">")?;
    }
    if page.matches(HERE).count() != 1 {
        return Err(format!("`console/{PAGE}` has to have `{HERE}` once").into());
    }
    let version = format!("{:016x}", version.0);
    let page =
        page.replace(HERE, preloads.trim_end()).replace("/console/a/-/", &format!("/console/a/{version}/"));
    fs::write(out.join("page.html.gz"), gzip(page.as_bytes())?)?;
    fs::write(out.join("page.html"), page)?;
    fs::write(out.join("assets.rs"), table)?;
    println!("cargo::rustc-env=DOORWARD_CONSOLE={version}");
    println!("cargo::rerun-if-changed={}", root.display());
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}

/// In gzip, without a time: the same bytes make the same file.
fn gzip(bytes: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut packing = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    packing.write_all(bytes)?;
    packing.finish()
}

/// The files below a folder, by their path from it.
fn collect(root: &Path, below: &str, names: &mut Vec<String>) -> Result<(), Box<dyn Error>> {
    for entry in fs::read_dir(root.join(below))? {
        let entry = entry?;
        let name = entry.file_name().into_string().map_err(|_| "a file name is not UTF-8")?;
        let name = if below.is_empty() { name } else { format!("{below}/{name}") };
        if entry.file_type()?.is_dir() {
            collect(root, &name, names)?;
        } else {
            names.push(name);
        }
    }
    Ok(())
}

/// FNV-1a, 64 bits: names a version, protects nothing.
struct Fnv(u64);

impl Fnv {
    const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn take(&mut self, bytes: &[u8]) {
        // The length first, so that two files never run into one another.
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

const PAGE: &str = "index.html";
/// Where the page names its modules.
const HERE: &str = "<!-- modules -->";
/// What the page names by itself.
const SCRIPTS: [&str; 2] = ["app.js", "core/prefs.js"];
