//! The project's own tasks: `cargo xtask TASK`. Quick to compile, so it has hardly any dependencies.
//!
//! # Invariants
//!
//! - A task works from any folder of the repository and needs no standard input.
//! - A check that could not be made is a failure, unless it is listed as not possible on this kind of machine.
#![expect(clippy::print_stdout, reason = "this program is for people and CI logs, printing is what it does")]
#![expect(clippy::print_stderr, reason = "this program is for people and CI logs, printing is what it does")]
#![expect(
    clippy::disallowed_methods,
    reason = "the rules are for the product; a task reads its own environment"
)]

mod bench;
mod book;
mod deny;
mod dist;
mod failure;
mod generate;
mod layers;
mod program;
mod setup;
mod test;
mod tidy;
mod torture;

use std::path::PathBuf;
use std::process::ExitCode;

use failure::{Failure, Outcome};

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    match dispatch(&arguments) {
        Ok(code) => code,
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn dispatch(arguments: &[String]) -> Outcome<ExitCode> {
    let Some((task, rest)) = arguments.split_first() else {
        print!("{HELP}");
        return Ok(ExitCode::from(2));
    };
    let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
    let root = root()?;
    let done = match (task.as_str(), rest.as_slice()) {
        ("test", []) => return test::run(&root, test::Extent::Full),
        ("test", ["--quick"]) => return test::run(&root, test::Extent::Quick),
        ("setup", []) => setup::run(&root),
        ("layers", []) => layers::run(&root),
        ("tidy", []) => tidy::run(&root),
        ("deny", []) => deny::run(&root),
        ("generate", []) => generate::run(&root, generate::Mode::Write),
        ("generate", ["--check"]) => generate::run(&root, generate::Mode::Check),
        ("bench", ["proxy", flags @ ..]) => bench::run(&root, flags),
        ("bench", ["aws", flags @ ..]) => bench::aws::run(&root, flags),
        ("bench", ["gateway", flags @ ..]) => bench::peers::run(&root, flags),
        ("bench", ["agent", flags @ ..]) => bench::agent::run(&root, flags),
        ("bench", ["api", flags @ ..]) => bench::api::run(&root, flags),
        ("book", []) => book::run(&root),
        ("bench", ["op", flags @ ..]) => bench::op::run(&root, flags),
        ("dist", flags) => dist::run(&root, flags),
        ("profile", flags) => dist::profile(&root, flags),
        ("torture", flags) => torture::run(&root, flags),
        ("help" | "--help" | "-h", _) => {
            print!("{HELP}");
            return Ok(ExitCode::SUCCESS);
        }
        _ => {
            let typed = arguments.join(" ");
            eprint!("error: there is no task `{typed}`\n\n{HELP}");
            return Ok(ExitCode::from(2));
        }
    };
    done.map(|()| ExitCode::SUCCESS)
}

/// The root of the repository: the nearest folder above that holds this crate.
fn root() -> Outcome<PathBuf> {
    let here = std::env::current_dir().map_err(|error| Failure::doing("find the current folder", &error))?;
    here.ancestors()
        .find(|folder| folder.join("crates/xtask/Cargo.toml").is_file())
        .map(PathBuf::from)
        .ok_or_else(|| Failure::new("run this inside the repository"))
}

const HELP: &str = "\
The project's own tasks.

Usage: cargo xtask TASK

  test [--quick]       every check and every test; quick: what changed since the last commit
  setup                install what tests and benches need
  layers               who may import whom: crates/xtask/layers.toml
  tidy                 sizes, headers, words, links, white space
  deny                 licences, sources and bans of dependencies: deny.toml
  generate [--check]   write docs/reference, or say what is out of date in it
  bench proxy [FLAGS]  the gateway beside nginx; `bench proxy --help` lists the flags
  bench gateway [FLAGS]
                       the gateway beside nginx and AuthTranslator, with many integrations, rules and connections
  bench agent [FLAGS]  the agent on its Unix socket; `bench agent --help` lists the flags
  bench api [FLAGS]    the API for tenants over PostgreSQL; `bench api --help` lists the flags
  bench op [FLAGS]     operations by name over their bare program and request; `bench op --help` lists the flags
  bench aws [FLAGS]    the commands for AWS beside an aws-vault; `bench aws --help` lists the flags
  book                 the pages as a site with search, in target/book; every link in it is looked at
  dist [FLAGS]         what is shipped, in target/ship; `dist --help` lists the flags
  profile [--built FOLDER]
                       work with an instrumented program and keep the profile for `dist` and the benches
  torture NAME [--rounds N]
                       one test many times over; `torture --list` lists them
";
