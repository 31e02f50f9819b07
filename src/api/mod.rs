//! The API description: a resource, its states and actions, and how each is spoken over HTTP.
//!
//! Everything the race and the judge know about a target comes from here. Two halves: the [`Model`] says what the
//! API *means* (states, transitions, tokens, effects), the [`Dialect`] says how it is *spoken* (requests, where a
//! reply carries what, which status means what). [`Api::parse`] reads both from one TOML file; [`builtin`] holds the
//! ones that are part of the tool.

pub mod builtin;
mod credentials;
mod dialect;
mod exchange;
mod file;
mod model;
mod place;
mod server_timing;
mod template;

use std::sync::{Arc, OnceLock};

pub use credentials::{Credentials, Tells};
pub use dialect::explaining::{Because, Explained, Sighted};
pub use dialect::login::Login;
pub use dialect::secrets::Secrets;
pub use dialect::settling::{Settle, Settling};
pub use dialect::shell::{AnswerFiles, ShellFill};
pub use dialect::{Dialect, Fill};
pub use exchange::{Headers, Request, Response};
pub use model::{
    ActionModel, Allowed, Bounds, Family, KeyPromises, Lags, Leaves, Model, Needs, StateIx, Transition, Write,
};

use crate::source::SourceError;

/// The JSON Schema of API descriptions, as it is committed under `scenarios/`: what editors complete them by.
pub fn api_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(file::ApiFile)).expect("a schema is plain data");
    text.push('\n');
    text
}

/// Why a variable of the environment cannot be used. Holds no value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EnvironmentError {
    /// There is none of this name.
    #[error("there is no environment variable {0}")]
    Missing(Arc<str>),
    /// What it holds cannot be sent where it goes.
    #[error("{name} {why}")]
    Unfit {
        /// The variable.
        name: Arc<str>,
        /// What it holds and where it goes, in words that follow its name.
        why: &'static str,
    },
}

/// A whole API description.
#[derive(Debug, Clone)]
pub struct Api {
    /// Its name: what `--api` takes.
    pub name: Arc<str>,
    /// One line about it.
    pub summary: Arc<str>,
    /// Its TOML text, for the history's header: with the values of all headers masked, which may be credentials.
    pub source: Arc<str>,
    /// What it means.
    pub model: Model,
    /// How it is spoken.
    pub dialect: Dialect,
}

impl Api {
    /// Reads an API description. `file` names it in errors.
    ///
    /// # Errors
    /// The first mistake, with file, line, key and the way out.
    ///
    /// ```
    /// use quickeats_bench::api::Api;
    /// let error = Api::parse("mine.toml", "schema = \"quickeats-bench/api@1\"\nnme = \"mine\"").unwrap_err();
    /// assert!(error.to_string().contains("mine.toml:2"));
    /// ```
    pub fn parse(file: &str, text: &str) -> Result<Self, SourceError> {
        file::parse(file, text)
    }

    /// The same API, with what variables of the environment hold that its requests name (`{env:NAME}`).
    ///
    /// # Errors
    /// A variable that `variable` does not know, or that holds what cannot be sent.
    pub fn with_environment(mut self, variable: impl Fn(&str) -> Option<String>) -> Result<Self, EnvironmentError> {
        for name in self.dialect.variables() {
            let value = variable(&name).ok_or_else(|| EnvironmentError::Missing(Arc::clone(&name)))?;
            let is_in_a_header = self.dialect.goes_into_a_header(&template::Hole::Env(Arc::clone(&name)));
            if let Some(why) = dialect::secrets::unfit_for_a_header(&value).filter(|_| is_in_a_header) {
                return Err(EnvironmentError::Unfit { name, why });
            }
            self.dialect.environment.insert(name, value.into());
        }
        self.dialect.told_apart = OnceLock::new();
        Ok(self)
    }

    /// The same API, spoken in `role` with what a login told.
    #[must_use]
    pub fn with_login(mut self, role: &Arc<str>, login: Login) -> Self {
        self.dialect.logged_in.insert(Arc::clone(role), login);
        self.dialect.told_apart = OnceLock::new();
        self
    }

    /// The same API, spoken with `credentials`.
    #[must_use]
    pub fn with_credentials(mut self, credentials: Credentials) -> Self {
        self.dialect.credentials = credentials;
        self.dialect.told_apart = OnceLock::new();
        self
    }
}
