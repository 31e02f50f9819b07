//! Who races, as a scenario writes it: what it asks for, who it is, what it names and when it leaves.

use std::sync::Arc;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use toml::Spanned;

use crate::seed::Dice;
use crate::text::parse_duration;

/// A contender that leaves later than this after the first one hardly races with it.
const LONGEST_OFFSET: Duration = Duration::from_secs(1);

/// One racing request, or one that follows the race.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Contender {
    /// An action of the API description, its `create` or `read`, or a role that one of these plays (`<replace>`).
    #[schemars(with = "String")]
    pub action: Spanned<String>,
    /// Who acts, if not the action's own actor.
    #[schemars(with = "Option<String>")]
    pub actor: Option<Spanned<String>>,
    /// Which person of that role.
    #[serde(default)]
    pub person: PersonUse,
    /// Which version token it names.
    #[serde(default)]
    #[schemars(with = "TokenUse")]
    pub token: Placed<TokenUse>,
    /// Which idempotency key it carries, where its action is sent with one.
    #[serde(default)]
    pub key: KeyUse,
    /// A body instead of the described one.
    pub body: Option<Value>,
    /// Which server it is sent to.
    #[serde(default)]
    pub at: ServerUse,
    /// How much later than the first it leaves, such as `2ms`; at most 1 s.
    #[serde(default, deserialize_with = "offset")]
    #[schemars(with = "String")]
    pub offset: Placed<Duration>,
}

fn offset<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Placed<Duration>, D::Error> {
    let Placed { value, span } = Placed::<String>::deserialize(deserializer)?;
    let value = parse_duration(&value).map_err(serde::de::Error::custom)?;
    if value > LONGEST_OFFSET {
        return Err(serde::de::Error::custom(format!("an offset is at most {LONGEST_OFFSET:?}")));
    }
    Ok(Placed { value, span })
}

/// A value with its place, or a default without one.
#[derive(Debug, Clone, Default)]
pub struct Placed<T> {
    /// The value.
    pub value: T,
    /// Where it stands.
    pub span: Option<std::ops::Range<usize>>,
}

impl Contender {
    /// Whoever does `action` in its own role, on the current token, with a key of its own.
    pub(super) fn plain(action: &str, person: PersonUse) -> Self {
        Self {
            action: Spanned::new(0..0, action.to_owned()),
            actor: None,
            person,
            token: Placed::default(),
            key: KeyUse::default(),
            body: None,
            at: ServerUse::default(),
            offset: Placed::default(),
        }
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Placed<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let spanned = Spanned::<T>::deserialize(deserializer)?;
        let span = Some(spanned.span());
        Ok(Self { value: spanned.into_inner(), span })
    }
}

/// Which person of a role a contender is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PersonUse {
    /// The same person as in the set-up.
    #[default]
    Same,
    /// A person of its own.
    Each,
    /// One person who is not the one of the set-up.
    Other,
}

/// Which server a request is sent to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ServerUse {
    /// The target.
    #[default]
    Target,
    /// A replica of it on the same data, where there is one; else the target.
    Replica,
}

/// Which version token a contender names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TokenUse {
    /// The one it read last.
    #[default]
    Current,
    /// The one it read before the `change`; after the race, the one read before it.
    Stale,
    /// The current one, said to be a weak one.
    Weak,
    /// One that no version ever had.
    Unheard,
    /// None at all.
    None,
}

impl TokenUse {
    /// The token that is sent for the one that was `read`.
    pub fn sent(self, read: Option<Arc<str>>, dice: &mut Dice) -> Option<Arc<str>> {
        match self {
            Self::Current | Self::Stale => read,
            Self::Weak => read.map(|token| if token.starts_with("W/") { token } else { format!("W/{token}").into() }),
            Self::Unheard => Some(format!("\"{}\"", dice.uuid()).into()),
            Self::None => None,
        }
    }
}

/// Which idempotency key a contender carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KeyUse {
    /// A key of its own.
    #[default]
    Own,
    /// The one key of all contenders that share.
    Shared,
    /// The one key of all contenders that share, with a payload of its own.
    Reused,
    /// None, though its action is sent with one.
    None,
}
