//! The archive, and the bare file under the name that its guides use.

use std::path::Path;

use super::facts::Facts;
use super::{Tree, copy, licences, read, write};
use crate::failure::{Failure, Outcome};
use crate::program::Program;

/// Fills `OUT/STEM/` with everything that an archive or a package holds.
pub(super) fn tree(root: &Path, program: &Path, out: &Path, facts: &Facts) -> Outcome<Tree> {
    let tree = out.join(facts.stem());
    copy(program, &tree.join("doorward"))?;
    for name in ["LICENSE", "README.md"] {
        copy(&root.join(name), &tree.join(name))?;
    }
    write(&tree.join("THIRD-PARTY.md"), &licences::page(facts)?)?;
    let man = tree.join("man");
    std::fs::create_dir_all(&man).map_err(|error| Failure::doing("make the folder of pages", &error))?;
    // The program writes its own pages, so that they can't say something else than it does.
    let doorward = tree.join("doorward");
    Program::at(root, &doorward, &["generate", "--man", &man.to_string_lossy()]).output()?;
    for (shell, file) in COMPLETIONS {
        let text = Program::at(root, &doorward, &["completions", shell]).output()?;
        let file = tree.join("completions").join(file);
        if let Some(folder) = file.parent() {
            std::fs::create_dir_all(folder)
                .map_err(|error| Failure::doing("make the folder of completions", &error))?;
        }
        write(&file, &text)?;
    }
    Ok(tree)
}

/// `STEM.tar.gz`: sorted, owned by nobody, at the time of the commit.
pub(super) fn archive(root: &Path, out: &Path, tree: &Tree, facts: &Facts) -> Outcome<String> {
    let name = format!("{}.tar.gz", facts.stem());
    let command = "tar --sort=name --format=gnu --owner=0 --group=0 --numeric-owner --mode=u+rwX,go+rX,go-w \
                   --mtime=@\"$1\" -C \"$2\" -cf - \"$3\" | gzip -n9 > \"$0\"";
    let file = out.join(&name).to_string_lossy().into_owned();
    let folder = out.to_string_lossy().into_owned();
    let stem = tree.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    Program::new(root, "sh", &["-c", command, &file, &facts.time, &folder, &stem]).run()?;
    Ok(name)
}

/// `vault-linux-amd64`: the same program; what it is called decides which command line it speaks.
pub(super) fn vault(program: &Path, out: &Path, facts: &Facts) -> Outcome<String> {
    let system = if facts.triple.contains("linux") { "linux" } else { "darwin" };
    let name = format!("vault-{system}-{}", facts.processor());
    copy(program, &out.join(&name))?;
    Ok(name)
}

/// A formula for Homebrew, with the hash of the archive that was made here.
pub(super) fn homebrew(root: &Path, out: &Path, facts: &Facts) -> Outcome {
    let archive = format!("{}.tar.gz", facts.stem());
    let sum = Program::new(out, "sha256sum", &[&archive]).output()?;
    let sum = sum.split_whitespace().next().unwrap_or_default().to_owned();
    let text = read(&root.join("deploy/homebrew/doorward.rb.in"))?
        .replace("@VERSION@", &facts.version)
        .replace("@ARCHIVE@", &archive)
        .replace("@SHA256@", &sum);
    write(&out.join("doorward.rb"), &text)
}

/// What `doorward completions` calls each shell, and where shells look for a file.
const COMPLETIONS: [(&str, &str); 3] =
    [("bash", "bash/doorward"), ("zsh", "zsh/_doorward"), ("fish", "fish/doorward.fish")];
