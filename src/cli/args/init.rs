//! `init`, as typed.

use std::path::PathBuf;

use clap::Args;
use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};

use crate::scenario::ModelKind;

pub(in crate::cli) const EXAMPLES: &str = "\
Examples:
  quickeats-bench init bookings --model state-machine
      bookings.toml and bookings-race.toml, to be changed line by line
  quickeats-bench init --model register --out - > mine.toml
      the description alone, on stdout
  quickeats-bench init --from-openapi openapi.json --resource '/orders/{id}'
      drawn from an OpenAPI document (3.0 or 3.1, JSON or YAML): what was guessed is marked so";

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// What the API is called: lower-case letters, digits and dashes. The files are NAME.toml and NAME-race.toml [default: my-api, or the resource's name in
    /// the document]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,

    /// What kind of resource it is [default: guessed from the document]
    #[arg(long, value_name = "MODEL", required_unless_present = "from_openapi", value_parser = model_parser())]
    pub(in crate::cli) model: Option<ModelKind>,

    /// Draw the description from this OpenAPI document (3.0 or 3.1, JSON or YAML)
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) from_openapi: Option<PathBuf>,

    /// The path in the document that is the resource, such as '/orders/{id}' [default: the one with most actions]
    #[arg(long, value_name = "PATH", requires = "from_openapi")]
    pub(in crate::cli) resource: Option<String>,

    /// The folder that the files go into; - prints the description alone
    #[arg(long, value_name = "DIR", default_value = ".")]
    pub(in crate::cli) out: PathBuf,

    /// Overwrite files that are there
    #[arg(long)]
    pub(in crate::cli) force: bool,
}

fn model_parser() -> impl TypedValueParser<Value = ModelKind> {
    let values = ModelKind::ALL.map(|model| PossibleValue::new(model.word()).help(model.means()));
    PossibleValuesParser::new(values)
        .map(|word| ModelKind::ALL.into_iter().find(|model| model.word() == word).expect("only these words pass"))
}
