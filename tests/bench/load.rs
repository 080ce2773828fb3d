//! How many data keys a second: the local KMS in this process, or any KMS over plain HTTP.
//!
//! ```text
//! load in-process [SECONDS]
//! load HOST:PORT KEY_ID [SECONDS] [CONNECTIONS]
//! ```
//!
//! It prints one line for each way: its name and the rate. `tests/measure/rates.py` runs it on one core
//! against `kmx serve` and moto on another.

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a program for people at the machine")]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use aws_sdk_kms::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_kms::types::DataKeySpec;
use kmx::local::{LocalKms, Options, StoreLocation};

const TARGET: &str = "TrentService.GenerateDataKeyWithoutPlaintext";
const AUTHORIZATION: &str = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, \
                             SignedHeaders=host;x-amz-date;x-amz-target, Signature=00";

fn main() {
    // `cargo bench` adds a flag of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let number =
        |index: usize, default: u64| arguments.get(index).map_or(default, |text| text.parse().unwrap());
    match arguments.first().map(String::as_str) {
        Some("in-process") => {
            let time = Duration::from_secs(number(1, 3));
            println!("service {:.0}", service(time));
            println!("sdk {:.0}", sdk(time));
        }
        Some(address) => {
            let time = Duration::from_secs(number(2, 3));
            println!("http {:.0}", http(address, &arguments[1], time, number(3, 4)));
        }
        None => println!("load in-process [SECONDS], or load HOST:PORT KEY_ID [SECONDS] [CONNECTIONS]"),
    }
}

fn body(key_id: &str) -> String {
    format!(r#"{{"KeyId":"{key_id}","KeySpec":"AES_256","EncryptionContext":{{"tenant":"acme"}}}}"#)
}

/// A second, counted.
fn rate(time: Duration, mut once: impl FnMut()) -> f64 {
    let start = Instant::now();
    let mut count = 0_u32;
    while start.elapsed() < time {
        for _ in 0..64 {
            once();
        }
        count += 64;
    }
    f64::from(count) / start.elapsed().as_secs_f64()
}

fn demo() -> LocalKms {
    LocalKms::open(StoreLocation::Memory, Options::default()).unwrap()
}

/// The service alone: a request's bytes in, an answer's bytes out.
fn service(time: Duration) -> f64 {
    let kms = demo();
    let body = body("alias/demo/orders");
    rate(time, || {
        let answer = kms.handle(TARGET, Some(AUTHORIZATION), body.clone().into_bytes());
        assert_eq!(answer.status, 200);
    })
}

/// Through the SDK and the in-process transport, one call after another.
fn sdk(time: Duration) -> f64 {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let client = aws_sdk_kms::Client::from_conf(
        aws_sdk_kms::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::from_static("us-east-1"))
            .credentials_provider(Credentials::new("AKIDEXAMPLE", "none", None, None, "bench"))
            .http_client(demo().http_client())
            .build(),
    );
    rate(time, || {
        let call = client
            .generate_data_key_without_plaintext()
            .key_id("alias/demo/orders")
            .key_spec(DataKeySpec::Aes256)
            .encryption_context("tenant", "acme")
            .send();
        runtime.block_on(call).unwrap();
    })
}

/// Over connections that are kept alive where the server lets them, one request after another on each.
fn http(address: &str, key_id: &str, time: Duration, connections: u64) -> f64 {
    let body = body(key_id);
    let request = format!(
        "POST / HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/x-amz-json-1.1\r\n\
         X-Amz-Target: {TARGET}\r\nX-Amz-Date: 20261124T120000Z\r\nAuthorization: {AUTHORIZATION}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    thread::scope(|scope| {
        let runs: Vec<_> = (0..connections)
            .map(|_| {
                scope.spawn(|| {
                    let mut stream = connect(address);
                    let mut buffer = Vec::new();
                    rate(time, || {
                        let kept_alive = exchange(&mut stream, request.as_bytes(), &mut buffer);
                        if !kept_alive {
                            stream = connect(address);
                        }
                    })
                })
            })
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).sum()
    })
}

fn connect(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}

/// Sends a request and reads its answer, which has to be a good one. Whether the server keeps the
/// connection.
fn exchange(stream: &mut TcpStream, request: &[u8], buffer: &mut Vec<u8>) -> bool {
    stream.write_all(request).unwrap();
    buffer.clear();
    let mut chunk = [0; 4096];
    loop {
        let count = stream.read(&mut chunk).unwrap();
        assert!(count > 0, "the connection was closed");
        buffer.extend_from_slice(&chunk[..count]);
        let Some(head) = buffer.windows(4).position(|bytes| bytes == b"\r\n\r\n") else {
            continue;
        };
        let text = String::from_utf8_lossy(&buffer[..head]).to_ascii_lowercase();
        assert!(text.contains(" 200 "), "{text}");
        let length = text.split("content-length:").nth(1).unwrap();
        let length: usize = length.lines().next().unwrap().trim().parse().unwrap();
        if buffer.len() >= head + 4 + length {
            return !text.contains("connection: close") && !text.starts_with("http/1.0");
        }
    }
}
