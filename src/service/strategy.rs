//! How contenders for one order are kept apart.

use std::fmt;
use std::str::FromStr;

/// How contenders for one order are kept apart. Both are correct on every store, against each other too: replicas of
/// one service may differ. What differs is who waits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Strategy {
    /// Read and judge without a lock, and write on condition that nothing has changed. The loser has done its work in
    /// vain and learns so at the end; nobody waits while another one thinks.
    #[default]
    Optimistic,
    /// Lock the order, then read, judge and write. The loser waits, and its first look is at what the winner left. A
    /// lock holds a database connection, waiting for one too.
    Pessimistic,
}

/// The text is not the name of a strategy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("there is no strategy `{0}`; there are optimistic and pessimistic")]
pub struct UnknownStrategy(String);

impl Strategy {
    /// Both of them.
    pub const ALL: [Self; 2] = [Self::Optimistic, Self::Pessimistic];

    /// The name on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Optimistic => "optimistic",
            Self::Pessimistic => "pessimistic",
        }
    }

    /// What it does, in one line.
    pub const fn means(self) -> &'static str {
        match self {
            Self::Optimistic => "one conditional UPDATE; nobody waits",
            Self::Pessimistic => "the order is locked while it is judged; contenders wait in line",
        }
    }
}

impl fmt::Display for Strategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Strategy {
    type Err = UnknownStrategy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        let known = Self::ALL.into_iter().find(|strategy| strategy.name() == name);
        known.ok_or_else(|| UnknownStrategy(name.to_owned()))
    }
}
