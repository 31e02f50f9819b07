//! Mistakes about which version a tag names.
//!
//! What is written is still conditional on the version, so that nobody's write is lost between compare and write: a tag
//! that names too many versions lets through who decided on an older one.

use super::super::Service;
use super::super::actions::{self, ActionRequest, Conduct};
use super::super::etag::EntityTag;
use super::super::idempotency::Keyed;
use super::super::orders::Order;
use super::super::placing::{self, Placement};
use super::super::transition::{Change, Refusal};
use super::{Answering, Mistake};

/// Tags that are made of the wrong things.
#[derive(Clone, Copy)]
pub(super) struct Mistagged {
    /// The tag of a fresh order.
    first: fn(&Order) -> EntityTag,
    /// The tag of an order's next version, made of the version before and that one.
    next: fn(&Order, &Order) -> EntityTag,
}

/// `etag-unchanged`: the tag is the order's, not its version's. It is made when the order is placed, and stays; a stale
/// tag is as good as the current one.
pub(super) const ETAG_UNCHANGED: Mistagged =
    Mistagged { first: |placed| placed.tag.clone(), next: |before, _| before.tag.clone() };

/// `etag-per-status`: the tag is made of the order's id and status. The lifecycle never comes back to a status, but V1
/// does, and an old tag matches again:
///
/// ```text
/// one   read: "…-preparing"                               preparation-complete if "…-preparing" ── 200
/// V1                        cancelled ── preparing again
/// ```
pub(super) const ETAG_PER_STATUS: Mistagged = Mistagged { first: per_status, next: |_, after| per_status(after) };

fn per_status(order: &Order) -> EntityTag {
    EntityTag::strong(format!("{}-{}", order.id.uuid().simple(), order.status.name()))
}

impl Mistagged {
    fn retagged(&self, before: &Order, mut change: Change) -> Change {
        change.order.tag = (self.next)(before, &change.order);
        change
    }
}

impl Conduct for Mistagged {
    fn judge(&self, request: &ActionRequest, order: &Order) -> Result<Change, Refusal> {
        request.plan(order).map(|change| self.retagged(order, change))
    }
}

impl Mistake for Mistagged {
    fn perform<'a>(&'a self, service: &'a Service, request: ActionRequest) -> Answering<'a> {
        Box::pin(async move { actions::perform_as(self, service, &request).await })
    }

    fn place<'a>(&'a self, service: &'a Service, placement: Placement, keyed: Option<Keyed>) -> Answering<'a> {
        let tagged = |order: Order| Order { tag: (self.first)(&order), ..order };
        Box::pin(placing::place_as(service, placement, keyed, tagged))
    }

    fn rewrite(&self, order: &Order, change: Change) -> Change {
        self.retagged(order, change)
    }
}
