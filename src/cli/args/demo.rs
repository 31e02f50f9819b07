//! `demo`, as typed.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use clap::{Args, ValueEnum};

use crate::demo::Act;

pub(in crate::cli) const HELP: &str = "\
On a terminal, Enter or space goes on and q leaves; on a pipe nothing waits.

Exit codes:
  0    it came true: the broken servers were caught, the sound ones held
  2    usage: the command line is wrong
  3    some race did not show what it is about; that is said, and why
  4    the reference service could not be started
  130  interrupted";

#[derive(Debug, Args)]
pub(in crate::cli) struct DemoArgs {
    /// The language it is told in. (What the tool says of a finding is English in any)
    #[arg(long, value_name = "LANG", default_value = "en")]
    pub(in crate::cli) lang: LangChoice,

    /// Go on by itself, after the time that a page takes to read: for recordings
    #[arg(long)]
    pub(in crate::cli) auto: bool,

    /// One act of the story alone. May be given several times
    #[arg(long, value_name = "ACT", value_parser = act_parser())]
    pub(in crate::cli) step: Vec<Act>,

    /// Rounds of each race
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(in crate::cli) rounds: u32,

    /// Repeats the choices of the races [default: arbitrary, printed]
    #[arg(long, value_name = "N")]
    pub(in crate::cli) seed: Option<u64>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum LangChoice {
    /// English
    En,
    /// 한국어
    Ko,
}

fn act_parser() -> impl TypedValueParser<Value = Act> {
    let names = Act::ALL.map(|act| PossibleValue::new(act.name()).help(act.means()));
    PossibleValuesParser::new(names).map(|name| name.parse().expect("only names of acts pass"))
}
