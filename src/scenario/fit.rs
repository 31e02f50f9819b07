//! Who plays a role of a generic scenario, in an API description.

use std::sync::Arc;

use super::generic::Role;
use crate::api::{ActionModel, Api, Family, Leaves, Needs, StateIx};
use crate::history::Verb;

/// What a request must be sent with, for its scenario to be about anything.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// An idempotency key.
    pub(super) key: bool,
    /// A payload that is another one each time.
    pub(super) word: bool,
    /// A version token.
    pub(super) token: WantedToken,
}

/// Which version token a request must be sent with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum WantedToken {
    /// None in particular.
    #[default]
    None,
    /// Any.
    Any,
    /// One that can be a weak one (RFC 9110 §8.8.1).
    Weak,
}

/// Who plays a role of a scenario, where another could play it, too.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Casting {
    /// The role, as it is written: `<replace>`.
    pub role: &'static str,
    /// The action that plays it.
    pub by: Arc<str>,
    /// The actions that could play it, too.
    pub others: Vec<Arc<str>>,
}

/// Who plays `role`, and the other actions that could where the resource is in one of the states `from`: none, if no action plays
/// it, or no other could. Anything with a key plays `<keyed>`; that is no choice to tell of.
pub(super) fn casting(api: &Api, role: Role, from: &[StateIx], wanted: Wanted) -> Option<Casting> {
    let Ok(Verb::Act(by)) = candidates(api, role, from, wanted) else { return None };
    let fits = |verb: &Verb| {
        let has_token = wanted.token == WantedToken::None || api.dialect.sends_token(verb);
        let has_key = !wanted.key || api.dialect.sends_key(verb);
        has_token && has_key && (!wanted.word || api.dialect.says_a_word(verb)) && is_allowed(api, verb, from)
    };
    let others = players(api, role).into_iter().filter(fits).filter_map(|verb| match verb {
        Verb::Act(name) if name != by => Some(name),
        Verb::Act(_) | Verb::Create | Verb::Read | Verb::ListEffects | Verb::ListEvents => None,
    });
    let others: Vec<Arc<str>> = others.collect();
    (role != Role::Keyed && !others.is_empty()).then(|| Casting { role: role.word(), by, others })
}

/// What plays `role`, if possible where the resource is in one of the states `from`. The error says what such a request
/// would be, in words that follow "has no <role>".
pub(super) fn candidates(api: &Api, role: Role, from: &[StateIx], wanted: Wanted) -> Result<Verb, String> {
    let mut players = players(api, role);
    if players.is_empty() {
        return Err(format!("({})", role.means()));
    }
    if wanted.token != WantedToken::None {
        players.retain(|verb| api.dialect.sends_token(verb));
        if players.is_empty() {
            return Err("that is conditional on a version token".to_owned());
        }
    }
    if wanted.token == WantedToken::Weak && !api.dialect.has_weak_tokens() {
        return Err("on an ETag, which can be a weak one".to_owned());
    }
    if wanted.key {
        players.retain(|verb| api.dialect.sends_key(verb));
        if players.is_empty() {
            return Err("that is sent with an idempotency key".to_owned());
        }
    }
    if wanted.word {
        players.retain(|verb| api.dialect.says_a_word(verb));
        if players.is_empty() {
            return Err("that says another word each time, such as {unique} in its body".to_owned());
        }
    }
    let first_allowed = players.iter().position(|verb| is_allowed(api, verb, from));
    Ok(players.swap_remove(first_allowed.unwrap_or(0)))
}

/// All that plays it, the likeliest first.
fn players(api: &Api, role: Role) -> Vec<Verb> {
    let (dialect, model) = (&api.dialect, &api.model);
    let act = |action: &ActionModel| Verb::Act(Arc::clone(&action.name));
    let contract = || model.actions.iter().filter(|action| !action.is_aside);
    let mut players: Vec<Verb> = contract().filter(|action| role.is_played_by(action)).map(act).collect();
    match role {
        Role::Read => players.extend(dialect.reads().then_some(Verb::Read)),
        Role::Create => {
            // Made at an id that the client chose, it is the register's first value.
            let makes_it = model.family == Family::Register && dialect.creates() && dialect.made_id("").is_some();
            players.extend(makes_it.then_some(Verb::Create));
        }
        Role::Keyed => {
            // What has an effect comes last: scenarios of its own are about that.
            let (with, without): (Vec<_>, Vec<_>) = contract().partition(|action| action.has_effect);
            let create = dialect.creates().then_some(Verb::Create);
            players.extend(create.into_iter().chain(without.into_iter().chain(with).map(act)));
            players.retain(|verb| dialect.sends_key(verb));
        }
        Role::Replace | Role::Delete | Role::Take | Role::Give | Role::Effect => {}
    }
    players
}

fn is_allowed(api: &Api, verb: &Verb, from: &[StateIx]) -> bool {
    let Verb::Act(name) = verb else { return true };
    let action = api.model.action(name);
    action.is_some_and(|action| from.iter().any(|state| action.next(*state).next().is_some()))
}

/// Whether it is done only where nothing is: then there is no token to be conditional on.
pub(super) fn needs_absence(action: &ActionModel) -> bool {
    action.write.is_some_and(|write| write.needs == Needs::Absent)
}

/// What a description has to offer, in words.
pub(super) fn described(api: &Api) -> String {
    let keyed = |verb: &Verb| if api.dialect.sends_key(verb) { ", with a key" } else { "" };
    let create = (api.dialect.creates()).then(|| format!("`create`{}", keyed(&Verb::Create)));
    let read = api.dialect.reads().then(|| "`read`".to_owned());
    let actions = api.model.actions.iter().map(|action| {
        let verb = Verb::Act(Arc::clone(&action.name));
        let is_conditional = api.dialect.sends_token(&verb) && !needs_absence(action);
        let token = if is_conditional { ", on a token" } else { "" };
        format!("`{}`{}{token}{}", action.name, does(action), keyed(&verb))
    });
    format!("it has {}", create.into_iter().chain(read).chain(actions).collect::<Vec<_>>().join("; "))
}

/// What an action does, in words that follow its name.
fn does(action: &ActionModel) -> String {
    let write = action.write.map(|write| {
        let leaves = match write.leaves {
            Leaves::Value => "writes the value",
            Leaves::Nothing => "leaves none",
        };
        let needs = match write.needs {
            Needs::Anything => "",
            Needs::Present => " and needs one",
            Needs::Absent => " and needs none to be there",
        };
        format!(", {leaves}{needs}")
    });
    let adds = action.adds.map(|adds| format!(", adds {adds}"));
    let effect = if action.has_effect { ", has an effect" } else { "" };
    format!("{}{}{effect}", write.unwrap_or_default(), adds.unwrap_or_default())
}
