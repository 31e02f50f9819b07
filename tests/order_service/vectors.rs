//! The conformance vectors: what RFC 9110, 6585, 9457 and the Idempotency-Key draft ask, by number, and where each is
//! tested. Those that are in no other file's way are here.
//!
//! | vectors | where |
//! |---|---|
//! | 1, 14–15, 19, 21, 29–33, 39, 44–45, 48, 60, 62 | here |
//! | 2–6, 8–13, 16–18, 22–27, 35, 38, 41–42 | `preconditions` |
//! | 20, 37, 43, 46–47 | `problems` |
//! | 51–59, 61, 63–65 | `idempotency`; of 65, the caller who is gone in `hang_ups`, the killed process in `tests/crash` |
//! | 50 | wherever there is a race: its answers are counted, and none is a 5xx |
//!
//! What does not apply, and why:
//!
//! - 7: a server's own weak tag. This one makes strong tags alone; the comparison is a unit test of `service::etag`.
//! - 28, 34, 40 and `PUT` in 14: V2 has no `PUT`. What creates is `POST /orders`, whose id is the server's to choose, so that
//!   no precondition can be about it. V1's `PUT` is unsafe by design and has no tags.
//! - 21 as written: nothing is deleted; `DELETE` is 405 whatever the precondition.
//! - 31–33: there is no `Last-Modified`, so the date fields have nothing to be compared with and are ignored (RFC 9110
//!   §13.1.4: a resource without a modification date). 32 asks for 412 of a resource that has one.
//! - 36: no content coding is offered, so there are no variants.
//! - 49: there is no limit of requests, so no 429.
//! - 53 in its strict reading: a bare key is accepted, as the contract says; two lines are refused.
//! - 64 is a report, not a rule: a corrected payload is accepted after a 400, and refused (422) after a stored 422.

use reqwest::Method;
use serde_json::json;

use crate::caller::{Order, Reply, Service, count, race, statuses};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    tags_are_strong_and_spelt_as_the_grammar_has_it_1,
    a_precondition_on_what_is_not_there_is_not_judged_14_15,
    whoever_is_not_known_hears_that_before_the_precondition_19,
    a_method_that_is_not_there_is_refused_whatever_the_precondition_20_21_48,
    if_none_match_on_a_write_refuses_what_it_names_29_30,
    dates_are_ignored_31_32_33,
    every_reading_under_race_is_a_real_version_39,
    one_kind_of_problem_has_one_title_ten_times_44,
    problems_come_as_what_is_accepted_and_head_without_a_body_45,
    a_key_on_another_endpoint_is_never_answered_with_the_first_ones_answer_60,
    the_same_payload_spelt_otherwise_is_the_same_payload_ten_times_62,
);

fn one(order: &Order) -> String {
    format!("/api/v2/orders/{}", order.id)
}

/// After whatever was not 2xx: state and tag as before (`+U` in the list).
async fn assert_unchanged(service: &Service, order: &Order) {
    let now = service.now(order).await;
    assert_eq!(now.tag(), order.tag);
    assert!(service.ledger(order).await.is_empty() && service.events(order).await.is_empty());
}

async fn tags_are_strong_and_spelt_as_the_grammar_has_it_1(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let tag = service.now(&order).await.tag();
    let opaque = tag.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap();
    assert!(!opaque.is_empty() && opaque.bytes().all(|byte| matches!(byte, 0x21 | 0x23..=0x7e)), "{tag}");
}

async fn a_precondition_on_what_is_not_there_is_not_judged_14_15(venue: Venue) {
    let service = Service::sound(venue).await;
    let absent = Order { id: "3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned(), tag: "*".to_owned() };
    for action in ["payment", "cancellation", "acceptance", "pickup"] {
        for tag in ["*", "\"stale\""] {
            assert_eq!(service.act(&absent.tagged(tag), action).send().await.status, 404, "{action} {tag}");
        }
    }
    assert_eq!(service.get(&one(&absent)).if_match("*").send().await.status, 404);
    assert_eq!(service.request(Method::PUT, &one(&absent)).if_match("*").send().await.status, 405);
    assert_eq!(service.get(&one(&absent)).send().await.status, 404);
}

async fn whoever_is_not_known_hears_that_before_the_precondition_19(venue: Venue) {
    use quickeats_bench::jwt::Secret;
    use quickeats_bench::service::{Auth, ServiceConfig};
    let config = ServiceConfig { auth: Auth::Jwt(Secret::random()), ..ServiceConfig::default() };
    let service = Service::with(venue, config).await;
    let order = Order { id: "3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned(), tag: "\"stale\"".to_owned() };
    assert_eq!(service.act(&order, "cancellation").send().await.status, 401);
    assert_eq!(service.get(&one(&order)).if_match("\"stale\"").send().await.status, 401);
}

async fn a_method_that_is_not_there_is_refused_whatever_the_precondition_20_21_48(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    for method in [Method::DELETE, Method::PUT, Method::PATCH, Method::POST] {
        for tag in ["\"stale\"", &order.tag, "*"] {
            let reply = service.request(method.clone(), &one(&order)).if_match(tag).send().await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("GET,HEAD")), "{method} {tag}");
        }
    }
    assert_unchanged(&service, &order).await;
}

