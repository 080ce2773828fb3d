//! The local KMS on a socket: AWS JSON 1.1 over HTTP/1.1, for any AWS client.
//!
//! There is no authentication and no TLS, so whoever reaches the port can use and read every key.
//! What keeps others out:
//!
//! - It listens on loopback, unless host names are given under which it may be reached from elsewhere.
//! - A request for another host is refused: a page whose name was made to resolve to loopback (DNS
//!   rebinding) still names its own host.
//! - Without `X-Amz-Target` nothing is done. A page in a browser may not send that header before it
//!   has asked (CORS), and the question is refused like everything that is no `POST /`.
//!
//! What a request costs is bounded: its head, its body and the time for both, the connections that
//! are open at once, and the end of the server.
//!
//! It must not read or answer a request to KMS itself: it carries them to the front and back.

use std::error::Error;
use std::fmt;
use std::io;
use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Either, Full};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use hyper::header::{
    AUTHORIZATION, CONNECTION, CONTENT_TYPE as CONTENT_TYPE_HEADER, HOST, HeaderMap, HeaderName, HeaderValue,
};
use hyper::http::request::Parts;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tokio_io_timeout::TimeoutStream;
use zeroize::Zeroizing;

use super::LocalKms;
use super::error::KmsError;
use super::front::{Front, Outcome};
use super::wire::{CONTENT_TYPE, Request, Response};

/// The greatest body of a request, in bytes.
const BODY: usize = 1024 * 1024;

/// What a connection may hold of what has been read and not yet taken in, heads included, in bytes.
const BUFFER: usize = 64 * 1024;

/// How long nothing is accepted after the system would not let us: it has no file descriptors left,
/// say. A connection that ends gives one back.
const BREATHER: Duration = Duration::from_millis(100);

/// What is read and thrown away of a body that was refused, in bytes, and for how long. A connection
/// that is closed on unread data is reset, and the client may never see why.
const LEFTOVERS: usize = 4 * BODY;
const LEFTOVERS_FOR: Duration = Duration::from_secs(1);

const REQUEST_ID: HeaderName = HeaderName::from_static("x-amzn-requestid");

/// Where to listen, and what for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerOptions {
    /// The address. Port 0 takes a free one.
    pub listen: SocketAddr,
    /// Names of hosts, or their addresses, without a port: a request may name them as its host,
    /// beside `localhost`, `127.0.0.1`, `[::1]` and the address itself. Where there are any, the
    /// address may be one that is not loopback.
    pub host_names: Vec<String>,
}

/// Why there is no server.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ServeError {
    /// Others could reach it.
    #[error(
        "other machines can reach {listen}, and whoever reaches it can use and read every key, without \
         authentication or TLS: listen on 127.0.0.1, or, on a network where everyone may do that, give \
         the host names that it is reached by with `--listen-any`"
    )]
    NotLoopback {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// A request could never name it.
    #[error("`{name}` is not the name of a host: letters, digits, dots and hyphens, without a port")]
    HostName {
        /// What was given.
        name: String,
    },
    /// Somebody listens there.
    #[error(
        "something listens on {listen} already, perhaps another `kmx serve`: use that one, or take \
         another port with `--listen`; port 0 takes a free one"
    )]
    InUse {
        /// The address that was asked for.
        listen: SocketAddr,
    },
    /// The system says no.
    #[error("cannot listen on {listen}: {source}")]
    Listen {
        /// The address that was asked for.
        listen: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// A socket that clients can connect to. They are answered once it runs.
#[derive(Debug)]
pub struct Server {
    listener: TcpListener,
    address: SocketAddr,
    host_names: Vec<String>,
    pub(super) limits: Limits,
}

/// What a client may make the server wait for, and how many clients there may be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// From the end of an answer, or the beginning of a connection, to the end of the next head. So
    /// it is how long a connection may be idle, too: hyper has one clock for both. Pools of clients
    /// keep theirs for up to a minute, and a request on one that was just closed would fail; for that
    /// a head that comes slowly may hold a place as long.
    pub head: Duration,
    /// From the end of a head to the end of its body.
    pub body: Duration,
    /// How long a client may let an answer wait that it does not read.
    pub write: Duration,
    /// From the word to stop to the last answer.
    pub stop: Duration,
    /// Connections at once. Others wait to be accepted.
    pub connections: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            head: Duration::from_mins(1),
            body: Duration::from_secs(30),
            write: Duration::from_secs(30),
            stop: Duration::from_secs(10),
            connections: 512,
        }
    }
}

