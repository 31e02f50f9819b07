//! Lists of orders: pages, and the rows that go with them.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::extract::Query;
use http::StatusCode;
use http::request::Parts;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::super::Service;
use super::super::access::Viewer;
use super::super::answer::Answer;
use super::super::orders::{Order, Restaurant, Rider, Status};
use super::super::problem::Problem;
use super::super::stores::Page;

pub(super) const DEFAULT_LIMIT: usize = 50;
pub(super) const LARGEST_LIMIT: usize = 200;

/// The query string as it was sent. Whoever misspells a filter is told, and not shown everything.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct AsSent {
    include: Option<String>,
    status: Option<String>,
    limit: Option<String>,
    cursor: Option<String>,
}

/// A request for a page of orders, oldest first.
#[derive(Clone, Copy, Debug)]
pub(super) struct ListQuery {
    page: Page,
    include: Include,
}

#[derive(Clone, Copy, Debug, Default)]
struct Include {
    restaurant: bool,
    rider: bool,
}

impl ListQuery {
    fn read(sent: &AsSent) -> Result<Self, Problem> {
        let status = match sent.status.as_deref() {
            None | Some("") => None,
            Some(name) => {
                let known = Status::named(name);
                Some(known.ok_or_else(|| Problem::malformed("`status` must be the name of an order's state"))?)
            }
        };
        let limit = match sent.limit.as_deref() {
            None | Some("") => DEFAULT_LIMIT,
            Some(text) => digits(text)
                .and_then(|text| text.parse().ok())
                .filter(|limit| (1..=LARGEST_LIMIT).contains(limit))
                .ok_or_else(|| Problem::malformed(format!("`limit` must be from 1 to {LARGEST_LIMIT}")))?,
        };
        let after = match sent.cursor.as_deref() {
            None | Some("") => 0,
            Some(text) => digits(text)
                .and_then(|text| text.parse().ok())
                .ok_or_else(|| Problem::malformed("`cursor` must be the `next_cursor` of another page"))?,
        };
        Ok(Self {
            page: Page { status, after, limit },
            include: Include::read(sent.include.as_deref().unwrap_or_default())?,
        })
    }
}

/// Numbers are read without a sign: `+5` is no way to say 5.
fn digits(text: &str) -> Option<&str> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then_some(text)
}

impl Include {
    fn read(names: &str) -> Result<Self, Problem> {
        let mut include = Self::default();
        for name in names.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            match name {
                "restaurant" => include.restaurant = true,
                "rider" => include.rider = true,
                _ => {
                    return Err(Problem::malformed("`include` may name `restaurant` and `rider`"));
                }
            }
        }
        Ok(include)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for ListQuery {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let Query(sent) = Query::<AsSent>::from_request_parts(parts, state)
            .await
            .map_err(|rejection| Problem::malformed(rejection.body_text()))?;
        Self::read(&sent)
    }
}

/// Some of the orders, oldest first.
#[derive(JsonSchema, Serialize)]
pub(super) struct OrderPage<'a> {
    results: Vec<&'a Order>,
    /// What was asked for by `include`. V1 does not have this member.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Included")]
    included: Option<Included>,
    /// The `cursor` of the next page; null on the last one.
    next_cursor: Option<String>,
}

/// Related rows, each once, however many orders refer to it.
#[derive(Default, JsonSchema, Serialize)]
struct Included {
    restaurants: Vec<Restaurant>,
    riders: Vec<Rider>,
}

/// Orders with what belongs to them: one query for the orders, one per kind of related row.
pub(super) async fn with_included(service: &Service, viewer: Viewer, query: ListQuery) -> Result<Answer, Problem> {
    let (orders, next_cursor) = page(service, viewer, query.page).await?;
    let mut included = Included::default();
    if query.include.restaurant {
        let ids = distinct(orders.iter().map(|order| &order.restaurant));
        included.restaurants = service.store.restaurants(ids).await?;
    }
    if query.include.rider {
        let ids = distinct(orders.iter().filter_map(|order| order.rider.as_ref()));
        included.riders = service.store.riders(ids).await?;
    }
    Ok(answer(&orders, Some(included), next_cursor))
}

/// Orders alone, as V1 lists them: what belongs to them takes a request each.
pub(super) async fn plain(service: &Service, query: ListQuery) -> Result<Answer, Problem> {
    let (orders, next_cursor) = page(service, Viewer::Everyone, query.page).await?;
    Ok(answer(&orders, None, next_cursor))
}

/// A page, and where the next one starts, if there is one: asking for one order too many tells.
async fn page(service: &Service, viewer: Viewer, wanted: Page) -> Result<(Vec<Arc<Order>>, Option<String>), Problem> {
    let one_more = Page { limit: wanted.limit + 1, ..wanted };
    let mut listed = service.store.list(viewer, one_more).await?;
    let more = listed.len() > wanted.limit;
    listed.truncate(wanted.limit);
    let last = listed.last().map(|(place, _)| place.to_string());
    let orders = listed.into_iter().map(|(_, order)| order).collect();
    Ok((orders, last.filter(|_| more)))
}

fn distinct<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<String> {
    let distinct: BTreeSet<_> = ids.collect();
    distinct.into_iter().cloned().collect()
}

fn answer(orders: &[Arc<Order>], included: Option<Included>, next_cursor: Option<String>) -> Answer {
    let page = OrderPage { results: orders.iter().map(Arc::as_ref).collect(), included, next_cursor };
    Answer::json(StatusCode::OK, &page)
}
