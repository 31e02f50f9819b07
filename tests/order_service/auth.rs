//! Who may act: 401, 403 and 404, and that they come before everything else.

use quickeats_bench::jwt::{Claims, Secret};
use quickeats_bench::service::{Auth, Defect, ServiceConfig};
use serde_json::json;

use crate::caller::{Order, Reply, Request, Service};
use crate::venue::{Venue, on_venues};

on_venues!(everywhere:
    without_a_good_token_nobody_is_heard,
    every_action_is_for_its_role,
    somebody_elses_order_is_not_there,
    the_loser_of_a_pickup_hears_of_the_precondition,
    lists_show_what_is_ones_own,
    authorization_comes_before_the_body_and_the_key,
    v1_wants_a_token_and_no_more,
);

const LONG_FROM_NOW: u64 = 4_000_000_000;

/// A service that asks callers who they are.
pub(crate) struct Guarded {
    pub(crate) service: Service,
    secret: Secret,
}

impl Guarded {
    async fn open(venue: Venue) -> Self {
        Self::perhaps_with(venue, None).await
    }

    pub(crate) async fn perhaps_with(venue: Venue, defect: Option<Defect>) -> Self {
        let secret = Secret::random();
        let config = ServiceConfig { auth: Auth::Jwt(secret.clone()), defect, ..ServiceConfig::default() };
        Self { service: Service::with(venue, config).await, secret }
    }

    fn token(&self, who: &str) -> String {
        let (role, sub) = who.split_once(':').unwrap();
        self.secret.mint(&Claims { sub: sub.to_owned(), role: role.to_owned(), exp: LONG_FROM_NOW })
    }

    pub(crate) fn by(&self, who: &str, request: Request) -> Request {
        request.header("authorization", &format!("Bearer {}", self.token(who)))
    }

    async fn get(&self, who: &str, path: &str) -> Reply {
        self.by(who, self.service.get(path)).send().await
    }

    pub(crate) async fn order_of(&self, customer: &str) -> Order {
        let reply = self.by(&format!("customer:{customer}"), self.service.post("/api/v2/orders")).send().await;
        assert_eq!(reply.status, 201, "{reply:?}");
        Order { id: reply.body["id"].as_str().unwrap().to_owned(), tag: reply.tag() }
    }

    pub(crate) async fn act(&self, who: &str, order: &Order, action: &str) -> Reply {
        self.by(who, self.service.act(order, action)).send().await
    }

    /// An order of ann's, brought this far by the right people.
    pub(crate) async fn after(&self, actions: &[&str]) -> Order {
        let mut order = self.order_of("ann").await;
        for action in actions {
            let who = match *action {
                "payment" => "customer:ann",
                "pickup" => "rider:bob",
                _ => "restaurant:trattoria-roma/chef",
            };
            let reply = self.act(who, &order, action).await;
            assert_eq!(reply.status, 200, "{action} {reply:?}");
            order.tag = reply.tag();
        }
        order
    }
}

fn one(order: &Order) -> String {
    format!("/api/v2/orders/{}", order.id)
}

async fn without_a_good_token_nobody_is_heard(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let order = guarded.order_of("ann").await;
    let claims = |role: &str, sub: &str, exp| Claims { sub: sub.to_owned(), role: role.to_owned(), exp };
    let expired = guarded.secret.mint(&claims("customer", "ann", 1_000));
    let forged = Secret::random().mint(&claims("customer", "ann", LONG_FROM_NOW));
    let admin = guarded.secret.mint(&claims("admin", "ann", LONG_FROM_NOW));
    let nameless = guarded.secret.mint(&claims("customer", "", LONG_FROM_NOW));
    let good = guarded.token("customer:ann");
    for header in [
        None,
        Some(String::new()),
        Some("Bearer".to_owned()),
        Some("Bearer x.y.z".to_owned()),
        Some(format!("Basic {good}")),
        Some(format!("Bearer {expired}")),
        Some(format!("Bearer {forged}")),
        Some(format!("Bearer {admin}")),
        Some(format!("Bearer {nameless}")),
    ] {
        for request in [guarded.service.get(&one(&order)), guarded.service.act(&order, "cancellation")] {
            let request = match &header {
                Some(value) => request.header("authorization", value),
                None => request,
            };
            let reply = request.actor("customer:ann").send().await;
            assert_eq!(reply.status, 401, "{header:?}");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer"));
            assert_eq!(reply.header("content-type"), Some("application/problem+json"));
        }
    }
    let lower = guarded.service.get(&one(&order)).header("authorization", &format!("bearer {good}"));
    assert_eq!(lower.send().await.status, 200);
    assert_eq!(guarded.service.get("/healthz").send().await.status, 200);
}

