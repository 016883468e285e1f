//! A command as its file writes it, for people.

use super::Cli;

impl Cli {
    /// Its arguments with the places in them; those that come and go with an input stand between `[` and `]`.
    #[must_use]
    pub fn template(&self) -> Vec<String> {
        let mut all = Vec::new();
        for group in &self.args {
            let words: Vec<String> = group.args.iter().map(ToString::to_string).collect();
            let optional = !group.when.is_empty() || !group.unless.is_empty();
            let text = words.join(" ");
            all.push(if optional { format!("[{text}]") } else { text });
        }
        all
    }
}
