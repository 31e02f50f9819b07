//! Text with holes: `/orders/{id}/payment`, `customer:{person}`.

use std::sync::Arc;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Everything but RFC 3986's unreserved characters.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~');

/// What can fill a hole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hole {
    /// The resource's id.
    Id,
    /// The acting person: unique to the person and the round.
    Person,
    /// A token unique to the request.
    Unique,
}

impl Hole {
    /// The names of all holes.
    pub(super) const NAMES: [&'static str; 3] = ["id", "person", "unique"];

    fn named(name: &str) -> Option<Self> {
        match name {
            "id" => Some(Self::Id),
            "person" => Some(Self::Person),
            "unique" => Some(Self::Unique),
            _ => None,
        }
    }
}

/// A text with holes, checked when it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Template(Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Piece {
    Text(Arc<str>),
    Hole(Hole),
}

/// Values for the holes.
#[derive(Debug, Clone, Copy)]
pub(super) struct Values<'a> {
    pub(super) id: &'a str,
    pub(super) person: &'a str,
    pub(super) unique: &'a str,
}

impl Template {
    /// Reads `text`. The error is the unknown hole's name, or empty for an unclosed brace.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = Vec::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once('{') {
            let (name, after) = after.split_once('}').ok_or_else(String::new)?;
            let hole = Hole::named(name).ok_or_else(|| name.to_owned())?;
            if !before.is_empty() {
                pieces.push(Piece::Text(before.into()));
            }
            pieces.push(Piece::Hole(hole));
            rest = after;
        }
        if !rest.is_empty() {
            pieces.push(Piece::Text(rest.into()));
        }
        Ok(Self(pieces))
    }

    /// The text with its holes filled.
    pub(super) fn fill(&self, values: Values<'_>) -> String {
        self.render(|hole| values.of(hole).to_owned())
    }

    /// The text with its holes filled and percent-encoded, for a path or query.
    pub(super) fn fill_path(&self, values: Values<'_>) -> String {
        self.render(|hole| utf8_percent_encode(values.of(hole), RESERVED).to_string())
    }

    fn render(&self, value: impl Fn(Hole) -> String) -> String {
        (self.0.iter())
            .map(|piece| match piece {
                Piece::Text(text) => text.to_string(),
                Piece::Hole(hole) => value(*hole),
            })
            .collect()
    }
}

impl<'a> Values<'a> {
    fn of(self, hole: Hole) -> &'a str {
        match hole {
            Hole::Id => self.id,
            Hole::Person => self.person,
            Hole::Unique => self.unique,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const VALUES: Values<'_> = Values { id: "a/b c", person: "rider-2", unique: "u1" };

    #[test]
    fn holes_are_filled_and_paths_encoded() {
        let template = Template::parse("/orders/{id}/by/{person}").unwrap();
        assert_eq!(template.fill(VALUES), "/orders/a/b c/by/rider-2");
        assert_eq!(template.fill_path(VALUES), "/orders/a%2Fb%20c/by/rider-2");
    }

    #[test]
    fn an_unknown_hole_is_named_and_an_open_brace_refused() {
        assert_eq!(Template::parse("/x/{order}"), Err("order".to_owned()));
        assert_eq!(Template::parse("/x/{id"), Err(String::new()));
    }
}
