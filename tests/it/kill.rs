//! `kmx serve` killed with SIGKILL a hundred times, while clients write to it, while it opens a store
//! that a kill left, and while it makes one: nothing that it acknowledged is ever lost.
//!
//! A client keeps what it was told as facts. What it was about to be told when the server died may
//! have happened or not: either is right, but nothing else. Everything follows from one seed but the
//! order in which threads run.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::Path;
use std::process::Stdio;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use rustix::process::Signal;
use serde_json::{Value, json};

use crate::serve::{AUTHORIZATION, Serving, home, kmx};

/// Kills under load.
const KILLS: usize = 100;
/// Kills while the store is opened, after that many of the kills under load; and while one is made.
const KILLS_EVERY: usize = 4;
const KILLS_WHILE_MAKING: usize = 20;
const CLIENTS: u64 = 4;
/// Everything is checked after so many kills, and at the end; what is new, after each.
const ALL_EVERY: usize = 50;
/// Aliases of one client: all could point at one key, which takes 50.
const MOST_ALIASES: usize = 40;
/// The store's file, in the folder that the server runs in.
const STORE: &str = "kms.redb";

/// A pseudo-random sequence (splitmix64).
struct Dice(u64);

impl Dice {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        usize::try_from(mixed % end as u64).unwrap()
    }

    fn one_of<'a, T>(&mut self, items: &'a [T]) -> &'a T {
        &items[self.below(items.len())]
    }
}

/// A connection that is kept alive. An error of it is the server's death.
struct Connection(BufReader<TcpStream>);

impl Connection {
    fn to(serving: &Serving) -> io::Result<Self> {
        let address = serving.url.strip_prefix("http://").unwrap();
        TcpStream::connect(address).map(|stream| Self(BufReader::new(stream)))
    }

    fn send(&mut self, operation: &str, body: &Value) -> io::Result<()> {
        let body = body.to_string();
        let request = format!(
            "POST / HTTP/1.1\r\nHost: localhost\r\n{AUTHORIZATION}\r\n\
             X-Amz-Target: TrentService.{operation}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes())
    }

    /// The whole answer: its status and its body.
    fn receive(&mut self) -> io::Result<(u16, Value)> {
        let mut line = || {
            let mut line = String::new();
            match self.0.read_line(&mut line)? {
                0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof)),
                _ if !line.ends_with("\r\n") => Err(io::ErrorKind::UnexpectedEof.into()),
                _ => Ok(line.trim_end().to_ascii_lowercase()),
            }
        };
        let status = line()?.split(' ').nth(1).unwrap().parse().unwrap();
        let mut length = 0;
        loop {
            let header = line()?;
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length: ") {
                length = value.parse().unwrap();
            }
        }
        let mut body = vec![0; length];
        self.0.read_exact(&mut body)?;
        Ok((status, if body.is_empty() { Value::Null } else { serde_json::from_slice(&body).unwrap() }))
    }

    /// The answer of a server that nobody kills.
    fn ask(&mut self, operation: &str, body: &Value) -> Value {
        self.send(operation, body).unwrap();
        let (status, answer) = self.receive().unwrap();
        assert_eq!(status, 200, "{operation} {body}: {answer}");
        answer
    }
}

/// Something that the server can be asked about. The strings: a key's id, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fact {
    /// An alias, by name: the key that it points at.
    Alias(String),
    /// A tag of a key: its value.
    Tag(String, String),
    /// The state of a key.
    State(String),
    Description(String),
    /// The days of its rotation.
    Rotation(String),
    /// How often it was rotated.
    Rotations(String),
    /// The `Sid` of its policy.
    Policy(String),
    /// A grant of a key: that it is there.
    Grant(String, String),
}

