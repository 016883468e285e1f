//! What `--help` prints.

use super::block::{self, For};
use super::{More, Service, general, known};
use crate::flags;

pub(super) fn overview(program: &str, more: &More<'_>) -> String {
    let services: String =
        known().iter().map(|service| format!("  {:12} {}\n", service.name, service.title)).collect();
    let more = wrapped(&more.names);
    format!(
        "Write integrations into the `config.yaml` of a gateway, in place: comments, order and anchors stay.\n\n\
         usage:\n  {program} SERVICE -file FILE -token REFERENCE ...\n  {program} update NAME -file FILE ...\n  \
         {program} delete NAME -file FILE\n  {program} list -file FILE\n\n\
         A REFERENCE says where a secret is, such as `env:SLACK_TOKEN`; a secret itself is refused.\n\
         `{program} SERVICE --help` lists the flags of a service. Flags may stand anywhere.\n\n\
         services:\n{services}\nmore from the catalogue:\n{more}\nflags of every command:\n{}",
        flags::table(&general())
    )
}

pub(super) fn service(program: &str, service: &Service) -> String {
    format!(
        "Write a block for {} ({}).\n\nusage:\n  {program} {} -file FILE ...\n\nflags:\n{}",
        service.title,
        service.destination,
        service.name,
        flags::table(&block::flags(service, For::Add))
    )
}

pub(super) fn update(program: &str) -> String {
    format!(
        "Change a block: what is said changes, and nothing else. The flags of the block's service may be given as well.\n\n\
         usage:\n  {program} update NAME -file FILE ...\n\nflags:\n{}",
        flags::table(&block::of_any_block())
    )
}

pub(super) fn update_of(program: &str, name: &str, service: Option<&Service>) -> String {
    let flags = service.map_or_else(block::of_any_block, |service| block::flags(service, For::Update));
    format!(
        "Change the block `{}`: what is said changes, and nothing else.\n\nusage:\n  {program} update {0} -file FILE ...\n\nflags:\n{}",
        block::name(name).unwrap_or_default(),
        flags::table(&flags)
    )
}

pub(super) fn delete(program: &str) -> String {
    format!(
        "Take a block out, with its own comments.\n\nusage:\n  {program} delete NAME -file FILE\n\nflags:\n{}",
        flags::table(&general())
    )
}

pub(super) fn list(program: &str) -> String {
    format!(
        "Print what is in the file.\n\nusage:\n  {program} list -file FILE\n\nflags:\n{}",
        flags::table(&general())
    )
}

/// Names on lines of at most a hundred characters.
fn wrapped(names: &[String]) -> String {
    let mut text = String::new();
    let mut line = 0;
    for name in names {
        if line == 0 || line + name.len() + 1 > 98 {
            text.push_str(if text.is_empty() { "  " } else { "\n  " });
            line = 2;
        } else {
            text.push(' ');
            line += 1;
        }
        text.push_str(name);
        line += name.len();
    }
    text + "\n"
}
