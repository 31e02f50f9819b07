//! A contender's line to a target at a URL, whatever version of HTTP it carries.

use std::sync::Arc;
use std::time::Duration;

use super::gate::Ticket;
use super::http1::Connection;
use super::http2::Place;
use super::tls::Offers;
use super::{Contender, Endpoint, Exchange, Method, Version};
use crate::api::Request;
use crate::clock::Clock;
use crate::history::Cause;

/// One contender's line: a connection of its own, or a place on one.
#[derive(Debug)]
pub struct Line(Carrier);

#[derive(Debug)]
enum Carrier {
    Http1(Connection),
    Http2(Place),
}

impl Line {
    /// Opens one, within `limit`.
    pub(super) async fn open(
        endpoint: Arc<Endpoint>,
        tls: &Offers,
        clock: Clock,
        version: Version,
        limit: Duration,
    ) -> Result<Self, Cause> {
        let tls = tls.of(version);
        let opening = async {
            Ok(Self(match version {
                Version::Http1 => Carrier::Http1(Connection::open(endpoint, tls, clock, limit).await?),
                Version::Http2 => Carrier::Http2(Place::open(endpoint, tls, clock, limit).await?),
            }))
        };
        match tokio::time::timeout(limit, opening).await {
            Ok(result) => result,
            Err(_) => Err(Cause::Connect(format!("not accepted within {limit:?}"))),
        }
    }

    async fn exchange(&mut self, request: &Request, held: Option<(Method, Ticket)>) -> Exchange {
        match &mut self.0 {
            Carrier::Http1(connection) => connection.exchange(request, held).await,
            Carrier::Http2(place) => place.exchange(request, held).await,
        }
    }
}

impl Contender for Line {
    async fn send(&mut self, request: &Request) -> Exchange {
        self.exchange(request, None).await
    }

    async fn race(&mut self, request: &Request, method: Method, ticket: Ticket) -> Exchange {
        self.exchange(request, Some((method, ticket))).await
    }

    fn version(&self) -> Version {
        match &self.0 {
            Carrier::Http1(_) => Version::Http1,
            Carrier::Http2(_) => Version::Http2,
        }
    }

    fn twin(&self) -> Option<Self> {
        match &self.0 {
            Carrier::Http1(_) => None,
            Carrier::Http2(place) => place.twin().map(|twin| Self(Carrier::Http2(twin))),
        }
    }

    fn is_twin(&self) -> bool {
        match &self.0 {
            Carrier::Http1(_) => false,
            Carrier::Http2(place) => place.is_twin(),
        }
    }

    fn is_usable(&self) -> bool {
        match &self.0 {
            Carrier::Http1(connection) => connection.is_usable(),
            Carrier::Http2(place) => place.is_usable(),
        }
    }
}

#[cfg(test)]
mod tests;
