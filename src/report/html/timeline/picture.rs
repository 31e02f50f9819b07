//! A round as a picture, computed before it is drawn: which lanes there are, and where each operation lies.
//!
//! ```text
//!  customer 13     ┌ POST …/cancellation · if v2          one lane for each contender,
//!                  ░░░░░░░░▓▓▓▓▓▓▓▓▓▓  (v3)               opened→let go light, let go→answered strong,
//!                  └ 200 cancelled                        rows within a lane so that no label covers another
//! ```

use std::collections::BTreeMap;

use super::scale::Scale;
use crate::history::{Meaning, Phase};
use crate::run_result::{FindingResult, LawfulOrder, WitnessLine};
use crate::text::{harmless, short};

/// Pixels of a row: a line of text, the bar, a line of text, and room.
pub(super) const ROW: f64 = 56.0;
/// Pixels above the first lane: the axis, and the gate's name.
pub(super) const TOP: f64 = 40.0;
/// Pixels left of the lanes, and right of them, where a version may stand.
pub(super) const LEFT: f64 = 16.0;
pub(super) const RIGHT: f64 = 42.0;
/// Pixels between two lanes.
const GAP: f64 = 10.0;
/// The picture is no narrower than this.
const NARROWEST: f64 = 810.0;

/// What an answer says of its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Done.
    Applied,
    /// Refused.
    Refused,
    /// Neither, or nothing was answered.
    Open,
}

/// One operation's place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Bar<'a> {
    pub(super) line: &'a WitnessLine,
    pub(super) tone: Tone,
    /// Whether it is part of the proof.
    pub(super) is_witness: bool,
    /// Whether it has no place in the lawful order.
    pub(super) is_stuck: bool,
    /// Its number in the lawful order, and a place within its window where it may have taken effect.
    pub(super) number: Option<(usize, f64)>,
    /// From the opening; from the release, where it was held; to the close.
    pub(super) x: (f64, f64, f64),
    /// The top of its row.
    pub(super) y: f64,
    /// Where its two lines of text begin.
    pub(super) text_x: f64,
    pub(super) request: String,
    pub(super) reply: String,
    pub(super) badge: Option<String>,
}

/// One lane: a contender, or what an actor did before and after the race.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct LaneName {
    /// Contenders come first.
    is_aside: bool,
    pub(super) actor: String,
    /// The contender's client; none for what stood outside of the race.
    pub(super) client: Option<u32>,
}

/// The whole picture.
#[derive(Debug)]
pub(super) struct Picture<'a> {
    pub(super) width: f64,
    pub(super) height: f64,
    /// Each lane with its top and its height.
    pub(super) lanes: Vec<(LaneName, f64, f64)>,
    /// In order of opening.
    pub(super) bars: Vec<Bar<'a>>,
    pub(super) gate: Option<f64>,
    pub(super) ticks: Vec<(f64, i64)>,
    /// Operations the round had.
    pub(super) count: u64,
}

/// The operations to draw, at most `most`: the witness, and those nearest to it. In order of opening.
fn chosen(finding: &FindingResult, most: usize) -> Vec<&WitnessLine> {
    let own = || finding.witness.iter().chain(&finding.aftermath);
    let all: Vec<&WitnessLine> = match &finding.round {
        Some(story) => story.operations.iter().collect(),
        None => own().collect(),
    };
    let witness: Vec<usize> = (0..all.len()).filter(|at| is_witness(finding, all[*at])).collect();
    let distance = |at: usize| witness.iter().map(|own| own.abs_diff(at)).min().unwrap_or(at);
    let mut ranked: Vec<usize> = (0..all.len()).collect();
    ranked.sort_by_key(|at| distance(*at));
    ranked.truncate(most);
    let mut lines: Vec<&WitnessLine> = ranked.into_iter().map(|at| all[at]).collect();
    lines.sort_by_key(|line| (line.opened_us, line.operation));
    lines.dedup_by_key(|line| line.operation);
    lines
}

fn is_witness(finding: &FindingResult, line: &WitnessLine) -> bool {
    finding.witness.iter().any(|own| own.operation == line.operation && !own.beside)
}

