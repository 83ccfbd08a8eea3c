//! Connections: from this machine only, so many at once, and each within bounds of size and time.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use url::form_urlencoded;
use uuid::Uuid;

use super::Server;
use super::answer::{Answer, Ids};
use super::request::{Asked, path};

/// How many connections there are at most.
const MOST_CONNECTIONS: usize = 64;

/// The largest body of a request, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// How long a client may take to send the head of a request, and its body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Answers whoever asks, for ever.
pub(crate) async fn serve(listener: TcpListener, server: Arc<Server>) -> Infallible {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    loop {
        let place = Arc::clone(&places).acquire_owned().await;
        match listener.accept().await {
            Ok((stream, _)) => {
                let server = Arc::clone(&server);
                tokio::spawn(async move {
                    converse(stream, &server).await;
                    drop(place);
                });
            }
            // The one who asked has gone already.
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
            // Out of descriptors, most likely: it passes, and not sooner for being tried all the time.
            Err(_) => pause().await,
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "the server of a practice tenant lives in real time"
)]
async fn pause() {
    tokio::time::sleep(Duration::from_millis(100)).await;
}

/// Answers one connection. One that breaks is its client's affair.
async fn converse(stream: TcpStream, server: &Server) {
    let service = service_fn(|request| respond(request, server));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    let _broken = builder.serve_connection(TokioIo::new(stream), service).await;
}

/// The answer is lost: hyper closes the connection.
#[derive(Debug, thiserror::Error)]
#[error("the answer is lost on purpose")]
struct Lost;

async fn respond(request: Request<Incoming>, server: &Server) -> Result<Response<Full<Bytes>>, Lost> {
    let answer = if is_local(&request) {
        match asked(request).await {
            Ok(asked) => server.answer(&asked),
            Err(status) => Answer::empty(status),
        }
    } else {
        Answer::text(
            421,
            "text/plain",
            "this is a practice tenant, for this machine only\n".to_owned(),
        )
    };
    if answer.lost {
        return Err(Lost);
    }
    let mut response = Response::builder()
        .status(answer.status)
        .header("cache-control", "no-store");
    for (name, value) in &answer.headers {
        response = response.header(*name, value);
    }
    response
        .body(Full::new(Bytes::from(answer.body)))
        .map_err(|_| Lost)
}

/// Whether a request is meant for this machine: a web page from elsewhere may have led a browser here by a name of its
/// own.
fn is_local(request: &Request<Incoming>) -> bool {
    let host = request.headers().get("host").and_then(|host| host.to_str().ok());
    host.is_some_and(|host| {
        let name = host.rsplit_once(':').map_or(host, |(name, _)| name);
        matches!(name, "127.0.0.1" | "localhost")
    })
}

/// A request that was read whole, or the status that says why it was not.
async fn asked(request: Request<Incoming>) -> Result<Asked, u16> {
    let (head, body) = request.into_parts();
    let body = Limited::new(body, LARGEST_BODY).collect();
    let body = tokio::time::timeout(PATIENCE, body).await.map_err(|_| 408_u16)?;
    let body = body.map_err(|error| {
        if error.is::<LengthLimitError>() {
            413_u16
        } else {
            400
        }
    })?;
    let header = |name: &str| Some(head.headers.get(name)?.to_str().ok()?.to_owned());
    let query = head.uri.query().unwrap_or_default();
    let id = || Uuid::new_v4().to_string();
    Ok(Asked {
        method: head.method.as_str().to_owned(),
        path: path(head.uri.path()),
        query: form_urlencoded::parse(query.as_bytes()).into_owned().collect(),
        authorization: header("authorization"),
        body: body.to_bytes().to_vec(),
        ids: Ids {
            request: id(),
            client: header("client-request-id").unwrap_or_else(id),
        },
    })
}
