//! Every legal pair of actions of a state machine, as scenarios that no file says.
//!
//! ```text
//! draft ──publish──► live        pairs/draft/discard+discard   pairs/draft/discard+publish   pairs/draft/publish+publish
//!   └───discard────► gone        pairs/live/retract+retract    …
//! ```

use super::contender::{Contender, PersonUse};
use super::file::Scenario;
use crate::api::{ActionModel, Allowed, Api, Family, StateIx};
use crate::history::Verb;

/// What stands before the name of each, and by itself for all of them.
pub const PAIRS: &str = "pairs";

/// A scenario for each state and each two actions that are allowed in it, the same one twice included; none for what is no
/// state machine. Their names are `pairs/STATE/ACTION+ACTION`, the states with the shortest way to them first.
pub fn pairs(api: &Api) -> Vec<Scenario> {
    if api.model.family != Family::Lifecycle {
        return Vec::new();
    }
    let state = |index| {
        let state = StateIx(u16::try_from(index).ok()?);
        Some((api.model.path_to(state)?.len(), state))
    };
    let mut states: Vec<(usize, StateIx)> = (0..api.model.states.len()).filter_map(state).collect();
    states.sort_unstable();
    states.into_iter().flat_map(|(_, state)| pairs_in(api, state)).collect()
}

fn pairs_in(api: &Api, state: StateIx) -> Vec<Scenario> {
    let is_allowed = |action: &&ActionModel| !action.is_aside && action.next(state).next().is_some();
    let mut allowed: Vec<&ActionModel> = api.model.actions.iter().filter(is_allowed).collect();
    // Their names are said on command lines and stand in saved runs: where a table stands in the file must not change them.
    allowed.sort_by(|one, other| one.name.cmp(&other.name));
    let mut scenarios = Vec::new();
    for (index, one) in allowed.iter().enumerate() {
        scenarios.extend(allowed[index..].iter().map(|other| pair(api, state, one, other)));
    }
    scenarios
}

fn pair(api: &Api, state: StateIx, one: &ActionModel, other: &ActionModel) -> Scenario {
    let start = api.model.state_name(state);
    let name = format!("{PAIRS}/{start}/{}+{}", one.name, other.name);
    let is_twice = one.name == other.name;
    let person = if is_twice && is_open_to_others(api, state, one) { PersonUse::Each } else { PersonUse::Same };
    let summary = if is_twice {
        format!("`{}` twice at once, in `{start}`", one.name)
    } else {
        format!("`{}` against `{}`, in `{start}`", one.name, other.name)
    };
    let contenders = [Contender::plain(&one.name, person), Contender::plain(&other.name, person)];
    Scenario::made(name, &api.name, start, summary, contenders)
}

/// Whether two persons may do the same. Whoever made the resource, or did something to it on the way here, may be the only one
/// who may go on with it (the rider who picked an order up delivers it): there the same person does it twice.
fn is_open_to_others(api: &Api, state: StateIx, action: &ActionModel) -> bool {
    let way = api.model.path_to(state).unwrap_or_default();
    let creator = api.dialect.creates().then(|| api.dialect.role(&Verb::Create));
    let mut had_to_do = way.iter().map(|(step, _)| &step.actor).chain(creator);
    action.only != Some(Allowed::Creator) && had_to_do.all(|role| *role != action.actor)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::api::builtin;
    use crate::scenario::Plan;

    #[test]
    fn every_two_actions_that_a_state_allows_are_a_pair_and_no_others() {
        let api = builtin::api("quickeats-v2").unwrap();
        let names: Vec<String> = pairs(&api).iter().map(|pair| pair.name.get_ref().clone()).collect();
        for expected in [
            "pairs/pending_payment/cancellation+cancellation",
            "pairs/pending_payment/cancellation+payment",
            "pairs/pending_acceptance/acceptance+rejection",
        ] {
            assert!(names.iter().any(|name| name == expected), "{expected} is missing in {names:?}");
        }
        assert!(names.iter().all(|name| !name.contains("v1-") && !name.contains("/cancelled/")), "{names:?}");
        assert_eq!(names.len(), names.iter().collect::<BTreeSet<_>>().len());
        let of_state = |state: &str| names.iter().filter(|name| name.starts_with(&format!("pairs/{state}/"))).count();
        assert_eq!((of_state("pending_payment"), of_state("pending_acceptance")), (3, 6));
    }

    #[test]
    fn every_pair_can_be_planned_for_two_and_for_many() {
        for name in builtin::names() {
            let api = builtin::api(name).unwrap();
            for pair in pairs(&api) {
                for (wanted, width) in [(None, 2), (Some(5), 5)] {
                    assert_eq!(Plan::resolve(&pair, &api, wanted).unwrap().width(), width, "{}", pair.name.get_ref());
                }
            }
        }
    }

    #[test]
    fn the_same_action_is_done_by_two_persons_unless_one_had_to_do_with_it_before() {
        let api = builtin::api("quickeats-v2").unwrap();
        let persons = |name: &str| {
            let pair = pairs(&api).into_iter().find(|pair| pair.name.get_ref() == name).unwrap();
            let plan = Plan::resolve(&pair, &api, None).unwrap();
            [plan.contenders[0].actor.person, plan.contenders[1].actor.person]
        };
        assert_eq!(persons("pairs/pending_payment/payment+payment"), [1, 1]);
        assert_eq!(persons("pairs/pending_acceptance/acceptance+acceptance"), [1, 2]);
        assert_eq!(persons("pairs/ready_for_pickup/pickup+pickup"), [1, 2]);
        assert_eq!(persons("pairs/in_transit/delivery+delivery"), [1, 1]);
    }

    #[test]
    fn what_is_no_state_machine_has_none() {
        let mut api = crate::api::Api::clone(&builtin::api("quickeats-v1").unwrap());
        api.model.family = Family::Effects;
        assert!(pairs(&api).is_empty());
    }
}
