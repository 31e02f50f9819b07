//! Connections: what a socket sees.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use quickeats_bench::service::{Defect, LogLine, RequestLog, ServiceConfig};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use crate::caller::Service;
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    idle_connections_do_not_hold_a_shutdown_up,
    a_head_that_does_not_come_ends_the_connection,
    a_head_that_is_too_large_is_refused,
);

on_venues!(one process:
    every_request_is_logged_with_its_trace_and_nothing_private,
    metrics_count_answers_by_route_and_not_by_what_callers_make_up,
    beyond_the_limit_a_connection_waits_until_another_ends,
    a_request_in_flight_is_answered_before_the_service_stops,
    a_request_that_takes_too_long_is_given_up_with_nothing_applied,
);

async fn idle_connections_do_not_hold_a_shutdown_up(venue: Venue) {
    let service = Service::sound(venue).await;
    let _kept_alive = service.order().await;
    let silent = TcpStream::connect(service.base().trim_start_matches("http://")).await.unwrap();
    let started = Instant::now();
    service.stop().await.unwrap();
    assert!(started.elapsed() < Duration::from_secs(3));
    drop(silent);
}

async fn a_request_in_flight_is_answered_before_the_service_stops(venue: Venue) {
    let service = Service::with_wide_defect(venue, Defect::CheckThenSave).await;
    let order = service.order().await;
    // Of two with one key, the first answer is the refusal: the sign that the other one is inside.
    let mut both = JoinSet::new();
    both.spawn(service.payment(&order).key("k").send());
    both.spawn(service.payment(&order).key("k").send());
    assert_eq!(both.join_next().await.unwrap().unwrap().status, 409);
    service.stop().await.unwrap();
    assert_eq!(both.join_next().await.unwrap().unwrap().status, 200);
}

async fn a_head_that_does_not_come_ends_the_connection(venue: Venue) {
    let service =
        Service::with(venue, ServiceConfig { head_timeout: Duration::from_millis(50), ..ServiceConfig::default() })
            .await;
    let mut slow = TcpStream::connect(service.base().trim_start_matches("http://")).await.unwrap();
    slow.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n").await.unwrap();
    let mut rest = Vec::new();
    slow.read_to_end(&mut rest).await.unwrap();
    assert!(!String::from_utf8_lossy(&rest).contains("200 OK"));
}

async fn a_request_that_takes_too_long_is_given_up_with_nothing_applied(venue: Venue) {
    let service = Service::with(
        venue,
        ServiceConfig {
            defect: Some(Defect::CheckThenSave),
            defect_window: Duration::from_mins(1),
            request_timeout: Duration::from_millis(50),
            ..ServiceConfig::default()
        },
    )
    .await;
    let order = service.order().await;
    let reply = service.payment(&order).key("k").send().await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(service.now(&order).await.tag(), order.tag);
}

async fn a_head_that_is_too_large_is_refused(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let path = format!("/api/v2/orders/{}", order.id);
    let large = service.get(&path).header("x-large", &"x".repeat(20_000)).send().await;
    assert_eq!(large.status, 431);
    assert_eq!(service.get(&path).header("x-large", &"x".repeat(4_000)).send().await.status, 200);
}

async fn beyond_the_limit_a_connection_waits_until_another_ends(venue: Venue) {
    let service = Service::with(venue, ServiceConfig { connection_limit: 1, ..ServiceConfig::default() }).await;
    let address = service.base().trim_start_matches("http://").to_owned();
    let mut first = TcpStream::connect(&address).await.unwrap();
    first.write_all(b"GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut begin = [0; 12];
    first.read_exact(&mut begin).await.unwrap();
    assert_eq!(&begin, b"HTTP/1.1 200");
    let waiting = service.get("/healthz");
    let mut waiting = tokio::spawn(waiting.send());
    assert!(tokio::time::timeout(Duration::from_millis(200), &mut waiting).await.is_err());
    drop(first);
    assert_eq!(waiting.await.unwrap().status, 200);
}

async fn metrics_count_answers_by_route_and_not_by_what_callers_make_up(venue: Venue) {
    let service = Service::sound(venue).await;
    for _ in 0..3 {
        let order = service.order().await;
        assert_eq!(service.act(&order, "payment").send().await.status, 200);
        assert_eq!(service.act(&order, "payment").send().await.status, 412);
        let slash = service.get(&format!("/api/v1/orders/{}/", order.id)).send().await;
        assert_eq!(slash.status, 200);
        assert_eq!(service.get(&format!("/{}", order.id)).send().await.status, 404);
    }
    let page = service.get("/metrics").send().await;
    assert_eq!(page.status, 200);
    assert!(page.header("content-type").unwrap().starts_with("application/openmetrics-text"));
    let text = String::from_utf8(page.bytes).unwrap();
    let payment = "route=\"/api/v2/orders/{id}/payment\"";
    for line in [
        format!("quickeats_http_requests_total{{method=\"POST\",{payment},status=\"200\"}} 3"),
        format!("quickeats_http_requests_total{{method=\"POST\",{payment},status=\"412\"}} 3"),
        "quickeats_http_requests_total{method=\"GET\",route=\"/api/v1/orders/{id}\",status=\"200\"} 3".to_owned(),
        "quickeats_http_requests_total{method=\"GET\",route=\"none\",status=\"404\"} 3".to_owned(),
        format!("quickeats_http_request_seconds_count{{{payment}}} 6"),
        format!("quickeats_http_request_seconds_bucket{{le=\"30.0\",{payment}}} 6"),
        "# EOF".to_owned(),
    ] {
        assert!(text.lines().any(|known| known == line), "{line} is missing in\n{text}");
    }
}

async fn every_request_is_logged_with_its_trace_and_nothing_private(venue: Venue) {
    let lines: Arc<Mutex<Vec<LogLine>>> = Arc::default();
    let kept = Arc::clone(&lines);
    let log = RequestLog::new(move |line| kept.lock().unwrap().push(line.clone()));
    let service = Service::with(venue, ServiceConfig { log: Some(log), ..ServiceConfig::default() }).await;
    let order = service.order().await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let path = format!("/api/v2/orders/{}", order.id);
    let request = service.get(&format!("{path}?secret=hunter2")).header("authorization", "Bearer hunter2");
    let traced = request.header("traceparent", &format!("00-{trace}-00f067aa0ba902b7-01"));
    assert_eq!(traced.send().await.status, 200);
    let lines = lines.lock().unwrap();
    // The first is the caller's own question after the description.
    let [_, placed, read] = &lines[..] else { panic!("{lines:?}") };
    assert_eq!((placed.method.as_str(), placed.path.as_str(), placed.status), ("POST", "/api/v2/orders", 201));
    assert_eq!(placed.trace_id.len(), 32);
    assert_eq!((read.trace_id.as_str(), read.path.as_str(), read.status), (trace, path.as_str(), 200));
    assert!(read.duration_ms > 0.0);
    assert_eq!(read.statements, u32::from(!matches!(venue, Venue::Memory | Venue::Http2)));
    assert!(!format!("{lines:?}").contains("hunter2"));
}
