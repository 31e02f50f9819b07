//! Generic scenarios against descriptions of every kind of model.

use std::sync::Arc;

use super::described::{counter, counter_that_starts_as_it_likes, effects, machine, register, register_with};
use super::{Casting, KeyUse, Plan, PlanError, Scenario, TokenUse, catalog};
use crate::api::{Api, Bounds, builtin};
use crate::history::Verb;

fn generic(name: &str) -> Scenario {
    catalog::generic().into_iter().find(|scenario| scenario.name.get_ref() == name).unwrap()
}

fn resolve(name: &str, api: &Api) -> Result<Plan, PlanError> {
    Plan::resolve(&generic(name), &Arc::new(api.clone()), None)
}

/// What races, in words.
fn racing(plan: &Plan) -> Vec<String> {
    plan.contenders.iter().map(|contender| contender.verb.to_string()).collect()
}

#[track_caller]
fn assert_unfit(name: &str, api: &Api, parts: &[&str]) {
    match resolve(name, api) {
        Err(PlanError::Unfit(why)) => {
            for part in parts {
                assert!(why.to_string().contains(part), "`{part}` is missing in:\n{why}");
            }
        }
        other => panic!("{name}: {other:?}"),
    }
}

const STOCK: Bounds = Bounds { least: Some(0), most: None };

#[test]
fn roles_are_played_by_what_the_description_has() {
    let (documents, stock, charges) = (register(true), counter(STOCK), effects());
    for (name, api, expected) in [
        ("concurrent-replace", &documents, &["replace", "replace"][..]),
        ("concurrent-create", &documents, &["put-new", "put-new"]),
        ("replace-vs-delete", &documents, &["replace", "delete"]),
        ("blind-replace", &documents, &["replace", "replace"]),
        ("stale-replace", &documents, &["replace", "replace"]),
        ("read-beside-replace", &documents, &["replace", "read", "read"]),
        ("oversell", &stock, &["take", "take"]),
        ("lost-count", &stock, &["take", "take"]),
        ("take-vs-give", &stock, &["take", "give"]),
        ("lost-retry", &stock, &["take", "take"]),
        ("double-effect", &charges, &["charge", "charge"]),
        ("lost-retry", &charges, &["charge", "charge"]),
    ] {
        assert_eq!(racing(&resolve(name, api).unwrap()), expected, "{name}");
    }
    for api in [&documents, &stock] {
        assert_eq!(resolve("any-swarm", api).unwrap().width(), 6);
    }
}

#[test]
fn what_was_never_made_is_not_made_for_the_race_and_has_no_token() {
    let plan = resolve("concurrent-create", &register(true)).unwrap();
    assert!(!plan.creates && plan.set_up.is_empty());
    assert!(plan.contenders.iter().all(|contender| contender.token == TokenUse::None));
    // Where the server thinks up ids, something must have been there, and be gone.
    let plan = resolve("concurrent-create", &register(false)).unwrap();
    assert!(plan.creates);
    assert_eq!(
        plan.set_up.iter().map(|step| (&*step.action, step.leads_to.is_none())).collect::<Vec<_>>(),
        [("delete", true)]
    );
    let plan = resolve("double-effect", &effects()).unwrap();
    assert!(!plan.creates && plan.set_up.is_empty());
}

#[test]
fn a_create_at_an_id_that_the_client_chose_is_a_register_s_first_value() {
    let mut api = register(true);
    api.model.actions.retain(|action| &*action.name != "put-new");
    let plan = resolve("concurrent-create", &api).unwrap();
    assert!(
        plan.contenders.iter().all(|contender| contender.verb == Verb::Create && contender.token == TokenUse::None)
    );
    let mut api = register(false);
    api.model.actions.retain(|action| &*action.name != "put-new");
    assert_unfit("concurrent-create", &api, &["`documents` has no <create>", "ids the client makes up"]);
}