async fn every_action_is_for_its_role(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let everybody = ["customer:ann", "restaurant:trattoria-roma", "rider:bob"];
    for (way, action, right) in [
        (&[][..], "payment", "customer:ann"),
        (&[], "cancellation", "customer:ann"),
        (&["payment"], "acceptance", "restaurant:trattoria-roma"),
        (&["payment"], "rejection", "restaurant:trattoria-roma"),
        (&["payment", "acceptance"], "preparation-complete", "restaurant:trattoria-roma"),
        (&["payment", "acceptance", "preparation-complete"], "pickup", "rider:bob"),
        (&["payment", "acceptance", "preparation-complete", "pickup"], "delivery", "rider:bob"),
    ] {
        let order = guarded.after(way).await;
        for who in everybody.into_iter().filter(|who| *who != right) {
            let refused = guarded.act(who, &order, action).await;
            assert_eq!(refused.status, 403, "{action} by {who}");
            assert_eq!(refused.header("content-type"), Some("application/problem+json"));
        }
        let done = guarded.act(right, &order, action).await;
        assert_eq!(done.status, 200, "{action} by {right}");
        let events = guarded.get(right, &format!("{}/events", one(&order))).await;
        let last = events.body["results"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((&last["action"], &last["actor"]), (&json!(action), &json!(right)));
    }
    for who in ["restaurant:trattoria-roma", "rider:bob"] {
        let placed = guarded.by(who, guarded.service.post("/api/v2/orders")).send().await;
        assert_eq!(placed.status, 403, "{who}");
    }
}

async fn somebody_elses_order_is_not_there(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let order = guarded.after(&["payment", "acceptance", "preparation-complete", "pickup"]).await;
    for other in ["customer:bea", "restaurant:sushi-kaze", "rider:cyd"] {
        for path in ["", "/payments", "/events"] {
            let reply = guarded.get(other, &format!("{}{path}", one(&order))).await;
            assert_eq!(reply.status, 404, "{other} {path}");
        }
    }
    for (other, action) in
        [("customer:bea", "cancellation"), ("restaurant:sushi-kaze", "acceptance"), ("rider:cyd", "delivery")]
    {
        assert_eq!(guarded.act(other, &order, action).await.status, 404, "{other} {action}");
    }
    for own in ["customer:ann", "restaurant:trattoria-roma", "restaurant:trattoria-roma/waiter", "rider:bob"] {
        assert_eq!(guarded.get(own, &one(&order)).await.tag(), order.tag, "{own}");
    }
}

async fn the_loser_of_a_pickup_hears_of_the_precondition(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let order = guarded.after(&["payment", "acceptance", "preparation-complete"]).await;
    assert_eq!(guarded.act("rider:bob", &order, "pickup").await.status, 200);
    assert_eq!(guarded.act("rider:cyd", &order, "pickup").await.status, 412);
}

async fn lists_show_what_is_ones_own(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let of_ann = guarded.after(&["payment", "acceptance", "preparation-complete", "pickup"]).await;
    let of_bea = guarded.order_of("bea").await;
    let elsewhere = guarded.service.post("/api/v2/orders").json(&json!({"restaurant": "sushi-kaze"}));
    let elsewhere = guarded.by("customer:bea", elsewhere).send().await;
    let elsewhere = Order { id: elsewhere.body["id"].as_str().unwrap().to_owned(), tag: elsewhere.tag() };
    for (who, expected) in [
        ("customer:ann", vec![&of_ann]),
        ("customer:bea", vec![&of_bea, &elsewhere]),
        ("customer:cyd", vec![]),
        ("restaurant:trattoria-roma", vec![&of_ann, &of_bea]),
        ("restaurant:sushi-kaze/chef", vec![&elsewhere]),
        ("rider:bob", vec![&of_ann, &of_bea, &elsewhere]),
        ("rider:cyd", vec![&of_bea, &elsewhere]),
    ] {
        let page = guarded.get(who, "/api/v2/orders").await;
        let ids: Vec<_> = page.body["results"].as_array().unwrap().iter().map(|order| order["id"].clone()).collect();
        assert_eq!(ids, expected.iter().map(|order| json!(order.id)).collect::<Vec<_>>(), "{who}");
    }
    let page = guarded.get("customer:bea", "/api/v2/orders?status=pending_payment&limit=1").await;
    assert_eq!(page.body["results"][0]["id"], of_bea.id);
    let next = page.body["next_cursor"].as_str().unwrap();
    let page = guarded.get("customer:bea", &format!("/api/v2/orders?limit=1&cursor={next}")).await;
    assert_eq!(page.body["results"][0]["id"], elsewhere.id);
}

async fn authorization_comes_before_the_body_and_the_key(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let order = guarded.order_of("ann").await;
    let path = format!("{}/payment", one(&order));
    let bad_body = || guarded.service.post(&path).if_match("\"stale\"").text("application/json", "{");
    assert_eq!(bad_body().send().await.status, 401);
    assert_eq!(guarded.by("rider:bob", bad_body()).send().await.status, 403);
    assert_eq!(guarded.by("customer:bea", bad_body()).send().await.status, 404);
    assert_eq!(guarded.by("customer:ann", bad_body()).send().await.status, 400);
    let place = || guarded.service.post("/api/v2/orders").text("application/json", "{");
    assert_eq!(place().send().await.status, 401);
    assert_eq!(guarded.by("rider:bob", place()).send().await.status, 403);
    // An id that is none is looked at only for those who are known.
    assert_eq!(guarded.service.get("/api/v2/orders/7").send().await.status, 401);
    assert_eq!(guarded.get("customer:ann", "/api/v2/orders/7").await.status, 404);

    // Somebody else's answer is not replayed to whom the order is not there for, nor is the key spoilt by a refusal.
    let pay = || guarded.service.payment(&order).key("k");
    assert_eq!(guarded.by("rider:bob", pay()).send().await.status, 403);
    assert_eq!(guarded.by("customer:bea", pay()).send().await.status, 404);
    assert_eq!(guarded.by("customer:ann", pay()).send().await.status, 200);
    assert_eq!(guarded.by("customer:bea", pay()).send().await.status, 404);
    assert!(guarded.by("customer:ann", pay()).send().await.is_replayed());
}

async fn v1_wants_a_token_and_no_more(venue: Venue) {
    let guarded = Guarded::open(venue).await;
    let order = guarded.order_of("ann").await;
    let path = format!("/api/v1/orders/{}", order.id);
    assert_eq!(guarded.service.get(&path).send().await.status, 401);
    let put = guarded.service.request(reqwest::Method::PUT, &path).json(&json!({"status": "delivered"}));
    assert_eq!(guarded.by("rider:cyd", put).send().await.status, 200);
}
