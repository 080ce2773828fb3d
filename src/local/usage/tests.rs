//! Last uses where there is no thread to write them.

use super::*;
use crate::local::{LocalKms, Options, StoreLocation};

#[test]
fn without_a_thread_of_its_own_everything_is_written_at_the_end() {
    const KEY: (&str, &str) = ("us-east-1", "bedb103d-1fd0-4eea-8df5-87c5fe921771");
    let folder = tempfile::tempdir().unwrap();
    let location = StoreLocation::File(folder.path().join("kms.redb"));
    let kms = LocalKms::open(location, Options::default()).unwrap();
    let store = Arc::clone(&kms.front.service.store);
    let shared =
        Arc::new(Shared { store: Arc::clone(&store), gathered: Mutex::default(), changed: Condvar::new() });
    let last_use = LastUse {
        operation: "Decrypt".to_owned(),
        at: jiff::Timestamp::UNIX_EPOCH,
        request_id: "request".to_owned(),
        event_id: "event".to_owned(),
    };
    let usage = Usage { shared, writer: None };
    usage.note(KEY.0, KEY.1, last_use.clone());
    drop(usage);
    assert_eq!(store.read().unwrap().last_use(KEY.0, KEY.1).unwrap(), Some(last_use));
}
