//! Names of groups, as `/etc/group` has them.

use crate::failure::{Failure, Outcome};

/// The number of a group, which was named where `said` says.
pub(super) fn id(name: &str, said: &str) -> Outcome<u32> {
    let text = std::fs::read_to_string("/etc/group")
        .map_err(|error| Failure::doing("could not read `/etc/group`", &error))?;
    found(&text, name).ok_or_else(|| {
        Failure::usage(format!("`{said}` names a group that is not in `/etc/group`"))
            .hint("write its number instead")
    })
}

fn found(text: &str, name: &str) -> Option<u32> {
    text.lines().find_map(|line| {
        let mut fields = line.split(':');
        let named = fields.next() == Some(name);
        fields.nth(1).filter(|_| named)?.parse().ok()
    })
}

#[cfg(test)]
mod tests {
    //! A line of the file.

    use super::*;

    #[test]
    fn a_group_is_found_by_its_whole_name() {
        let text = "root:x:0:\nvault-users:x:1001:ada\nvault:x:1002:\nbroken\n";
        assert_eq!(found(text, "vault"), Some(1002));
        assert_eq!(found(text, "nobody"), None);
        assert_eq!(found(text, "broken"), None);
    }
}
