//! The socket, over raw TCP: what it answers to whom, what it bounds, and how it ends.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::oneshot;

use super::super::server::Limits;
use super::*;

/// The greatest body.
const BODY: usize = 1024 * 1024;

const AUTHORIZATION: &str = "Authorization: AWS4-HMAC-SHA256 \
     Credential=AKIDEXAMPLE/20261124/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=00";

/// A server on a thread of its own.
struct Serving {
    address: SocketAddr,
    stop: oneshot::Sender<()>,
    thread: JoinHandle<usize>,
}

/// An answer: its status, its headers as they came, its body.
struct Answer {
    status: u16,
    head: String,
    body: Vec<u8>,
}

fn loopback() -> ServerOptions {
    ServerOptions { listen: (Ipv4Addr::LOCALHOST, 0).into(), host_names: Vec::new() }
}

fn serve(kms: &LocalKms, options: ServerOptions, limits: Limits) -> Serving {
    let (stop, stopped) = oneshot::channel::<()>();
    let (tell, address) = std::sync::mpsc::channel();
    let kms = kms.clone();
    let thread = thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut server = Server::bind(options).await.unwrap();
            server.limits = limits;
            tell.send(server.address()).unwrap();
            server.run(&kms, async { drop(stopped.await) }).await
        })
    });
    Serving { address: address.recv().unwrap(), stop, thread }
}

fn serving(kms: &LocalKms) -> Serving {
    serve(kms, loopback(), Limits::default())
}

impl Serving {
    fn connect(&self) -> TcpStream {
        TcpStream::connect((Ipv4Addr::LOCALHOST, self.address.port())).unwrap()
    }

    /// Sends it over a connection of its own and reads the answer.
    fn ask(&self, request: &str) -> Answer {
        let mut stream = self.connect();
        stream.write_all(request.as_bytes()).unwrap();
        read_answer(&mut stream)
    }

    /// A request for an operation with a body.
    fn call(&self, operation: &str, body: &str) -> Answer {
        self.ask(&post("localhost", operation, body))
    }

    /// The number of connections that were cut off.
    fn stop(self) -> usize {
        self.stop.send(()).unwrap();
        self.thread.join().unwrap()
    }
}

fn post(host: &str, operation: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: {host}\r\n{AUTHORIZATION}\r\nX-Amz-Target: TrentService.{operation}\r\n\
         Content-Type: application/x-amz-json-1.1\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

/// A head that asks whether to send the body: the answer says that the request has begun.
fn expecting(operation: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: localhost\r\n{AUTHORIZATION}\r\n\
         X-Amz-Target: TrentService.{operation}\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    )
}

/// A connection with a request that has begun, and lacks its body of two bytes.
fn begun(serving: &Serving, operation: &str) -> TcpStream {
    let mut stream = serving.connect();
    stream.write_all(expecting(operation).as_bytes()).unwrap();
    let mut goes_on = [0; 25];
    stream.read_exact(&mut goes_on).unwrap();
    assert!(goes_on.starts_with(b"HTTP/1.1 100 "));
    stream
}

fn read_answer(stream: &mut TcpStream) -> Answer {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        stream.read_exact(&mut byte).unwrap();
        head.push(byte[0]);
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut answer = Answer { status, head, body: Vec::new() };
    answer.body = vec![0; answer.header("content-length").unwrap().parse().unwrap()];
    stream.read_exact(&mut answer.body).unwrap();
    answer
}

/// Whether nothing more comes, and the other side has closed in peace.
fn is_closed(stream: &mut TcpStream) -> bool {
    stream.read(&mut [0]).unwrap() == 0
}

