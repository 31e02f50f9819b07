//! Which states a resource has, and which steps its actions are: told by the document's words, or by their names.

use super::resource::Resource;

/// A state that nothing leaves is usually called so.
const FINAL: [&str; 18] = [
    "delivered",
    "cancel",
    "reject",
    "done",
    "complete",
    "closed",
    "fail",
    "expired",
    "refund",
    "returned",
    "archived",
    "deleted",
    "finished",
    "denied",
    "declined",
    "void",
    "abort",
    "terminated",
];
/// A state that is off the way from the first to the last.
const ASTRAY: [&str; 12] = [
    "cancel",
    "reject",
    "fail",
    "expired",
    "refund",
    "returned",
    "deleted",
    "denied",
    "declined",
    "void",
    "abort",
    "terminated",
];
/// What an action leads to, where its name does not say.
const LEADS_TO: [(&str, &str); 12] = [
    ("pay", "paid"),
    ("ship", "transit"),
    ("start", "running"),
    ("start", "progress"),
    ("begin", "running"),
    ("finish", "done"),
    ("complete", "done"),
    ("finish", "complete"),
    ("activate", "active"),
    ("suspend", "suspend"),
    ("accept", "confirmed"),
    ("approve", "confirmed"),
];

/// The steps of one action, and why.
#[derive(Debug)]
pub(super) struct Steps {
    pub(super) name: String,
    pub(super) transitions: Vec<(String, String)>,
    pub(super) why: String,
}

/// The states, and what leads from one to another.
#[derive(Debug)]
pub(super) struct Machine {
    pub(super) initial: String,
    pub(super) terminal: Vec<String>,
    pub(super) actions: Vec<Steps>,
    /// What the document knows, and nothing leads to.
    pub(super) unmentioned: Vec<String>,
}

/// Guesses the steps of each action: name, words about it, and the state that its request names, if it does.
pub(super) fn machine(states: &[&str], initial: Option<&str>, actions: &[(String, String, Option<String>)]) -> Machine {
    let initial = initial.or(states.first().copied()).unwrap_or("new").to_owned();
    let way: Vec<&str> = states.iter().copied().filter(|state| !is_one_of(&ASTRAY, state)).collect();
    let mut reached: Vec<String> = vec![initial.clone()];
    let mut steps = Vec::new();
    for (name, words, named) in actions {
        let (transitions, why) = match (told(words, states), named) {
            (Some(told), _) => (told, "from what the document says about it".to_owned()),
            (None, Some(to)) => {
                (vec![(before(to, &way, &initial), to.clone())], "from the order of the states".to_owned())
            }
            (None, None) => by_name(name, states, &way, &reached, &initial),
        };
        reached.extend(transitions.iter().map(|(_, to)| to.clone()));
        steps.push(Steps { name: name.clone(), transitions, why });
    }
    let terminal = finals(&steps, &initial);
    connect(&mut steps, &initial);
    let unmentioned = states.iter().filter(|state| !reached.iter().any(|own| own == *state));
    Machine { terminal, unmentioned: unmentioned.map(|state| (*state).to_owned()).collect(), initial, actions: steps }
}

fn is_one_of(words: &[&str], state: &str) -> bool {
    words.iter().any(|word| state.to_ascii_lowercase().contains(word))
}

/// What `a or b → c` says, if a, b and c are states.
fn told(words: &str, states: &[&str]) -> Option<Vec<(String, String)>> {
    let line = words.lines().find(|line| line.contains('→') || line.contains("->"))?;
    let (before, after) = line.split_once('→').or_else(|| line.split_once("->"))?;
    let mentioned = |text: &str| -> Vec<String> {
        let words: Vec<&str> = text.split(|c: char| !c.is_alphanumeric() && c != '_' && c != '-').collect();
        states.iter().filter(|state| words.contains(*state)).map(|state| (*state).to_owned()).collect()
    };
    let (from, to) = (mentioned(before), mentioned(after));
    let steps: Vec<_> = from.iter().flat_map(|from| to.iter().map(|to| (from.clone(), to.clone()))).collect();
    (!steps.is_empty()).then_some(steps)
}

/// The state that comes before `state` on the way; the first, if it is off it.
fn before(state: &str, way: &[&str], initial: &str) -> String {
    let at = way.iter().position(|own| *own == state);
    at.and_then(|at| way.get(at.checked_sub(1)?)).map_or(initial, |own| *own).to_owned()
}