async fn if_none_match_on_a_write_refuses_what_it_names_29_30(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let weak = format!("W/{}", order.tag);
    for named in [order.tag.as_str(), &weak, "*", &format!("\"x\", {}", order.tag)] {
        // 30: If-Match holds, and then If-None-Match does not.
        let both = service.act(&order, "cancellation").header("if-none-match", named);
        assert_eq!(both.send().await.status, 412, "{named}");
        // 29: alone it is no If-Match, which the contract requires first: 428 and not 412.
        let alone = service.bare_act(&order, "cancellation").header("if-none-match", named);
        assert_eq!(alone.send().await.status, 428, "{named}");
    }
    let unquoted = service.act(&order, "cancellation").header("if-none-match", "x");
    assert_eq!(unquoted.send().await.status, 400);
    assert_unchanged(&service, &order).await;
    let other = service.act(&order, "cancellation").header("if-none-match", "\"x\"");
    assert_eq!(other.send().await.status, 200);
}

async fn dates_are_ignored_31_32_33(venue: Venue) {
    let service = Service::sound(venue).await;
    let (past, future) = ("Sat, 01 Jan 2000 00:00:00 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
    for date in [past, future, "yesterday"] {
        let order = service.order().await;
        // 32: without If-Match, 428 comes first whatever the date.
        let alone = service.bare_act(&order, "cancellation").header("if-unmodified-since", date);
        assert_eq!(alone.send().await.status, 428, "{date}");
        assert_unchanged(&service, &order).await;
        // 33: If-Modified-Since says nothing beside If-None-Match, and nothing alone.
        for none_match in [Some("\"x\""), None] {
            let read = service.get(&one(&order)).header("if-modified-since", date);
            let read = none_match.into_iter().fold(read, |read, tag| read.header("if-none-match", tag));
            assert_eq!(read.send().await.status, 200, "{date}");
        }
        // 31: If-Unmodified-Since says nothing beside If-Match.
        let both = service.act(&order, "cancellation").header("if-unmodified-since", date);
        assert_eq!(both.send().await.status, 200, "{date}");
    }
}

async fn every_reading_under_race_is_a_real_version_39(venue: Venue) {
    let service = Service::sound(venue).await;
    for _ in 0..5 {
        let order = service.order().await;
        let before = service.now(&order).await;
        let contenders = (0..20).map(|i| match i % 4 {
            0 => service.act(&order, "cancellation"),
            _ => service.get(&one(&order)),
        });
        let replies = race(contenders).await;
        let after = service.now(&order).await;
        let known = [&before, &after].map(|reply| (reply.tag(), reply.bytes.clone()));
        for reply in replies.iter().filter(|reply| reply.status == 200) {
            assert!(known.contains(&(reply.tag(), reply.bytes.clone())), "{reply:?}");
        }
        // 50: nothing but answers that the contract has.
        assert_eq!(count(&replies, 200) + count(&replies, 412), 20, "{:?}", statuses(&replies));
        assert_eq!(count(&replies, 412), 4);
    }
}

async fn one_kind_of_problem_has_one_title_ten_times_44(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let stale = order.tagged("\"stale\"");
    let replies = race((0..10).map(|_| service.act(&stale, "cancellation").header("accept", "application/json"))).await;
    let kind = |reply: &Reply| (reply.status, reply.body["type"].clone(), reply.body["title"].clone());
    assert!(replies.iter().all(|reply| kind(reply) == kind(&replies[0])), "{replies:?}");
    assert_eq!(replies[0].status, 412);
    assert_unchanged(&service, &order).await;
}

async fn problems_come_as_what_is_accepted_and_head_without_a_body_45(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let accepted = "application/problem+json, application/json;q=0.5";
    let refused = service.bare_act(&order, "cancellation").header("accept", accepted).send().await;
    assert_eq!((refused.status, refused.header("content-type")), (428, Some("application/problem+json")));
    let absent = "/api/v2/orders/3fa85f64-5717-4562-b3fc-2c963f66afa6".to_owned();
    for (path, status) in [(one(&order), 200), (absent, 404), ("/api/v2/orders".to_owned(), 200)] {
        let head = service.request(Method::HEAD, &path).send().await;
        assert_eq!((head.status, head.bytes.len()), (status, 0), "{path}");
    }
    let unchanged = service.request(Method::HEAD, &one(&order)).header("if-none-match", &order.tag).send().await;
    assert_eq!((unchanged.status, unchanged.tag()), (304, order.tag.clone()));
    let stale = service.request(Method::HEAD, &one(&order)).if_match("\"stale\"").send().await;
    assert_eq!((stale.status, stale.bytes.len()), (412, 0));
}

async fn a_key_on_another_endpoint_is_never_answered_with_the_first_ones_answer_60(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let cancel = |action: &str| {
        let path = format!("{}/{action}", one(&order));
        service.post(&path).if_match(&order.tag).key("k").json(&json!({"reason": "x"}))
    };
    assert_eq!(cancel("cancellation").send().await.status, 200);
    for action in ["rejection", "acceptance"] {
        let elsewhere = cancel(action).send().await;
        assert_eq!((elsewhere.status, elsewhere.is_replayed()), (422, false), "{action}");
        assert_eq!(elsewhere.body["error"], "idempotency_key_reused");
    }
    assert_eq!(service.events(&order).await.len(), 1);
}

async fn the_same_payload_spelt_otherwise_is_the_same_payload_ten_times_62(venue: Venue) {
    let service = Service::sound(venue).await;
    let order = service.order().await;
    let first = service.payment(&order).key("k").send().await;
    assert_eq!(first.status, 200);
    for spaces in 0..10 {
        let body = format!("{{\"amount\":{}25000, \"payment_method\" : \"card\"}}", " ".repeat(spaces));
        let path = format!("{}/payment", one(&order));
        let request = service.post(&path).if_match(&order.tag).key("k").text("application/json", &body);
        let again = request.send().await;
        assert_eq!((again.is_replayed(), &again.bytes), (true, &first.bytes), "{body}");
    }
}
