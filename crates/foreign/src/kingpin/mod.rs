//! A small parser for the command lines of programs written with Go's kingpin, driven by tables.
//!
//! A [`Grammar`] is data: commands, flags, arguments. [`read`] turns words into [`Reading`]: a command to run, or a text to
//! print. What it accepts and what its errors say is what such programs accept and say (observed; the project is
//! <https://github.com/alecthomas/kingpin>), so that scripts and habits keep working.
//!
//! # Invariants
//!
//! - Flags may stand anywhere before `--`; what stands behind it is never read as ours.
//! - A flag that is not in the table, given twice, or of the wrong form is an error. Nothing is guessed.
//! - The order of values is: command line, first variable of the environment that is set and not empty, default.

pub mod complete;
mod error;
mod help;
mod parse;
mod parsed;
pub mod value;

pub use error::Error;
pub use parse::read;
pub use parsed::Parsed;

/// The command line of one program.
#[derive(Debug)]
pub struct Grammar {
    /// The program's name, as errors and help show it.
    pub name: &'static str,
    /// What it is, for help.
    pub about: &'static str,
    /// What `--version` says.
    pub version: &'static str,
    /// Flags of every command.
    pub flags: &'static [Flag],
    /// The commands, in the order of the help.
    pub commands: &'static [Command],
}

/// One command.
#[derive(Debug, PartialEq, Eq)]
pub struct Command {
    /// Its name.
    pub name: &'static str,
    /// Other names.
    pub aliases: &'static [&'static str],
    /// What it does.
    pub about: &'static str,
    /// Whether help and completion keep quiet about it.
    pub hidden: bool,
    /// Its own flags.
    pub flags: &'static [Flag],
    /// Its arguments, in their order.
    pub args: &'static [Arg],
}

/// One flag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Flag {
    /// The name behind `--`.
    pub long: &'static str,
    /// The letter behind `-`.
    pub short: Option<char>,
    /// What it does.
    pub about: &'static str,
    /// What it takes.
    pub kind: Kind,
    /// Variables that give it a value; the first that is set counts.
    pub env: &'static [&'static str],
    /// The value without any other.
    pub default: Option<&'static str>,
    /// Whether it has to be there.
    pub required: bool,
    /// Whether help and completion keep quiet about it.
    pub hidden: bool,
}

/// What a flag takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nothing: it is on, or off as `--no-…`.
    Switch,
    /// Any text.
    Text,
    /// A length of time, such as `1h30m`.
    Duration,
    /// One of these words.
    OneOf(&'static [&'static str]),
}

/// One argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Arg {
    /// Its name.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    /// Whether it has to be there.
    pub required: bool,
    /// A variable that gives it a value.
    pub env: Option<&'static str>,
    /// Whether it takes all that is left.
    pub many: bool,
    /// What completion offers.
    pub hint: Hint,
}

/// What completion offers for an argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hint {
    /// Nothing of ours.
    None,
    /// Names that the caller knows: profiles.
    Names,
    /// Names of commands.
    Commands,
}

/// What a command line asks for.
#[derive(Debug)]
pub enum Reading {
    /// A command.
    Run(Parsed),
    /// A text of the parser itself.
    Say(Saying),
}

/// A text to print, and the status to end with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Saying {
    /// Where it goes.
    pub to: Stream,
    /// The text, with its line ends.
    pub text: String,
}

/// Where a text goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// What was asked for: help, scripts, completions.
    Stdout,
    /// Help that nobody asked for, and `--version`, which such programs write there.
    Stderr,
}

// === impl Flag ===

impl Flag {
    /// A flag that is on or off.
    pub const fn switch(long: &'static str, about: &'static str) -> Self {
        Self::of(long, about, Kind::Switch)
    }

    /// A flag with a text.
    pub const fn text(long: &'static str, about: &'static str) -> Self {
        Self::of(long, about, Kind::Text)
    }

    /// A flag with a length of time.
    pub const fn duration(long: &'static str, about: &'static str) -> Self {
        Self::of(long, about, Kind::Duration)
    }

    /// A flag with one of some words.
    pub const fn one_of(long: &'static str, about: &'static str, words: &'static [&'static str]) -> Self {
        Self::of(long, about, Kind::OneOf(words))
    }

    /// The same with a letter.
    pub const fn short(self, letter: char) -> Self {
        Self { short: Some(letter), ..self }
    }

    /// The same with variables.
    pub const fn env(self, env: &'static [&'static str]) -> Self {
        Self { env, ..self }
    }

    /// The same with a default.
    pub const fn default(self, value: &'static str) -> Self {
        Self { default: Some(value), ..self }
    }

    /// The same, needed.
    pub const fn required(self) -> Self {
        Self { required: true, ..self }
    }

    /// The same, not shown.
    pub const fn hidden(self) -> Self {
        Self { hidden: true, ..self }
    }

    const fn of(long: &'static str, about: &'static str, kind: Kind) -> Self {
        Self { long, short: None, about, kind, env: &[], default: None, required: false, hidden: false }
    }
}

// === impl Arg ===

impl Arg {
    /// An argument that may be left out.
    pub const fn optional(name: &'static str, about: &'static str) -> Self {
        Self { name, about, required: false, env: None, many: false, hint: Hint::None }
    }

    /// An argument that has to be there.
    pub const fn required(name: &'static str, about: &'static str) -> Self {
        Self { required: true, ..Self::optional(name, about) }
    }

    /// All that is left.
    pub const fn rest(name: &'static str, about: &'static str) -> Self {
        Self { many: true, ..Self::optional(name, about) }
    }

    /// The same with a variable.
    pub const fn env(self, name: &'static str) -> Self {
        Self { env: Some(name), ..self }
    }

    /// The same with names for completion.
    pub const fn hint(self, hint: Hint) -> Self {
        Self { hint, ..self }
    }
}

// === impl Grammar ===

impl Grammar {
    /// The command of a name or alias.
    pub fn command(&self, name: &str) -> Option<&'static Command> {
        self.commands.iter().find(|command| command.name == name || command.aliases.contains(&name))
    }

    /// The flags that may stand with a command, those of the parser included.
    pub fn flags(&self, command: Option<&'static Command>) -> impl Iterator<Item = &'static Flag> {
        let own = command.map_or(&[] as &[Flag], |command| command.flags);
        BUILT_IN.iter().chain(self.flags).chain(own)
    }
}

/// What every such program has. Which text each means is in `parse.rs`.
pub static BUILT_IN: &[Flag] = &[
    Flag::switch("help", "Show context-sensitive help (also try --help-long and --help-man)."),
    Flag::switch("help-long", "Generate long help.").hidden(),
    Flag::switch("help-man", "Generate a man page.").hidden(),
    Flag::switch("completion-bash", "Output possible completions for the given args.").hidden(),
    Flag::switch("completion-script-bash", "Generate completion script for bash.").hidden(),
    Flag::switch("completion-script-zsh", "Generate completion script for zsh.").hidden(),
    Flag::switch("completion-script-fish", "Generate completion script for fish.").hidden(),
    Flag::switch("version", "Show application version.").short('v'),
];

#[cfg(test)]
pub mod tests;
