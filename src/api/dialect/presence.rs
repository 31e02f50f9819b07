//! What can be asked about a resource at all: whether anything makes it, whether it can be read, and who thinks up its id.

use super::Dialect;

/// What a description leaves out, and who thinks up ids.
#[derive(Debug, Clone, Default)]
pub(crate) struct Presence {
    /// Ids are made by whoever asks: this text, with `{unique}` in it.
    pub(crate) made_id: Option<String>,
    /// No request makes the resource.
    pub(crate) is_never_made: bool,
    /// No request reads it.
    pub(crate) is_never_read: bool,
    /// The request that makes it says what a counter starts with.
    pub(crate) is_told_its_start: bool,
}

impl Dialect {
    /// The id of a fresh resource, where the client makes it up: out of `unique`, a word that nobody has used yet.
    pub fn made_id(&self, unique: &str) -> Option<String> {
        self.presence.made_id.as_ref().map(|text| text.replace("{unique}", unique))
    }

    /// Whether a request makes the resource; else it is there, or not there, without one.
    pub const fn creates(&self) -> bool {
        !self.presence.is_never_made
    }

    /// Whether the resource can be read.
    pub const fn reads(&self) -> bool {
        !self.presence.is_never_read
    }

    /// Whether a fresh counter can be made to hold `starts`.
    pub const fn can_start_with(&self, _starts: i64) -> bool {
        self.presence.is_told_its_start
    }
}
