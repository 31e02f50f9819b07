//! HTTP/2 by prior knowledge (RFC 9113 §3.3), on the port of HTTP/1.1: a caller who speaks it, and what only a connection of
//! many requests can show. That everything else is as it is over HTTP/1.1, the venue `Http2` shows.

use std::time::Duration;

use bytes::Bytes;
use http::{Request, StatusCode, Version};
use http_body_util::{BodyExt, Full};
use hyper::client::conn::http2::{SendRequest, handshake};
use hyper_util::rt::{TokioExecutor, TokioIo};
use quickeats_bench::service::{Defect, ServiceConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::{JoinHandle, JoinSet};

use crate::caller::Service;
use crate::venue::{Venue, on_venues};

on_venues!(one_connection: Http2 =>
    requests_under_way_are_answered_before_the_connection_ends,
    many_requests_share_a_connection,
    both_protocols_are_spoken_on_one_port,
    whoever_says_nothing_or_only_the_preface_is_let_go,
    whoever_is_there_and_asks_nothing_is_let_go,
    a_request_that_was_given_up_ends_alone,
);

/// What begins a connection of HTTP/2, and an empty frame of settings.
const BEGINNING: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";

type Connection = JoinHandle<hyper::Result<()>>;

fn address(service: &Service) -> String {
    service.base().trim_start_matches("http://").to_owned()
}

async fn connect<B>(address: &str) -> (SendRequest<B>, Connection)
where
    B: hyper::body::Body<Data: Send, Error: Into<Box<dyn std::error::Error + Send + Sync>>> + Send + Unpin + 'static,
{
    let stream = TcpStream::connect(address).await.unwrap();
    let (sender, connection) = handshake(TokioExecutor::new(), TokioIo::new(stream)).await.unwrap();
    (sender, tokio::spawn(connection))
}

/// Asks on a connection of its own. Of one who gives up, the connection goes, too.
pub(crate) async fn ask(request: reqwest::Request) -> reqwest::Response {
    let request: Request<reqwest::Body> = request.try_into().unwrap();
    let (mut sender, _connection) = connect(request.uri().authority().unwrap().as_str()).await;
    let response = sender.send_request(request).await.unwrap();
    let (parts, body) = response.into_parts();
    http::Response::from_parts(parts, body.collect().await.unwrap().to_bytes()).into()
}

fn get(service: &Service, path: &str) -> Request<Full<Bytes>> {
    Request::get(format!("{}{path}", service.base())).body(Full::default()).unwrap()
}

fn pay(service: &Service, id: &str, tag: &str) -> Request<Full<Bytes>> {
    Request::post(format!("{}/api/v2/orders/{id}/payment", service.base()))
        .header("if-match", tag)
        .header("idempotency-key", "k")
        .header("content-type", "application/json")
        .body(Full::from(r#"{"payment_method":"card","amount":25000}"#))
        .unwrap()
}

async fn requests_under_way_are_answered_before_the_connection_ends(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    let (sender, connection) = connect(&address(&service)).await;
    // Of two with one key, the first answer is the refusal: the sign that the other one is inside.
    let mut both = JoinSet::new();
    for _ in 0..2 {
        both.spawn(sender.clone().send_request(pay(&service, &order.id, &order.tag)));
    }
    let refused = both.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(refused.status(), StatusCode::CONFLICT);
    service.stop().await.unwrap();
    let paid = both.join_next().await.unwrap().unwrap().unwrap();
    assert_eq!(paid.status(), StatusCode::OK);
    assert!(!paid.into_body().collect().await.unwrap().to_bytes().is_empty());
    connection.await.unwrap().unwrap();
    assert!(sender.is_closed());
}

/// More than may be under way at once: the others wait.
async fn many_requests_share_a_connection(venue: Venue) {
    let service = Service::sound(venue).await;
    let (sender, _connection) = connect(&address(&service)).await;
    let mut asked = JoinSet::new();
    for _ in 0..600 {
        asked.spawn(sender.clone().send_request(get(&service, "/healthz")));
    }
    while let Some(reply) = asked.join_next().await {
        assert_eq!(reply.unwrap().unwrap().status(), StatusCode::OK);
    }
}

async fn both_protocols_are_spoken_on_one_port(venue: Venue) {
    let service = Service::sound(venue).await;
    let (mut newer, _connection) = connect(&address(&service)).await;
    for _ in 0..2 {
        let reply = newer.send_request(get(&service, "/healthz")).await.unwrap();
        assert_eq!((reply.status(), reply.version()), (StatusCode::OK, Version::HTTP_2));
        let older = reqwest::get(format!("{}/healthz", service.base())).await.unwrap();
        assert_eq!((older.status(), older.version()), (StatusCode::OK, Version::HTTP_11));
    }
}

async fn impatient(venue: Venue) -> Service {
    let config = ServiceConfig { head_timeout: Duration::from_millis(50), ..ServiceConfig::default() };
    Service::with(venue, config).await
}

async fn whoever_says_nothing_or_only_the_preface_is_let_go(venue: Venue) {
    let service = impatient(venue).await;
    for said in [&b""[..], b"P", b"PRI * HTTP/2.0\r\n", &BEGINNING[..24], BEGINNING] {
        let mut silent = TcpStream::connect(address(&service)).await.unwrap();
        silent.write_all(said).await.unwrap();
        let mut rest = Vec::new();
        silent.read_to_end(&mut rest).await.unwrap();
        assert!(!rest.starts_with(b"HTTP/1.1 200"), "{said:?}");
    }
}

/// It answers pings, but a connection that is kept for nothing is one that another cannot have.
async fn whoever_is_there_and_asks_nothing_is_let_go(venue: Venue) {
    let service = impatient(venue).await;
    let (mut sender, connection) = connect(&address(&service)).await;
    assert_eq!(sender.send_request(get(&service, "/healthz")).await.unwrap().status(), StatusCode::OK);
    connection.await.unwrap().unwrap();
    assert!(sender.is_closed());
}

async fn a_request_that_was_given_up_ends_alone(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    let (sender, _connection) = connect(&address(&service)).await;
    let mut both = JoinSet::new();
    for _ in 0..2 {
        both.spawn(sender.clone().send_request(pay(&service, &order.id, &order.tag)));
    }
    assert_eq!(both.join_next().await.unwrap().unwrap().unwrap().status(), StatusCode::CONFLICT);
    drop(both);
    // The other one is reset, and the connection is as good as before.
    let read = sender.clone().send_request(get(&service, &format!("/api/v2/orders/{}", order.id))).await.unwrap();
    assert_eq!(read.status(), StatusCode::OK);
    service.stop().await.unwrap();
}
