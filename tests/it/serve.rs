//! `kmx serve`, the real binary: its one line, AWS clients over TCP, ways to end, and what it says
//! where it cannot begin.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

use kmx::local::{LocalKms, Options, Seed, StoreLocation};
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

pub const AUTHORIZATION: &str = "Authorization: AWS4-HMAC-SHA256 \
     Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00";

pub fn kmx(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kmx"));
    command
        .args(arguments)
        .env_clear()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .current_dir(home.path())
        .stdin(Stdio::null());
    command
}

/// A run that ends by itself: its exit code, stdout and stderr.
fn ended(home: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = assert_cmd::Command::from_std(kmx(home, arguments)).output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

/// A server that has said that it is ready. It is killed where a test does not end it.
pub struct Serving {
    child: Child,
    stdout: BufReader<std::process::ChildStdout>,
    line: String,
    pub url: String,
}

impl Serving {
    pub fn start(home: &TempDir, arguments: &[&str]) -> Self {
        let mut child = kmx(home, &[&["serve"], arguments].concat())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        let url = line.trim_end().rsplit_once('=').map(|(_, url)| url.to_owned()).unwrap_or_default();
        Self { child, stdout, line, url }
    }

    fn connect(&self) -> TcpStream {
        TcpStream::connect(self.url.strip_prefix("http://").unwrap()).unwrap()
    }

    /// Sends one request, and gives back the status line and the body of its answer.
    fn ask(&self, operation: &str, body: &str) -> (String, String) {
        let mut stream = self.connect();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n{AUTHORIZATION}\r\n\
             X-Amz-Target: TrentService.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        // What breaks off is what came before.
        let _ = stream.read_to_string(&mut answer);
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        (head.lines().next().unwrap_or_default().to_owned(), body.to_owned())
    }

    pub fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end: the exit code, what came on stdout after the first line, and stderr.
    pub fn wait(&mut self) -> (i32, String, String) {
        let (mut out, mut err) = (String::new(), String::new());
        self.child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
        self.stdout.read_to_string(&mut out).unwrap();
        (self.child.wait().unwrap().code().unwrap(), out, err)
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

pub fn home() -> TempDir {
    tempfile::tempdir().unwrap()
}

#[test]
fn one_line_on_stdout_says_where_it_listens_and_what_to_export() {
    let home = home();
    let mut serving = Serving::start(&home, &["--listen", "127.0.0.1:0"]);
    let url = serving.url.clone();
    assert!(url.starts_with("http://127.0.0.1:") && !url.ends_with(":0"), "{url}");
    assert_eq!(serving.line, format!("listening on {url}: export AWS_ENDPOINT_URL_KMS={url}\n"));
    serving.signal(Signal::TERM);
    let (code, rest, talk) = serving.wait();
    assert_eq!((code, rest.as_str()), (143, ""), "{talk}");
    for words in [
        "whoever reaches this port can use and read every key",
        "no authentication",
        "any credentials do",
        "us-east-1",
        "local-kms.redb",
    ] {
        assert!(talk.contains(words), "no {words:?} in {talk}");
    }
}

#[test]
fn a_client_over_tcp_has_what_the_demo_has() {
    let home = home();
    let mut serving = Serving::start(&home, &["--listen", ":0"]);
    let over_tcp = |arguments: &[&str]| -> Value {
        let mut client = kmx(&home, arguments);
        client
            .env("AWS_ACCESS_KEY_ID", "anything")
            .env("AWS_SECRET_ACCESS_KEY", "goes")
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ENDPOINT_URL_KMS", &serving.url);
        let output = assert_cmd::Command::from_std(client).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    };
    let listed = over_tcp(&["list", "--output", "json"]);
    let made = over_tcp(&["generate", "--key-id", "alias/demo/orders", "--key-spec", "AES_256"]);
    assert!(made["CiphertextBlob"].as_str().unwrap().starts_with("TE9DQUxLTVM"), "{made}");
    // The store is the demo's own: once the server has ended it is free, and holds the same keys.
    serving.signal(Signal::INT);
    assert_eq!(serving.wait().0, 130);
    let (code, stdout, stderr) = ended(&home, &["--demo", "list", "--output", "json"]);
    assert_eq!(code, 0, "{stderr}");
    assert_eq!(serde_json::from_str::<Value>(&stdout).unwrap(), listed);
}

#[test]
fn signals_end_it_with_their_codes_and_a_request_that_has_begun_is_answered() {
    for (signal, code) in [(Signal::INT, 130), (Signal::TERM, 143), (Signal::HUP, 129)] {
        let home = home();
        let mut serving = Serving::start(&home, &["--listen", ":0", "--ephemeral"]);
        let mut idle = serving.connect();
        let mut stream = serving.connect();
        let head = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{AUTHORIZATION}\r\n\
             X-Amz-Target: TrentService.ListKeys\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        let mut goes_on = [0; 25];
        stream.read_exact(&mut goes_on).unwrap();
        assert!(goes_on.starts_with(b"HTTP/1.1 100 "));
        serving.signal(signal);
        // The idle connection is closed: the signal has been heard.
        assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
        stream.write_all(b"{}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains("KeyArn"), "{answer}");
        assert_eq!(serving.wait().0, code);
    }
}

#[test]
fn a_second_signal_ends_it_at_once() {
    let home = home();
    let mut serving = Serving::start(&home, &["--listen", ":0", "--ephemeral"]);
    let mut idle = serving.connect();
    let mut stream = serving.connect();
    let head = "POST / HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n";
    stream.write_all(head.as_bytes()).unwrap();
    stream.read_exact(&mut [0; 25]).unwrap();
    serving.signal(Signal::INT);
    assert_eq!(idle.read(&mut [0; 1]).unwrap(), 0);
    serving.signal(Signal::TERM);
    let (code, _, talk) = serving.wait();
    assert_eq!(code, 143, "{talk}");
    assert!(!talk.contains("cut off"), "{talk}");
}

#[test]
fn a_signal_ends_it_while_keys_are_made_up() {
    let home = home();
    let store = home.path().join("x.redb");
    let arguments = ["serve", "--listen", ":0", "--demo-store", "x.redb", "--seed-keys", "1000000"];
    let mut child = kmx(&home, &arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // It is there from the beginning of that.
    while !store.exists() {
        assert_eq!(child.try_wait().unwrap(), None);
        std::thread::yield_now();
    }
    kill_process(Pid::from_child(&child), Signal::INT).unwrap();
    let output = child.wait_with_output().unwrap();
    let talk = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(130), "{talk}");
    // It never came to be ready, and what it left is no store yet: it can be made anew.
    assert_eq!(output.stdout, b"", "{talk}");
    let anew = Options { seed: Seed::Generated { keys: 3, seed: 0 }, ..Options::default() };
    assert!(LocalKms::open(StoreLocation::File(store), anew).is_ok());
}

#[test]
fn an_address_that_others_reach_is_refused_without_the_names_of_its_hosts() {
    let home = home();
    let (code, stdout, stderr) = ended(&home, &["serve", "--listen", "0.0.0.0:0"]);
    assert_eq!((code, stdout.as_str()), (252, ""), "{stderr}");
    for words in ["use and read every key", "without authentication or TLS", "--listen-any", "host names"] {
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
    let mut serving =
        Serving::start(&home, &["--listen", "0.0.0.0:0", "--listen-any", "kms.test,kms", "--ephemeral"]);
    assert!(serving.url.starts_with("http://kms.test:"), "{}", serving.url);
    serving.signal(Signal::TERM);
    assert_eq!(serving.wait().0, 143);
    // Nothing was made where nothing was to be kept.
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn what_cannot_be_meant_is_bad_usage() {
    let home = home();
    for (arguments, words) in [
        (&["--listen", "4599"][..], "127.0.0.1:4599"),
        (&["--listen", "example.com:1"], "an address and a port"),
        (&["--listen-any", "http://kms"], "is not the name of a host"),
        (&["--listen-any", "kms:4599"], "without a port"),
        (&["--ephemeral", "--demo-store", "x.redb"], "leave one of them out"),
        (&["--profile", "prod"], "--profile: is about requests"),
        (&["--region", "eu-west-1"], "--region: is about requests"),
        (&["keys"], "`keys` has no place here"),
        (&["--seed-keys", "many", "--ephemeral"], "`many` is not a number of keys: 0 to 1000000"),
        (&["--seed", "x", "--ephemeral"], "`x` is not a seed"),
        (&["--seed", "7", "--ephemeral"], "--seed: made-up keys and faults are drawn from it"),
        (&["--seed", "7", "--ephemeral", "--deny", "DescribeKey=5%"], "give --seed-keys or --fault"),
    ] {
        let (code, stdout, stderr) = ended(&home, &[&["serve"], arguments].concat());
        assert_eq!((code, stdout.as_str()), (252, ""), "{stderr}");
        assert!(stderr.contains(words), "no {words:?} in {stderr}");
    }
}

#[test]
fn a_port_in_use_is_named_with_the_way_out() {
    let home = home();
    let taken = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let (code, stdout, stderr) = ended(&home, &["serve", "--listen", &address]);
    assert_eq!((code, stdout.as_str()), (255, ""), "{stderr}");
    assert!(stderr.contains(&address) && stderr.contains("--listen"), "{stderr}");
    assert_eq!(std::fs::read_dir(home.path()).unwrap().count(), 0);
}

#[test]
fn a_store_that_is_served_is_shared_by_the_port() {
    let home = home();
    let _serving = Serving::start(&home, &["--listen", ":0"]);
    for arguments in [&["--demo", "list"][..], &["serve", "--listen", ":0"]] {
        let (code, stdout, stderr) = ended(&home, arguments);
        assert_eq!((code, stdout.as_str()), (255, ""), "{stderr}");
        for words in ["is in use by another process", "kmx serve", "AWS_ENDPOINT_URL_KMS", "--demo-store"] {
            assert!(stderr.contains(words), "no {words:?} in {stderr}");
        }
    }
}

#[test]
fn a_damaged_store_is_named_and_left_alone() {
    let home = home();
    let path = home.path().join("x.redb");
    std::fs::write(&path, b"somebody's notes").unwrap();
    let (code, stdout, stderr) = ended(&home, &["serve", "--listen", ":0", "--demo-store", "x.redb"]);
    assert_eq!((code, stdout.as_str()), (255, ""), "{stderr}");
    assert!(stderr.contains("`x.redb`"), "{stderr}");
    assert_eq!(std::fs::read(&path).unwrap(), b"somebody's notes");
}

#[test]
fn a_store_of_ones_own_is_served_and_kept() {
    let home = home();
    let mut serving = Serving::start(&home, &["--listen", ":0", "--demo-store", "mine.redb"]);
    serving.signal(Signal::TERM);
    let (_, _, talk) = serving.wait();
    assert!(talk.contains("`mine.redb`"), "{talk}");
    let location = StoreLocation::File(home.path().join("mine.redb"));
    assert!(LocalKms::open(location, Options::default()).is_ok());
}

#[test]
fn keys_are_made_up_and_requests_go_wrong_as_the_switches_say() {
    let home = home();
    let start = |arguments: &[&str]| {
        Serving::start(&home, &[&["--listen", ":0", "--ephemeral", "--seed-keys", "40"], arguments].concat())
    };
    let keys = |serving: &Serving| serving.ask("ListKeys", "{}").1;
    let first = start(&["--seed", "7"]);
    let listed: Value = serde_json::from_str(&keys(&first)).unwrap();
    assert_eq!(listed["Keys"].as_array().unwrap().len(), 40);
    assert_eq!(keys(&start(&["--seed", "7"])), keys(&first));
    assert_ne!(keys(&start(&["--seed", "8"])), keys(&first));

    let orders = r#"{"KeyId": "alias/demo/orders"}"#;
    let limited = start(&["--rate", "ListAliases=1", "--deny", "DescribeKey=100%,GetKeyPolicy=0%"]);
    assert!(limited.ask("DescribeKey", orders).1.contains("AccessDeniedException"));
    assert!(limited.ask("ListAliases", "{}").0.ends_with("200 OK"));
    let is_throttled = |serving: &Serving| serving.ask("ListAliases", "{}").1.contains("ThrottlingException");
    assert!((0..50).any(|_| is_throttled(&limited)));

    let broken = start(&["--fault", "500=100%", "--latency", "1ms"]);
    let (status, body) = broken.ask("ListKeys", "{}");
    assert!(status.contains(" 500 ") && body.contains("KMSInternalException"), "{status} {body}");
    let (status, body) = start(&["--fault", "truncate=100%"]).ask("ListKeys", "{}");
    assert!(status.contains(" 200 ") && serde_json::from_str::<Value>(&body).is_err(), "{status} {body}");
    let (status, _) = start(&["--fault", "reset=100%"]).ask("ListKeys", "{}");
    assert_eq!(status, "");
}
