//! A small order service that is sound, for scripts that spoil one thing of it; and its careless sister.

use std::fmt::Write as _;
use std::sync::Mutex;

use serde_json::{Value, json};

use crate::server::{Asked, Reaction, Script};

/// The first order of a raced round: before it come the one that the target is looked at with, and the two serial
/// controls of `cancel-vs-accept`.
const FIRST_RACED: usize = 4;

/// Orders, kept as the order API asks for it.
#[derive(Default)]
pub(crate) struct Shop {
    orders: Mutex<Vec<Order>>,
    is_careless: bool,
}

struct Order {
    status: &'static str,
    version: u64,
    charges: u64,
    events: Vec<Value>,
}

/// An answer before it is bytes.
#[derive(Debug, Clone)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Value,
}

impl Shop {
    /// One that cancels and accepts whatever it is asked to, and looks at no precondition.
    pub(crate) fn careless() -> Self {
        Self { is_careless: true, ..Self::default() }
    }

    /// Whether the version that it names is the current one.
    pub(crate) fn is_current(&self, asked: &Asked) -> bool {
        let orders = self.orders.lock().unwrap();
        let found = asked.order().and_then(|(number, _)| Some((number, orders.get(number.checked_sub(1)?)?)));
        found.is_some_and(|(number, order)| asked.header("if-match") == Some(order.tag(number).as_str()))
    }

    /// Does as it is told, whatever the version is.
    pub(crate) fn obey(&self, asked: &Asked) -> Answer {
        self.serve(asked, true)
    }

    pub(crate) fn answer(&self, asked: &Asked) -> Answer {
        self.serve(asked, self.is_careless)
    }

    fn serve(&self, asked: &Asked, is_careless: bool) -> Answer {
        let mut orders = self.orders.lock().unwrap();
        if asked.path == "/api/v2/orders" {
            orders.push(Order { status: "pending_payment", version: 1, charges: 0, events: Vec::new() });
            return orders.last().unwrap().shown(orders.len(), 201);
        }
        let Some((number, rest)) = asked.order() else { return Answer::error(404, "not_found") };
        let Some(order) = number.checked_sub(1).and_then(|index| orders.get_mut(index)) else {
            return Answer::error(404, "not_found");
        };
        match rest {
            "" => order.shown(number, 200),
            "payments" => {
                let rows: Vec<Value> = (1..=order.charges).map(|charge| json!({"id": charge})).collect();
                Answer::new(200, json!({"results": rows}))
            }
            "events" => Answer::new(200, json!({"results": order.events})),
            action => order.act(number, action, asked.header("if-match"), is_careless),
        }
    }
}

impl Script for Shop {
    fn answer(&self, asked: &Asked) -> Reaction {
        Shop::answer(self, asked).said()
    }
}

impl Order {
    fn tag(&self, number: usize) -> String {
        format!("\"{number}-{}\"", self.version)
    }

    fn shown(&self, number: usize, status: u16) -> Answer {
        let body = json!({"id": format!("order-{number}"), "status": self.status, "version": self.version});
        Answer { status, headers: vec![("etag", self.tag(number))], body }
    }

    fn act(&mut self, number: usize, action: &str, if_match: Option<&str>, is_careless: bool) -> Answer {
        let next = match (action, self.status) {
            ("payment", "pending_payment") => Some("pending_acceptance"),
            ("cancellation", "pending_payment" | "pending_acceptance") => Some("cancelled"),
            ("acceptance", "pending_acceptance") => Some("preparing"),
            ("cancellation", _) if is_careless => Some("cancelled"),
            ("acceptance", _) if is_careless => Some("preparing"),
            _ => None,
        };
        match if_match {
            None => return Answer::error(428, "precondition_required"),
            Some(tag) if tag != self.tag(number) && !is_careless => return Answer::error(412, "stale"),
            Some(_) => {}
        }
        let Some(next) = next else { return Answer::error(409, "invalid_transition") };
        self.version += 1;
        self.charges += u64::from(action == "payment");
        self.events.push(json!({"action": action, "from": self.status, "to": next, "version": self.version}));
        self.status = next;
        let mut answer = self.shown(number, 200);
        if action == "payment" {
            answer.body["payment"] = json!({"id": self.charges});
        }
        answer
    }
}

impl Answer {
    pub(crate) fn new(status: u16, body: Value) -> Self {
        Self { status, headers: Vec::new(), body }
    }

    fn error(status: u16, error: &str) -> Self {
        Self::new(status, json!({"error": error}))
    }

    pub(crate) fn bytes(&self) -> Vec<u8> {
        let headers: Vec<(&str, &str)> = self.headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        json_of(self.status, &headers, &self.body.to_string())
    }

    pub(crate) fn said(&self) -> Reaction {
        Reaction::Say(self.bytes())
    }
}

/// A complete response that calls itself JSON.
pub(crate) fn json_of(status: u16, headers: &[(&str, &str)], body: &str) -> Vec<u8> {
    let mut lines = format!("HTTP/1.1 {status} Such\r\ncontent-type: application/json\r\n");
    for (name, value) in headers {
        write!(lines, "{name}: {value}\r\n").unwrap();
    }
    format!("{lines}content-length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

impl Asked {
    /// The number of the order it is about, and what follows in the path.
    pub(crate) fn order(&self) -> Option<(usize, &str)> {
        let rest = self.path.strip_prefix("/api/v2/orders/order-")?;
        let (number, rest) = rest.split_once('/').unwrap_or((rest, ""));
        Some((number.parse().ok()?, rest))
    }

    /// Whether it is a contender, in a race or alone.
    pub(crate) fn is_contender(&self) -> bool {
        self.order().is_some_and(|(_, action)| matches!(action, "cancellation" | "acceptance"))
    }

    /// Whether it is a contender in a race.
    pub(crate) fn is_raced(&self) -> bool {
        self.is_contender() && self.is_at_or_after(FIRST_RACED)
    }

    /// Whether it is about the raced round `round`, counted from 1, or a later one.
    pub(crate) fn is_in_round_from(&self, round: usize) -> bool {
        self.is_at_or_after(FIRST_RACED + round - 1)
    }

    fn is_at_or_after(&self, order: usize) -> bool {
        self.order().is_some_and(|(number, _)| number >= order)
    }
}
