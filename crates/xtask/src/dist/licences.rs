//! The licences of what is compiled in, with their texts, as most of them ask for.

use std::path::{Path, PathBuf};

use super::facts::{Facts, Package};
use crate::failure::{Failure, Outcome};

/// `THIRD-PARTY.md`: each library with its licence and the texts that came with it.
pub(super) fn page(facts: &Facts) -> Outcome<String> {
    let mut page = String::from(
        "# Libraries in this program\n\nEach with its version, its licence and the texts that came with it.\n",
    );
    for package in facts.packages.iter().filter(|package| package.source.is_some()) {
        let licence = package.license.as_deref().unwrap_or("see its text");
        page.push_str(&format!("\n## {} {}\n\nLicence: {licence}\n", package.name, package.version));
        for file in texts(package)? {
            let text = std::fs::read(&file)
                .map_err(|error| Failure::doing(&format!("read `{}`", file.display()), &error))?;
            let text = String::from_utf8_lossy(&text);
            page.push_str(&format!("\n```text\n{}\n```\n", text.trim_end().replace("```", "'''")));
        }
    }
    Ok(page)
}

/// The files of licences in its folder, sorted.
fn texts(package: &Package) -> Outcome<Vec<PathBuf>> {
    let folder = package.manifest_path.parent().unwrap_or_else(|| Path::new("."));
    let failed = |error| Failure::doing(&format!("list `{}`", folder.display()), &error);
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let path = entry.map_err(failed)?.path();
        let name = path.file_name().map(|name| name.to_string_lossy().to_uppercase()).unwrap_or_default();
        let is_licence = ["LICENSE", "LICENCE", "COPYING", "NOTICE", "COPYRIGHT", "UNLICENSE"]
            .iter()
            .any(|start| name.starts_with(start));
        if is_licence && path.is_file() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}