impl Server {
    /// Begins to listen. Connections wait until [`Server::run`].
    ///
    /// It needs a tokio runtime with I/O enabled.
    ///
    /// # Errors
    /// See [`ServeError`]; its sentence names the address and the way out.
    pub async fn bind(options: ServerOptions) -> Result<Self, ServeError> {
        let ServerOptions { listen, host_names } = options;
        let host_names = host_names.iter().map(|name| host_name(name)).collect::<Result<Vec<_>, _>>()?;
        if host_names.is_empty() && !listen.ip().to_canonical().is_loopback() {
            return Err(ServeError::NotLoopback { listen });
        }
        let refused = |source: io::Error| match source.kind() {
            io::ErrorKind::AddrInUse => ServeError::InUse { listen },
            _ => ServeError::Listen { listen, source },
        };
        let listener = TcpListener::bind(listen).await.map_err(refused)?;
        let address = listener.local_addr().map_err(refused)?;
        Ok(Self { listener, address, host_names, limits: Limits::default() })
    }

    /// The address with the port that it got.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client's `AWS_ENDPOINT_URL_KMS` has to be. Where it listens on every address of the
    /// machine, the first of the host names stands there.
    #[must_use]
    pub fn url(&self) -> String {
        let host = match self.host_names.first() {
            Some(name) if self.address.ip().is_unspecified() => name.clone(),
            _ => literal(self.address.ip()),
        };
        format!("http://{host}:{}", self.address.port())
    }

    /// Answers requests until `stop` is done. Then nothing is accepted any more, idle connections are
    /// closed, and requests that have begun are answered, within ten seconds. The number of
    /// connections that were cut off after those.
    ///
    /// It needs a tokio runtime with I/O and time enabled. Dropped, it cuts off everything.
    pub async fn run(self, kms: &LocalKms, stop: impl Future<Output = ()>) -> usize {
        let Self { listener, address, host_names, limits } = self;
        let hosts: Arc<[String]> = own_hosts(address, &host_names).into();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(limits.head).max_buf_size(BUFFER);
        let (running, stopping) = watch::channel(());
        let mut connections = JoinSet::new();
        let mut stop = pin!(stop);
        loop {
            tokio::select! {
                biased;
                () = &mut stop => break,
                Some(_) = connections.join_next() => {}
                accepted = listener.accept(), if connections.len() < limits.connections => match accepted {
                    Ok((stream, _)) => {
                        let peer = Peer {
                            front: Arc::clone(&kms.front),
                            hosts: Arc::clone(&hosts),
                            body: limits.body,
                            has_leftovers: AtomicBool::new(false),
                        };
                        let stream = with_patience(stream, limits.write);
                        connections.spawn(serve(http.clone(), stream, Arc::new(peer), stopping.clone()));
                    }
                    Err(error) if is_of_the_client(&error) => {}
                    Err(_) => sleep(BREATHER).await,
                },
            }
        }
        drop((listener, running));
        // What comes too late is counted below.
        let _ = timeout(limits.stop, async { while connections.join_next().await.is_some() {} }).await;
        connections.len()
    }
}

/// Whether a connection that could not be accepted is the reason, and the next one may do.
fn is_of_the_client(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionRefused, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionRefused | ConnectionReset | Interrupted)
}

/// A name as it stands in a URL.
fn host_name(name: &str) -> Result<String, ServeError> {
    let bare = name.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')).unwrap_or(name);
    if let Ok(address) = bare.parse::<Ipv6Addr>() {
        return Ok(literal(address.into()));
    }
    let is_of_a_name =
        |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-' | '_');
    if name.is_empty() || !name.chars().all(is_of_a_name) {
        return Err(ServeError::HostName { name: name.to_owned() });
    }
    Ok(name.to_owned())
}

/// An address as it stands in a URL.
fn literal(address: IpAddr) -> String {
    match address {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => format!("[{address}]"),
    }
}

/// The hosts that are ours; first where it listens.
fn own_hosts(address: SocketAddr, names: &[String]) -> Vec<String> {
    let fixed = ["127.0.0.1", "localhost", "[::1]"].map(str::to_owned);
    std::iter::once(literal(address.ip())).chain(fixed).chain(names.iter().cloned()).collect()
}

/// The host that a `Host` header names, without the port, which may be empty (RFC 3986, 3.2.3). Another
/// port than ours is no other server: a tunnel (`ssh -L`) or a container may lead from it to here.
fn without_port(host: &[u8]) -> &[u8] {
    let colon = host.iter().rposition(|byte| *byte == b':');
    match colon.map(|colon| host.split_at(colon)) {
        Some((name, [b':', port @ ..])) if port.iter().all(u8::is_ascii_digit) => name,
        _ => host,
    }
}

