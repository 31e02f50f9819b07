//! Entity tags and the preconditions made of them (RFC 9110 §8.8.3, §13.1): parsing and comparison, pure.
//!
//! ```text
//! If-Match: "a", , W/"b"      a list; empty elements are skipped (§5.6.1)
//! If-Match: "c,d"             one tag: a comma is an ordinary character inside the quotes
//! If-Match: *                 whatever there is; alone, or the field is malformed
//! ```

use http::HeaderValue;
use http::header::{HeaderMap, HeaderName, IF_MATCH, IF_NONE_MATCH};

/// An entity tag: opaque characters, and whether it is weak.
///
/// Kept as bytes, because the characters may be `obs-text`, which no encoding is declared for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct EntityTag {
    opaque: Vec<u8>,
    weak: bool,
}

impl EntityTag {
    /// A strong tag of the service's own making.
    pub(super) fn strong(opaque: String) -> Self {
        debug_assert!(opaque.bytes().all(is_etagc));
        Self { opaque: opaque.into_bytes(), weak: false }
    }

    /// What stands between the quotes of a tag of the service's own making.
    pub(super) fn opaque(&self) -> &str {
        std::str::from_utf8(&self.opaque).expect("the service makes its tags of text")
    }

    /// The value of an `ETag` header.
    pub(super) fn header(&self) -> HeaderValue {
        let prefix: &[u8] = if self.weak { b"W/\"" } else { b"\"" };
        HeaderValue::from_bytes(&[prefix, &self.opaque, b"\""].concat())
            .expect("an entity tag has only characters that a header may hold")
    }

    /// Two weak tags, or one, never match strongly, whatever they say (§8.8.3.2).
    fn matches_strongly(&self, other: &Self) -> bool {
        !self.weak && !other.weak && self.opaque == other.opaque
    }

    pub(super) fn matches_weakly(&self, other: &Self) -> bool {
        self.opaque == other.opaque
    }
}

/// What an `If-Match` or `If-None-Match` field names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum TagList {
    Any,
    Tags(Vec<EntityTag>),
}

/// The field is not a list of entity tags.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} must be `*` alone, or a list of quoted entity tags such as \"abc\", \"def\"")]
pub(super) struct MalformedTags(HeaderName);

impl TagList {
    /// Reads all lines of one field as the single list they are (§5.3); none where the field is absent.
    fn from_headers(headers: &HeaderMap, name: &HeaderName) -> Result<Option<Self>, MalformedTags> {
        if !headers.contains_key(name) {
            return Ok(None);
        }
        let mut tags = Vec::new();
        let mut stars = 0_usize;
        for line in headers.get_all(name) {
            let mut rest = line.as_bytes();
            while let Some(element) = next_element(&mut rest) {
                match element.map_err(|Unreadable| MalformedTags(name.clone()))? {
                    Element::Star => stars += 1,
                    Element::Tag(tag) => tags.push(tag),
                }
            }
        }
        match (stars, tags.len()) {
            (0, _) => Ok(Some(Self::Tags(tags))),
            (1, 0) => Ok(Some(Self::Any)),
            _ => Err(MalformedTags(name.clone())),
        }
    }

    /// Whether it names a tag that `matches`. A star names whatever there is.
    pub(super) fn any(&self, matches: impl Fn(&EntityTag) -> bool) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(matches),
        }
    }
}

enum Element {
    Star,
    Tag(EntityTag),
}

struct Unreadable;

/// Takes one element off the front of `rest`, with the separator after it; none at the end.
fn next_element(rest: &mut &[u8]) -> Option<Result<Element, Unreadable>> {
    while let [b' ' | b'\t' | b',', tail @ ..] = *rest {
        *rest = tail;
    }
    if rest.is_empty() {
        return None;
    }
    let element = read_element(rest);
    // Between two elements there must be a comma: `"a" "b"` is no list.
    while let [b' ' | b'\t', tail @ ..] = *rest {
        *rest = tail;
    }
    match rest.first() {
        None | Some(b',') => Some(element),
        Some(_) => Some(Err(Unreadable)),
    }
}

fn read_element(rest: &mut &[u8]) -> Result<Element, Unreadable> {
    if let [b'*', tail @ ..] = *rest {
        *rest = tail;
        return Ok(Element::Star);
    }
    let (weak, quoted) = match *rest {
        [b'W', b'/', tail @ ..] => (true, tail),
        all => (false, all),
    };
    let Some((b'"', quoted)) = quoted.split_first() else {
        return Err(Unreadable);
    };
    let end = quoted.iter().position(|&byte| byte == b'"').ok_or(Unreadable)?;
    let (opaque, tail) = quoted.split_at(end);
    if !opaque.iter().copied().all(is_etagc) {
        return Err(Unreadable);
    }
    *rest = &tail[1..];
    Ok(Element::Tag(EntityTag { opaque: opaque.to_vec(), weak }))
}

/// `etagc = %x21 / %x23-7E / obs-text` (RFC 9110 §8.8.3).
const fn is_etagc(byte: u8) -> bool {
    matches!(byte, 0x21 | 0x23..=0x7e | 0x80..=0xff)
}

/// The preconditions of one request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Preconditions {
    pub(super) if_match: Option<TagList>,
    pub(super) if_none_match: Option<TagList>,
}