impl Fact {
    fn kind(&self) -> &'static str {
        match self {
            Self::Alias(_) => "aliases",
            Self::Tag(..) => "tags",
            Self::State(_) => "keys and states",
            Self::Description(_) => "descriptions",
            Self::Rotation(_) => "rotation periods",
            Self::Rotations(_) => "rotations",
            Self::Policy(_) => "policies",
            Self::Grant(..) => "grants",
        }
    }

    /// What the server says. What is not there is null.
    fn ask(&self, connection: &mut Connection) -> Value {
        let mut about = |operation, key_id: &str| connection.ask(operation, &json!({ "KeyId": key_id }));
        match self {
            Self::Alias(name) => {
                connection.send("DescribeKey", &json!({ "KeyId": name })).unwrap();
                let (status, answer) = connection.receive().unwrap();
                let absent = status == 400 && answer["__type"] == "NotFoundException";
                assert!(status == 200 || absent, "{name}: {answer}");
                answer["KeyMetadata"]["KeyId"].clone()
            }
            Self::Tag(key_id, name) => {
                let listed = about("ListResourceTags", key_id);
                let mut tags = listed["Tags"].as_array().unwrap().iter();
                tags.find(|tag| tag["TagKey"] == *name).map_or(Value::Null, |tag| tag["TagValue"].clone())
            }
            Self::State(key_id) => about("DescribeKey", key_id)["KeyMetadata"]["KeyState"].clone(),
            Self::Description(key_id) => about("DescribeKey", key_id)["KeyMetadata"]["Description"].clone(),
            Self::Rotation(key_id) => about("GetKeyRotationStatus", key_id)["RotationPeriodInDays"].clone(),
            Self::Rotations(key_id) => {
                json!(about("ListKeyRotations", key_id)["Rotations"].as_array().unwrap().len())
            }
            Self::Policy(key_id) => {
                let answer = about("GetKeyPolicy", key_id);
                let policy: Value = serde_json::from_str(answer["Policy"].as_str().unwrap()).unwrap();
                policy["Statement"][0]["Sid"].clone()
            }
            Self::Grant(key_id, grant_id) => {
                let listed = connection.ask("ListGrants", &json!({ "KeyId": key_id, "GrantId": grant_id }));
                match listed["Grants"].as_array().unwrap().len() {
                    0 => Value::Null,
                    found => json!(found == 1),
                }
            }
        }
    }
}

/// What an acknowledged request means.
#[derive(Clone)]
enum Effect {
    Key { description: String },
    Grant { key_id: String },
    DataKey { context: Value },
    Of(Fact, Value),
}

struct DataKey {
    made: Value,
    context: Value,
}

/// A client, and all that it knows.
struct Client {
    dice: Dice,
    name: u64,
    /// Keys that it made.
    keys: Vec<String>,
    facts: BTreeMap<Fact, Value>,
    data_keys: Vec<DataKey>,
    /// What was acknowledged since it was last checked.
    new_facts: BTreeSet<Fact>,
    new_data_keys: usize,
    /// What may hold instead: its acknowledgement never came.
    doubt: Option<(Fact, Value)>,
    acknowledged: BTreeMap<&'static str, usize>,
    checked: BTreeMap<&'static str, usize>,
    happened_unacknowledged: usize,
}

/// When the server dies: around the request with that number.
struct Death {
    requests: AtomicUsize,
    at: usize,
    /// Before its answer is read, after giving way to others so many times; else after.
    in_flight: Option<usize>,
}

impl Client {
    fn new(name: u64) -> Self {
        Self {
            dice: Dice(name),
            name,
            keys: Vec::new(),
            facts: BTreeMap::new(),
            data_keys: Vec::new(),
            new_facts: BTreeSet::new(),
            new_data_keys: 0,
            doubt: None,
            acknowledged: BTreeMap::new(),
            checked: BTreeMap::new(),
            happened_unacknowledged: 0,
        }
    }

    /// Works until the server is dead.
    fn work(&mut self, serving: &Serving, death: &Death) {
        let Ok(mut connection) = Connection::to(serving) else {
            // It was dead before this client came.
            return;
        };
        loop {
            let (operation, body, effect) = self.request();
            let mut exchange = || {
                connection.send(operation, &body)?;
                let is_last = death.requests.fetch_add(1, Ordering::Relaxed) + 1 == death.at;
                if let (true, Some(turns)) = (is_last, death.in_flight) {
                    (0..turns).for_each(|_| thread::yield_now());
                    serving.signal(Signal::KILL);
                }
                let answered = connection.receive()?;
                if is_last && death.in_flight.is_none() {
                    serving.signal(Signal::KILL);
                }
                io::Result::Ok(answered)
            };
            match exchange() {
                Ok((200, answer)) => self.learn(operation, effect, answer),
                Ok((status, answer)) => panic!("{operation} {body}: {status} {answer}"),
                Err(_) => {
                    if let Effect::Of(fact, value) = effect {
                        self.doubt = Some((fact, value));
                    }
                    return;
                }
            }
        }
    }

