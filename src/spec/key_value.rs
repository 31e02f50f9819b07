//! One key of a key-value store: `put` replaces its text, `append` adds to it, `get` returns it; absent reads as `""`.
//! Keys are independent, so each is judged alone.
//!
//! Of a text only this matters: which prefix of something that a `get` returned it is. A text that is no such prefix
//! can never again become what any `get` returned, since appending only makes it longer; until the next `put` it is as
//! good as any other such text. So a state is a place in one of the returned texts, or [`Text::Lost`]: comparing and
//! copying it costs nothing, however long the texts are, and orders that differ only in lost texts count as one.

use std::sync::Arc;

use super::Spec;

/// An operation on the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Returned this text.
    Get(Arc<str>),
    /// Replaced it by this text.
    Put(Arc<str>),
    /// Added this text at the end.
    Append(Arc<str>),
}

/// The key's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Text {
    /// The first `length` bytes of a returned text: the first in their order that begins like this.
    Prefix {
        /// Which text.
        of: u32,
        /// How much of it.
        length: u32,
    },
    /// No text that was returned begins like this.
    Lost,
}

/// The specification of one key, given what was ever returned for it.
#[derive(Debug, Clone)]
pub struct KeyValue {
    /// Sorted, each once.
    returned: Vec<Arc<str>>,
}

impl KeyValue {
    /// The specification for judging `ops`, and no others.
    pub fn for_ops<'a>(ops: impl IntoIterator<Item = &'a Op>) -> Self {
        let text = |op: &Op| match op {
            Op::Get(text) => Some(Arc::clone(text)),
            Op::Put(_) | Op::Append(_) => None,
        };
        let mut returned: Vec<Arc<str>> = ops.into_iter().filter_map(text).collect();
        returned.sort_unstable();
        returned.dedup();
        Self { returned }
    }

    /// The state of a key that was never written.
    pub fn absent(&self) -> Text {
        self.begins_with(0, self.returned.len(), 0, "")
    }

    /// The text that is the first `length` bytes of `returned[from]`, and `more`: among those returned from `from` up to
    /// `to`, which all begin with these bytes.
    fn begins_with(&self, from: usize, to: usize, length: usize, more: &str) -> Text {
        let tails = &self.returned[from..to];
        let first = from + tails.partition_point(|text| text.as_bytes()[length..] < *more.as_bytes());
        match self.returned[..to].get(first) {
            Some(text) if text.as_bytes()[length..].starts_with(more.as_bytes()) => Text::Prefix {
                of: u32::try_from(first).expect("fewer than 2^32 operations"),
                length: u32::try_from(length + more.len()).expect("a line is shorter than 4 GiB"),
            },
            Some(_) | None => Text::Lost,
        }
    }

    fn append(&self, text: Text, more: &str) -> Text {
        let Text::Prefix { of, length } = text else { return Text::Lost };
        let (of, length) = (of as usize, length as usize);
        let prefix = &self.returned[of].as_bytes()[..length];
        // Texts that begin alike stand together, the first of them at `of`.
        let to = of + self.returned[of..].partition_point(|text| text.as_bytes().starts_with(prefix));
        self.begins_with(of, to, length, more)
    }
}

impl Spec for KeyValue {
    type State = Text;
    type Op = Op;

    fn step(&self, state: &Text, op: &Op, next: &mut Vec<Text>) {
        match op {
            Op::Get(text) => {
                let is_it = match *state {
                    Text::Prefix { of, length } => {
                        length as usize == text.len()
                            && self.returned[of as usize].as_bytes().starts_with(text.as_bytes())
                    }
                    Text::Lost => false,
                };
                next.extend(is_it.then_some(*state));
            }
            Op::Put(text) => next.push(self.begins_with(0, self.returned.len(), 0, text)),
            Op::Append(more) => next.push(self.append(*state, more)),
        }
    }

    fn only_observes(&self, op: &Op) -> bool {
        match op {
            Op::Get(_) => true,
            Op::Put(_) | Op::Append(_) => false,
        }
    }

    /// A put leads to the same text whatever came before; a get needs the text to end as it was just made to.
    fn may_help(&self, first: &Op, then: &Op) -> bool {
        match (first, then) {
            (Op::Get(_), _) | (_, Op::Append(_)) => true,
            (_, Op::Put(_)) => false,
            (Op::Put(whole), Op::Get(text)) => whole == text,
            (Op::Append(end), Op::Get(text)) => text.ends_with(&**end),
        }
    }
}
