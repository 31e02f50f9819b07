//! Recorded histories of real systems with known verdicts.
//!
//! They belong to others and are not part of this repository. `LINEARIZABILITY_DATA` names the folder that holds them
//! and `verdicts.csv`: `etcd_NNN.log` and `cNN-{ok,bad}.txt` of the test data of <https://github.com/anishathalye/porcupine>.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use quickeats_bench::check::linear::Budget;
use quickeats_bench::check::{RecordedModel, Verdict, judge_recorded};
use quickeats_bench::history::foreign::{Recorded, edn, jepsen_log};

const VARIABLE: &str = "LINEARIZABILITY_DATA";

/// The folder, or a plain word about what is left out.
fn folder() -> Option<PathBuf> {
    let folder = std::env::var_os(VARIABLE).map(PathBuf::from);
    if folder.is_none() {
        // Past the test harness's capture: whoever reads the run must see it.
        let _ = writeln!(
            io::stderr(),
            "left out: the recorded histories with known verdicts. {VARIABLE} is not set; it names a folder with \
             Porcupine's test data and verdicts.csv"
        );
    }
    folder
}

fn read(folder: &std::path::Path, name: &str) -> (Recorded, RecordedModel) {
    let text = fs::read_to_string(folder.join(name)).unwrap();
    let is_log = name.starts_with("etcd");
    let recorded = if is_log { jepsen_log::read(&text) } else { edn::read(&text) };
    assert_eq!(recorded.damage, None, "{name}");
    (recorded, if is_log { RecordedModel::Register } else { RecordedModel::KeyValue })
}

#[test]
fn recorded_histories_get_their_known_verdicts() {
    let Some(folder) = folder() else { return };
    let verdicts = fs::read_to_string(folder.join("verdicts.csv")).unwrap();
    let mut count = 0;
    for line in verdicts.lines().skip(1) {
        let (name, is_linearizable) = line.split_once(',').unwrap();
        let (recorded, model) = read(&folder, name);
        let judgment = judge_recorded(&recorded.exchanges, model, &Budget::steps(50_000_000), 2).unwrap();
        let expected = if is_linearizable == "true" { Verdict::Holds } else { Verdict::Violated };
        assert_eq!(judgment.verdict(), expected, "{name}");
        for part in judgment.parts.iter().filter(|part| part.verdict == Verdict::Violated) {
            assert!(part.is_smallest && part.proves.len() >= 2, "{name}: {part:#?}");
        }
        count += 1;
    }
    assert!(count >= 50, "only {count} histories");
}
