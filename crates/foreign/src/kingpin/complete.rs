//! Completion: what may come next, and the scripts that make shells ask.

use std::ffi::OsString;

use super::{Command, Grammar, Hint, Kind, Saying, Stream, help};

/// What may stand in the place of the last of the typed words, one in each line. The shell picks those that fit.
pub(super) fn offers(
    grammar: &'static Grammar,
    typed: &[OsString],
    names: &dyn Fn() -> Vec<String>,
) -> Saying {
    let words: Vec<&str> = typed.iter().map(|word| word.to_str().unwrap_or_default()).collect();
    let mut text = String::new();
    for offer in listed(grammar, &words, names) {
        // One that would look like two lines is none.
        if !offer.contains(['\n', '\r']) {
            text.push_str(&offer);
            text.push('\n');
        }
    }
    Saying { to: Stream::Stdout, text }
}

fn listed(grammar: &'static Grammar, words: &[&str], names: &dyn Fn() -> Vec<String>) -> Vec<String> {
    let (last, before) = words.split_last().map_or(("", &[] as &[&str]), |(last, before)| (*last, before));
    if before.contains(&"--") {
        return Vec::new();
    }
    let (command, given) = walked(grammar, before);
    if let Some(found) = before.last().and_then(|word| valued(grammar, command, word)) {
        return found;
    }
    if last.starts_with("--") {
        let flags = grammar.flags(command).filter(|flag| !flag.hidden);
        return flags.map(|flag| format!("--{}", flag.long)).collect();
    }
    // A whole name of a command as the last word asks for what stands behind it; such programs' scripts rely on it.
    let (command, given) = match command {
        Some(command) => (Some(command), given),
        None => (grammar.command(last), 0),
    };
    let Some(command) = command else { return commands(grammar) };
    let arg = command.args.get(given).or_else(|| command.args.last().filter(|arg| arg.many));
    match arg.map(|arg| arg.hint) {
        Some(Hint::Names) => names(),
        Some(Hint::Commands) => commands(grammar),
        Some(Hint::None) | None => Vec::new(),
    }
}

/// The command among the words, and how many arguments it has.
fn walked(grammar: &'static Grammar, words: &[&str]) -> (Option<&'static Command>, usize) {
    let (mut command, mut given, mut value) = (None, 0, false);
    for word in words {
        if std::mem::take(&mut value) {
            continue;
        }
        if word.starts_with('-') {
            value = takes_next(grammar, command, word);
        } else if command.is_none() {
            command = grammar.command(word);
        } else {
            given += 1;
        }
    }
    (command, given)
}

/// Whether the next word is the value of this flag.
fn takes_next(grammar: &'static Grammar, command: Option<&'static Command>, word: &str) -> bool {
    let mut flags = grammar.flags(command);
    match word.strip_prefix("--") {
        Some(name) => flags.any(|flag| flag.long == name && flag.kind != Kind::Switch),
        None => {
            let last = word.chars().next_back();
            flags.any(|flag| flag.short == last && flag.kind != Kind::Switch)
        }
    }
}

/// What may be the value of the flag before; nothing where the word before is no flag with a value.
fn valued(grammar: &'static Grammar, command: Option<&'static Command>, before: &str) -> Option<Vec<String>> {
    if !before.starts_with('-') || !takes_next(grammar, command, before) {
        return None;
    }
    let name = before.trim_start_matches('-');
    let words = grammar.flags(command).filter(|flag| flag.long == name).find_map(|flag| match flag.kind {
        Kind::OneOf(words) => Some(words),
        Kind::Switch | Kind::Text | Kind::Duration => None,
    });
    Some(words.unwrap_or_default().iter().map(|word| (*word).to_owned()).collect())
}

fn commands(grammar: &'static Grammar) -> Vec<String> {
    help::shown(grammar).map(|command| command.name.to_owned()).collect()
}

/// The script for bash. Behind `--`, the completion of the child's own command takes over where bash-completion is loaded.
/// The offers are compared by the script itself: `compgen -W` would run what stands in them.
pub(super) fn bash(name: &str) -> String {
    let function = function(name);
    format!(
        "{function}() {{\n    local i offer current=\"${{COMP_WORDS[COMP_CWORD]}}\"\n    COMPREPLY=()\n    for (( i = 1; i < \
         COMP_CWORD; i++ )); do\n        if [[ \"${{COMP_WORDS[i]}}\" == -- ]]; then\n            if declare -F \
         _command_offset >/dev/null; then\n                _command_offset $(( i + 1 ))\n            fi\n            return \
         0\n        fi\n    done\n    while IFS= read -r offer; do\n        if [[ \"$offer\" == \"$current\"* ]]; then\n\
         \u{20}           printf -v offer %q \"$offer\"\n            COMPREPLY+=(\"$offer\")\n        fi\n    done < \
         <(\"${{COMP_WORDS[0]}}\" --completion-bash \"${{COMP_WORDS[@]:1:COMP_CWORD}}\" 2>/dev/null)\n}}\ncomplete -o \
         default -F {function} {name}\n"
    )
}

/// The script for zsh.
pub(super) fn zsh(name: &str) -> String {
    let function = function(name);
    format!(
        "#compdef {name}\n{function}() {{\n    local i\n    for (( i = 2; i < CURRENT; i++ )); do\n        if [[ ${{words[i]}} \
         == -- ]]; then\n            shift $i words\n            (( CURRENT -= i ))\n            _normal\n            return\n\
         \u{20}       fi\n    done\n    local -a offers\n    offers=(\"${{(@f)$(\"${{words[1]}}\" --completion-bash \
         \"${{(@)words[2,CURRENT]}}\" 2>/dev/null)}}\")\n    offers=(${{offers:#}})\n    if (( $#offers )); then\n        compadd -- $offers\n    else\n\
         \u{20}       _files\n    fi\n}}\ncompdef {function} {name}\n"
    )
}

/// The script for fish.
pub(super) fn fish(name: &str) -> String {
    let function = function(name);
    format!(
        "function {function}\n    set -l typed (commandline -opc)\n    set -l current (commandline -ct)\n    if set -l at \
         (contains -i -- -- $typed)\n        set -l rest\n        if test $at -lt (count $typed)\n            set rest \
         $typed[(math $at + 1)..-1]\n        end\n        complete -C (string join ' ' -- (string escape -- $rest) \
         \"$current\")\n    else\n        set -l program $typed[1]\n        set -e typed[1]\n        $program \
         --completion-bash $typed \"$current\" 2>/dev/null\n    end\nend\ncomplete -c {name} -f -a '({function})'\n"
    )
}

fn function(name: &str) -> String {
    format!("_{}_complete", name.replace('-', "_"))
}

#[cfg(test)]
mod tests;
