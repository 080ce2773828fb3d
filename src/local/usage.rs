//! When each key was last used: gathered in memory at once, written to the store a second later, and
//! at the end. A crash loses what was not written, by design: an answer never waits for it.
//!
//! It must not know what counts as a use: the operations do.

use std::collections::HashMap;
use std::mem;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::key::LastUse;
use super::store::{Store, StoreError, View};

/// How long what was gathered waits for more before it is written.
const GATHERING: Duration = Duration::from_secs(1);
/// How long it waits at most where it could not be written.
const LONGEST_PAUSE: Duration = Duration::from_mins(1);

/// Last uses over a store. Dropping it writes what is not yet written.
pub(super) struct Usage {
    shared: Arc<Shared>,
    /// The thread that writes; none for a store in memory, where what is gathered is as good as
    /// written.
    writer: Option<JoinHandle<()>>,
}

struct Shared {
    store: Arc<Store>,
    gathered: Mutex<Gathered>,
    changed: Condvar,
}

#[derive(Default)]
struct Gathered {
    /// By region and key id.
    uses: HashMap<(String, String), LastUse>,
    ending: bool,
}

impl Usage {
    /// A thread that cannot be had leaves everything for the end.
    pub(super) fn new(store: Arc<Store>) -> Self {
        let on_disk = store.path().is_some();
        let shared = Arc::new(Shared { store, gathered: Mutex::default(), changed: Condvar::new() });
        let writer = on_disk.then(|| Arc::clone(&shared)).and_then(|shared| {
            thread::Builder::new()
                .name("local-kms-last-use".to_owned())
                .spawn(move || shared.write_as_it_comes())
                .ok()
        });
        Self { shared, writer }
    }

    /// Notes that a key has just been used.
    pub(super) fn note(&self, region: &str, key_id: &str, last_use: LastUse) {
        let mut gathered = self.shared.gathered();
        let was_empty = gathered.uses.is_empty();
        gathered.uses.insert((region.to_owned(), key_id.to_owned()), last_use);
        drop(gathered);
        if was_empty {
            self.shared.changed.notify_one();
        }
    }

    /// The last use of a key, written or not. No view may be held: what is no longer gathered has been
    /// written, and a view from before that would miss it.
    pub(super) fn of(&self, region: &str, key_id: &str) -> Result<Option<LastUse>, StoreError> {
        let gathered = self.shared.gathered().uses.get(&(region.to_owned(), key_id.to_owned())).cloned();
        match gathered {
            Some(last_use) => Ok(Some(last_use)),
            None => self.shared.store.read()?.last_use(region, key_id),
        }
    }
}

impl Drop for Usage {
    fn drop(&mut self) {
        self.shared.gathered().ending = true;
        self.shared.changed.notify_one();
        if let Some(writer) = self.writer.take() {
            // A writer that panicked has written what it could.
            let _ = writer.join();
        } else if self.shared.store.path().is_some() {
            let uses = mem::take(&mut self.shared.gathered().uses);
            // Nobody is left to tell.
            let _ = self.shared.write(&uses);
        }
    }
}

impl Shared {
    fn gathered(&self) -> MutexGuard<'_, Gathered> {
        self.gathered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits without a tick until there is something; then gathers for a while, and writes.
    fn write_as_it_comes(&self) {
        let mut pause = GATHERING;
        loop {
            let nothing = |gathered: &mut Gathered| gathered.uses.is_empty() && !gathered.ending;
            let gathered = self.changed.wait_while(self.gathered(), nothing);
            let gathered = gathered.unwrap_or_else(PoisonError::into_inner);
            let going_on = |gathered: &mut Gathered| !gathered.ending;
            let waited = self.changed.wait_timeout_while(gathered, pause, going_on);
            let (gathered, _) = waited.unwrap_or_else(PoisonError::into_inner);
            let (uses, ending) = (gathered.uses.clone(), gathered.ending);
            drop(gathered);
            let written = self.write(&uses);
            let mut gathered = self.gathered();
            if written.is_ok() {
                // What was used again meanwhile stays for the next time.
                gathered.uses.retain(|key, last_use| uses.get(key) != Some(last_use));
                pause = GATHERING;
            } else {
                // A full disk is not emptier a second later.
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
            if ending {
                return;
            }
        }
    }

    fn write(&self, uses: &HashMap<(String, String), LastUse>) -> Result<(), StoreError> {
        if uses.is_empty() {
            return Ok(());
        }
        self.store.write(|writer| {
            for ((region, key_id), last_use) in uses {
                writer.put_last_use(region, key_id, last_use)?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests;
