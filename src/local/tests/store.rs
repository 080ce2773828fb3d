//! The file: who may have it, what survives, what is left alone.

use std::fs;
use std::path::Path;

use redb::TableDefinition;
use tempfile::TempDir;

use super::*;
use crate::local::store::View as _;

fn folder() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn open(path: &Path) -> Result<LocalKms, OpenError> {
    LocalKms::open(StoreLocation::File(path.to_owned()), options())
}

/// Every key and alias, and the names of their material, in one text.
fn everything(kms: &LocalKms) -> String {
    let keys = answer(kms, "ListKeys", r#"{"Limit": 1000}"#);
    let described: Vec<Value> = keys["Keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| {
            let body = serde_json::json!({ "KeyId": key["KeyId"] }).to_string();
            answer(kms, "DescribeKey", &body)
        })
        .collect();
    let aliases = answer(kms, "ListAliases", r#"{"Limit": 100}"#);
    format!("{keys}{described:?}{}", aliases["Aliases"])
}

#[tokio::test]
async fn a_blob_made_before_a_restart_opens_after_it() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let blob = {
        let kms = open(&path).unwrap();
        data_key(&client(&kms), "alias/demo/orders", &[("a", "1")]).await
    };
    let client = client(&open(&path).unwrap());
    let opened = client.decrypt().ciphertext_blob(blob).encryption_context("a", "1").send().await.unwrap();
    assert_eq!(opened.plaintext.unwrap().as_ref().len(), 32);
}

#[tokio::test]
async fn what_was_created_and_the_markers_of_listings_survive_a_restart() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let (key_id, marker, before) = {
        let kms = open(&path).unwrap();
        let client = client(&kms);
        let created = client.describe_key().key_id("alias/aws/rds").send().await.unwrap();
        let page = client.list_keys().limit(5).send().await.unwrap();
        let key_id = created.key_metadata.unwrap().key_id;
        (key_id, page.next_marker.unwrap(), everything(&kms))
    };
    // Another keyring does not matter any more.
    let options = Options { seed: "".into(), randomness: Randomness::system(), ..options() };
    let kms = LocalKms::open(StoreLocation::File(path), options).unwrap();
    let client = client(&kms);
    let described = client.describe_key().key_id("alias/aws/rds").send().await.unwrap();
    assert_eq!(described.key_metadata.unwrap().key_id, key_id);
    assert!(client.list_keys().marker(marker).send().await.is_ok());
    assert_eq!(everything(&kms), before);
}

#[test]
fn a_second_opening_of_a_store_in_use_says_the_way_out() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let first = open(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, OpenError::InUse { .. }), "{error:?}");
    let sentence = error.to_string();
    assert!(sentence.contains(path.to_str().unwrap()), "{sentence}");
    for way in ["`kmx serve`", "`AWS_ENDPOINT_URL_KMS`", "leave that one", "`--demo-store`"] {
        assert!(sentence.contains(way), "no {way} in {sentence}");
    }
    assert!(!answer(&first, "ListKeys", "{}")["Keys"].is_null());
    drop(first);
    assert!(open(&path).is_ok());
}

#[cfg(unix)]
#[test]
fn the_file_and_the_folder_made_for_it_are_private() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let path = folder.path().join("deep").join("kmx").join("kms.redb");
    let kms = open(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(&folder.path().join("deep")), 0o700);
    drop(kms);
    assert_eq!(mode(&path), 0o600);
    // One that was made readable for others is private again.
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    drop(open(&path).unwrap());
    assert_eq!(mode(&path), 0o600);
}

#[test]
fn a_file_of_something_else_is_named_and_left_alone() {
    let folder = folder();
    let path = folder.path().join("notes.txt");
    for contents in
        [b"not a database, but somebody's notes".to_vec(), vec![0], vec![0xff; 100_000], b"redb".to_vec()]
    {
        fs::write(&path, &contents).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
        assert!(error.to_string().contains("notes.txt"), "{error}");
        assert_eq!(fs::read(&path).unwrap(), contents);
    }
}

