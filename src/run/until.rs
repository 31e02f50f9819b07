//! When a scenario has shown enough: `violated`, or `confidence=99%,rate=1%`.

use std::fmt;
use std::str::FromStr;

use crate::measure::trials_to_exclude;

/// When a scenario has shown enough.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Until {
    /// A raced round was proven to be a violation.
    Violated,
    /// So many rounds were evidence, and none a violation, that violations in `rate_percent` of such rounds or more are
    /// excluded at `confidence_percent`. (After a violation there is nothing to exclude: the rounds go on and measure
    /// its rate.)
    Excluded {
        /// How sure, above 0 and below 100.
        confidence_percent: f64,
        /// Of what, above 0 and below 100.
        rate_percent: f64,
    },
}

/// The text is no rule.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UntilError {
    /// It is something else.
    #[error("`{0}` is no rule: write violated, or confidence=99%,rate=1%")]
    Unknown(String),
    /// A part of it is no share.
    #[error("`{name}={value}`: a {name} is above 0% and below 100%, as in {name}={example}")]
    Share {
        /// The part.
        name: &'static str,
        /// What was typed.
        value: String,
        /// What could be.
        example: &'static str,
    },
}

impl Until {
    /// Whether it is reached after so many raced rounds with a violation, and so many that are evidence either way.
    ///
    /// The number of rounds to be told is known beforehand: that is what makes the bound exact. Where rounds run side by side,
    /// those under way when it is reached are counted, too (`race::abreast` says why), and it must still be reached with them.
    pub fn is_reached(self, violated: u64, trials: u64) -> bool {
        match self {
            Self::Violated => violated > 0,
            Self::Excluded { .. } => violated == 0 && self.trials_needed().is_some_and(|needed| trials >= needed),
        }
    }

    /// How many rounds must be evidence, none of them a violation, if it is a matter of numbers.
    pub fn trials_needed(self) -> Option<u64> {
        match self {
            Self::Violated => None,
            Self::Excluded { confidence_percent, rate_percent } => {
                Some(trials_to_exclude(rate_percent / 100.0, confidence_percent / 100.0))
            }
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Violated => f.write_str("violated"),
            Self::Excluded { confidence_percent, rate_percent } => {
                write!(f, "confidence={confidence_percent}%,rate={rate_percent}%")
            }
        }
    }
}

impl FromStr for Until {
    type Err = UntilError;

    fn from_str(typed: &str) -> Result<Self, Self::Err> {
        if typed == "violated" {
            return Ok(Self::Violated);
        }
        let unknown = || UntilError::Unknown(typed.to_owned());
        let (one, other) = typed.split_once(',').ok_or_else(unknown)?;
        let (one, other) = (one.split_once('=').ok_or_else(unknown)?, other.split_once('=').ok_or_else(unknown)?);
        let ((("confidence", confidence), ("rate", rate)) | (("rate", rate), ("confidence", confidence))) =
            (one, other)
        else {
            return Err(unknown());
        };
        Ok(Self::Excluded {
            confidence_percent: percent("confidence", confidence, "99%")?,
            rate_percent: percent("rate", rate, "1%")?,
        })
    }
}

fn percent(name: &'static str, value: &str, example: &'static str) -> Result<f64, UntilError> {
    (value.strip_suffix('%').and_then(|number| number.parse::<f64>().ok()))
        .filter(|percent| *percent > 0.0 && *percent < 100.0)
        .ok_or_else(|| UntilError::Share { name, value: value.to_owned(), example })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_read_as_they_are_written() {
        for typed in ["violated", "confidence=99%,rate=1%", "confidence=99.9%,rate=0.25%"] {
            assert_eq!(typed.parse::<Until>().unwrap().to_string(), typed);
        }
        assert_eq!("rate=1%,confidence=99%".parse::<Until>(), "confidence=99%,rate=1%".parse());
        for (wrong, part) in [
            ("", "write violated"),
            ("violation", "write violated"),
            ("confidence=99%", "write violated"),
            ("confidence=99%,confidence=1%", "write violated"),
            ("confidence=99%,rate=1%,rate=2%", "rate=1%,rate=2%"),
            ("confidence=100%,rate=1%", "above 0% and below 100%"),
            ("confidence=99%,rate=0%", "as in rate=1%"),
            ("confidence=0.99,rate=1%", "as in confidence=99%"),
            ("confidence=NaN%,rate=1%", "`confidence=NaN%`"),
        ] {
            let error = wrong.parse::<Until>().unwrap_err().to_string();
            assert!(error.contains(part), "{wrong}: {error}");
        }
    }

    #[test]
    fn a_rate_is_excluded_by_rounds_that_tell_and_by_no_violation() {
        let rule: Until = "confidence=99%,rate=1%".parse().unwrap();
        assert_eq!([458, 459].map(|trials| rule.is_reached(0, trials)), [false, true]);
        assert!(!rule.is_reached(1, 100_000));
        assert_eq!([0, 1].map(|violated| Until::Violated.is_reached(violated, 100)), [false, true]);
    }
}