impl<'a> Picture<'a> {
    /// Of a finding's round, with at most `most` operations.
    pub(super) fn new(finding: &'a FindingResult, most: usize) -> Self {
        let chosen = chosen(finding, most);
        let story = finding.round.as_ref();
        let gate_us = story.and_then(|story| story.gate_us);
        let moments = chosen.iter().flat_map(|line| [Some(line.opened_us), line.released_us, Some(line.closed_us)]);
        let scale = Scale::new(moments.flatten().chain(gate_us), NARROWEST);
        let order = story.and_then(|story| story.order.as_ref());
        let numbers = order.map(|order| numbered(order, &chosen, &scale)).unwrap_or_default();
        let versions = versions(&chosen);
        let names = lane_names(&chosen);
        let mut bars: Vec<Bar<'a>> = (chosen.iter())
            .map(|line| Bar {
                line,
                tone: tone(line),
                is_witness: is_witness(finding, line),
                is_stuck: order.is_some_and(|order| order.stuck == Some(line.operation)),
                number: numbers.get(&line.operation).copied(),
                x: (
                    scale.place(line.opened_us),
                    scale.place(line.released_us.unwrap_or(line.opened_us)),
                    scale.place(line.closed_us),
                ),
                y: 0.0,
                text_x: 0.0,
                request: request(line, &versions),
                reply: reply(line),
                badge: line.version.map(|version| format!("v{version}")),
            })
            .collect();
        let (lanes, height) = place(&mut bars, &names, scale.width());
        let count = story.map_or(chosen.len() as u64, |story| story.count.max(story.operations.len() as u64));
        let gate = gate_us.map(|gate| scale.place(gate));
        Self { width: scale.width(), height, lanes, bars, gate, ticks: scale.ticks(92.0), count }
    }
}

/// Lanes and rows: each bar into the first row of its lane where its text covers no other's.
fn place(bars: &mut [Bar<'_>], names: &[LaneName], width: f64) -> (Vec<(LaneName, f64, f64)>, f64) {
    let mut order: Vec<&LaneName> = Vec::new();
    for name in names {
        if !order.contains(&name) {
            order.push(name);
        }
    }
    order.sort_by_key(|name| name.is_aside);
    let mut lanes = Vec::new();
    let mut top = TOP;
    for lane in order {
        let mut rows: Vec<f64> = Vec::new();
        for (bar, _) in bars.iter_mut().zip(names).filter(|(_, name)| *name == lane) {
            let room = text_width(&bar.request).max(text_width(&bar.reply));
            bar.text_x = bar.x.0.min(width - room).max(0.0);
            let badge = bar.badge.as_ref().map_or(0.0, |badge| text_width(badge) + 16.0);
            let (from, to) = (bar.text_x.min(bar.x.0), (bar.text_x + room).max(bar.x.2 + badge));
            let row = rows.iter().position(|end| *end + 10.0 <= from).unwrap_or(rows.len());
            match rows.get_mut(row) {
                Some(end) => *end = to,
                None => rows.push(to),
            }
            bar.y = top + GAP / 2.0 + ROW * small(row);
        }
        let height = GAP + ROW * small(rows.len());
        lanes.push((lane.clone(), top, height));
        top += height;
    }
    (lanes, top + 6.0)
}

/// One lane for each contender; what clients that never contend did (they set up, they look) by actor.
fn lane_names(lines: &[&WitnessLine]) -> Vec<LaneName> {
    let races = |line: &WitnessLine| matches!(line.phase, None | Some(Phase::Contend));
    let contends = |client: u32| lines.iter().any(|line| line.client == client && races(line));
    (lines.iter())
        .map(|line| {
            let client = contends(line.client).then_some(line.client);
            LaneName { is_aside: client.is_none(), actor: harmless(&line.actor, 40), client }
        })
        .collect()
}

/// For each operation of the order, its number and a place in its window: each as early as the ones before allow, and
/// after the release where it can be.
fn numbered(order: &LawfulOrder, lines: &[&WitnessLine], scale: &Scale) -> BTreeMap<u32, (usize, f64)> {
    let line = |id: u32| lines.iter().find(|line| line.operation == id).copied();
    let ends: Vec<i64> = (order.operations.iter())
        .map(|id| line(*id).filter(|line| line.status.is_some()).map_or(i64::MAX, |line| line.closed_us))
        .collect();
    let mut latest = i64::MAX;
    let mut limits = vec![i64::MAX; ends.len()];
    for (limit, end) in limits.iter_mut().zip(&ends).rev() {
        latest = latest.min(*end);
        *limit = latest;
    }
    let mut numbers = BTreeMap::new();
    let mut before = i64::MIN;
    for (at, (id, limit)) in order.operations.iter().zip(limits).enumerate() {
        let Some(line) = line(*id) else { continue };
        let wished = line.released_us.unwrap_or(line.opened_us);
        before = before.max(wished.min(limit)).max(line.opened_us);
        let (from, to) = (scale.place(before), scale.place(limit.min(line.closed_us).max(before)));
        numbers.insert(*id, (at + 1, from + (to - from) * 0.35));
    }
    numbers
}

fn tone(line: &WitnessLine) -> Tone {
    match line.meaning {
        Some(Meaning::Applied | Meaning::Replayed) => Tone::Applied,
        Some(Meaning::InProgress | Meaning::Unclear) => Tone::Open,
        Some(_) => Tone::Refused,
        None => match line.status {
            Some(200..300) => Tone::Applied,
            Some(400..500) => Tone::Refused,
            _ => Tone::Open,
        },
    }
}

/// Which version each token belongs to, as replies told.
fn versions<'a>(lines: &[&'a WitnessLine]) -> BTreeMap<&'a str, u64> {
    lines.iter().filter_map(|line| Some((line.token.as_deref()?, line.version?))).collect()
}