/// `put` stands first in the file, and `patch` before it in the alphabet.
#[test]
fn of_several_that_could_play_a_role_the_first_in_the_file_does_and_the_others_are_named() {
    let patch = "[actions.patch]\nmethod = \"PATCH\"\npath = \"/docs/{id}\"\nbody = { text = \"{value}\" }\nwrites = \"value\"\n";
    let put = patch.replace("patch", "put").replace("PATCH", "PUT") + "needs = \"anything\"\n";
    let absent = patch.replace("patch", "add") + "needs = \"absent\"\n";
    let both = register_with(&format!("{put}{patch}{absent}"));
    let names: Vec<&str> = both.model.actions.iter().map(|action| &*action.name).collect();
    assert_eq!(names, ["put", "patch", "add"]);
    let plan = resolve("concurrent-replace", &both).unwrap();
    assert_eq!(racing(&plan), ["put", "put"]);
    let casting = Casting { role: "<replace>", by: "put".into(), others: vec!["patch".into()] };
    assert_eq!(plan.castings, [casting]);
    assert_eq!(
        racing(&resolve("concurrent-replace", &register_with(&format!("{patch}{put}"))).unwrap()),
        ["patch", "patch"]
    );
    assert_eq!(resolve("concurrent-replace", &register_with(&put)).unwrap().castings, []);
}

#[test]
fn a_role_that_nobody_plays_is_named_with_what_there_is() {
    let mut api = register(true);
    api.model.actions.retain(|action| &*action.name == "put-new");
    assert_unfit(
        "concurrent-replace",
        &api,
        &[
            "`documents` has no <replace> (an action that writes the value, also where there is one)",
            "concurrent-replace.toml:13:10 (contenders.action)",
            "it has `create`; `read`; `put-new`, writes the value and needs none to be there",
        ],
    );
    assert_unfit("lost-retry", &api, &["`documents` has no <keyed> (anything that is sent with an idempotency key)"]);
    assert_unfit("double-effect", &effects_without_keys(), &["no <effect> that is sent with an idempotency key"]);
}

fn effects_without_keys() -> Api {
    let v1 = builtin::api("quickeats-v1").unwrap();
    let mut api = Api::clone(&v1);
    api.model.actions.iter_mut().for_each(|action| action.has_effect = true);
    api
}

#[test]
fn a_race_on_one_token_needs_tokens_and_a_blind_one_that_they_are_not_required() {
    let mut api = register(true);
    let without_tokens = {
        let v1 = builtin::api("quickeats-v1").unwrap();
        Api { dialect: v1.dialect.clone(), ..api.clone() }
    };
    assert_unfit("concurrent-replace", &without_tokens, &["no <replace> that is conditional on a version token"]);
    assert_unfit("missing-token", &api, &["does not promise to refuse `replace` without a version token"]);
    api.model.precondition_required = true;
    assert_unfit("blind-replace", &api, &["promises to refuse `replace` without a version token"]);
    let plan = resolve("missing-token", &api).unwrap();
    assert!(plan.contenders.iter().all(|contender| contender.token == TokenUse::None));
}

#[test]
fn a_stale_replace_comes_after_a_change() {
    let plan = resolve("stale-replace", &register(true)).unwrap();
    assert_eq!(plan.change.iter().map(|step| &*step.action).collect::<Vec<_>>(), ["replace"]);
    assert!(plan.creates && plan.expects_stale());
}