fn by_name(
    name: &str,
    states: &[&str],
    way: &[&str],
    reached: &[String],
    initial: &str,
) -> (Vec<(String, String)>, String) {
    if let Some(to) = states.iter().find(|state| leads_to(name, state)) {
        return (vec![(before(to, way, initial), (*to).to_owned())], format!("`{name}` sounds like `{to}`"));
    }
    let next = way.iter().find(|state| !reached.iter().any(|own| own == *state));
    match next {
        Some(to) => {
            (vec![(before(to, way, initial), (*to).to_owned())], "nothing says where it leads; check this".to_owned())
        }
        None => (
            vec![(initial.to_owned(), name.to_owned())],
            "nothing says what the state is called then; check this".to_owned(),
        ),
    }
}

/// Whether an action called `name` is likely to lead to `state`: they begin alike.
fn leads_to(name: &str, state: &str) -> bool {
    let (name, state) = (name.to_ascii_lowercase(), state.to_ascii_lowercase());
    let alike = name.bytes().zip(state.bytes()).take_while(|(a, b)| a == b).count();
    let stem = name.trim_end_matches("ation").trim_end_matches("tion").trim_end_matches("ance").trim_end_matches('e');
    alike >= 4 && alike >= stem.len().min(6)
        || LEADS_TO.iter().any(|(verb, word)| name == *verb && state.contains(word))
}

/// States that sound final, are reached, and that nothing leaves.
fn finals(steps: &[Steps], initial: &str) -> Vec<String> {
    let all = || steps.iter().flat_map(|step| &step.transitions);
    let mut finals: Vec<String> = Vec::new();
    for (_, to) in all() {
        let is_left = to == initial || all().any(|(from, _)| from == to);
        if !is_left && is_one_of(&FINAL, to) && !finals.contains(to) {
            finals.push(to.clone());
        }
    }
    finals
}

/// Lets what no way leads to begin at the first state: else the description would not be read.
fn connect(steps: &mut [Steps], initial: &str) {
    loop {
        let mut reached = vec![initial.to_owned()];
        loop {
            let all = steps.iter().flat_map(|step| &step.transitions);
            let found = all
                .filter(|(from, to)| reached.contains(from) && !reached.contains(to))
                .map(|(_, to)| to.clone())
                .next();
            let Some(found) = found else { break };
            reached.push(found);
        }
        let lost =
            steps.iter_mut().flat_map(|step| step.transitions.iter_mut()).find(|(from, _)| !reached.contains(from));
        match lost {
            Some((from, _)) => initial.clone_into(from),
            None => return,
        }
    }
}

/// The name of a member that tells a state.
pub(super) fn is_state(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["status", "state", "phase", "stage", "lifecycle"]
        .iter()
        .any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

/// What of a resource leads from one state to another: all but what replaces or changes it as a whole.
pub(super) fn verbs<'r, 'a>(resource: &'r Resource<'a>) -> Vec<&'r (String, super::operation::Operation<'a>)> {
    let is_verb = |(name, _): &&(String, _)| !matches!(name.as_str(), "replace" | "change" | "remove");
    resource.actions.iter().filter(is_verb).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(states: &[&str], actions: &[(&str, &str)]) -> Machine {
        let actions: Vec<_> =
            actions.iter().map(|(name, words)| ((*name).to_owned(), (*words).to_owned(), None)).collect();
        machine(states, None, &actions)
    }

    fn shown(machine: &Machine) -> Vec<String> {
        let all =
            machine.actions.iter().flat_map(|step| step.transitions.iter().map(|(from, to)| (&step.name, from, to)));
        all.map(|(name, from, to)| format!("{name}: {from} > {to}")).collect()
    }

    #[test]
    fn words_with_an_arrow_are_believed() {
        let machine = steps(&["new", "open", "gone"], &[("x", "new → open"), ("y", "new or open -> gone")]);
        assert_eq!(shown(&machine), ["x: new > open", "y: new > gone", "y: open > gone"]);
    }

    #[test]
    fn names_sound_like_states() {
        let machine = steps(
            &["pending", "paid", "shipped", "cancelled", "lost"],
            &[("pay", ""), ("ship", ""), ("cancellation", "")],
        );
        assert_eq!(
            shown(&machine),
            ["pay: pending > paid", "ship: paid > shipped", "cancellation: pending > cancelled"]
        );
        assert_eq!((machine.terminal, machine.unmentioned), (vec!["cancelled".to_owned()], vec!["lost".to_owned()]));
    }

    #[test]
    fn every_state_is_reached_whatever_was_guessed() {
        let machine = steps(&["a", "b", "c"], &[("x", "b → c"), ("y", "")]);
        assert_eq!(shown(&machine), ["x: b > c", "y: a > b"]);
        assert_eq!(shown(&steps(&[], &[("go", "")])), ["go: new > go"]);
    }
}