    /// Something to ask for that cannot be refused.
    fn request(&mut self) -> (&'static str, Value, Effect) {
        let Self { dice, name, keys, facts, .. } = self;
        if keys.is_empty() || dice.below(12) == 0 {
            let description = format!("key {} of client {name}", keys.len());
            let body =
                json!({ "Description": description, "Tags": [{ "TagKey": "at", "TagValue": "first" }] });
            return ("CreateKey", body, Effect::Key { description });
        }
        // Keys made a moment ago most of all.
        let recent = keys.len().saturating_sub(3);
        let key_id =
            if dice.below(3) == 0 { dice.one_of(keys) } else { dice.one_of(&keys[recent..]) }.clone();
        let is_enabled = facts[&Fact::State(key_id.clone())] == "Enabled";
        let number = dice.below(1000);
        match dice.below(if is_enabled { 13 } else { 8 }) {
            0 => {
                let (operation, state) =
                    if is_enabled { ("DisableKey", "Disabled") } else { ("EnableKey", "Enabled") };
                (operation, json!({ "KeyId": key_id }), Effect::Of(Fact::State(key_id), json!(state)))
            }
            1 | 2 => self.alias_request(&key_id, number),
            3 | 4 => {
                let (tag, value) = (format!("tag {}", number % 8), format!("{number} of {name}"));
                let body = json!({ "KeyId": key_id, "Tags": [{ "TagKey": tag, "TagValue": value }] });
                ("TagResource", body, Effect::Of(Fact::Tag(key_id, tag), json!(value)))
            }
            5 => {
                let tag = format!("tag {}", number % 8);
                let body = json!({ "KeyId": key_id, "TagKeys": [tag] });
                ("UntagResource", body, Effect::Of(Fact::Tag(key_id, tag), Value::Null))
            }
            6 => {
                let description = format!("{number} from {name}");
                let body = json!({ "KeyId": key_id, "Description": description });
                ("UpdateKeyDescription", body, Effect::Of(Fact::Description(key_id), json!(description)))
            }
            7 => {
                let sid = format!("{number} put by {name}");
                let policy = json!({ "Version": "2012-10-17", "Statement": [{
                    "Sid": sid, "Effect": "Allow", "Principal": { "AWS": "arn:aws:iam::111122223333:root" },
                    "Action": "kms:*", "Resource": "*",
                }] });
                let body = json!({ "KeyId": key_id, "Policy": policy.to_string() });
                ("PutKeyPolicy", body, Effect::Of(Fact::Policy(key_id), json!(sid)))
            }
            8 => {
                let rotations = facts[&Fact::Rotations(key_id.clone())].as_u64().unwrap();
                if rotations < 25 {
                    let effect = Effect::Of(Fact::Rotations(key_id.clone()), json!(rotations + 1));
                    ("RotateKeyOnDemand", json!({ "KeyId": key_id }), effect)
                } else {
                    (
                        "DisableKeyRotation",
                        json!({ "KeyId": key_id }),
                        Effect::Of(Fact::Rotation(key_id), Value::Null),
                    )
                }
            }
            9 => {
                let days = 100 + number;
                let body = json!({ "KeyId": key_id, "RotationPeriodInDays": days });
                ("EnableKeyRotation", body, Effect::Of(Fact::Rotation(key_id), json!(days)))
            }
            10 => self.grant_request(key_id, number),
            _ => {
                let context = json!({ "client": name.to_string(), "number": number.to_string() });
                let demo = number < 100;
                let key_id = if demo { "alias/demo/orders" } else { key_id.as_str() };
                let body = json!({ "KeyId": key_id, "KeySpec": "AES_256", "EncryptionContext": context });
                ("GenerateDataKeyWithoutPlaintext", body, Effect::DataKey { context })
            }
        }
    }

    /// Makes an alias point at a key, or takes one away.
    fn alias_request(&mut self, key_id: &str, number: usize) -> (&'static str, Value, Effect) {
        let Self { dice, name, facts, .. } = self;

        let mut aliases = facts
            .iter()
            .filter_map(|(fact, value)| match fact {
                Fact::Alias(name) => Some((name.clone(), value.clone())),
                _ => None,
            })
            .collect::<Vec<_>>();
        let fresh = format!("alias/kill/{name}/{}", aliases.len());
        if aliases.len() < MOST_ALIASES {
            aliases.push((fresh, Value::Null));
        }
        let (alias, target) = dice.one_of(&aliases).clone();
        let fact = Fact::Alias(alias.clone());
        let pointed = json!({ "AliasName": alias, "TargetKeyId": key_id });
        if target.is_null() {
            ("CreateAlias", pointed, Effect::Of(fact, json!(key_id)))
        } else if number < 700 {
            ("UpdateAlias", pointed, Effect::Of(fact, json!(key_id)))
        } else {
            ("DeleteAlias", json!({ "AliasName": alias }), Effect::Of(fact, Value::Null))
        }
    }

