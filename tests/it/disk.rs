//! `kmx serve` and remembered catalogs on a disk that is full, and in places where nothing can be
//! written.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};

use jiff::{SignedDuration, Timestamp};
use kmx::domain::failure::Failure;
use kmx::files::catalog_cache::{CacheKey, CatalogCache};
use kmx::local::{Clock, LocalKms, Options, StoreLocation};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::{Value, json};
use tempfile::TempDir;

const AUTHORIZATION: &str = "Authorization: AWS4-HMAC-SHA256 \
     Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00";

/// `kmx serve` on the store `kms.redb` in `home`, which cannot grow above `blocks` of 512 bytes (of
/// 1024, where the shell counts so): a write that goes beyond fails, as on a disk that is full.
fn kmx(home: &TempDir, blocks: &str) -> Command {
    let mut command = Command::new("sh");
    command
        .args(["-c", r#"trap "" XFSZ; ulimit -f "$1"; exec "$2" serve --listen :0 --demo-store kms.redb"#])
        .args(["sh", blocks, env!("CARGO_BIN_EXE_kmx")])
        .env_clear()
        .env("HOME", home.path())
        .env("PATH", std::env::var_os("PATH").unwrap())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// A server that is ready. It is killed where a test does not end it.
struct Serving {
    child: Child,
    address: String,
}

impl Serving {
    fn start(home: &TempDir, blocks: &str) -> Self {
        let mut child = kmx(home, blocks).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address = line.trim_end().rsplit_once("http://").unwrap().1.to_owned();
        Self { child, address }
    }

    /// The status and the body of an answer.
    fn ask(&self, operation: &str, body: &Value) -> (u16, Value) {
        let body = body.to_string();
        let mut stream = TcpStream::connect(&self.address).unwrap();
        write!(
            stream,
            "POST / HTTP/1.1\r\nHost: localhost\r\n{AUTHORIZATION}\r\nX-Amz-Target: \
             TrentService.{operation}\r\nContent-Type: application/x-amz-json-1.1\r\nConnection: \
             close\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        let body = answer.split_once("\r\n\r\n").unwrap().1;
        (status, serde_json::from_str(body).unwrap_or_default())
    }

    /// The answer to a request that succeeds.
    fn done(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = self.ask(operation, body);
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        assert_eq!(self.child.wait().unwrap().code(), Some(143));
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What was acknowledged: every key, and a data key's blob.
struct Acknowledged {
    keys: Vec<Value>,
    blob: Value,
}

fn large_key() -> Value {
    json!({ "Description": "x".repeat(8192) })
}

impl Acknowledged {
    /// Makes keys until none was made five times in a row: what a refused one would have taken may
    /// be enough for the next.
    fn fill(&mut self, serving: &Serving) {
        let mut refusals = 0;
        while refusals < 5 {
            let (status, answer) = serving.ask("CreateKey", &large_key());
            if status == 200 {
                refusals = 0;
                self.keys.push(answer["KeyMetadata"].clone());
                assert!(self.keys.len() < 1000, "the limit of the file's size does not count");
                continue;
            }
            refusals += 1;
            assert_eq!((status, &answer["__type"]), (500, &json!("KMSInternalException")), "{answer}");
            let message = answer["message"].as_str().unwrap();
            assert!(message.contains("cannot use its store: File too large"), "{message}");
            assert!(message.contains("Nothing that it acknowledged is lost"), "{message}");
        }
    }

    /// Checks that it is all there, and that what only reads goes on.
    fn check(&self, serving: &Serving) {
        for key in &self.keys {
            let described = serving.done("DescribeKey", &json!({ "KeyId": key["KeyId"] }));
            assert_eq!(&described["KeyMetadata"], key);
            serving.done("GenerateDataKey", &json!({ "KeyId": key["KeyId"], "KeySpec": "AES_256" }));
        }
        serving.done("Decrypt", &json!({ "CiphertextBlob": self.blob }));
        let listed = serving.done("ListKeys", &json!({ "Limit": 1000 }));
        let there = |key: &&Value| {
            listed["Keys"].as_array().unwrap().iter().any(|listed| listed["KeyId"] == key["KeyId"])
        };
        assert!(self.keys.iter().all(|key| there(&key)));
    }
}

#[test]
fn a_full_disk_is_said_and_nothing_that_was_acknowledged_is_lost() {
    let home = tempfile::tempdir().unwrap();
    let serving = Serving::start(&home, "2000");
    let made =
        serving.done("GenerateDataKey", &json!({ "KeyId": "alias/demo/orders", "KeySpec": "AES_256" }));
    let mut acknowledged = Acknowledged { keys: Vec::new(), blob: made["CiphertextBlob"].clone() };
    acknowledged.fill(&serving);
    assert!(!acknowledged.keys.is_empty());
    acknowledged.check(&serving);
    acknowledged.fill(&serving);
    acknowledged.check(&serving);
    serving.stop();

    // There is room again.
    let serving = Serving::start(&home, "unlimited");
    acknowledged.check(&serving);
    acknowledged.keys.push(serving.done("CreateKey", &large_key())["KeyMetadata"].clone());
    acknowledged.check(&serving);
    serving.stop();
}

#[test]
fn what_is_due_to_keys_and_cannot_be_written_stops_nothing_that_reads() {
    let home = tempfile::tempdir().unwrap();
    // A key of the demo is deleted three days after the store was made.
    let long_ago = Timestamp::now() - SignedDuration::from_hours(24 * 10);
    let options = Options { clock: Clock::fixed(long_ago), ..Options::default() };
    drop(LocalKms::open(StoreLocation::File(home.path().join("kms.redb")), options).unwrap());
    let count = |serving: &Serving| {
        let listed = serving.done("ListKeys", &json!({ "Limit": 1000 }));
        listed["Keys"].as_array().unwrap().len()
    };
    let data_key = json!({ "KeyId": "alias/demo/orders", "KeySpec": "AES_256" });
    // Nothing but the head of the file can be written.
    let serving = Serving::start(&home, "8");
    let before = count(&serving);
    for _ in 0..3 {
        serving.done("GenerateDataKey", &data_key);
        let (status, refused) = serving.ask("CreateKey", &large_key());
        assert_eq!(status, 500, "{refused}");
    }
    assert_eq!(count(&serving), before);
    serving.stop();
    let serving = Serving::start(&home, "unlimited");
    assert!(count(&serving) < before);
    serving.done("GenerateDataKey", &data_key);
    serving.stop();
}

#[test]
fn a_disk_that_has_no_room_for_a_new_store_is_said_and_leaves_nothing_in_the_way() {
    let home = tempfile::tempdir().unwrap();
    for blocks in ["0", "64", "256"] {
        let output = kmx(&home, blocks).output().unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(255), &b""[..]), "{talk}");
        for words in ["`kms.redb`", "File too large", "--demo-store"] {
            assert!(talk.contains(words), "no {words:?} in {talk}");
        }
    }
    let serving = Serving::start(&home, "unlimited");
    serving.done("DescribeKey", &json!({ "KeyId": "alias/demo/orders" }));
    serving.stop();
}

#[test]
fn a_place_where_nothing_can_be_written_is_named_with_the_way_out() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("file"), "somebody's notes").unwrap();
    for (store, words) in [
        ("file/kms.redb", &["`file`", "is a file, not a folder"][..]),
        ("file/deep/kms.redb", &["`file/deep`"]),
        ("/proc/kmx/kms.redb", &["`/proc/kmx`"]),
        ("/proc/version", &["`/proc/version`"]),
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_kmx"))
            .args(["serve", "--listen", ":0", "--demo-store", store])
            .env_clear()
            .env("HOME", home.path())
            .current_dir(home.path())
            .output()
            .unwrap();
        let talk = String::from_utf8(output.stderr).unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(255), &b""[..]), "{talk}");
        assert_eq!(talk.lines().count(), 1, "{talk}");
        for words in words.iter().chain(&["local KMS's store", "--demo-store"]) {
            assert!(talk.contains(words), "no {words:?} in {talk}");
        }
    }
    assert_eq!(std::fs::read(home.path().join("file")).unwrap(), b"somebody's notes");
}

