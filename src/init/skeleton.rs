//! Skeletons: for each kind of model a small API as many are, to be changed line by line.

use super::Draft;
use crate::scenario::ModelKind;

macro_rules! skeletons {
    ($model:literal) => {
        (
            include_str!(concat!("skeletons/", $model, ".toml")),
            include_str!(concat!("skeletons/", $model, "-race.toml")),
        )
    };
}

/// The files to start from for a resource of this kind, called `name`.
///
/// ```
/// use quickeats_bench::{api::Api, init, scenario::ModelKind};
/// let draft = init::skeleton(ModelKind::Counter, "seats");
/// assert_eq!(&*Api::parse("seats.toml", &draft.description).unwrap().name, "seats");
/// ```
pub fn skeleton(model: ModelKind, name: &str) -> Draft {
    let (description, scenario) = match model {
        ModelKind::StateMachine => skeletons!("state-machine"),
        ModelKind::Register => skeletons!("register"),
        ModelKind::Counter => skeletons!("counter"),
        ModelKind::Effects => skeletons!("effects"),
    };
    Draft { description: named(description, name), scenario: named(scenario, name), notes: Vec::new() }
}

/// The text with the name where a skeleton says `NAME`; comments beside it stay in their column. The one in `{env:NAME}` stands
/// for a variable of whatever name.
fn named(skeleton: &str, name: &str) -> String {
    let line = |line: &str| {
        let Some(at) = line.find("NAME").filter(|at| !line[..*at].ends_with("{env:")) else { return line.to_owned() };
        let (before, after) = (&line[..at], &line[at + "NAME".len()..]);
        let Some(blanks) = after.find(" #") else { return line.replace("NAME", name) };
        let code = format!("{before}{name}{}", after[..blanks].trim_end());
        let width = at + "NAME".len() + blanks;
        format!("{code:width$}{}", &after[blanks..])
    };
    skeleton.lines().map(|text| line(text) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::api::Api;
    use crate::scenario::{Plan, Scenario};

    #[test]
    fn every_skeleton_is_read_and_planned_as_it_is_written() {
        for model in ModelKind::ALL {
            let Draft { description, scenario, .. } = skeleton(model, "my-own");
            let api = Api::parse("my-own.toml", &description).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!((&*api.name, ModelKind::of(api.model.family)), ("my-own", model));
            let scenario = Scenario::parse("my-own-race.toml", &scenario).unwrap_or_else(|error| panic!("{error}"));
            let plan = Plan::resolve(&scenario, &Arc::new(api), None).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(plan.name, "my-own-race");
        }
    }

    /// What is commented out is meant to be used: it must be right, too.
    #[test]
    fn what_a_skeleton_comments_out_is_read_when_it_is_not() {
        for model in ModelKind::ALL {
            let draft = skeleton(model, "mine");
            let description = switched_on(&draft.description);
            Api::parse("mine.toml", &description).unwrap_or_else(|error| panic!("{error}"));
            let bearer = description.lines().find(|line| line.starts_with("bearer")).unwrap();
            let instead = description.replace(&format!("{bearer}\n# or: basic"), "basic");
            assert_ne!(instead, description, "there is something to say instead");
            Api::parse("mine.toml", &instead).unwrap_or_else(|error| panic!("{error}"));
            let scenario = switched_on(&draft.scenario);
            Scenario::parse("mine-race.toml", &scenario).unwrap_or_else(|error| panic!("{error}"));
        }
    }

    /// Comments that are TOML without their `#`.
    fn switched_on(text: &str) -> String {
        let line = |line: &str| {
            let inner = line.strip_prefix("# ").unwrap_or("");
            let is_code = inner.starts_with('[') || inner.split_once(" = ").is_some_and(|(key, _)| !key.contains(' '));
            if is_code { format!("{inner}\n") } else { format!("{line}\n") }
        };
        text.lines().map(line).collect()
    }

    #[test]
    fn a_variable_of_the_environment_is_not_called_like_the_api() {
        for model in ModelKind::ALL {
            let description = skeleton(model, "cal").description;
            assert!(description.contains("{env:NAME} is never printed"), "{description}");
        }
    }

    #[test]
    fn comments_stay_in_their_column() {
        assert_eq!(named("name = \"NAME\"       # what\n", "ab"), "name = \"ab\"         # what\n");
        assert_eq!(named("x = \"NAME\" # what\n", "a-long-name"), "x = \"a-long-name\" # what\n");
        assert_eq!(named("# `NAME.toml` and\n", "ab"), "# `ab.toml` and\n");
    }
}
