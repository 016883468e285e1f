//! What the program sees of the file system, by Landlock.

use landlock::{
    ABI, Access, AccessFs, BitFlags, CompatLevel, Compatible, Ruleset, RulesetAttr, RulesetCreatedAttr,
    RulesetStatus, Scope, path_beneath_rules,
};

use crate::channel::Land;

/// Restricts this process, and what it becomes and starts, to these paths. A path that does not exist opens nothing.
pub(super) fn restrict(land: &Land) -> Result<(), String> {
    let Land { run, read, write } = land;
    let all = AccessFs::from_all(NEWEST);
    let reading: BitFlags<AccessFs> = AccessFs::ReadFile | AccessFs::ReadDir;
    let own = [std::path::PathBuf::from("/proc/self")];
    let wrong = |error: landlock::RulesetError| format!("Landlock refuses: {error}");
    let made = Ruleset::default()
        // Without the first version of it there is nothing; what later ones add is taken where it is.
        .set_compatibility(CompatLevel::HardRequirement)
        .handle_access(AccessFs::from_all(ABI::V1))
        .and_then(|ruleset| ruleset.set_compatibility(CompatLevel::BestEffort).handle_access(all))
        .and_then(|ruleset| ruleset.scope(Scope::from_all(NEWEST)))
        .and_then(Ruleset::create)
        .map_err(wrong)?;
    let status = made
        .add_rules(path_beneath_rules(run, AccessFs::from_read(NEWEST)))
        .and_then(|made| made.add_rules(path_beneath_rules(read.iter().chain(&own), reading)))
        .and_then(|made| made.add_rules(path_beneath_rules(write, all & !AccessFs::Execute)))
        .and_then(landlock::RulesetCreated::restrict_self)
        .map_err(wrong)?;
    if status.ruleset == RulesetStatus::NotEnforced || !status.no_new_privs {
        return Err("this kernel has no Landlock".to_owned());
    }
    Ok(())
}

/// The newest version whose restrictions were looked at.
const NEWEST: ABI = ABI::V6;