impl Answer {
    fn header(&self, name: &str) -> Option<&str> {
        let mut lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.find(|(found, _)| found.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    /// An error in AWS's shape, with its headers.
    #[track_caller]
    fn is_error(&self, status: u16, code: &str) {
        assert_eq!((self.status, self.json()["__type"].as_str()), (status, Some(code)), "{}", self.head);
        assert_eq!(self.header("content-type"), Some("application/x-amz-json-1.1"));
        assert_eq!(self.header("x-amzn-requestid").map(str::len), Some(36));
    }
}

#[test]
fn a_connection_carries_one_request_after_the_other() {
    let serving = serving(&demo());
    let mut stream = serving.connect();
    let mut ids = Vec::new();
    for _ in 0..3 {
        let request = post(&serving.address.to_string(), "DescribeKey", r#"{"KeyId": "alias/demo/orders"}"#);
        stream.write_all(request.as_bytes()).unwrap();
        let answer = read_answer(&mut stream);
        assert_eq!(answer.status, 200);
        assert_eq!(answer.header("content-type"), Some("application/x-amz-json-1.1"));
        assert_eq!(answer.json()["KeyMetadata"]["KeyId"], ORDERS);
        ids.push(answer.header("x-amzn-requestid").unwrap().to_owned());
    }
    // Two at once are answered in order.
    let two = post("localhost", "ListKeys", "{}") + &post("localhost", "ListAliases", "{}");
    stream.write_all(two.as_bytes()).unwrap();
    assert!(read_answer(&mut stream).json()["Keys"].is_array());
    assert!(read_answer(&mut stream).json()["Aliases"].is_array());
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert_eq!(serving.stop(), 0);
}

#[test]
fn errors_of_the_service_arrive_as_it_makes_them() {
    let serving = serving(&demo());
    let answer = serving.call("DescribeKey", r#"{"KeyId": "alias/nobody"}"#);
    answer.is_error(400, "NotFoundException");
    assert!(answer.json()["message"].as_str().unwrap().contains("alias/nobody"));
    let unsigned = post("localhost", "ListKeys", "{}").replace(&format!("{AUTHORIZATION}\r\n"), "");
    serving.ask(&unsigned).is_error(400, "MissingAuthenticationTokenException");
    serving.call("MakeCoffee", "{}").is_error(400, "UnknownOperationException");
}

#[test]
fn its_own_names_are_answered_and_no_others() {
    let serving = serving(&demo());
    let port = serving.address.port();
    for own in ["127.0.0.1", "localhost", "LocalHost", "[::1]"] {
        for host in [own.to_owned(), format!("{own}:{port}"), format!("{own}:")] {
            assert_eq!(serving.ask(&post(&host, "ListKeys", "{}")).status, 200, "{host}");
        }
    }
    // From the other end of a tunnel.
    assert_eq!(serving.ask(&post("localhost:65535", "ListKeys", "{}")).status, 200);
    for foreign in [
        "evil.example",
        &format!("evil.example:{port}"),
        "localhost:4599:4599",
        "localhost:4599:",
        "localhost::",
        ":",
        &format!("127.0.0.1.evil.example:{port}"),
        &format!("x@localhost:{port}"),
        "localhost.",
        "127.0.0.2",
        "",
    ] {
        let answer = serving.ask(&post(foreign, "ListKeys", "{}"));
        answer.is_error(421, "MisdirectedRequestException");
        assert!(answer.json()["message"].as_str().unwrap().contains("--listen-any"), "{foreign}");
    }
    let request = post("localhost", "ListKeys", "{}");
    for request in [
        request.replace("Host: localhost\r\n", ""),
        request.replace("Host: localhost\r\n", "Host: localhost\r\nHost: localhost\r\n"),
        request.replace("POST / ", "POST http://evil.example/ "),
    ] {
        serving.ask(&request).is_error(421, "MisdirectedRequestException");
    }
    assert_eq!(serving.ask(&request.replace("POST / ", "POST http://localhost/ ")).status, 200);
}

#[test]
fn names_that_were_given_are_its_own_and_let_it_listen_anywhere() {
    let options = ServerOptions {
        listen: (Ipv4Addr::UNSPECIFIED, 0).into(),
        host_names: vec!["kms.test".to_owned(), "fd00::1".to_owned()],
    };
    let serving = serve(&demo(), options, Limits::default());
    let port = serving.address.port();
    for host in ["kms.test".to_owned(), format!("KMS.test:{port}"), format!("[fd00::1]:{port}")] {
        assert_eq!(serving.ask(&post(&host, "ListKeys", "{}")).status, 200, "{host}");
    }
    serving.ask(&post("other.test", "ListKeys", "{}")).is_error(421, "MisdirectedRequestException");
}

#[tokio::test]
async fn only_loopback_is_listened_on_where_no_names_are_given() {
    for listen in [
        SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        (Ipv6Addr::UNSPECIFIED, 0).into(),
        ([192, 0, 2, 1], 0).into(),
    ] {
        let error = Server::bind(ServerOptions { listen, ..loopback() }).await.unwrap_err();
        assert!(matches!(error, ServeError::NotLoopback { .. }), "{error:?}");
        assert!(error.to_string().contains("--listen-any"), "{error}");
    }
    for name in ["", "a b", "kms:80", "http://kms", "*"] {
        let options = ServerOptions { host_names: vec![name.to_owned()], ..loopback() };
        let error = Server::bind(options).await.unwrap_err();
        assert!(matches!(error, ServeError::HostName { .. }), "{error:?}");
    }
    let first = Server::bind(loopback()).await.unwrap();
    let error =
        Server::bind(ServerOptions { listen: first.address(), ..loopback() }).await.unwrap_err().to_string();
    assert!(error.contains(&first.address().to_string()), "{error}");
    assert_eq!(first.url(), format!("http://127.0.0.1:{}", first.address().port()));
}

#[test]
fn a_page_in_a_browser_gets_no_leave_to_send_the_target() {
    let serving = serving(&demo());
    let asked = "OPTIONS / HTTP/1.1\r\nHost: localhost\r\nOrigin: http://evil.example\r\n\
         Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: x-amz-target\r\n\r\n";
    let answer = serving.ask(asked);
    answer.is_error(404, "UnknownOperationException");
    assert!(!answer.head.to_lowercase().contains("access-control"), "{}", answer.head);
}

#[test]
fn only_a_post_to_the_root_with_a_target_is_a_call() {
    let serving = serving(&demo());
    let request = post("localhost", "ListKeys", "{}");
    for (from, to, status) in [
        ("POST / ", "GET / ", 404),
        ("POST / ", "PUT / ", 404),
        ("POST / ", "POST /keys ", 404),
        ("X-Amz-Target: TrentService.ListKeys\r\n", "", 400),
        ("TrentService.ListKeys", "DynamoDB_20120810.ListTables", 400),
        ("TrentService.ListKeys", "ListKeys", 400),
        ("TrentService.ListKeys", "\u{e9}", 400),
    ] {
        serving.ask(&request.replace(from, to)).is_error(status, "UnknownOperationException");
    }
    // No other type of content says what to do otherwise.
    for content_type in ["", "Content-Type: text/plain\r\n"] {
        let request = request.replace("Content-Type: application/x-amz-json-1.1\r\n", content_type);
        assert_eq!(serving.ask(&request).status, 200);
    }
}

#[test]
fn a_body_that_is_no_request_is_answered() {
    let serving = serving(&demo());
    let deep = |depth: usize| {
        format!(r#"{{"KeyId": "alias/demo/orders", "x": {}{}}}"#, "[".repeat(depth), "]".repeat(depth))
    };
    // Unknown members are left alone, whatever is in them.
    assert_eq!(serving.call("DescribeKey", &deep(64)).status, 200);
    for body in [
        "",
        "{",
        "[]",
        "null",
        "nonsense",
        "\u{0}",
        r#"{"KeyId": 1}"#,
        r#"{"KeyId": {"KeyId": "x"}}"#,
        &deep(200),
        &"[".repeat(BODY),
    ] {
        let code = "SerializationException";
        serving.call("DescribeKey", body).is_error(400, code);
    }
    assert_eq!(serving.call("ListKeys", "{}").status, 200);
}

#[test]
fn a_body_may_have_a_mebibyte_and_no_byte_more() {
    let serving = serving(&demo());
    let filled = |bytes: usize| {
        let bare = r#"{"x": ""}"#;
        bare.replace("\"\"", &format!("\"{}\"", "x".repeat(bytes - bare.len())))
    };
    assert_eq!(serving.call("ListKeys", &filled(BODY)).status, 200);
    let mut stream = serving.connect();
    stream.write_all(post("localhost", "ListKeys", &filled(BODY + 1)).as_bytes()).unwrap();
    let answer = read_answer(&mut stream);
    answer.is_error(413, "RequestEntityTooLargeException");
    assert_eq!(answer.header("connection"), Some("close"));
    assert!(is_closed(&mut stream));
}

#[test]
fn an_announced_gigabyte_is_refused_before_it_comes() {
    let serving = serving(&demo());
    let mut stream = serving.connect();
    let request = post("localhost", "ListKeys", "");
    let request = request.replace("Content-Length: 0", "Content-Length: 1073741824");
    stream.write_all(request.as_bytes()).unwrap();
    read_answer(&mut stream).is_error(413, "RequestEntityTooLargeException");
    assert!(is_closed(&mut stream));
}

#[test]
fn a_body_in_chunks_has_the_same_bound() {
    let serving = serving(&demo());
    let head = post("localhost", "ListKeys", "").replace("Content-Length: 0", "Transfer-Encoding: chunked");
    assert_eq!(serving.ask(&format!("{head}1\r\n{{\r\n1\r\n}}\r\n0\r\n\r\n")).status, 200);
    let mut stream = serving.connect();
    stream.write_all(head.as_bytes()).unwrap();
    let chunk = format!("10000\r\n{}\r\n", " ".repeat(0x10000));
    for _ in 0..=BODY / 0x10000 {
        stream.write_all(chunk.as_bytes()).unwrap();
    }
    read_answer(&mut stream).is_error(413, "RequestEntityTooLargeException");
    assert!(is_closed(&mut stream));
    serving.ask(&format!("{head}no length\r\n")).is_error(400, "SerializationException");
}

#[test]
fn what_is_not_http_ends_its_own_connection_alone() {
    let serving = serving(&demo());
    for nonsense in [
        "\r\n\r\n\u{0}\r\n\r\n",
        "\u{16}\u{3}\u{1} a greeting in TLS\r\n\r\n",
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ] {
        let mut stream = serving.connect();
        stream.write_all(nonsense.as_bytes()).unwrap();
        stream.shutdown(Shutdown::Write).unwrap();
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        assert!(!answer.starts_with(b"HTTP/1.1 2"), "{nonsense:?}");
    }
    assert_eq!(serving.call("ListKeys", "{}").status, 200);
}

#[test]
fn a_client_that_is_slow_or_idle_holds_up_nobody_and_is_let_go() {
    let limits = Limits { head: Duration::from_millis(500), ..Limits::default() };
    let serving = serve(&demo(), loopback(), limits);
    let mut slow = serving.connect();
    slow.write_all(b"POST / HTTP/1.1\r\nHost: loc").unwrap();
    let mut silent = serving.connect();
    let mut idle = serving.connect();
    idle.write_all(post("localhost", "ListKeys", "{}").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut idle).status, 200);
    for stream in [&mut slow, &mut silent, &mut idle] {
        assert!(is_closed(stream));
    }
}

#[test]
fn a_body_that_does_not_come_is_waited_for_so_long() {
    let limits = Limits { body: Duration::from_millis(50), ..Limits::default() };
    let serving = serve(&demo(), loopback(), limits);
    let mut stream = begun(&serving, "ListKeys");
    assert_eq!(serving.call("ListKeys", "{}").status, 200);
    read_answer(&mut stream).is_error(408, "RequestTimeoutException");
    assert!(is_closed(&mut stream));
}

#[test]
fn a_client_that_reads_no_answers_is_let_go() {
    let limits = Limits { connections: 1, write: Duration::from_millis(50), ..Limits::default() };
    let serving = serve(&demo(), loopback(), limits);
    let mut deaf = serving.connect();
    let mut second = serving.connect();
    let asking = thread::spawn(move || {
        let request = post("localhost", "ListKeys", r#"{"Limit": 1000}"#);
        // Until the connection breaks, which is when all that lies between the two is full.
        while deaf.write_all(request.as_bytes()).is_ok() {}
    });
    second.write_all(post("localhost", "ListKeys", "{}").as_bytes()).unwrap();
    assert_eq!(read_answer(&mut second).status, 200);
    asking.join().unwrap();
}

#[test]
fn connections_beyond_the_bound_wait_for_one_to_end() {
    let serving = serve(&demo(), loopback(), Limits { connections: 1, ..Limits::default() });
    let mut first = begun(&serving, "ListKeys");
    let mut second = serving.connect();
    second.write_all(post("localhost", "ListKeys", "{}").as_bytes()).unwrap();
    second.set_nonblocking(true).unwrap();
    assert!(second.read(&mut [0]).is_err());
    second.set_nonblocking(false).unwrap();
    first.write_all(b"{}").unwrap();
    assert_eq!(read_answer(&mut first).status, 200);
    drop(first);
    assert_eq!(read_answer(&mut second).status, 200);
}

#[test]
fn a_request_that_has_begun_is_answered_before_the_end() {
    let kms = demo();
    kms.set_behaviour(Behaviour { latency: Duration::from_millis(50), ..Behaviour::default() });
    let serving = serving(&kms);
    // They are accepted in this order.
    let mut idle = serving.connect();
    let mut stream = begun(&serving, "ListKeys");
    serving.stop.send(()).unwrap();
    assert!(is_closed(&mut idle));
    // Nobody listens there any more.
    assert!(TcpListener::bind(serving.address).is_ok());
    stream.write_all(b"{}").unwrap();
    assert_eq!(read_answer(&mut stream).status, 200);
    assert!(is_closed(&mut stream));
    assert_eq!(serving.thread.join().unwrap(), 0);
}

#[test]
fn an_answer_that_never_comes_does_not_hold_up_the_end() {
    let kms = demo();
    let rule = Rule { operation: None, key_id: None, times: None, fault: Fault::Hang };
    kms.set_behaviour(Behaviour { rules: vec![rule], ..Behaviour::default() });
    let serving = serve(&kms, loopback(), Limits { stop: Duration::from_millis(50), ..Limits::default() });
    let mut stream = begun(&serving, "ListKeys");
    stream.write_all(b"{}").unwrap();
    assert_eq!(serving.stop(), 1);
}

#[test]
fn faults_show_on_the_socket_as_they_are() {
    let kms = demo();
    let fault = |fault| {
        let rule = Rule { operation: None, key_id: None, times: None, fault };
        kms.set_behaviour(Behaviour { rules: vec![rule], ..Behaviour::default() });
    };
    let serving = serving(&kms);
    fault(Fault::Throttle);
    serving.call("ListKeys", "{}").is_error(400, "ThrottlingException");
    fault(Fault::Internal);
    serving.call("ListKeys", "{}").is_error(500, "KMSInternalException");
    fault(Fault::Body { status: 502, body: "<html>".to_owned() });
    let answer = serving.call("ListKeys", "{}");
    assert_eq!((answer.status, answer.body.as_slice()), (502, b"<html>".as_slice()));
    fault(Fault::Truncate);
    for _ in 0..20 {
        let mut stream = serving.connect();
        stream.write_all(post("localhost", "ListKeys", "{}").as_bytes()).unwrap();
        let mut came = String::new();
        stream.read_to_string(&mut came).unwrap();
        let (head, body) = came.split_once("\r\n\r\n").unwrap();
        let answer = Answer { status: 200, head: head.to_owned(), body: Vec::new() };
        let announced: usize = answer.header("content-length").unwrap().parse().unwrap();
        assert_eq!(body.len(), announced / 2);
        assert!(body.starts_with("{\"Keys\""), "{body}");
    }
    for broken in [Fault::Reset, Fault::Body { status: 1000, body: String::new() }] {
        fault(broken);
        let mut stream = serving.connect();
        stream.write_all(post("localhost", "ListKeys", "{}").as_bytes()).unwrap();
        let error = stream.read(&mut [0]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[test]
fn a_write_is_answered_over_the_socket() {
    let serving = serving(&demo());
    // The first word of this alias makes its key.
    let described = serving.call("DescribeKey", r#"{"KeyId": "alias/aws/rds"}"#).json();
    let again = serving.call("DescribeKey", r#"{"KeyId": "alias/aws/rds"}"#).json();
    assert_eq!(described["KeyMetadata"]["KeyManager"], "AWS");
    assert_eq!(described, again);
}
