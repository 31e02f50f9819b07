//! What is wrong with a service is found, and called the same, whatever carries the requests.

use std::time::Duration;

use quickeats_bench::check::Kind;
use quickeats_bench::service::{Defect, ServiceConfig};

use crate::bench::{Ended, race};
use crate::front::Target;
use crate::transport::{Transport, over_every_transport};

over_every_transport!(a_lost_update_is_found_by_each_method, a_doubled_payment_is_found_by_each_method);

/// The reference service with a mistake, whose gap is widened by 1 ms.
fn mistaken(transport: Transport, defect: Defect) -> Target {
    let config =
        ServiceConfig { defect: Some(defect), defect_window: Duration::from_millis(1), ..ServiceConfig::default() };
    Target::start(transport, config)
}

fn expect_found(ended: Ended, kind: Kind) -> Ended {
    let ended = ended.expect_code(1);
    let found: Vec<Kind> = ended.result().scenarios[0].findings.iter().map(|finding| finding.kind).collect();
    assert!(found.contains(&kind), "{kind}: {found:?}\n{}", ended.said());
    ended
}

/// By all that the transport allows in turn, and by each alone.
fn by_each_method(transport: Transport, defect: Defect, scenario: &str, kind: Kind) {
    const ROUNDS: u32 = 8;
    let target = mistaken(transport, defect);
    let methods = transport.methods();
    let ended = expect_found(race(&target, &[scenario], ROUNDS, "auto"), kind);
    ended.expect_accounted_for(&methods);
    ended.expect_verified();
    for method in methods {
        expect_found(race(&target, &[scenario], ROUNDS, method.name()), kind).expect_accounted_for(&[method]);
    }
}

fn a_lost_update_is_found_by_each_method(transport: Transport) {
    by_each_method(transport, Defect::CheckThenSave, "cancel-vs-accept", Kind::LostUpdate);
}

fn a_doubled_payment_is_found_by_each_method(transport: Transport) {
    by_each_method(transport, Defect::IdempotencyCheckThenAct, "duplicate-payment", Kind::InFlightDuplicate);
}
