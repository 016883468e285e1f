//! Finishes a rotation that was interrupted: whatever key it left behind is deleted, or named.
//!
//! A key is deleted only where a note says that a rotation of ours made it, or where AWS shows that it was made in the very
//! moments in which one asked for a key, and that nobody ever used it. Whatever else is there belongs to somebody else.

use std::time::Duration;

use aws::iam::{Iam, KeyFacts};
use model::{Refusal, Timestamp};

use super::needs::Stop;
use super::rotate::{LONGEST, PAUSE, Rotation, Stage};
use super::unfinished::Note;
use crate::Lease;

impl Rotation<'_> {
    /// Finishes what earlier rotations of this key left, and gives back what could not be found out: the times at which a
    /// key was asked for.
    pub(super) async fn mend(&self, stored: &str, signer: &Lease) -> Result<Vec<Timestamp>, Stop> {
        let mut unknown = Vec::new();
        for note in self.minting.unfinished.of(&self.master).await? {
            let Note { old, new, asked } = note;
            match new {
                // The new key was kept: the old one is what is left.
                Some(new) if new == stored => self.left_behind(&old, &old, signer).await?,
                // The new key was not kept, and nobody has its secret.
                Some(new) if old == stored => self.left_behind(&new, &old, signer).await?,
                None if old == stored => match self.unread(stored, &asked, signer).await? {
                    Looked::Through => self.minting.unfinished.forget(&self.master, &old).await?,
                    Looked::Away => unknown.extend(asked),
                },
                // Another key is kept under this name, from another place or by `add`: what the note is about is not ours to
                // delete any more.
                _ => self.progress.say(Stage::Left(&old)),
            }
        }
        Ok(unknown)
    }

    /// Deletes a key that is known to be left, and the note about it.
    async fn left_behind(&self, id: &str, note: &str, signer: &Lease) -> Result<(), Stop> {
        self.progress.say(Stage::Mending(id));
        let endpoint = self.iam()?;
        let iam = Iam::new(&self.minting.tools.wire, &endpoint, signer);
        // The key that signs may be so new that AWS does not know it yet.
        let mut waited = Duration::ZERO;
        let deleted = loop {
            let deleted = iam.delete_access_key(id, self.user.as_deref()).await;
            let unknown = matches!(&deleted, Err(error) if error.code() == Some("InvalidClientTokenId"));
            if !unknown || waited >= LONGEST {
                break deleted;
            }
            self.minting.tools.wire.rest(PAUSE).await;
            waited += PAUSE;
        };
        deleted.map_err(|error| {
            let refusal = self.minting.wire(&error);
            let message = format!("an interrupted rotation left access key {id}: {}", refusal.message);
            Refusal::new(refusal.code, message).hint(format!(
                "delete it: `aws iam delete-access-key --access-key-id {id}`, then rotate again"
            ))
        })?;
        Ok(self.minting.unfinished.forget(&self.master, note).await?)
    }

    /// Looks for keys that AWS made although nobody read the answer.
    async fn unread(&self, stored: &str, asked: &[Timestamp], signer: &Lease) -> Result<Looked, Stop> {
        let endpoint = self.iam()?;
        let iam = Iam::new(&self.minting.tools.wire, &endpoint, signer);
        let Ok(keys) = iam.access_keys(self.user.as_deref()).await else { return Ok(Looked::Away) };
        for key in keys.iter().filter(|key| key.access_key_id != stored && was_made_then(key, asked)) {
            let id = &key.access_key_id;
            // Who may not ask this can't tell a lost key from somebody's own.
            let Ok(used) = iam.last_used(id).await else { return Ok(Looked::Away) };
            if used.is_none() {
                self.progress.say(Stage::Mending(id));
                let deleted = iam.delete_access_key(id, self.user.as_deref()).await;
                deleted.map_err(|error| self.minting.wire(&error))?;
            }
        }
        Ok(Looked::Through)
    }
}

/// Whether AWS could be asked.
enum Looked {
    /// It told everything.
    Through,
    /// It does not tell this caller.
    Away,
}

/// Whether a key was made when one was asked for. AWS writes whole seconds, and its clock is not ours.
fn was_made_then(key: &KeyFacts, asked: &[Timestamp]) -> bool {
    let made = |created: Timestamp| {
        asked.iter().any(|asked| created.after(SKEW) >= *asked && created <= asked.after(SKEW + LONGEST_CALL))
    };
    key.created.is_some_and(made)
}

/// How much both clocks may differ. One that differs more costs a hint instead of a deletion; one that may differ more would
/// take somebody's own new key for ours.
const SKEW: Duration = Duration::from_mins(1);
/// No call waits longer for its answer.
const LONGEST_CALL: Duration = Duration::from_mins(1);