    /// Makes a grant, or takes one away.
    fn grant_request(&self, key_id: String, number: usize) -> (&'static str, Value, Effect) {
        let facts = &self.facts;

        let granted = facts.iter().find_map(|(fact, value)| match fact {
            Fact::Grant(key_id, grant_id) if *value == true => Some((key_id.clone(), grant_id.clone())),
            _ => None,
        });
        match granted {
            Some((key_id, grant_id)) if number < 300 => {
                let body = json!({ "KeyId": key_id, "GrantId": grant_id });
                ("RevokeGrant", body, Effect::Of(Fact::Grant(key_id, grant_id), Value::Null))
            }
            _ => {
                let body = json!({
                    "KeyId": key_id, "Operations": ["Decrypt"],
                    "GranteePrincipal": format!("arn:aws:iam::111122223333:role/{number}"),
                });
                ("CreateGrant", body, Effect::Grant { key_id })
            }
        }
    }

    /// Keeps what was acknowledged.
    fn learn(&mut self, operation: &'static str, effect: Effect, answer: Value) {
        *self.acknowledged.entry(operation).or_default() += 1;
        match effect {
            Effect::Of(fact, value) => self.know(fact, value),
            Effect::Key { description } => {
                let key_id = answer["KeyMetadata"]["KeyId"].as_str().unwrap().to_owned();
                self.know(Fact::State(key_id.clone()), json!("Enabled"));
                self.know(Fact::Description(key_id.clone()), json!(description));
                self.know(Fact::Tag(key_id.clone(), "at".to_owned()), json!("first"));
                self.know(Fact::Rotations(key_id.clone()), json!(0));
                self.keys.push(key_id);
            }
            Effect::Grant { key_id } => {
                let grant_id = answer["GrantId"].as_str().unwrap().to_owned();
                self.know(Fact::Grant(key_id, grant_id), json!(true));
            }
            Effect::DataKey { context } => self.data_keys.push(DataKey { made: answer, context }),
        }
    }

    fn know(&mut self, fact: Fact, value: Value) {
        self.new_facts.insert(fact.clone());
        self.facts.insert(fact, value);
    }

    /// Checks what is new, or all.
    fn check(&mut self, serving: &Serving, all: bool) {
        let connection = &mut Connection::to(serving).unwrap();
        let doubt = self.doubt.take();
        let mut facts = std::mem::take(&mut self.new_facts);
        if all {
            facts.extend(self.facts.keys().cloned());
        }
        facts.extend(doubt.iter().map(|(fact, _)| fact.clone()));
        for fact in facts {
            let told = fact.ask(connection);
            *self.checked.entry(fact.kind()).or_default() += 1;
            let known = self.facts.get(&fact);
            if let Some((_, value)) = doubt.as_ref().filter(|(doubtful, _)| *doubtful == fact)
                && known != Some(value)
                && told == *value
            {
                self.happened_unacknowledged += 1;
                self.facts.insert(fact, told);
                continue;
            }
            let before = known.cloned().unwrap_or_else(|| match &fact {
                Fact::Policy(_) => json!("Enable IAM User Permissions"),
                // Nothing was said of it yet.
                _ => Value::Null,
            });
            assert_eq!(told, before, "{fact:?}");
        }
        let first = if all { 0 } else { self.new_data_keys };
        for data_key in &self.data_keys[first..] {
            let key_id = data_key.made["KeyId"].as_str().unwrap();
            let state = Fact::State(key_id.rsplit_once('/').unwrap().1.to_owned());
            if self.facts.get(&state).is_some_and(|state| state == "Disabled") {
                continue;
            }
            let body = json!({
                "CiphertextBlob": data_key.made["CiphertextBlob"], "EncryptionContext": data_key.context,
            });
            let opened = connection.ask("Decrypt", &body);
            assert_eq!(opened["KeyId"], key_id);
            assert_eq!(opened["KeyMaterialId"], data_key.made["KeyMaterialId"]);
            assert_eq!(opened["Plaintext"].as_str().unwrap().len(), 44);
            *self.checked.entry("blobs").or_default() += 1;
        }
        self.new_data_keys = self.data_keys.len();
    }

