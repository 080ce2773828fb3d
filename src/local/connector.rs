//! The local KMS as the SDK's HTTP client: requests are answered in this process, with no socket and
//! no TLS. Here faults happen and time passes.
//!
//! It must not read or answer a request itself: the service does, and the same service can stand
//! behind a socket.

use std::future::pending;
use std::io;
use std::sync::Arc;

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;

use super::Inner;
use super::behaviour::{Fault, Plan};
use super::error::KmsError;
use super::service::Service;
use super::wire::{CONTENT_TYPE, Request, Response};

/// The transport. Clones and connectors share one store.
#[derive(Clone, Debug)]
struct InProcess(Arc<Inner>);

/// An SDK client with this transport talks to `inner`.
pub(super) fn http_client(inner: Arc<Inner>) -> SharedHttpClient {
    SharedHttpClient::new(InProcess(inner))
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
        let inner = Arc::clone(&self.0);
        let plan = inner.plan(&request);
        let undisturbed = plan.delay.is_zero() && plan.fault.is_none();
        if undisturbed && !Service::may_write(&request) {
            return HttpConnectorFuture::ready(http_response(&inner.service.handle(&request)));
        }
        HttpConnectorFuture::new(disturbed(inner, request, plan))
    }
}

/// Answers a request that has to wait for something: a delay, a fault, the disk.
async fn disturbed(inner: Arc<Inner>, request: Request, plan: Plan) -> Result<HttpResponse, ConnectorError> {
    if !plan.delay.is_zero() {
        tokio::time::sleep(plan.delay).await;
    }
    let service = &inner.service;
    let response = match plan.fault {
        None | Some(Fault::Latency(_)) => return serve(inner, request).await,
        Some(Fault::Deny) => service.refuse(&service.denial(&request)),
        Some(Fault::Throttle) => service.refuse(&KmsError::throttled()),
        Some(Fault::Internal) => service.refuse(&KmsError::internal()),
        Some(Fault::Reset) => return Err(reset()),
        Some(Fault::Hang) => pending().await,
        Some(Fault::Body { status, body }) => {
            let mut response = service.refuse(&KmsError::internal());
            response.status = status;
            response.body = body.into_bytes();
            response
        }
    };
    http_response(&response)
}

/// The service's own answer; on a thread that may block where it may wait for the disk.
async fn serve(inner: Arc<Inner>, request: Request) -> Result<HttpResponse, ConnectorError> {
    if !Service::may_write(&request) {
        return http_response(&inner.service.handle(&request));
    }
    let answered = tokio::task::spawn_blocking(move || inner.service.handle(&request)).await;
    match answered {
        Ok(response) => http_response(&response),
        Err(error) => Err(ConnectorError::other(error.into(), None)),
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
        body: request.body().bytes()?.to_vec(),
    })
}

fn http_response(response: &Response) -> Result<HttpResponse, ConnectorError> {
    let Ok(status) = StatusCode::try_from(response.status) else {
        return Err(reset());
    };
    let mut answer = HttpResponse::new(status, SdkBody::from(response.body.as_slice()));
    let headers = answer.headers_mut();
    headers.insert("content-type", CONTENT_TYPE);
    headers.insert("x-amzn-requestid", response.request_id.clone());
    Ok(answer)
}