/// One client, as long as its connection lasts.
struct Peer {
    front: Arc<Front>,
    /// See [`own_hosts`].
    hosts: Arc<[String]>,
    /// How long a body may take.
    body: Duration,
    /// A request was refused before its body was read.
    has_leftovers: AtomicBool,
}

type Answer = hyper::Response<AnswerBody>;

type AnswerBody = Either<Full<Bytes>, Half>;

fn whole(body: Bytes) -> AnswerBody {
    Either::Left(Full::new(body))
}

fn half(mut body: Bytes) -> AnswerBody {
    let announced = body.len() as u64;
    body.truncate(body.len() / 2);
    Either::Right(Half { announced, unsent: Some(body), written: false })
}

/// A body that breaks off half way, although all of it is announced.
struct Half {
    announced: u64,
    unsent: Option<Bytes>,
    /// hyper has been given the time to write the half: an error at once would throw it away.
    written: bool,
}

impl Body for Half {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        if let Some(half) = self.unsent.take() {
            return Poll::Ready(Some(Ok(Frame::data(half))));
        }
        if !self.written {
            self.written = true;
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        Poll::Ready(Some(Err(Cut)))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.announced)
    }
}

/// The connection is to end within an answer.
#[derive(Debug)]
struct Cut;

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("cut off on purpose")
    }
}

impl Error for Cut {}

/// The connection is to break without an answer.
#[derive(Debug)]
struct Break;

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broken off on purpose")
    }
}

impl Error for Break {}

/// A connection that breaks where its client does not read.
type Connection = Pin<Box<TimeoutStream<TcpStream>>>;

fn with_patience(stream: TcpStream, write: Duration) -> Connection {
    // An answer goes out at once. Where that cannot be had, it goes out.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(write));
    Box::pin(stream)
}

/// Answers what comes over a connection, until either side closes it or the server stops.
async fn serve(http: http1::Builder, stream: Connection, peer: Arc<Peer>, mut stopping: watch::Receiver<()>) {
    let service = {
        let peer = Arc::clone(&peer);
        service_fn(move |request| Arc::clone(&peer).exchange(request))
    };
    let mut connection = http.serve_connection(TokioIo::new(stream), service);
    let ended = tokio::select! {
        // The connection goes first: a request that has arrived is answered.
        biased;
        ended = &mut connection => Some(ended),
        // Nothing is ever sent: the other end is dropped.
        _ = stopping.changed() => None,
    };
    let ended = if let Some(ended) = ended {
        ended
    } else {
        Pin::new(&mut connection).graceful_shutdown();
        (&mut connection).await
    };
    let stream = connection.into_parts().io.into_inner();
    let stream = stream.get_ref();
    match ended {
        Err(error) if error.source().is_some_and(<dyn Error>::is::<Break>) => {
            // The client sees a reset, not an end. Where that cannot be had, it sees an end.
            let _ = stream.set_zero_linger();
        }
        Ok(()) if peer.has_leftovers.load(Ordering::Relaxed) => {
            // A client that sends on after this has had its time.
            let _ = timeout(LEFTOVERS_FOR, throw_away(stream)).await;
        }
        // A client that went away, or took too long.
        _ => {}
    }
}

/// Reads on, after the answer, until the client has seen it and closes, or has sent too much.
async fn throw_away(stream: &TcpStream) {
    let mut buffer = vec![0; BUFFER];
    let mut left = LEFTOVERS;
    while left > 0 && stream.readable().await.is_ok() {
        match stream.try_read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => left = left.saturating_sub(read),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(_) => return,
        }
    }
}

impl Peer {
    async fn exchange(self: Arc<Self>, request: hyper::Request<Incoming>) -> Result<Answer, Break> {
        let (head, body) = request.into_parts();
        let body = match self.refusal(&head, &body) {
            Some(refusal) => Err((refusal, body)),
            None => self.read(body).await,
        };
        let request = match body {
            Ok(body) => wire_request(&head.headers, body),
            Err((refusal, body)) => return self.refuse(&refusal, &body),
        };
        let plan = self.front.plan(&request);
        if self.front.is_immediate(&request, &plan) {
            return http_response(self.front.service.handle(&request), whole);
        }
        match Arc::clone(&self.front).carry_out(request, plan).await {
            Outcome::Answer(response) => http_response(response, whole),
            // Of nothing there is no half to send.
            Outcome::Cut(response) if response.body.is_empty() => Err(Break),
            Outcome::Cut(response) => http_response(response, half),
            Outcome::Break => Err(Break),
        }
    }

