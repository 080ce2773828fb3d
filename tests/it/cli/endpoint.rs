//! An endpoint on loopback that gives the answers that a test chooses, and keeps what it was sent.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::{Value, json};

/// A key's ARN, whose key is [`KEY_ID`].
pub(super) const KEY_ARN: &str =
    "arn:aws:kms:us-east-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
pub(super) const KEY_ID: &str = "1234abcd-12ab-34cd-56ef-1234567890ab";

/// A request, as far as tests ask about it.
struct Request {
    operation: String,
    body: Value,
    signed: bool,
}

type Requests = Arc<Mutex<Vec<Request>>>;

pub(super) struct Endpoint {
    pub(super) url: String,
    requests: Requests,
}

impl Endpoint {
    /// Answers each operation with what the function says: a status and a body.
    pub(super) fn new(answer: impl Fn(&str) -> (u16, Value) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let requests = Requests::default();
        let kept = Arc::clone(&requests);
        let answer = Arc::new(answer);
        // It ends with the process.
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (kept, answer) = (Arc::clone(&kept), Arc::clone(&answer));
                thread::spawn(move || serve(stream.unwrap(), &kept, &*answer));
            }
        });
        Self { url, requests }
    }

    /// An endpoint that makes a data key whatever it is asked.
    pub(super) fn recorder() -> Self {
        Self::new(|_| (200, json!({"CiphertextBlob": "b3BhcXVl", "KeyId": KEY_ARN})))
    }

    /// An endpoint with one key of one alias; `DescribeKey` is answered as told.
    pub(super) fn with_a_key(description: (u16, Value)) -> Self {
        Self::new(move |operation| match operation {
            "ListKeys" => (200, json!({"Keys": [{"KeyId": KEY_ID, "KeyArn": KEY_ARN}]})),
            "ListAliases" => {
                let alias = json!({"AliasName": "alias/audit", "TargetKeyId": KEY_ID});
                (200, json!({"Aliases": [alias]}))
            }
            _ => description.clone(),
        })
    }

    /// The bodies that were sent for an operation, in order.
    pub(super) fn bodies(&self, operation: &str) -> Vec<Value> {
        let requests = self.requests.lock().unwrap();
        let of_the_operation = requests.iter().filter(|request| request.operation == operation);
        of_the_operation.map(|request| request.body.clone()).collect()
    }

    /// Whether each request was signed, in order.
    pub(super) fn signed(&self) -> Vec<bool> {
        self.requests.lock().unwrap().iter().map(|request| request.signed).collect()
    }
}

/// What the service answers where a policy does not allow the call.
pub(super) fn denied(operation: &str) -> (u16, Value) {
    let message =
        format!("User: arn:aws:iam::111122223333:user/x is not authorized to perform: kms:{operation}");
    (400, json!({"__type": "AccessDeniedException", "Message": message}))
}

/// One request, one answer, and the connection ends.
fn serve(mut stream: TcpStream, requests: &Requests, answer: &dyn Fn(&str) -> (u16, Value)) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let (mut operation, mut length, mut signed) = (String::new(), 0, false);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 {
            return;
        }
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        match name.to_lowercase().as_str() {
            "x-amz-target" => {
                value.trim().rsplit('.').next().unwrap_or_default().clone_into(&mut operation);
            }
            "authorization" => signed = true,
            "content-length" => length = value.trim().parse().unwrap(),
            _ => {}
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    let body = serde_json::from_slice(&body).unwrap();
    let (status, answer) = answer(&operation);
    requests.lock().unwrap().push(Request { operation, body, signed });
    let answer = answer.to_string();
    let head = format!(
        "HTTP/1.1 {status} Answer\r\ncontent-type: application/x-amz-json-1.1\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        answer.len()
    );
    // A client that has gone has no use for an answer.
    let _ = stream.write_all((head + &answer).as_bytes());
}