/// Where the test below finds its cache when it runs once more, on a full disk.
const CACHE: &str = "KMX_TEST_CACHE";

#[test]
fn a_catalog_that_the_disk_has_no_room_for_leaves_the_one_before() {
    let key = CacheKey { profile: None, region: "us-east-1".to_owned(), endpoint: None, demo: true };
    let large = vec![b'x'; 1 << 20];
    if let Some(folder) = std::env::var_os(CACHE) {
        let failure = Failure::from(CatalogCache::new(folder.into()).write(&key, &large).unwrap_err());
        assert!(failure.sentence.contains("File too large"), "{failure}");
        assert!(failure.hints[0].starts_with("make room on that disk"), "{:?}", failure.hints);
        return;
    }
    let home = tempfile::tempdir().unwrap();
    let cache = CatalogCache::new(home.path().join("catalogs"));
    cache.write(&key, b"before").unwrap();
    let test = "disk::a_catalog_that_the_disk_has_no_room_for_leaves_the_one_before";
    let again = Command::new("sh")
        .args(["-c", r#"trap "" XFSZ; ulimit -f 100; exec "$1" --exact "$2""#, "sh"])
        .arg(std::env::current_exe().unwrap())
        .arg(test)
        .env(CACHE, home.path().join("catalogs"))
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&again.stdout);
    assert!(again.status.success() && said.contains("1 passed"), "{said}");
    assert_eq!(cache.read(&key).unwrap(), b"before");
    assert_eq!(std::fs::read_dir(home.path().join("catalogs")).unwrap().count(), 1);
    cache.write(&key, &large).unwrap();
    assert_eq!(cache.read(&key).unwrap(), large);
}
