//! Installs the SDKs of the clouds and of OpenAI, for the tests that run them against our servers; and the tools and servers with which
//! operations are tested.
//!
//! # Invariants
//!
//! - Each is built beside its place and then moved, so that a build that was cut short is not taken for one.
//! - Nothing is written into the repository.

use std::path::Path;

use super::place::{
    ARGOCD, BIGQUERY, BROWSER, GO, HELM, JAVA, KUBERNETES, MOTO, NODE, OPENAI, PYTHON, RUST, Sdk,
};
use crate::failure::{Failure, Outcome};
use crate::program::{Program, find};

/// How one is installed: the programs that it takes, and commands that run in a copy of its folder.
struct Recipe {
    sdk: Sdk,
    programs: &'static [&'static str],
    steps: &'static [&'static [&'static str]],
}

const RECIPES: &[Recipe] = &[
    Recipe { sdk: PYTHON, programs: &["python3"], steps: VENV },
    Recipe { sdk: OPENAI, programs: &["python3"], steps: VENV },
    Recipe { sdk: MOTO, programs: &["python3"], steps: VENV },
    Recipe { sdk: BIGQUERY, programs: &["python3"], steps: VENV },
    // These two build for minutes, so they are built with the version of Go that fetches the one that they name.
    Recipe {
        sdk: KUBERNETES,
        programs: &[NEW_GO],
        steps: &[&["go", "build", "-ldflags", KUBERNETES_VERSION, "-o", "bin/", "./apiserver", "./kubectl"]],
    },
    Recipe {
        sdk: HELM,
        programs: &[NEW_GO],
        steps: &[&["go", "build", "-o", "bin/", "helm.sh/helm/v4/cmd/helm"]],
    },
    Recipe {
        sdk: ARGOCD,
        programs: &[NEW_GO],
        steps: &[
            &["go", "build", "-o", "bin/", "./argocd", "./server"],
            // What its objects are, which a cluster has to know; they come with the module.
            &[
                "sh",
                "-c",
                "cp -R \"$(go list -m -f '{{.Dir}}' github.com/argoproj/argo-cd/v3)/manifests/crds\" . && chmod -R u+w crds",
            ],
        ],
    },
    Recipe { sdk: GO, programs: &["go"], steps: &[&["go", "build", "-o", "sdk", "."]] },
    Recipe { sdk: NODE, programs: &["node", "npm"], steps: NPM },
    Recipe { sdk: BROWSER, programs: &["node", "npm"], steps: NPM },
    Recipe {
        sdk: JAVA,
        programs: &["java", "javac", "mvn"],
        steps: &[
            &["mvn", "-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=jars"],
            &["javac", "-cp", "jars/*", "-d", "classes", "Main.java"],
        ],
    },
    Recipe {
        sdk: RUST,
        programs: &["cargo"],
        steps: &[&["cargo", "build", "--quiet", "--locked", "--target-dir", "target"]],
    },
];

/// Packages of Node, those of the lock file.
const NPM: &[&[&str]] = &[&["npm", "ci", "--silent", "--ignore-scripts", "--no-audit", "--no-fund"]];

/// Packages of Python, those that are listed and no others.
const VENV: &[&[&str]] = &[
    &["python3", "-m", "venv", "venv"],
    &["venv/bin/python", "-m", "pip", "install", "--quiet", "--no-deps", "-r", "requirements.txt"],
];

/// Installs each that isn't there. Where a language is missing, the tests that need it say so.
pub(super) fn run(root: &Path) -> Outcome {
    for recipe in RECIPES {
        match recipe.programs.iter().find(|program| !is_here(program)) {
            Some(program) => {
                println!("note: no `{program}`, so what needs {} can't be tested here", recipe.sdk.name);
            }
            None => recipe.install(root)?,
        }
    }
    Ok(())
}

fn is_here(program: &str) -> bool {
    if program == NEW_GO { has_new_go() } else { find(program).is_some() }
}

/// Whether there is a Go that fetches the version that a module names: 1.21 or later.
pub(crate) fn has_new_go() -> bool {
    let told = std::process::Command::new("go").args(["env", "GOVERSION"]).output();
    let text = told.map(|told| String::from_utf8_lossy(&told.stdout).into_owned()).unwrap_or_default();
    let mut parts = text.trim().trim_start_matches("go").split('.').map(str::parse::<u32>);
    matches!((parts.next(), parts.next()), (Some(Ok(1)), Some(Ok(minor))) if minor >= 21)
}

/// What the notes call it.
const NEW_GO: &str = "go 1.21 or later";
/// What releases are told when they are built; kubectl refuses to compare versions without it.
const KUBERNETES_VERSION: &str = "-X k8s.io/component-base/version.gitVersion=v1.37.1 -X k8s.io/component-base/version.gitMajor=1 -X k8s.io/component-base/version.gitMinor=37";

impl Recipe {
    fn install(&self, root: &Path) -> Outcome {
        let name = self.sdk.name;
        let doing = |what: &str, error: &std::io::Error| Failure::doing(&format!("{what} of {name}"), error);
        let folder = self.sdk.folder(root).map_err(|error| doing("read the versions", &error))?;
        let folder = folder.ok_or_else(|| Failure::new("neither XDG_CACHE_HOME nor HOME is set"))?;
        if folder.is_dir() {
            return Ok(());
        }
        println!("installing the SDK for {name}, once for this machine");
        let partial = folder.with_extension("partial");
        if partial.exists() {
            std::fs::remove_dir_all(&partial).map_err(|error| doing("clear the folder", &error))?;
        }
        for input in self.sdk.inputs {
            let to = partial.join(input);
            let parent = to.parent().unwrap_or(&partial);
            std::fs::create_dir_all(parent).map_err(|error| doing("make the folder", &error))?;
            let from = root.join("tests/sdk").join(name).join(input);
            std::fs::copy(from, to).map_err(|error| doing("copy the program", &error))?;
        }
        for step in self.steps {
            let Some((program, arguments)) = step.split_first() else { continue };
            let local = partial.join(program);
            let step = if local.is_file() {
                Program::at(&partial, &local, arguments)
            } else {
                Program::new(&partial, program, arguments)
            };
            step.run()?;
        }
        std::fs::rename(&partial, &folder).map_err(|error| doing("move the SDK", &error))
    }
}