/// `POST …/cancellation · if v2`
fn request(line: &WitnessLine, versions: &BTreeMap<&str, u64>) -> String {
    let condition = line.precondition.as_deref().map(|token| match versions.get(token) {
        Some(version) => format!(" · if v{version}"),
        None => format!(" · if {}", harmless(&short(token), 14)),
    });
    let key = line.idempotency_key.as_deref().map(|key| format!(" · key {}", harmless(&short(key), 10)));
    format!("{}{}{}", brief(&line.request), condition.unwrap_or_default(), key.unwrap_or_default())
}

/// Method and the end of the path: what is before it is left out, and an id that ends it is cut.
pub(super) fn brief(request: &str) -> String {
    let (method, path) = request.split_once(' ').unwrap_or(("", request));
    let segments: Vec<&str> = path.split('/').filter(|segment| !segment.is_empty()).collect();
    let path = match segments.as_slice() {
        [.., _, parent, id] if short(id) != *id => format!("…/{}/{}", short(parent), short(id)),
        [.., _, _, last] => format!("…/{last}"),
        _ => path.split('/').map(short).collect::<Vec<_>>().join("/"),
    };
    harmless(format!("{method} {path}").trim(), 34)
}

/// `200 cancelled`, `412 stale`; without an answer, what is known instead.
fn reply(line: &WitnessLine) -> String {
    let Some(status) = line.status else { return harmless(&line.answer, 32) };
    let meaning = match line.meaning {
        Some(Meaning::Applied) | None => None,
        Some(meaning) => Some(meaning.word().to_owned()),
    };
    let said: Vec<String> = meaning.into_iter().chain(line.state.as_deref().map(|state| harmless(state, 24))).collect();
    if said.is_empty() { harmless(&line.answer, 32) } else { format!("{status} {}", said.join(", ")) }
}

/// Pixels that text takes at 12 px, about: none is measured here. Wide scripts take twice as much.
fn text_width(text: &str) -> f64 {
    text.chars().map(|character| if character < '\u{1100}' { 6.7 } else { 12.2 }).sum()
}

/// A count of rows.
fn small(number: usize) -> f64 {
    f64::from(u16::try_from(number).unwrap_or(u16::MAX))
}
