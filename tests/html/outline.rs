//! A page as the pieces that a browser reads, and as an outline that people read.

use std::fmt::Write as _;

use html5gum::{Token, Tokenizer};

/// A piece of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Start { name: String, attributes: Vec<(String, String)> },
    End(String),
    Text(String),
    Comment,
}

impl Piece {
    pub(crate) fn is_start(&self, wanted: &str) -> bool {
        matches!(self, Self::Start { name, .. } if name == wanted)
    }

    pub(crate) fn is_end(&self, wanted: &str) -> bool {
        matches!(self, Self::End(name) if name == wanted)
    }

    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn attributes(&self) -> impl Iterator<Item = (&str, &str)> {
        let attributes = match self {
            Self::Start { attributes, .. } => attributes.as_slice(),
            _ => &[],
        };
        attributes.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }
}

/// The pieces of a page, as the WHATWG's tokenizer finds them. What stands in its style and its script is left out: that is not HTML.
/// Each is there once, however strangers' words end.
pub(crate) fn pieces(page: &str) -> Vec<Piece> {
    let mut page = page.to_owned();
    for element in ["style", "script"] {
        let (start, end) = (format!("<{element}>"), format!("</{element}>"));
        assert_eq!((page.matches(&start).count(), page.matches(&end).count()), (1, 1), "{element}");
        let (from, to) = (page.find(&start).unwrap() + start.len(), page.find(&end).unwrap());
        page.replace_range(from..to, "");
    }
    let page = page.as_str();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut pieces = Vec::new();
    for token in Tokenizer::new(page) {
        match token.unwrap() {
            Token::StartTag(tag) => pieces.push(Piece::Start {
                name: text(&tag.name),
                attributes: tag.attributes.iter().map(|(key, value)| (text(key), text(value))).collect(),
            }),
            Token::EndTag(tag) => pieces.push(Piece::End(text(&tag.name))),
            Token::String(string) => pieces.push(Piece::Text(text(&string))),
            Token::Comment(_) => pieces.push(Piece::Comment),
            Token::Doctype(_) => {}
            Token::Error(error) => panic!("not HTML: {error:?}"),
        }
    }
    pieces
}

/// Elements that have no end.
const VOID: [&str; 4] = ["meta", "link", "input", "br"];

/// An element a line, indented, without the digests of style and script. One that holds text alone has it beside it.
pub(crate) fn of(page: &str) -> String {
    let mut out = String::new();
    let mut depth = 0_usize;
    let pieces = pieces(page);
    let mut rest = pieces.as_slice();
    while let Some((piece, after)) = rest.split_first() {
        rest = after;
        match (piece, after) {
            (Piece::Start { .. }, [Piece::Text(text), Piece::End(_), after @ ..]) if !text.contains('\n') => {
                let _ = writeln!(out, "{}{} | {text}", "  ".repeat(depth), tag(piece));
                rest = after;
            }
            (Piece::Start { .. }, [Piece::End(_), after @ ..]) => {
                let _ = writeln!(out, "{}{}", "  ".repeat(depth), tag(piece));
                rest = after;
            }
            (Piece::Start { name, .. }, _) => {
                let _ = writeln!(out, "{}{}", "  ".repeat(depth), tag(piece));
                depth += usize::from(!VOID.contains(&name.as_str()));
            }
            (Piece::End(_), _) => depth = depth.saturating_sub(1),
            (Piece::Text(text), _) => {
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    let _ = writeln!(out, "{}| {}", "  ".repeat(depth), line.trim_end());
                }
            }
            (Piece::Comment, _) => out.push_str("comment\n"),
        }
    }
    out
}

/// An element's name and attributes.
fn tag(piece: &Piece) -> String {
    let Piece::Start { name, .. } = piece else { return String::new() };
    let mut tag = name.clone();
    for (key, value) in piece.attributes() {
        let value = if value.starts_with("default-src") { "…" } else { value };
        let _ = write!(tag, " {key}={value:?}");
    }
    tag
}
