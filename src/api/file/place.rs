//! Places as written: a JSON Pointer, a JSONPath, a table, or a list of these.

use std::fmt;

use regex::Regex;
use schemars::JsonSchema;
use serde::de::{self, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json_path::JsonPath;
use toml::Spanned;

use super::super::place::{Place, Source, Spot};
use super::Reader;
use crate::source::SourceError;

/// A place as written.
#[derive(Debug, Clone, JsonSchema)]
#[schemars(untagged)]
pub(super) enum PlaceFile {
    /// A JSON Pointer (`/a/b`) or a JSONPath (`$.a.b`).
    Json(String),
    /// A spot with more to say of it.
    Spot(SpotFile),
    /// The first of these that holds anything.
    Any(Vec<PlaceFile>),
}

/// A spot as written: `json`, `header` or `body`, and what is made of it.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SpotFile {
    /// A JSON Pointer or a JSONPath.
    pub(super) json: Option<String>,
    /// A header's name.
    pub(super) header: Option<String>,
    /// The whole body, as text.
    #[serde(default)]
    pub(super) body: bool,
    /// Only what this matches of it: its first group, if it has one.
    pub(super) regex: Option<String>,
    /// `base64`: what stands there is decoded first.
    pub(super) decode: Option<DecodeFile>,
    /// For a resource's id alone: made up by the client, as this says.
    pub(super) made: Option<String>,
}

/// How something is decoded.
#[derive(Debug, Clone, Copy, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub(super) enum DecodeFile {
    /// RFC 4648 §4.
    Base64,
}

impl<'de> Deserialize<'de> for PlaceFile {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Written)
    }
}

struct Written;

impl<'de> Visitor<'de> for Written {
    type Value = PlaceFile;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a place: \"/json/pointer\", \"$.json.path\", { header = \"NAME\" } or { body = true }")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<PlaceFile, E> {
        Ok(PlaceFile::Json(text.to_owned()))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<PlaceFile, A::Error> {
        SpotFile::deserialize(de::value::MapAccessDeserializer::new(map)).map(PlaceFile::Spot)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<PlaceFile, A::Error> {
        let mut places = Vec::new();
        while let Some(place) = seq.next_element()? {
            places.push(place);
        }
        Ok(PlaceFile::Any(places))
    }
}

impl PlaceFile {
    /// The template of an id that the client makes up.
    pub(super) fn made(&self) -> Option<&str> {
        match self {
            Self::Spot(SpotFile { made, .. }) => made.as_deref(),
            Self::Json(_) | Self::Any(_) => None,
        }
    }
}

impl Reader<'_> {
    pub(super) fn place_option(&self, place: Option<&Spanned<PlaceFile>>) -> Result<Option<Place>, SourceError> {
        place.map(|place| self.place(place)).transpose()
    }

    pub(super) fn place(&self, place: &Spanned<PlaceFile>) -> Result<Place, SourceError> {
        let mut spots = Vec::new();
        self.spots(place.get_ref(), place, &mut spots)?;
        if spots.is_empty() {
            return Err(self.wrong(place.span(), "a list of places that names none"));
        }
        Ok(Place(spots))
    }

    fn spots(&self, file: &PlaceFile, place: &Spanned<PlaceFile>, spots: &mut Vec<Spot>) -> Result<(), SourceError> {
        match file {
            PlaceFile::Json(text) => {
                let at = self.json_source(text, place.span())?;
                spots.push(Spot { at, regex: None, is_base64: false });
            }
            PlaceFile::Spot(spot) => spots.push(self.spot(spot, place)?),
            PlaceFile::Any(places) => {
                for inner in places {
                    if matches!(inner, PlaceFile::Any(_)) {
                        return Err(self.wrong(place.span(), "a list of places within a list of places"));
                    }
                    self.spots(inner, place, spots)?;
                }
            }
        }
        Ok(())
    }

    fn spot(&self, spot: &SpotFile, place: &Spanned<PlaceFile>) -> Result<Spot, SourceError> {
        if spot.made.is_some() {
            return Err(self
                .wrong(place.span(), "`made` is for a resource's id alone, and stands by itself")
                .help("id = { made = \"doc-{unique}\" }"));
        }
        let at = match (&spot.json, &spot.header, spot.body) {
            (Some(json), None, false) => self.json_source(json, place.span())?,
            (None, Some(header), false) => Source::Header(self.header_called(header, place.span())?),
            (None, None, true) => Source::Body,
            _ => {
                return Err(self
                    .wrong(place.span(), "a place is one of `json`, `header` and `body`")
                    .help("{ json = \"/a/b\" }, { header = \"ETag\" } or { body = true }"));
            }
        };
        let regex = spot.regex.as_ref().map(|regex| self.regex(regex, place.span())).transpose()?;
        Ok(Spot { at, regex, is_base64: spot.decode.is_some() })
    }

    pub(super) fn regex(&self, text: &str, span: std::ops::Range<usize>) -> Result<Regex, SourceError> {
        // What a stranger's file may cost: a megabyte of automaton.
        regex::RegexBuilder::new(text).size_limit(1 << 20).build().map_err(|error| {
            let why = error.to_string();
            let last = why.lines().last().unwrap_or_default().trim_start_matches("error: ");
            self.wrong(span, format!("this is not a regular expression: {last}"))
        })
    }

    pub(super) fn json(&self, text: &Spanned<String>) -> Result<Source, SourceError> {
        self.json_source(text.get_ref(), text.span())
    }

    pub(super) fn json_option(&self, text: Option<&Spanned<String>>) -> Result<Option<Source>, SourceError> {
        text.map(|text| self.json(text)).transpose()
    }

    fn json_source(&self, text: &str, span: std::ops::Range<usize>) -> Result<Source, SourceError> {
        if text.is_empty() || text.starts_with('/') {
            return Ok(Source::Pointer(text.into()));
        }
        if text.starts_with('$') {
            return match JsonPath::parse(text) {
                Ok(path) => Ok(Source::Path(Box::new(path), text.into())),
                Err(error) => {
                    let message = format!("`{text}` is not a JSONPath (RFC 9535): {}", error.message());
                    Err(self.wrong(span, message))
                }
            };
        }
        Err(self
            .wrong(span, format!("`{text}` is neither a JSON Pointer (RFC 6901) nor a JSONPath (RFC 9535)"))
            .help(format!("did you mean `/{}`?", text.replace('.', "/"))))
    }
}
