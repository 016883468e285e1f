//! Whose turn it is: calls about one key or sign-in come one after the other, so that many that want one session make one
//! call to AWS. Calls about others go beside them: AWS may not answer for a minute.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, Weak};

use tokio::sync::{Mutex, OwnedMutexGuard};

use crate::mint::What;

/// The turns of one broker.
#[derive(Default)]
pub(super) struct Turns(std::sync::Mutex<HashMap<String, Weak<Mutex<()>>>>);

impl Turns {
    /// Waits for the turn of a wish.
    pub(super) async fn wait(&self, name: String) -> OwnedMutexGuard<()> {
        self.of(name).lock_owned().await
    }

    fn of(&self, name: String) -> Arc<Mutex<()>> {
        let mut turns = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(turn) = turns.get(&name).and_then(Weak::upgrade) {
            return turn;
        }
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(name, Arc::downgrade(&turn));
        turn
    }
}

/// What a wish is about. What is about all of them has a turn of its own: the keyrings themselves take turns.
pub(super) fn of(what: &What) -> String {
    let name = match what {
        What::Lease(of) | What::Console(of, _) | What::Rotate(of, ..) => of.profile.root(),
        What::ConsoleOf(_, profile, _) => profile.root(),
        What::Assume { role, .. } => &role.profile,
        What::Token { start_url } => start_url,
        What::Add { profile, .. } | What::Remove { profile } | What::Migrate { profile, .. } => profile,
        What::Clear { of } => of.as_ref().map_or("", |(profile, _)| profile),
        What::AddSeed { serial, .. } | What::RemoveSeed { serial } => serial,
        What::OfCloud(_) | What::List | What::Answered { .. } => "",
    };
    name.to_owned()
}
