//! Models of the families that are not state machines, for examples and simulations.

use std::sync::Arc;

use quickeats_bench::api::{
    ActionModel, Api, Bounds, Family, KeyPromises, Lags, Leaves, Model, Needs, StateIx, Transition, Write,
};

use crate::notation::load;

/// The API called `name`, if it is one of these:
///
/// - `notes`: registers that are made with a value; `put` and `del` of what is there, both on a token.
/// - `pads`: registers that nobody makes; `put` of anything, `add` where nothing is, `del` of anything. No tokens needed.
/// - `stock`: numbers between 0 and 10; `take` and `give` of one, `load` of five.
/// - `shelves`: the same as `stock`, and an older API that keeps to no bounds: `force` takes one, `stuff` adds five.
/// - `sums`: numbers without bounds; the same.
/// - `wallets`: nothing but the effects of `charge`; nothing is read.
pub(crate) fn api(name: &str) -> Option<Api> {
    let model = match name {
        "notes" => register(true, &[("put", Needs::Present, Leaves::Value), ("del", Needs::Present, Leaves::Nothing)]),
        "pads" => register(
            false,
            &[
                ("put", Needs::Anything, Leaves::Value),
                ("add", Needs::Absent, Leaves::Value),
                ("del", Needs::Anything, Leaves::Nothing),
            ],
        ),
        "stock" => counter(Bounds { least: Some(0), most: Some(10) }),
        "shelves" => {
            let mut model = counter(Bounds { least: Some(0), most: Some(10) });
            let aside = |(name, adds)| ActionModel { adds: Some(adds), is_aside: true, ..action(name) };
            model.actions.extend([("force", -1), ("stuff", 5)].map(aside));
            model
        }
        "sums" => counter(Bounds::default()),
        "wallets" => Model {
            noun: "wallet".into(),
            actions: vec![ActionModel { has_effect: true, ..action("charge") }],
            ..resource(Family::Effects)
        },
        _ => return None,
    };
    let mut api = Api::clone(&load("documents"));
    api.name = name.into();
    api.model = model;
    Some(api)
}

fn register(precondition_required: bool, actions: &[(&str, Needs, Leaves)]) -> Model {
    let write = |(name, needs, leaves): &(&str, Needs, Leaves)| {
        let write = Some(Write { needs: *needs, leaves: *leaves });
        ActionModel { write, ..action(name) }
    };
    Model {
        noun: "note".into(),
        states: vec![Model::ABSENT.into(), Model::PRESENT.into()],
        actions: actions.iter().map(write).collect(),
        precondition_required,
        versioned: true,
        ..resource(Family::Register)
    }
}

fn counter(bounds: Bounds) -> Model {
    let changes = [("take", -1), ("give", 1), ("load", 5)];
    Model {
        noun: "stock".into(),
        actions: changes.map(|(name, adds)| ActionModel { adds: Some(adds), ..action(name) }).into(),
        ..resource(Family::Counter(bounds))
    }
}

fn resource(family: Family) -> Model {
    Model {
        noun: "resource".into(),
        family,
        states: vec![Model::PRESENT.into()],
        initial: StateIx(0),
        actions: Vec::new(),
        precondition_required: false,
        versioned: false,
        effects_per_resource: None,
        terminal: Vec::new(),
        keys: KeyPromises::default(),
        lags: Lags::default(),
    }
}

fn action(name: &str) -> ActionModel {
    ActionModel {
        name: name.into(),
        actor: Arc::from("user"),
        transitions: vec![Transition { from: StateIx(0), to: StateIx(0) }],
        has_effect: false,
        only: None,
        is_aside: false,
        is_conditional: true,
        write: None,
        adds: None,
    }
}
