//! What the store does after the disk failed, and what it knows of what is due.

use std::sync::Arc;

use super::*;
use crate::local::key::KeyState;
use crate::local::{LocalKms, Options};

const REGION: &str = "us-east-1";
/// alias/demo/orders.
const ORDERS: &str = "bedb103d-1fd0-4eea-8df5-87c5fe921771";

fn demo(location: StoreLocation) -> Arc<Store> {
    Arc::clone(&LocalKms::open(location, Options::default()).unwrap().front.service.store)
}

fn keys(store: &Store) -> Result<Vec<String>, StoreError> {
    Ok(store.read()?.key_ids(REGION, None, 1000)?.items)
}

/// Makes a key one that is to be deleted then.
fn schedule(writer: &Writer, deletion: Timestamp) -> Result<(), StoreError> {
    let mut record = writer.key(REGION, ORDERS)?.ok_or(StoreError::Missing("the key"))?;
    (record.state, record.deletion) = (KeyState::PendingDeletion, Some(deletion));
    writer.put_key(REGION, ORDERS, &record)
}

#[test]
fn after_the_disk_failed_the_file_is_opened_anew_and_what_is_due_is_known() {
    let folder = tempfile::tempdir().unwrap();
    let store = demo(StoreLocation::File(folder.path().join("kms.redb")));
    let before = keys(&store).unwrap();
    let soon = Timestamp::from_millisecond(1).unwrap();
    store.write(|writer| schedule(writer, soon)).unwrap();
    // As if the commit had reached the disk, and the news of it had not come back.
    store.next_due.store(i64::MAX, Ordering::Release);
    store.trouble.note();
    assert_eq!(keys(&store).unwrap(), before);
    assert!(store.has_due(soon));
    assert!(!store.trouble.is_there());
}

#[test]
fn a_file_that_is_gone_after_the_disk_failed_is_not_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let (path, away) = (folder.path().join("kms.redb"), folder.path().join("away.redb"));
    let store = demo(StoreLocation::File(path.clone()));
    let before = keys(&store).unwrap();
    fs::rename(&path, &away).unwrap();
    store.trouble.note();
    for _ in 0..2 {
        assert!(matches!(keys(&store), Err(StoreError::NotReopened(_))));
        assert!(!path.exists());
    }
    // The disk is there again.
    fs::rename(&away, &path).unwrap();
    assert_eq!(keys(&store).unwrap(), before);
}
