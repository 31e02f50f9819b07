//! The files that a newcomer starts from: a description of their API and a race, commented line by line.
//!
//! ```text
//! a kind of model ─► skeleton ──┐
//!                               ├──► Draft ─► NAME.toml, NAME-race.toml
//! an OpenAPI document ─► guess ─┘
//! ```
//!
//! A draft is valid as it is written: it is read and planned. Whether it is true of an API only its people know, so what was guessed
//! says so, and what cannot be known is a question in a comment.

mod openapi;
mod skeleton;

pub use openapi::{Drawn, LARGEST as LARGEST_DOCUMENT, OpenApiError, Wishes, from_openapi};
pub use skeleton::skeleton;

/// The texts of the two files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// `NAME.toml`: the API description.
    pub description: String,
    /// `NAME-race.toml`: a scenario for it.
    pub scenario: String,
    /// What is worth saying about how they came to be, a line each.
    pub notes: Vec<String>,
}

/// Whether descriptions and scenarios can be called so: lower-case letters, digits and dashes.
pub fn is_name(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

/// `text` as such a name: `Order Items` is `order-items`. Nothing, if it has no letter or digit.
pub fn as_name(text: &str) -> Option<String> {
    let lower = |c: char| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '-' };
    let dashed: String = text.chars().map(lower).collect();
    let name = dashed.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-");
    (!name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_name_becomes_one() {
        for (text, name) in [("Order Items", "order-items"), ("_v1/Orders_", "v1-orders"), ("docs", "docs")] {
            assert_eq!(as_name(text).as_deref(), Some(name));
            assert!(is_name(name));
        }
        assert_eq!(as_name("주문"), None);
        assert!(!is_name("") && !is_name("Docs") && !is_name("a b"));
    }
}