#[test]
fn a_counter_starts_with_enough_for_one_or_for_all() {
    let bounds = |least, most| Bounds { least, most };
    let starts =
        |name: &str, api: &Api, size| Plan::resolve(&generic(name), &Arc::new(api.clone()), Some(size)).unwrap().starts;
    assert_eq!(starts("oversell", &counter(STOCK), 8), Some(3));
    assert_eq!(starts("oversell", &counter(bounds(Some(-5), None)), 2), Some(-2));
    assert_eq!(starts("lost-count", &counter(STOCK), 8), Some(24));
    assert_eq!(starts("lost-count", &counter(bounds(None, None)), 2), Some(6));
    assert_eq!(starts("take-vs-give", &counter(bounds(Some(10), None)), 4), Some(16));
    assert_unfit("oversell", &counter(bounds(None, None)), &["`documents` declares no `least`"]);
    assert_unfit("lost-count", &counter(bounds(Some(0), Some(5))), &["cannot start with 6", "out of its bounds"]);
    // Three may be taken, and with two given before that there are too many.
    assert_unfit("take-vs-give", &counter(bounds(Some(0), Some(4))), &["cannot start with 3 and be given 2"]);
    assert_unfit("oversell", &counter_that_starts_as_it_likes(STOCK), &["cannot be made to start with 3"]);
}

#[test]
fn a_number_may_be_said_as_it_is() {
    let text = generic("oversell").text.replace("\"for-one\"", "7");
    let scenario = Scenario::parse("mine.toml", &text).unwrap();
    let plan = |api: &Api| Plan::resolve(&scenario, &Arc::new(api.clone()), None);
    assert_eq!(plan(&counter(STOCK)).unwrap().starts, Some(7));
    assert!(plan(&counter(Bounds { least: Some(8), most: None })).is_err());
}

#[test]
fn a_state_machine_is_brought_to_the_nearest_state_in_which_the_effect_may_be_had() {
    let api = builtin::api("quickeats-v2").unwrap();
    let plan = resolve("double-effect", &api).unwrap();
    assert_eq!(racing(&plan), ["payment", "payment"]);
    assert!(plan.set_up.is_empty() && plan.contenders.iter().all(|contender| contender.key == KeyUse::Shared));
    // What makes the order is sent with a key itself.
    assert_eq!(racing(&resolve("lost-retry", &api).unwrap()), ["create", "create"]);
    // What may be done only later is come to; and what is said again later is the request that was raced.
    for name in ["double-effect", "lost-retry", "reused-key"] {
        let plan = resolve(name, &machine()).unwrap();
        assert_eq!(racing(&plan), ["pay", "pay"], "{name}");
        assert_eq!(plan.set_up.iter().map(|step| &*step.action).collect::<Vec<_>>(), ["submit"], "{name}");
        assert_eq!(plan.then.iter().map(|then| then.verb.to_string()).collect::<Vec<_>>(), ["pay"], "{name}");
    }
    let mut stuck = machine();
    stuck.model.actions.retain(|action| &*action.name != "submit");
    assert_unfit("double-effect", &stuck, &["`annul` is not allowed in `draft`, where the race starts"]);
    let mut later = Api::clone(&api);
    later.model.actions.iter_mut().for_each(|action| action.has_effect = &*action.name == "acceptance");
    assert_unfit("double-effect", &later, &["no <effect> that is sent with an idempotency key"]);
}

#[test]
fn a_role_in_a_scenario_of_a_named_description_is_resolved_too_and_a_miss_is_a_mistake() {
    let text = generic("replace-vs-delete").text.replace("models = [\"register\"]", "apis = [\"documents\"]");
    let scenario = Scenario::parse("mine.toml", &text).unwrap();
    assert!(Plan::resolve(&scenario, &Arc::new(register(true)), None).is_ok());
    let api = Arc::new(counter(STOCK));
    assert!(matches!(Plan::resolve(&scenario, &api, None), Err(PlanError::Mistake(_))));
}

#[test]
fn an_offset_is_part_of_the_plan_and_only_where_there_is_one() {
    let text = generic("replace-vs-delete").text.replace("\"<delete>\"", "\"<delete>\"\noffset = \"2ms\"");
    let scenario = Scenario::parse("mine.toml", &text).unwrap();
    let plan = Plan::resolve(&scenario, &Arc::new(register(true)), None).unwrap();
    let saved = serde_json::to_value(&plan).unwrap();
    assert_eq!(saved["contenders"][1]["offset_us"], 2_000);
    assert!(saved["contenders"][0].get("offset_us").is_none() && saved.get("creates").is_none());
}
