//! When a resource has settled, and where else it can be read.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;
use toml::Spanned;

use super::super::dialect::asking::RequestTemplate;
use super::super::dialect::settling::{Settle, Until};
use super::Reader;
use super::place::PlaceFile;
use super::shape::ApiFile;
use crate::source::SourceError;
use crate::text::parse_duration;

/// How long a resource is given to settle, unless a description says otherwise; and the longest that it may say.
const LIMIT: Duration = Duration::from_secs(5);
const LONGEST: Duration = Duration::from_mins(1);

/// What is waited for before a race, and before the look at what it came to.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct SettleFile {
    /// Nothing is sent for so long, such as `200ms`.
    #[schemars(with = "Option<String>")]
    pub(super) quiet: Option<Spanned<String>>,
    /// A read tells a strong version token: one without `W/`.
    #[serde(default)]
    #[schemars(with = "bool")]
    pub(super) strong_token: Option<Spanned<bool>>,
    /// A read tells a certain text at a certain place.
    #[schemars(with = "Option<UntilFile>")]
    pub(super) until: Option<Spanned<UntilFile>>,
    /// How long that may take, such as `10s`; a round that takes longer proves nothing.
    #[schemars(with = "Option<String>")]
    pub(super) limit: Option<Spanned<String>>,
}

/// What a read must tell, and where.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct UntilFile {
    /// Where.
    #[schemars(with = "PlaceFile")]
    pub(super) read: Spanned<PlaceFile>,
    /// Any of these.
    #[schemars(with = "Vec<String>")]
    pub(super) is: Spanned<Vec<String>>,
}

impl Reader<'_> {
    /// `[settle]`, if there is one.
    pub(super) fn settle(&self, file: &ApiFile) -> Result<Option<Settle>, SourceError> {
        let Some(table) = &file.settle else { return Ok(None) };
        let settle = table.get_ref();
        let wants_strong = settle.strong_token.as_ref().filter(|wanted| *wanted.get_ref());
        let asks = wants_strong.map(Spanned::span).or(settle.until.as_ref().map(Spanned::span));
        if let (Some(span), None) = (asks.clone(), &file.read) {
            return Err(self.wrong(span, "this is seen by reading the resource, and there is no [read]"));
        }
        if let (Some(wanted), None) = (wants_strong, &file.token) {
            return Err(self.wrong(wanted.span(), "there is no [token] that could be a strong one"));
        }
        let until = settle.until.as_ref().map(|until| self.until(until.get_ref())).transpose()?;
        if wants_strong.is_none() && until.is_none() && settle.quiet.is_none() {
            let message = "[settle] waits for nothing";
            return Err(self.wrong(table.span(), message).help("say `quiet`, `strong_token` or `until`"));
        }
        if let (Some(limit), None) = (&settle.limit, &asks) {
            return Err(self
                .wrong(limit.span(), "a `limit` is for `strong_token` and `until`; `quiet` lasts as long as it says"));
        }
        Ok(Some(Settle {
            quiet: settle.quiet.as_ref().map(|quiet| self.wait(quiet)).transpose()?.unwrap_or_default(),
            strong_token: wants_strong.is_some(),
            until,
            limit: settle.limit.as_ref().map(|limit| self.wait(limit)).transpose()?.unwrap_or(LIMIT),
        }))
    }

    fn until(&self, until: &UntilFile) -> Result<Until, SourceError> {
        if until.is.get_ref().is_empty() {
            return Err(self.wrong(until.is.span(), "a list of texts that names none"));
        }
        let is = until.is.get_ref().iter().map(|text| text.as_str().into()).collect();
        Ok(Until { read: self.place(&until.read)?, is })
    }

    fn wait(&self, typed: &Spanned<String>) -> Result<Duration, SourceError> {
        let duration = parse_duration(typed.get_ref()).map_err(|why| self.wrong(typed.span(), why))?;
        if duration.is_zero() || duration > LONGEST {
            return Err(self.wrong(typed.span(), format!("a wait is more than none, and at most {LONGEST:?}")));
        }
        Ok(duration)
    }

    /// The requests of `[views]`, by name.
    pub(super) fn views(&self, file: &ApiFile) -> Result<Vec<RequestTemplate>, SourceError> {
        if let (Some((name, _)), None) = (file.views.iter().next(), &file.read) {
            return Err(self.wrong(name.span(), "a view shows what [read] shows, and there is no [read]"));
        }
        file.views.values().map(|view| self.request(&view.parts())).collect()
    }
}
