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
      the description alone, on stdout";

#[derive(Debug, Args)]
pub(in crate::cli) struct InitArgs {
    /// What the API is called: lower-case letters, digits and dashes. The files are NAME.toml and NAME-race.toml [default: my-api]
    #[arg(value_name = "NAME")]
    pub(in crate::cli) name: Option<String>,

    /// What kind of resource it is
    #[arg(long, value_name = "MODEL", required = true, value_parser = model_parser())]
    pub(in crate::cli) model: Option<ModelKind>,

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
