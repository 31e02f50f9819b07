//! Errors: each with its status, as problem details (RFC 9457).

use reqwest::Method;
use serde_json::json;

use crate::caller::{Reply, Service};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    what_is_not_there_is_not_found,
    a_wrong_method_is_told_the_right_ones,
    options_are_told_whatever_the_precondition,
    bodies_are_json_of_bounded_size,
    senseless_placements_are_invalid,
    an_illegal_transition_tells_where_the_order_stands,
    titles_are_stable_for_a_type,
    a_malformed_actor_is_refused_everywhere,
);

fn assert_is_problem(reply: &Reply, status: u16) {
    assert_eq!(reply.status, status, "{reply:?}");
    assert_eq!(reply.header("content-type"), Some("application/problem+json"));
    assert_eq!(reply.body["status"], status);
    for member in ["type", "title", "detail"] {
        assert!(reply.body[member].is_string(), "{member} of {reply:?}");
    }
}

async fn what_is_not_there_is_not_found(venue: Venue) {
    let service = Service::sound(venue).await;
    let unknown = "/api/v2/orders/3fa85f64-5717-4562-b3fc-2c963f66afa6";
    for path in [
        "/",
        "/nothing",
        "/api/v2/nothing",
        "/api/v1/nothing",
        "/api/v2/orders/7",
        unknown,
        &format!("{unknown}/events"),
        &format!("{unknown}/payments"),
        "/api/v1/orders/7",
        "/api/v2/restaurants/%00",
        "/api/v2/riders/%00",
    ] {
        assert_is_problem(&service.get(path).send().await, 404);
    }
    // Neither the precondition nor the body is judged on what does not exist.
    let acted = service.post(&format!("{unknown}/payment")).send().await;
    assert_is_problem(&acted, 404);
}

/// Vectors 20, 48.
async fn a_wrong_method_is_told_the_right_ones(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let one = format!("/api/v2/orders/{}", order.id);
    for (method, path, allowed) in [
        (Method::DELETE, one.clone(), "GET,HEAD"),
        (Method::GET, format!("{one}/payment/"), "POST"),
        (Method::PATCH, "/api/v2/orders".to_owned(), "GET,HEAD,POST"),
        (Method::POST, format!("{one}/payments"), "GET,HEAD"),
        (Method::GET, format!("/api/v1/orders/{}/pay", order.id), "POST"),
    ] {
        let request = service.request(method.clone(), &path).if_match("\"stale\"");
        let reply = request.send().await;
        assert_is_problem(&reply, 405);
        assert_eq!(reply.header("allow"), Some(allowed), "{method} {path}");
    }
}

/// Vector 37.
async fn options_are_told_whatever_the_precondition(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let one = format!("/api/v2/orders/{}", order.id);
    for (path, allowed) in [
        (one.clone(), "GET,HEAD"),
        (format!("{one}/cancellation"), "POST"),
        ("/api/v2/orders/".to_owned(), "GET,HEAD,POST"),
        (format!("/api/v1/orders/{}", order.id), "GET,HEAD,PUT"),
    ] {
        let reply = service.request(Method::OPTIONS, &path).if_match("\"stale\"").send().await;
        assert_eq!((reply.status, reply.header("allow")), (204, Some(allowed)), "{path}");
        assert!(reply.bytes.is_empty());
    }
    assert_eq!(service.now(&order).await.tag(), order.tag);
}

/// Vector 43.
async fn bodies_are_json_of_bounded_size(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let path = format!("/api/v2/orders/{}/cancellation", order.id);
    let large = json!({"reason": "x".repeat(64 * 1024)}).to_string();
    for (content_type, body, status) in [
        ("application/json", "{", 400),
        ("application/json", "[]", 400),
        ("application/json", "{}", 400),
        ("application/json", r#"{"reason":7}"#, 400),
        ("application/json", r#"{"reason":"a\u0000b"}"#, 422),
        ("text/plain", r#"{"reason":"x"}"#, 415),
        ("application/json", &large, 413),
    ] {
        let request = service.post(&path).if_match(&order.tag);
        let reply = request.text(content_type, body).send().await;
        assert_is_problem(&reply, status);
    }
    assert_eq!(service.now(&order).await.tag(), order.tag);
}

async fn senseless_placements_are_invalid(venue: Venue) {
    let service = Service::sound(venue).await;
    for body in [json!({"amount": 0}), json!({"amount": -5}), json!({"restaurant": "nowhere"})] {
        for path in ["/api/v2/orders", "/api/v1/orders"] {
            assert_is_problem(&service.post(path).json(&body).send().await, 422);
        }
    }
}

/// Vectors 46, 47.
async fn an_illegal_transition_tells_where_the_order_stands(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("delivered").await;
    let reply = service.act(&order, "cancellation").send().await;
    assert_is_problem(&reply, 409);
    assert_eq!(reply.body["error"], "illegal_transition");
    assert_eq!(reply.body["current_status"], "delivered");
    assert_eq!(reply.body["current_version"], 6);
    assert_eq!(service.now(&order).await.tag(), order.tag);
}

/// Vector 44.
async fn titles_are_stable_for_a_type(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order_in("delivered").await;
    let first = service.act(&order, "pickup").send().await;
    for action in ["payment", "acceptance", "cancellation"] {
        let reply = service.act(&order, action).send().await;
        assert_eq!(reply.body["type"], first.body["type"]);
        assert_eq!(reply.body["title"], first.body["title"]);
    }
}

async fn a_malformed_actor_is_refused_everywhere(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let one = format!("/api/v2/orders/{}", order.id);
    for actor in ["", "ann", "admin:ann", "rider:", "rider:a b"] {
        assert_is_problem(&service.get(&one).actor(actor).send().await, 400);
        let act = service.act(&order, "cancellation").actor(actor);
        assert_is_problem(&act.send().await, 400);
    }
    let two_lines = service.get(&one).actor("rider:a").actor("rider:b");
    assert_is_problem(&two_lines.send().await, 400);
}
