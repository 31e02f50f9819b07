//! The words of a generic scenario: one that is for a kind of model, and names roles where others name actions.
//!
//! ```toml
//! models = ["register"]
//! [[contenders]]
//! action = "<replace>"      # whatever the description calls it
//! ```

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::Scenario;
use crate::api::{ActionModel, Family, Leaves, Needs};

/// A kind of model that a generic scenario is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ModelKind {
    /// Named states and what leads from one to another.
    StateMachine,
    /// A value that is replaced as a whole.
    Register,
    /// A number that is added to and taken from.
    Counter,
    /// Nothing but what it is asked to do.
    Effects,
}

impl ModelKind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::StateMachine, Self::Register, Self::Counter, Self::Effects];

    /// The kind of a described resource.
    pub const fn of(family: Family) -> Self {
        match family {
            Family::Lifecycle => Self::StateMachine,
            Family::Register => Self::Register,
            Family::Counter(_) => Self::Counter,
            Family::Effects => Self::Effects,
        }
    }

    /// What files call it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::StateMachine => "state-machine",
            Self::Register => "register",
            Self::Counter => "counter",
            Self::Effects => "effects",
        }
    }

    /// What such a resource is, in words.
    pub const fn means(self) -> &'static str {
        match self {
            Self::StateMachine => "named states, and actions that lead from one to another: orders, jobs, bookings",
            Self::Register => "a value that is replaced as a whole, or removed: documents, settings, objects",
            Self::Counter => "a number that actions add to or take from: stock, seats, a balance",
            Self::Effects => "nothing but what it is asked to do: charges, messages",
        }
    }
}

/// What a generic scenario wants done, whatever the description calls the action that does it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Writes a register's value, also where there is one.
    Replace,
    /// Writes a register's value where there is none.
    Create,
    /// Leaves a register without a value.
    Delete,
    /// Takes from a counter.
    Take,
    /// Adds to a counter.
    Give,
    /// Has an effect outside of the resource.
    Effect,
    /// Is sent with an idempotency key.
    Keyed,
    /// Reads.
    Read,
}

impl Role {
    /// All of them.
    pub const ALL: [Self; 8] =
        [Self::Replace, Self::Create, Self::Delete, Self::Take, Self::Give, Self::Effect, Self::Keyed, Self::Read];

    /// As it is written, in its angle brackets.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Replace => "<replace>",
            Self::Create => "<create>",
            Self::Delete => "<delete>",
            Self::Take => "<take>",
            Self::Give => "<give>",
            Self::Effect => "<effect>",
            Self::Keyed => "<keyed>",
            Self::Read => "<read>",
        }
    }

    /// What an action must be to play it.
    pub const fn means(self) -> &'static str {
        match self {
            Self::Replace => "an action that writes the value, also where there is one",
            Self::Create => {
                "an action that writes the value where there is none, or a `create` whose ids the client makes up"
            }
            Self::Delete => "an action that leaves no value",
            Self::Take => "an action that adds less than nothing",
            Self::Give => "an action that adds something",
            Self::Effect => "an action with an effect",
            Self::Keyed => "anything that is sent with an idempotency key",
            Self::Read => "a [read]",
        }
    }

    /// The role that is written so: none if this is a name. An unknown role is an error that holds its word.
    pub(super) fn parse(text: &str) -> Option<Result<Self, String>> {
        text.starts_with('<').then(|| {
            let role = Self::ALL.into_iter().find(|role| role.word() == text);
            role.ok_or_else(|| text.to_owned())
        })
    }

    /// Whether an action of the description plays it. (Keys, and what is no action, are for the dialect to tell.)
    pub(super) fn is_played_by(self, action: &ActionModel) -> bool {
        let writes = |leaves, needs: &dyn Fn(Needs) -> bool| {
            action.write.is_some_and(|write| write.leaves == leaves && needs(write.needs))
        };
        let adds = action.adds.unwrap_or(0);
        match self {
            Self::Replace => writes(Leaves::Value, &|needs| needs != Needs::Absent),
            Self::Create => writes(Leaves::Value, &|needs| needs == Needs::Absent),
            Self::Delete => writes(Leaves::Nothing, &|_| true),
            Self::Take => adds < 0,
            Self::Give => adds > 0,
            Self::Effect => action.has_effect,
            Self::Keyed | Self::Read => false,
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.word())
    }
}

/// What a fresh counter holds, where a scenario does not leave it to the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged, expecting = "a whole number, \"for-one\" or \"for-all\"")]
pub enum Starts {
    /// So much.
    With(i64),
    /// As much as the contenders make of it.
    Enough(Enough),
}

/// How many of the contenders can be served.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Enough {
    /// Whoever takes most, and no other beside.
    ForOne,
    /// All of them.
    ForAll,
}

impl Scenario {
    /// Whether it is for kinds of models, and not for named API descriptions.
    pub fn is_generic(&self) -> bool {
        !self.models.is_empty()
    }

    /// Whether it is for a description of this name and family.
    pub fn is_for(&self, name: &str, family: Family) -> bool {
        let kind = ModelKind::of(family);
        self.apis.iter().any(|own| own.get_ref() == name) || self.models.iter().any(|own| *own.get_ref() == kind)
    }

    /// What it is for, in words: names of descriptions, or kinds of models.
    pub fn audience(&self) -> String {
        let apis = self.apis.iter().map(|api| api.get_ref().as_str());
        let models = self.models.iter().map(|model| model.get_ref().word());
        apis.chain(models).collect::<Vec<_>>().join(", ")
    }

    /// All places where an action is named.
    pub(super) fn actions(&self) -> impl Iterator<Item = &Spanned<String>> {
        let racing = self.contenders.iter().chain(&self.then).map(|contender| &contender.action);
        self.change.iter().chain(racing)
    }
}
