use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

fn key() -> CacheKey {
    CacheKey { profile: Some("prod".to_owned()), region: "eu-west-1".to_owned(), endpoint: None, demo: false }
}

/// A cache in a folder of its own.
fn cache() -> (tempfile::TempDir, CatalogCache) {
    let home = tempfile::tempdir().unwrap();
    let cache = CatalogCache::new(home.path().join("cache/catalogs"));
    (home, cache)
}

#[test]
fn what_is_written_is_read_to_the_byte_until_it_is_forgotten() {
    let (_home, cache) = cache();
    assert!(matches!(cache.read(&key()), Err(NotRemembered::Missing)));
    for payload in [&b""[..], b"one", &vec![0xff; 100_000]] {
        cache.write(&key(), payload).unwrap();
        assert_eq!(cache.read(&key()).unwrap(), payload);
    }
    cache.remove(&key()).unwrap();
    cache.remove(&key()).unwrap();
    assert!(matches!(cache.read(&key()), Err(NotRemembered::Missing)));
}

#[test]
fn each_place_has_a_file_of_its_own_with_a_safe_name() {
    let text = |text: &str| Some(text.to_owned());
    let place = |profile, region: &str, endpoint, demo| CacheKey {
        profile,
        region: region.to_owned(),
        endpoint,
        demo,
    };
    let keys = [
        place(None, "us-east-1", None, false),
        place(None, "us-east-1", None, true),
        place(text(""), "us-east-1", None, false),
        place(text("us-east-1"), "", None, false),
        place(text("a"), "b", text("c"), false),
        place(text("ab"), "", text("c"), false),
        place(text("a"), "bc", None, false),
        place(text("a"), "bc", text(""), false),
        place(text("a/b"), "r", None, false),
        place(text("a-b"), "r", None, false),
        place(text("A-B"), "r", None, false),
        place(text("../../etc"), "r", None, false),
        place(text(".kmx-1"), "r", None, false),
        place(text("é\u{1b}[2J\u{202e}\0 "), "r", None, false),
        place(text(&"long".repeat(200)), "r", text(&"u".repeat(5000)), false),
    ];
    // File systems there are that take small and capital letters for the same.
    let names: BTreeSet<String> = keys.iter().map(|key| key.file_name().to_lowercase()).collect();
    assert_eq!(names.len(), keys.len());
    for name in names {
        assert!(!name.starts_with('.') && name.len() < 100, "{name}");
        assert!(name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte)), "{name}");
    }
    let (_home, cache) = cache();
    for key in &keys {
        cache.write(key, key.file_name().as_bytes()).unwrap();
    }
    for key in &keys {
        assert_eq!(cache.read(key).unwrap(), key.file_name().as_bytes());
    }
}

#[test]
fn a_name_is_the_same_in_every_run_and_says_what_it_is_of() {
    assert_eq!(key().file_name(), "prod.eu-west-1-f614857e623e04bec4b3f86c4a5d6fff.catalog");
}

#[test]
fn another_version_is_told_from_damage() {
    let (_home, cache) = cache();
    cache.write(&key(), b"payload").unwrap();
    let mut bytes = fs::read(cache.path(&key())).unwrap();
    bytes[MAGIC.len() + 1] = 7;
    assert!(matches!(open(bytes.clone()), Err(NotRemembered::Damaged(_))));
    let right = checksum(&bytes).to_be_bytes();
    bytes[CHECKSUM_AT..LENGTH_AT].copy_from_slice(&right);
    private::write(&cache.path(&key()), &bytes).unwrap();
    assert!(matches!(cache.read(&key()), Err(NotRemembered::OtherVersion(7))));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_may_write_or_that_is_no_file_is_ignored_until_it_is_written_anew() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    let (home, cache) = cache();
    let path = cache.path(&key());
    cache.write(&key(), b"payload").unwrap();
    for mode in [0o620, 0o602, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        assert!(matches!(cache.read(&key()), Err(NotRemembered::NotPrivate("others may write to it"))));
    }
    let elsewhere = home.path().join("elsewhere");
    fs::rename(&path, &elsewhere).unwrap();
    symlink(&elsewhere, &path).unwrap();
    assert!(matches!(cache.read(&key()), Err(NotRemembered::NotPrivate("it is no regular file"))));
    cache.write(&key(), b"anew").unwrap();
    assert_eq!(cache.read(&key()).unwrap(), b"anew");
    cache.remove(&key()).unwrap();
    fs::create_dir(&path).unwrap();
    assert!(matches!(cache.read(&key()), Err(NotRemembered::NotPrivate("it is no regular file"))));
}

#[test]
fn a_file_beyond_the_limit_is_neither_read_nor_written() {
    let (_home, cache) = cache();
    cache.write(&key(), b"small").unwrap();
    File::options().write(true).open(cache.path(&key())).unwrap().set_len(LIMIT + 1).unwrap();
    assert!(matches!(cache.read(&key()), Err(NotRemembered::Io(FileError::TooLarge { .. }))));
}

proptest! {
    #[test]
    fn a_file_that_differs_in_a_byte_or_in_length_is_damaged(
        payload in proptest::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in 1..=u8::MAX,
        more in proptest::collection::vec(any::<u8>(), 1..20),
    ) {
        let whole = seal(&payload).unwrap();
        prop_assert_eq!(open(whole.clone()).unwrap(), payload);
        let at = at.index(whole.len());
        let mut flipped = whole.clone();
        flipped[at] ^= flip;
        for damaged in [flipped, whole[..at].to_vec(), [&whole[..], &more].concat()] {
            prop_assert!(matches!(open(damaged), Err(NotRemembered::Damaged(_))));
        }
    }

    #[test]
    fn bytes_of_any_kind_are_no_catalog(bytes in proptest::collection::vec(any::<u8>(), 0..100), version in any::<u16>()) {
        prop_assert!(open(bytes.clone()).is_err());
        let _ = open([MAGIC, &version.to_be_bytes(), &bytes].concat());
    }
}