#[test]
fn a_database_of_somebody_else_is_named_and_left_alone() {
    const TABLE: TableDefinition<u64, u64> = TableDefinition::new("theirs");
    let folder = folder();
    let path = folder.path().join("theirs.redb");
    {
        let database = redb::Database::create(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(TABLE).unwrap().insert(1, 2).unwrap();
        transaction.commit().unwrap();
    }
    let before = fs::read(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, OpenError::NotAStore { .. }), "{error:?}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_store_of_a_later_version_is_named_and_left_alone() {
    const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
    let folder = folder();
    let path = folder.path().join("kms.redb");
    drop(open(&path).unwrap());
    {
        let database = redb::Database::open(&path).unwrap();
        let transaction = database.begin_write().unwrap();
        transaction.open_table(META).unwrap().insert("schema", 3_u32.to_be_bytes().as_slice()).unwrap();
        transaction.commit().unwrap();
    }
    let before = fs::read(&path).unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(error, OpenError::Newer { found: 3, known: 2, .. }), "{error:?}");
    assert!(error.to_string().contains("kms.redb"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
}

/// Makes a store one of schema 1: without the tables that came later.
fn downgrade(path: &Path) {
    const META: TableDefinition<&str, &[u8]> = TableDefinition::new("meta");
    const FIRST: [&str; 6] = ["meta", "keys", "material", "aliases", "aliases-of-key", "grants"];
    let database = redb::Database::open(path).unwrap();
    let transaction = database.begin_write().unwrap();
    let later: Vec<_> = transaction
        .list_tables()
        .unwrap()
        .filter(|table| !FIRST.contains(&redb::TableHandle::name(table)))
        .collect();
    assert_eq!(later.len(), 6);
    for table in later {
        assert!(transaction.delete_table(table).unwrap());
    }
    {
        let mut meta = transaction.open_table(META).unwrap();
        meta.remove("tracking-start").unwrap();
        meta.insert("schema", 1_u32.to_be_bytes().as_slice()).unwrap();
    }
    transaction.commit().unwrap();
}

#[test]
fn a_store_of_the_first_version_is_brought_up_to_date_with_all_its_keys() {
    use serde_json::json;

    let folder = folder();
    let path = folder.path().join("kms.redb");
    let time = Movable::new();
    let open = || LocalKms::open(StoreLocation::File(path.clone()), time.options()).unwrap();
    let data_key = json!({ "KeyId": ORDERS, "KeySpec": "AES_256" });
    let (before, blob) = {
        let kms = open();
        (everything(&kms), done(&kms, "GenerateDataKey", &data_key)["CiphertextBlob"].clone())
    };
    downgrade(&path);
    time.pass(60);
    let doomed = "alias/payments/legacy/terminal-mac";
    {
        let kms = open();
        assert_eq!(everything(&kms), before);
        done(&kms, "Decrypt", &json!({ "CiphertextBlob": blob }));
        // What is new works.
        assert_eq!(
            done(&kms, "GetKeyLastUsage", &json!({ "KeyId": ORDERS }))["KeyLastUsage"]["Operation"],
            "Decrypt"
        );
        done(&kms, "RotateKeyOnDemand", &json!({ "KeyId": ORDERS }));
        done(&kms, "PutKeyPolicy", &json!({ "KeyId": ORDERS, "Policy": default_policy() }));
        let ecc = new_key(&kms, &json!({ "KeySpec": "ECC_NIST_P256", "KeyUsage": "SIGN_VERIFY" }));
        done(&kms, "GetPublicKey", &json!({ "KeyId": ecc }));
        done(&kms, "DescribeCustomKeyStores", &json!({}));
        done(&kms, "DescribeKey", &json!({ "KeyId": doomed }));
    }
    // It was brought up to date once, and what is due to its keys is known.
    time.pass_days(6);
    let kms = open();
    done(&kms, "Decrypt", &json!({ "CiphertextBlob": blob }));
    assert_eq!(refused(&kms, "DescribeKey", &json!({ "KeyId": doomed })).0, "NotFoundException");
    let since =
        done(&kms, "GetKeyLastUsage", &json!({ "KeyId": ORDERS }))["TrackingStartDate"].as_f64().unwrap();
    assert!((since - today().as_duration().as_secs_f64() - 60.0).abs() < 0.01, "{since}");
}

#[test]
fn a_keyring_that_is_wrong_leaves_a_store_that_the_right_one_fills() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let wrong = Options { seed: "nonsense".into(), ..options() };
    assert!(LocalKms::open(StoreLocation::File(path.clone()), wrong).is_err());
    let kms = open(&path).unwrap();
    assert_eq!(everything(&kms), everything(&demo()));
}

#[test]
fn an_empty_file_is_a_store_to_be_made() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    fs::write(&path, b"").unwrap();
    assert!(open(&path).is_ok());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Whoever made it may have let others read it.
        fs::write(&path, b"").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(open(&path).is_ok());
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    }
}

