//! Where the clouds' SDKs and the tools that operations run are installed. Read by the set-up, and by the tests that run them.
//!
//! # Invariants
//!
//! - The name of a folder holds a hash of every file that decides what is in it: another version is another folder.

use std::io;
use std::path::{Path, PathBuf};

/// One folder of `tests/sdk`, and which of its files decide what is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Sdk {
    pub(crate) name: &'static str,
    pub(crate) inputs: &'static [&'static str],
}

pub(crate) const PYTHON: Sdk = Sdk { name: "python", inputs: &["requirements.txt"] };
pub(crate) const GO: Sdk = Sdk { name: "go", inputs: &["go.mod", "go.sum", "main.go"] };
pub(crate) const NODE: Sdk = Sdk { name: "node", inputs: &["main.mjs", "package-lock.json", "package.json"] };
pub(crate) const JAVA: Sdk = Sdk { name: "java", inputs: &["Main.java", "pom.xml"] };
pub(crate) const OPENAI: Sdk = Sdk { name: "openai", inputs: &["requirements.txt"] };
pub(crate) const BROWSER: Sdk = Sdk { name: "browser", inputs: &["package-lock.json", "package.json"] };
pub(crate) const KUBERNETES: Sdk =
    Sdk { name: "kubernetes", inputs: &["apiserver/main.go", "go.mod", "go.sum", "kubectl/main.go"] };
pub(crate) const ARGOCD: Sdk =
    Sdk { name: "argocd", inputs: &["argocd/main.go", "go.mod", "go.sum", "server/main.go"] };
pub(crate) const HELM: Sdk = Sdk { name: "helm", inputs: &["go.mod", "go.sum"] };
pub(crate) const MOTO: Sdk = Sdk { name: "moto", inputs: &["requirements.txt"] };
pub(crate) const BIGQUERY: Sdk = Sdk { name: "bigquery", inputs: &["emulator.py", "requirements.txt"] };
pub(crate) const RUST: Sdk = Sdk { name: "rust", inputs: &["Cargo.lock", "Cargo.toml", "src/main.rs"] };

impl Sdk {
    /// `CACHE/doorward-tools/sdk-NAME-HASH`. `None` when this machine names no cache.
    ///
    /// # Errors
    /// When a file that decides what is installed can't be read.
    pub(crate) fn folder(self, root: &Path) -> io::Result<Option<PathBuf>> {
        let mut hash = Fnv::default();
        for input in self.inputs {
            hash.take(input.as_bytes());
            hash.take(&std::fs::read(root.join("tests/sdk").join(self.name).join(input))?);
        }
        Ok(cache().map(|cache| cache.join(format!("sdk-{}-{:016x}", self.name, hash.0))))
    }
}

/// `CACHE/doorward-tools`.
#[expect(clippy::disallowed_methods, reason = "a task of the project, or a test; there are no settings here")]
pub(crate) fn cache() -> Option<PathBuf> {
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .filter(|value| !value.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(Path::new(&std::env::var_os("HOME")?).join(".cache")))?;
    Some(cache.join("doorward-tools"))
}

/// FNV-1a, 64 bits: names a version, protects nothing.
struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn take(&mut self, bytes: &[u8]) {
        // The length first, so that two files never run into one another.
        let length = (bytes.len() as u64).to_le_bytes();
        for byte in length.iter().chain(bytes) {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}
