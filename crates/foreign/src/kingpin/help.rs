//! Help, from the tables: overview, one command, everything, a page for `man`.

use super::{Arg, Command, Flag, Grammar, Kind};

/// All commands, and the flags of every command.
pub(super) fn overview(grammar: &'static Grammar) -> String {
    let mut text =
        format!("usage: {} [<flags>] <command> [<args> ...]\n\n{}\n\n", grammar.name, grammar.about);
    flag_table(grammar.flags(None), &mut text);
    text.push_str(OFF);
    text.push_str("\nCommands:\n");
    for command in shown(grammar) {
        text.push_str(&format!("{}\n    {}\n\n", summary(command), command.about));
    }
    text
}

/// One command with all its flags.
pub(super) fn on(grammar: &'static Grammar, command: &'static Command) -> String {
    let mut text = format!("usage: {} {}\n\n{}\n\n", grammar.name, summary(command), command.about);
    flag_table(grammar.flags(Some(command)), &mut text);
    text.push_str(OFF);
    if !command.args.is_empty() {
        text.push_str("\nArgs:\n");
        let args = command.args.iter().map(|arg| (written(arg), arg.about.to_owned()));
        table(args.collect(), "  ", &mut text);
    }
    text
}

/// Everything.
pub(super) fn long(grammar: &'static Grammar) -> String {
    let mut text =
        format!("usage: {} [<flags>] <command> [<args> ...]\n\n{}\n\n", grammar.name, grammar.about);
    flag_table(grammar.flags(None), &mut text);
    text.push_str(OFF);
    text.push_str("\nCommands:\n");
    for command in shown(grammar) {
        text.push_str(&format!("  {}\n    {}\n\n", summary(command), command.about));
        let flags = command.flags.iter().filter(|flag| !flag.hidden);
        let rows: Vec<_> = flags.map(|flag| (spelled(flag), described(flag))).collect();
        if !rows.is_empty() {
            table(rows, "    ", &mut text);
            text.push('\n');
        }
    }
    text
}

/// A page for `man`, in the macros of man(7).
pub(super) fn man(grammar: &'static Grammar) -> String {
    let name = grammar.name;
    let mut text = format!(
        ".TH {name} 1 \"\" \"{version}\"\n.SH \"NAME\"\n{name}\n.SH \"SYNOPSIS\"\n.TP\n\\fB{name} [<flags>] <command> [<args> \
         ...]\\fR\n.SH \"DESCRIPTION\"\n{about}\n.SH \"OPTIONS\"\n",
        version = roff(grammar.version),
        about = roff(grammar.about),
    );
    text.push_str(&roff(OFF));
    man_flags(grammar.flags(None), &mut text);
    text.push_str(".SH \"COMMANDS\"\n");
    for command in shown(grammar) {
        text.push_str(&format!(".SS\n\\fB{}\\fR\n.PP\n{}\n", roff(&summary(command)), roff(command.about)));
        man_flags(command.flags.iter(), &mut text);
    }
    text
}

/// The commands that help speaks of.
pub(super) fn shown(grammar: &'static Grammar) -> impl Iterator<Item = &'static Command> {
    grammar.commands.iter().filter(|command| !command.hidden)
}

fn man_flags(flags: impl Iterator<Item = &'static Flag>, text: &mut String) {
    for flag in flags.filter(|flag| !flag.hidden) {
        let name = spelled(flag);
        text.push_str(&format!(".TP\n\\fB{}\\fR\n{}\n", roff(name.trim_start()), roff(&described(flag))));
    }
}

fn flag_table(flags: impl Iterator<Item = &'static Flag>, text: &mut String) {
    text.push_str("Flags:\n");
    let shown = flags.filter(|flag| !flag.hidden);
    table(shown.map(|flag| (spelled(flag), described(flag))).collect(), "  ", text);
}

/// Two columns; what is too wide for the first stands on a line of its own.
fn table(rows: Vec<(String, String)>, indent: &str, text: &mut String) {
    let widths = rows.iter().map(|(left, _)| left.chars().count());
    let width = widths.filter(|width| *width <= WIDEST).max().unwrap_or(WIDEST) + 2;
    for (left, right) in rows {
        if left.chars().count() > WIDEST {
            text.push_str(&format!("{indent}{left}\n{indent}{:width$}{right}\n", ""));
        } else {
            text.push_str(&format!("{indent}{left:width$}{right}\n"));
        }
    }
}

fn summary(command: &Command) -> String {
    let mut text = command.name.to_owned();
    if command.flags.iter().any(|flag| !flag.hidden && !flag.required) {
        text.push_str(" [<flags>]");
    }
    for flag in command.flags.iter().filter(|flag| flag.required) {
        text.push_str(&format!(" --{}={}", flag.long, flag.long.to_uppercase()));
    }
    for arg in command.args {
        text.push_str(&format!(" {}", written(arg)));
    }
    text
}

fn written(arg: &Arg) -> String {
    let name = if arg.many { format!("<{}>...", arg.name) } else { format!("<{}>", arg.name) };
    if arg.required { name } else { format!("[{name}]") }
}

fn spelled(flag: &Flag) -> String {
    let short = flag.short.map_or_else(|| "    ".to_owned(), |letter| format!("-{letter}, "));
    match flag.kind {
        // The other form of each is said once, in `OFF`: `--[no-]no-session` is hard to read and to search for.
        Kind::Switch => format!("{short}--{}", flag.long),
        Kind::Text | Kind::Duration | Kind::OneOf(_) => {
            let shown = flag.default.map_or_else(|| flag.long.to_uppercase(), str::to_owned);
            format!("{short}--{}={shown}", flag.long)
        }
    }
}

fn described(flag: &Flag) -> String {
    let mut text = flag.about.to_owned();
    if let Kind::OneOf(words) = flag.kind {
        text.push_str(&format!(" [{}]", words.join(" ")));
    }
    if !flag.env.is_empty() {
        let names: Vec<String> = flag.env.iter().map(|name| format!("${name}")).collect();
        text.push_str(&format!(" ({})", names.join(", ")));
    }
    text
}

/// Text that roff takes as it stands: a backslash is doubled, a hyphen is one, a line never begins with a macro.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-");
    if text.starts_with(['.', '\'']) { format!("\\&{text}") } else { text }
}

/// The form of a switch that turns it off.
const OFF: &str = "A flag without a value is turned off by --no- before its name, as in --no-debug.\n";
const WIDEST: usize = 34;

#[cfg(test)]
mod tests;