#[test]
fn a_file_whose_making_was_interrupted_is_a_store_to_be_made() {
    let folder = folder();
    let made = folder.path().join("made.redb");
    drop(redb::Database::create(&made).unwrap());
    let mut unmarked = fs::read(&made).unwrap();
    unmarked[..9].fill(0);
    unmarked[320..].fill(0);
    let path = folder.path().join("kms.redb");
    for left in [&unmarked, &vec![0; unmarked.len()]] {
        fs::write(&path, left).unwrap();
        assert!(open(&path).unwrap().front.service.store.read().is_ok());
        assert!(everything(&open(&path).unwrap()).contains(ORDERS));
        // Whatever else is in a file is somebody's.
        for at in [0, 8, 12, 320, left.len() - 1] {
            let mut of_somebody = left.clone();
            of_somebody[at] ^= 1;
            fs::write(&path, &of_somebody).unwrap();
            assert!(matches!(open(&path), Err(OpenError::NotAStore { .. })), "{at}");
            assert_eq!(fs::read(&path).unwrap(), of_somebody);
        }
        fs::write(&path, &left[1..]).unwrap();
        assert!(matches!(open(&path), Err(OpenError::NotAStore { .. })));
    }
}

#[test]
fn a_folder_in_the_place_of_the_file_is_an_error_that_names_it() {
    let folder = folder();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, OpenError::Io { .. }), "{error:?}");
    let name = folder.path().to_str().unwrap();
    assert!(error.to_string().contains(name), "{error}");
}

#[test]
fn nothing_secret_is_in_what_a_program_may_print() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let kms = open(&path).unwrap();
    let printed = format!("{kms:?} {:?} {:?}", kms.http_client(), options());
    assert!(printed.contains("kms.redb"), "{printed}");
    assert!(printed.len() < 12_000 + seed::DEMO.len() * 2, "{printed}");
    let database = kms.front.service.store.read().unwrap();
    let record = database.key("us-east-1", ORDERS).unwrap().unwrap();
    let material_id = blob::MaterialId::from_hex(&record.material.unwrap()).unwrap();
    let material = database.material("us-east-1", ORDERS, material_id).unwrap().unwrap();
    assert!(!printed.contains(&hex::encode(material.bytes())));
    assert!(!printed.contains(&format!("{:?}", material.bytes())));
}

#[test]
fn a_store_damaged_anywhere_is_named_and_left_alone() {
    const PAGE: usize = 4096;
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let whole = everything(&open(&path).unwrap());
    let sound = fs::read(&path).unwrap();
    let mut refused = 0;
    for page in 0..sound.len() / PAGE {
        let range = page * PAGE..(page + 1) * PAGE;
        let mut zeroed = sound.clone();
        zeroed[range.clone()].fill(0);
        let mut flipped = sound.clone();
        flipped[range.start + 1] ^= 1;
        let cut = sound[..range.end - 1].to_vec();
        for damaged in [zeroed, flipped, cut] {
            fs::write(&path, &damaged).unwrap();
            match open(&path) {
                // The page was one that holds nothing.
                Ok(kms) => assert_eq!(everything(&kms), whole, "page {page}"),
                Err(error) => {
                    refused += 1;
                    assert!(
                        matches!(error, OpenError::NotAStore { .. } | OpenError::Store { .. }),
                        "{error:?}"
                    );
                    assert!(error.to_string().contains("kms.redb"), "{error}");
                    assert_eq!(fs::read(&path).unwrap(), damaged, "page {page}");
                }
            }
        }
    }
    assert!(refused > sound.len() / PAGE, "{refused}");
}

#[tokio::test]
async fn a_store_whose_program_was_killed_has_everything_that_was_acknowledged() {
    let folder = folder();
    let path = folder.path().join("kms.redb");
    let kms = open(&path).unwrap();
    let blob = data_key(&client(&kms), "alias/demo/orders", &[]).await;
    let created = client(&kms).describe_key().key_id("alias/aws/sns").send().await.unwrap();
    // The file as it is now is what a killed program leaves behind.
    let left = folder.path().join("left.redb");
    fs::copy(&path, &left).unwrap();
    let client = client(&open(&left).unwrap());
    let opened = client.decrypt().ciphertext_blob(blob).send().await;
    assert!(opened.is_ok());
    let again = client.describe_key().key_id("alias/aws/sns").send().await.unwrap();
    assert_eq!(again.key_metadata, created.key_metadata);
}