    /// What can be refused before the body is read.
    fn refusal(&self, head: &Parts, body: &Incoming) -> Option<KmsError> {
        if let Some(named) = self.foreign_host(head) {
            // Not AccessDeniedException: clients take that for a policy's word on an operation. This
            // is what 421 is for (RFC 9110, 15.5.20).
            let own = self.hosts.join(", ");
            return Some(KmsError::transport(
                421,
                "MisdirectedRequestException",
                format!(
                    "{named} is not a host of this local KMS, which answers to {own}; other names and \
                     addresses are given with `kmx serve --listen-any`."
                ),
            ));
        }
        if head.method != Method::POST || head.uri.path() != "/" {
            return Some(KmsError::transport(
                404,
                "UnknownOperationException",
                "This is a local KMS: it answers to POST / with the header X-Amz-Target.",
            ));
        }
        let announced = body.size_hint().exact().unwrap_or_default();
        (announced > BODY as u64).then(too_large)
    }

    /// What a request names as its host, where that is not ours. A request without a host, or with
    /// two, is for nobody.
    fn foreign_host(&self, head: &Parts) -> Option<String> {
        let is_own = |host: &[u8]| {
            let host = without_port(host);
            self.hosts.iter().any(|own| own.as_bytes().eq_ignore_ascii_case(host))
        };
        let mut values = head.headers.get_all(HOST).iter();
        let (Some(host), None) = (values.next(), values.next()) else {
            return Some("A request without exactly one Host header".to_owned());
        };
        if !is_own(host.as_bytes()) {
            return Some(format!("`{}`", text(host)));
        }
        // The absolute form of a target, as proxies get it: its host counts (RFC 9112, 3.2.2).
        let named = head.uri.authority()?.as_str();
        (!is_own(named.as_bytes())).then(|| format!("`{named}`"))
    }

    /// The whole body. It is wiped in the end; what hyper read it into is not.
    async fn read(&self, body: Incoming) -> Result<Zeroizing<Vec<u8>>, (KmsError, Incoming)> {
        // One that grew would leave copies behind.
        let announced = body.size_hint().exact().and_then(|bytes| usize::try_from(bytes).ok());
        let mut whole = Zeroizing::new(Vec::with_capacity(announced.unwrap_or(BODY)));
        let mut body = body;
        let all = async {
            while let Some(frame) = body.frame().await {
                let malformed = |_| KmsError::silent("SerializationException");
                // Trailers say nothing that anybody asked for.
                let Ok(data) = frame.map_err(malformed)?.into_data() else { continue };
                if whole.len() + data.len() > BODY {
                    return Err(too_large());
                }
                whole.extend_from_slice(&data);
            }
            Ok(())
        };
        match timeout(self.body, all).await {
            Ok(Ok(())) => Ok(whole),
            Ok(Err(refusal)) => Err((refusal, body)),
            Err(_) => Err((
                KmsError::transport(408, "RequestTimeoutException", "The request's body took too long."),
                body,
            )),
        }
    }

    /// An answer that came before all of the request. The connection is of no use after it.
    fn refuse(&self, error: &KmsError, body: &Incoming) -> Result<Answer, Break> {
        let mut answer = http_response(self.front.service.refuse(error), whole)?;
        if !body.is_end_stream() {
            self.has_leftovers.store(true, Ordering::Relaxed);
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        Ok(answer)
    }
}

fn too_large() -> KmsError {
    KmsError::transport(
        413,
        "RequestEntityTooLargeException",
        format!("The request's body has more than {BODY} bytes."),
    )
}

/// A header that is no text is there all the same.
fn text(value: &HeaderValue) -> String {
    String::from_utf8_lossy(value.as_bytes()).into_owned()
}

fn wire_request(headers: &HeaderMap, body: Zeroizing<Vec<u8>>) -> Request {
    Request {
        target: headers.get("x-amz-target").map(text),
        authorization: headers.get(AUTHORIZATION).map(text),
        body,
    }
}

fn http_response(response: Response, body: impl FnOnce(Bytes) -> AnswerBody) -> Result<Answer, Break> {
    let Ok(status) = StatusCode::from_u16(response.status) else {
        return Err(Break);
    };
    let request_id = HeaderValue::try_from(response.request_id.as_str()).map_err(|_| Break)?;
    let mut answer = hyper::Response::new(body(response.into_bytes()));
    *answer.status_mut() = status;
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE_HEADER, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(REQUEST_ID, request_id);
    Ok(answer)
}
