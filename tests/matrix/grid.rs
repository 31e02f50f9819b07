//! What is expected of every cell.

use std::fmt::Write as _;
use std::time::Duration;

use quickeats_bench::service::Defect;

/// A kind of service.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// Its mistake, if any.
    pub(crate) defect: Option<Defect>,
    /// What is added to the gap between check and act: 1 ms where the mistake is a gap, nothing where it is not.
    pub(crate) window: Duration,
}

impl Column {
    /// What heads the column.
    pub(crate) fn name(self) -> &'static str {
        self.defect.map_or("sound", Defect::name)
    }
}

const fn sound() -> Column {
    Column { defect: None, window: Duration::ZERO }
}

const fn always(defect: Defect) -> Column {
    Column { defect: Some(defect), window: Duration::ZERO }
}

const fn gap(defect: Defect) -> Column {
    Column { defect: Some(defect), window: Duration::from_millis(1) }
}

/// All kinds of service.
pub(crate) const COLUMNS: &[Column] = &[
    sound(),
    gap(Defect::CheckThenSave),
    always(Defect::IgnoreIfMatch),
    always(Defect::OptionalIfMatch),
    always(Defect::Stale412Applies),
    gap(Defect::IdempotencyCheckThenAct),
    always(Defect::DoubleCharge),
];

/// A scenario, and what it finds in each kind of service; `None`: it holds.
#[derive(Debug)]
pub(crate) struct Row {
    /// Its name.
    pub(crate) scenario: &'static str,
    /// One cell a column.
    pub(crate) cells: [Option<&'static str>; COLUMNS.len()],
}

const LOST: Option<&str> = Some("lost-update");
const TWICE: Option<&str> = Some("duplicate-effect");
const REJECTED: Option<&str> = Some("rejected-but-applied");

/// All scenarios of the V2 API.
#[rustfmt::skip]
pub(crate) const ROWS: &[Row] = &[
    Row { scenario: "cancel-vs-accept",     cells: [None, LOST, None, None, None, None, None] },
    Row { scenario: "accept-vs-reject",     cells: [None, LOST, None, None, None, None, None] },
    Row { scenario: "pay-vs-cancel",        cells: [None, LOST, Some("double-cas-win"), None, REJECTED, None, REJECTED] },
    Row { scenario: "duplicate-payment",    cells: [None, None, None, None, None, Some("in-flight-duplicate"), None] },
    Row { scenario: "double-click-payment", cells: [None, TWICE, None, None, None, None, TWICE] },
    Row { scenario: "double-pickup",        cells: [None, LOST, None, None, None, None, None] },
    Row { scenario: "stale-write",          cells: [None, None, Some("stale-write-accepted"), None, REJECTED, None, None] },
    Row { scenario: "missing-if-match",     cells: [None, None, None, Some("precondition-not-required"), None, None, None] },
];

/// The first scenario that catches the column's defect under the name that the contract gives it.
pub(crate) fn telling_scenario(column: &Column) -> &'static str {
    let defect = column.defect.expect("only a defect is caught");
    let index = COLUMNS.iter().position(|own| own.defect == column.defect).expect("it is one of the columns");
    let row = ROWS.iter().find(|row| row.cells[index] == Some(defect.caught_as()[0]));
    row.unwrap_or_else(|| panic!("no scenario catches {defect} as {}", defect.caught_as()[0])).scenario
}

/// The grid as a table for the README.
pub(crate) fn markdown() -> String {
    let mut table = String::from("| scenario |");
    for column in COLUMNS {
        let _ = write!(table, " {} |", column.name());
    }
    let _ = write!(table, "\n|{}", "---|".repeat(COLUMNS.len() + 1));
    for row in ROWS {
        let _ = write!(table, "\n| `{}` |", row.scenario);
        for cell in row.cells {
            let _ = write!(table, " {} |", cell.map_or("holds".to_owned(), |kind| format!("**{kind}**")));
        }
    }
    table
}
