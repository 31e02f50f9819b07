//! An OpenAPI document (3.0 or 3.1), as a stranger wrote it: read within limits, its references followed within limits.

use std::cell::Cell;

use serde_json::Value;

use crate::text::harmless;

/// An OpenAPI document is not longer than this (bytes): the largest public ones have some 12 MB.
pub const LARGEST: usize = 16 << 20;
/// A reference leads to a reference, and so on: not further than this.
const HOPS: usize = 32;
/// How many values are looked at in all. A document whose schemas contain each other in many ways has no end otherwise.
const FUEL: u32 = 200_000;

static NOTHING: Value = Value::Null;

/// Why a document cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenApiError {
    /// Too long.
    #[error("the document is longer than {} MiB\n  = help: leave the paths of one resource in it, and what they refer to", LARGEST >> 20)]
    TooLong,
    /// Neither JSON nor YAML.
    #[error("the document is neither JSON nor YAML: {0}")]
    Unreadable(String),
    /// Some other document, or another version.
    #[error("this is no OpenAPI document of version 3.0 or 3.1: {0}")]
    Version(String),
    /// It has nothing that could be raced.
    #[error("{0}")]
    Nothing(String),
}

/// A document, and how much of it may still be looked at.
#[derive(Debug)]
pub(super) struct Document {
    root: Value,
    fuel: Cell<u32>,
}

impl Document {
    /// Reads JSON, or YAML where it is none.
    pub(super) fn read(text: &str) -> Result<Self, OpenApiError> {
        if text.len() > LARGEST {
            return Err(OpenApiError::TooLong);
        }
        let text = text.trim_start_matches('\u{feff}');
        let is_json = text.trim_start().starts_with(['{', '[']);
        let root: Value = if is_json {
            serde_json::from_str(text).map_err(|error| unreadable(&error))?
        } else {
            serde_saphyr::from_str(text).map_err(|error| unreadable(&error))?
        };
        check_version(&root)?;
        Ok(Self { root, fuel: Cell::new(FUEL) })
    }

    /// A member of the document itself.
    pub(super) fn member(&self, name: &str) -> &Value {
        self.resolved(&self.root[name])
    }

    /// The path of its first server, if all its paths are below one: `/v1` of `https://api.example.com/v1/`.
    pub(super) fn base(&self) -> Option<&str> {
        let url = self.member("servers")[0]["url"].as_str()?;
        let path = match url.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/')?..],
            None => url,
        };
        let path = path.trim_end_matches('/');
        (path.starts_with('/') && !path.contains('{')).then_some(path)
    }

    /// The value, or what it refers to within this document. Nothing (null) where that is not there, elsewhere, or too far.
    pub(super) fn resolved<'a>(&'a self, value: &'a Value) -> &'a Value {
        let mut value = value;
        for _ in 0..HOPS {
            let Some(fuel) = self.fuel.get().checked_sub(1) else { return &NOTHING };
            self.fuel.set(fuel);
            let Some(reference) = value.get("$ref") else { return value };
            let Some(pointer) = reference.as_str().and_then(|text| text.strip_prefix('#')) else { return &NOTHING };
            let pointer = percent_encoding::percent_decode_str(pointer).decode_utf8_lossy();
            let Some(next) = self.root.pointer(&pointer) else { return &NOTHING };
            value = next;
        }
        &NOTHING
    }

    /// Whether some of it was not looked at.
    pub(super) fn is_exhausted(&self) -> bool {
        self.fuel.get() == 0
    }
}

fn unreadable(error: &dyn std::fmt::Display) -> OpenApiError {
    OpenApiError::Unreadable(harmless(error.to_string().lines().next().unwrap_or_default(), 300))
}

fn check_version(root: &Value) -> Result<(), OpenApiError> {
    let told = match (root.get("openapi"), root.get("swagger")) {
        // (YAML reads an unquoted 3.1 as a number.)
        (Some(Value::String(version)), _) => version.clone(),
        (Some(Value::Number(version)), _) => version.to_string(),
        (None, Some(_)) => {
            let help =
                "version 2.0 is `swagger`\n  = help: convert it to 3.0 first; editors and generators for OpenAPI do";
            return Err(OpenApiError::Version(help.to_owned()));
        }
        _ => return Err(OpenApiError::Version("nothing says `openapi: 3.…`".to_owned())),
    };
    if told == "3" || told.starts_with("3.0") || told.starts_with("3.1") {
        return Ok(());
    }
    Err(OpenApiError::Version(format!("it says `openapi: {}`", harmless(&told, 20))))
}
