//! The local KMS as the SDK's HTTP client: requests are answered in this process, with no socket and
//! no TLS.
//!
//! It must not read or answer a request itself: it carries them to the service and back.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;
use http_body::{Body, Frame};
use zeroize::Zeroizing;

use super::front::{Front, Outcome};
use super::wire::{CONTENT_TYPE, Request, Response};

/// The transport. Clones and connectors share one store.
#[derive(Clone)]
struct InProcess(Arc<Front>);

/// An SDK client with this transport talks to the service behind `front`.
pub(super) fn http_client(front: Arc<Front>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(front))
}

impl fmt::Debug for InProcess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("InProcess")
    }
}

impl HttpClient for InProcess {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for InProcess {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let Some(request) = wire_request(&request) else {
            let source = "the local KMS takes bodies that are in memory";
            return HttpConnectorFuture::ready(Err(ConnectorError::user(source.into())));
        };
        let front = Arc::clone(&self.0);
        let plan = front.plan(&request);
        if front.is_immediate(&request, &plan) {
            return HttpConnectorFuture::ready(http_response(front.service.handle(&request)));
        }
        HttpConnectorFuture::new(async move {
            match front.carry_out(request, plan).await {
                Outcome::Answer(response) => http_response(response),
                Outcome::Cut(response) => cut_response(response),
                Outcome::Break => Err(reset()),
            }
        })
    }
}

fn reset() -> ConnectorError {
    ConnectorError::io(io::Error::from(io::ErrorKind::ConnectionReset).into())
}

fn wire_request(request: &HttpRequest) -> Option<Request> {
    let header = |name: &str| request.headers().get(name).map(str::to_owned);
    Some(Request {
        target: header("x-amz-target"),
        authorization: header("authorization"),
        body: Zeroizing::new(request.body().bytes()?.to_vec()),
    })
}

fn http_response(response: Response) -> Result<HttpResponse, ConnectorError> {
    with_body(response, SdkBody::from)
}

/// The answer with a body that ends in an error half way.
fn cut_response(response: Response) -> Result<HttpResponse, ConnectorError> {
    with_body(response, |body| {
        let half = body.slice(..body.len() / 2);
        SdkBody::from_body_1_x(Half(Some(half)))
    })
}

fn with_body(
    response: Response,
    body: impl FnOnce(Bytes) -> SdkBody,
) -> Result<HttpResponse, ConnectorError> {
    let Ok(status) = StatusCode::try_from(response.status) else {
        return Err(reset());
    };
    let request_id = response.request_id.clone();
    let mut answer = HttpResponse::new(status, body(response.into_bytes()));
    let headers = answer.headers_mut();
    headers.insert("content-type", CONTENT_TYPE);
    headers.insert("x-amzn-requestid", request_id);
    Ok(answer)
}

/// A body that brings these bytes, and then the news that its connection is broken.
struct Half(Option<Bytes>);

impl Body for Half {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, io::Error>>> {
        Poll::Ready(Some(match self.0.take() {
            Some(bytes) => Ok(Frame::data(bytes)),
            None => Err(io::ErrorKind::ConnectionReset.into()),
        }))
    }
}