    /// Enables all keys, so that every blob can be opened.
    fn enable_all(&mut self, serving: &Serving) {
        let connection = &mut Connection::to(serving).unwrap();
        for key_id in &self.keys {
            connection.ask("EnableKey", &json!({ "KeyId": key_id }));
            self.facts.insert(Fact::State(key_id.clone()), json!("Enabled"));
        }
    }
}

/// Does it for every client at once.
fn each(clients: &mut [Client], work: impl Fn(&mut Client) + Sync) {
    thread::scope(|scope| {
        for client in clients {
            scope.spawn(|| work(client));
        }
    });
}

fn serve(home: &tempfile::TempDir) -> Serving {
    let mut serving = Serving::start(home, &["--listen", ":0", "--demo-store", STORE]);
    assert!(!serving.url.is_empty(), "the store does not open: {:?}", serving.wait());
    serving
}

/// Starts a server and kills it after it has begun to write to the store, at the latest when it is
/// ready.
fn kill_while_it_opens(home: &tempfile::TempDir, dice: &mut Dice) {
    let look =
        |path: &Path| fs::metadata(path).ok().map(|metadata| (metadata.len(), metadata.modified().ok()));
    let store = home.path().join(STORE);
    let before = look(&store);
    let mut child = kmx(home, &["serve", "--listen", ":0", "--demo-store", STORE])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let ready = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            // Its line, or its end.
            let _ = stdout.read(&mut [0; 1]);
            ready.store(true, Ordering::Relaxed);
        });
        let mut changes = dice.below(12);
        let mut last = before;
        while !ready.load(Ordering::Relaxed) {
            let now = look(&store);
            if now != last {
                last = now;
                let Some(left) = changes.checked_sub(1) else { break };
                changes = left;
            }
        }
        child.kill().unwrap();
    });
    child.wait().unwrap();
}

#[test]
fn an_acknowledged_write_survives_a_kill() {
    let home = home();
    let mut dice = Dice(20_141_101);
    let mut clients: Vec<Client> = (0..CLIENTS).map(Client::new).collect();
    let mut serving = serve(&home);
    for kill in 1..=KILLS {
        let death = Death {
            requests: AtomicUsize::new(0),
            at: 1 + dice.below(40),
            in_flight: (kill % 2 == 0).then(|| dice.below(60)),
        };
        each(&mut clients, |client| client.work(&serving, &death));
        drop(serving);
        if kill % KILLS_EVERY == 0 {
            kill_while_it_opens(&home, &mut dice);
        }
        serving = serve(&home);
        each(&mut clients, |client| client.check(&serving, kill % ALL_EVERY == 0));
    }
    each(&mut clients, |client| client.enable_all(&serving));
    each(&mut clients, |client| client.check(&serving, true));
    report(&clients);
}

#[expect(clippy::print_stdout, reason = "for who asks what was counted")]
fn report(clients: &[Client]) {
    let sum = |counts: fn(&Client) -> &BTreeMap<&'static str, usize>| {
        clients.iter().flat_map(counts).fold(BTreeMap::<&str, usize>::new(), |mut sum, (kind, count)| {
            *sum.entry(kind).or_default() += count;
            sum
        })
    };
    let unacknowledged: usize = clients.iter().map(|client| client.happened_unacknowledged).sum();
    let distinct: usize = clients.iter().map(|client| client.facts.len()).sum();
    let blobs: usize = clients.iter().map(|client| client.data_keys.len()).sum();
    println!("{KILLS} kills under load, {} while opening", KILLS / KILLS_EVERY);
    println!("acknowledged: {:?}", sum(|client| &client.acknowledged));
    println!("checks: {:?}", sum(|client| &client.checked));
    println!("{distinct} facts and {blobs} blobs in the end; happened unacknowledged: {unacknowledged}");
}

#[test]
fn a_kill_while_a_store_is_made_leaves_one_that_opens() {
    let mut dice = Dice(7);
    for _ in 0..KILLS_WHILE_MAKING {
        let home = home();
        kill_while_it_opens(&home, &mut dice);
        let serving = serve(&home);
        let listed = Connection::to(&serving).unwrap().ask("ListKeys", &json!({ "Limit": 1000 }));
        assert!(listed["Keys"].as_array().unwrap().len() > 20, "{listed}");
    }
}