/// Why a write may not go ahead.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unmet {
    /// The request carries no `If-Match`: 428.
    Missing,
    /// It names another version than the current one: 412.
    Failed,
}

/// What a read is to be answered with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadAnswer {
    Send,
    NotModified,
    Failed,
}

impl Preconditions {
    pub(super) fn from_headers(headers: &HeaderMap) -> Result<Self, MalformedTags> {
        Ok(Self {
            if_match: TagList::from_headers(headers, &IF_MATCH)?,
            if_none_match: TagList::from_headers(headers, &IF_NONE_MATCH)?,
        })
    }

    /// The order of §13.2.2: `If-Match` first, then `If-None-Match`. A write needs the former.
    pub(super) fn judge_write(&self, current: &EntityTag) -> Result<(), Unmet> {
        let if_match = self.if_match.as_ref().ok_or(Unmet::Missing)?;
        if !if_match.any(|tag| tag.matches_strongly(current)) {
            return Err(Unmet::Failed);
        }
        match &self.if_none_match {
            Some(list) if list.any(|tag| tag.matches_weakly(current)) => Err(Unmet::Failed),
            Some(_) | None => Ok(()),
        }
    }

    pub(super) fn judge_read(&self, current: &EntityTag) -> ReadAnswer {
        if let Some(list) = &self.if_match
            && !list.any(|tag| tag.matches_strongly(current))
        {
            return ReadAnswer::Failed;
        }
        match &self.if_none_match {
            Some(list) if list.any(|tag| tag.matches_weakly(current)) => ReadAnswer::NotModified,
            Some(_) | None => ReadAnswer::Send,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn current() -> EntityTag {
        EntityTag::strong("E1".to_owned())
    }

    fn preconditions(name: &HeaderName, lines: &[&str]) -> Result<Preconditions, MalformedTags> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(name.clone(), HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Preconditions::from_headers(&headers)
    }

    #[test]
    fn if_match_passes_exactly_when_the_current_tag_is_named_strongly() {
        let cases: [(&[&str], Result<(), Unmet>); 13] = [
            (&[], Err(Unmet::Missing)),
            (&["*"], Ok(())),
            (&["\"E1\""], Ok(())),
            (&["\"stale\""], Err(Unmet::Failed)),
            (&["W/\"E1\""], Err(Unmet::Failed)),
            (&["\"x\", \"E1\", \"y\""], Ok(())),
            (&["\"x\",\"y\""], Err(Unmet::Failed)),
            (&["\"x\"", "\"E1\""], Ok(())),
            (&["\"E1\" ,, \"x\""], Ok(())),
            (&[" , \t\"E1\"\t,"], Ok(())),
            (&["\"E1,x\""], Err(Unmet::Failed)),
            (&[""], Err(Unmet::Failed)),
            (&["\"e1\""], Err(Unmet::Failed)),
        ];
        for (lines, expected) in cases {
            let read = preconditions(&IF_MATCH, lines).unwrap();
            assert_eq!(read.judge_write(&current()), expected, "{lines:?}");
        }
    }

    #[test]
    fn what_is_no_list_of_tags_is_malformed() {
        for lines in [
            &["E1"][..],
            &["*, \"E1\""],
            &["*", "\"E1\""],
            &["*", "*"],
            &["\"E1"],
            &["w/\"E1\""],
            &["W/ \"E1\""],
            &["\"E1\" \"x\""],
            &["\"E 1\""],
        ] {
            assert!(preconditions(&IF_MATCH, lines).is_err(), "{lines:?}");
        }
    }

    #[test]
    fn a_comma_inside_the_quotes_belongs_to_the_tag() {
        let tag = EntityTag::strong("a,b".to_owned());
        let read = preconditions(&IF_MATCH, &["\"a,b\""]).unwrap();
        assert_eq!(read.judge_write(&tag), Ok(()));
    }

    #[test]
    fn a_weak_current_tag_is_matched_by_nothing_but_a_star() {
        let weak = EntityTag { opaque: b"E1".to_vec(), weak: true };
        for lines in [["W/\"E1\""], ["\"E1\""]] {
            let read = preconditions(&IF_MATCH, &lines).unwrap();
            assert_eq!(read.judge_write(&weak), Err(Unmet::Failed), "{lines:?}");
        }
        assert_eq!(weak.header(), "W/\"E1\"");
    }

    #[test]
    fn if_none_match_on_a_read_compares_weakly() {
        for (line, expected) in [
            ("\"E1\"", ReadAnswer::NotModified),
            ("W/\"E1\"", ReadAnswer::NotModified),
            ("*", ReadAnswer::NotModified),
            ("\"x\"", ReadAnswer::Send),
        ] {
            let read = preconditions(&IF_NONE_MATCH, &[line]).unwrap();
            assert_eq!(read.judge_read(&current()), expected, "{line}");
        }
    }

    #[test]
    fn if_none_match_on_a_write_is_judged_after_if_match() {
        let mut read = preconditions(&IF_NONE_MATCH, &["\"E1\""]).unwrap();
        assert_eq!(read.judge_write(&current()), Err(Unmet::Missing));
        read.if_match = Some(TagList::Any);
        assert_eq!(read.judge_write(&current()), Err(Unmet::Failed));
    }
}
