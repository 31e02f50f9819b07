//! The pages of an act: words first, then the requests, then what the race came to, the round, and the code.

use std::fmt::{Display, Write as _};

use console::measure_text_width;

use super::code::Code;
use super::page::{Page, pad, wrap};
use super::race::{self, Raced, Record, Shown};
use super::texts::{ActTexts, Texts, fill};
use super::{Act, Show, picture};
use crate::check::Verdict;
use crate::probe::outline;
use crate::report::Terminal;

/// Headers that matter to the story.
const HEADERS: [&str; 2] = ["if-match", "idempotency-key"];
/// What two columns of code take at least.
const BESIDE: usize = 114;

/// Writes pages.
pub(super) struct Chapter<'a> {
    pub(super) texts: Texts,
    pub(super) page: Page,
    pub(super) show: &'a Show,
}

impl Chapter<'_> {
    pub(super) fn opening(&self) -> String {
        let opening = &self.texts.opening;
        let story = fill(&opening.story, &[("acts", &self.show.acts.len()), ("rounds", &self.show.rounds)]);
        format!("{}\n{}", self.page.heading("", &opening.title), self.page.prose(&story))
    }

    /// What is told before the race: the story, and the requests.
    pub(super) fn before(&self, act: Act, index: usize) -> [String; 2] {
        let (page, texts) = (self.page, self.texts.act(act));
        let above = fill(&self.texts.ui.act, &[("number", &(index + 1)), ("count", &self.show.acts.len())]);
        let story = format!("{}\n{}", page.heading(&above, &texts.title), page.prose(&texts.story));
        [story, format!("{}{}", page.label(&self.texts.ui.requests), self.requests(act))]
    }

    fn requests(&self, act: Act) -> String {
        let outline = outline(&race::plan(act));
        let raced = || outline.parts.iter().filter(|part| part.title == "race").flat_map(|part| &part.steps);
        let actor = raced().map(|step| measure_text_width(&step.who)).max().unwrap_or(0);
        let mut out = String::new();
        for step in raced() {
            let _ = writeln!(out, "  {}  {}", pad(&step.who, actor), step.asked.request);
            let headers = step.asked.headers.iter().filter(|(name, _)| HEADERS.contains(&&**name));
            let headers = headers.map(|(name, value)| format!("{}: {value}", capitalised(name)));
            for line in headers.chain(step.asked.body.clone()) {
                let _ = writeln!(out, "  {:actor$}  {}", "", self.page.palette.dim(&line));
            }
        }
        out
    }

    /// What is said when the race begins.
    pub(super) fn announced(&self) -> String {
        let ui = &self.texts.ui;
        let raced = fill(&ui.raced, &[("rounds", &self.show.rounds), ("seed", &self.show.seed)]);
        format!("{}{}", self.page.label(&ui.racing), self.page.prose(&raced))
    }

    /// What is said while it runs, with holes for `{done}` and `{rounds}`.
    pub(super) fn running(&self) -> String {
        self.texts.ui.running.clone()
    }

    /// What is told after the race: what it came to, the round, the code.
    pub(super) fn after(&self, act: Act, raced: &Raced) -> Vec<String> {
        let mut pages = vec![self.verdict(act, raced)];
        if let Ok(Record { shown: Some(shown), .. }) = &raced.record
            && act.came_true(raced)
        {
            pages.push(self.round(act, shown));
        }
        pages.push(self.code(act));
        pages
    }

    fn verdict(&self, act: Act, raced: &Raced) -> String {
        let (page, ui, result) = (self.page, &self.texts.ui, &raced.result);
        let finding = raced.finding(act);
        let hits = finding.or(result.findings.first()).map_or(0, |finding| finding.count);
        let template = match result.verdict {
            Verdict::Violated => &ui.violated,
            Verdict::Holds => &ui.holds,
            Verdict::Inconclusive => &ui.inconclusive,
        };
        let headline = fill(template, &[("hits", &hits), ("rounds", &result.rounds)]);
        let headline = page.painted(&headline, |line| page.palette.verdict(result.verdict, line));
        if !act.came_true(raced) {
            return format!("{headline}\n{}", self.not_as_told(act, raced));
        }
        let seen = match &raced.record {
            Ok(record) => seen(self.texts.act(act), record, hits, result.rounds),
            Err(why) => fill(&ui.gone, &[("why", why)]),
        };
        let dim = |text: &str| page.painted(text, |line| page.palette.dim(line));
        let beside = if let Some(finding) = finding {
            format!("\n{}{}", page.label(&ui.finding), dim(&format!("{}: {}", finding.kind, finding.sentence)))
        } else {
            let bound = result.rate_upper_bound_95.map(|bound| format!("{:.1}", bound * 100.0));
            let bound = bound.map(|bound| fill(&ui.bound, &[("trials", &result.trials), ("bound", &bound)]));
            bound.map_or(String::new(), |bound| format!("\n{}", dim(&bound)))
        };
        format!("{headline}\n{}{beside}", page.prose(&seen))
    }

    /// Why a race did not show what it was to show.
    fn not_as_told(&self, act: Act, raced: &Raced) -> String {
        let ui = &self.texts.ui;
        let kinds: Vec<String> = raced.result.findings.iter().map(|finding| finding.kind.to_string()).collect();
        let kinds = kinds.join(", ");
        let mut told = match (act.finds(), raced.result.verdict) {
            (Some(_), Verdict::Violated) => vec![fill(&ui.other_kind, &[("kinds", &kinds)])],
            (Some(_), Verdict::Holds | Verdict::Inconclusive) => vec![ui.unseen.clone()],
            (None, Verdict::Violated) => vec![format!("{} {kinds}", ui.unsound)],
            (None, Verdict::Holds | Verdict::Inconclusive) => Vec::new(),
        };
        told.extend(raced.result.doubts.iter().map(|why| fill(&ui.doubt, &[("why", why)])));
        self.page.prose(&told.join("\n\n"))
    }

    fn round(&self, act: Act, shown: &Shown) -> String {
        let (page, ui) = (self.page, &self.texts.ui);
        let label = page.label(&fill(&ui.picture, &[("round", &shown.number)]));
        let picture = picture::render(&shown.contenders, page);
        let legend = page.painted(&ui.legend, |line| page.palette.dim(line));
        let terminal = Terminal { palette: page.palette, width: u16::try_from(page.width).ok() };
        let words = terminal.render_timeline(&shown.witness, shown.aftermath.as_ref());
        let ended = ended(self.texts.act(act), shown);
        let ended =
            ended.map_or(String::new(), |text| format!("\n{}", page.painted(&text, |line| page.palette.strong(line))));
        format!("{label}{picture}{legend}\n{}{words}{ended}", page.label(&ui.words))
    }

    fn code(&self, act: Act) -> String {
        let (page, ui, texts) = (self.page, &self.texts.ui, self.texts.act(act));
        let (before, after) = act.code();
        let columns = page.width >= BESIDE;
        let width = if columns { (page.width - 2 - 2) / 2 } else { page.width - 2 };
        let after = self.block(after, texts.after.as_deref(), width);
        let blocks = match before.map(|code| self.block(code, texts.before.as_deref(), width)) {
            None => after.join("\n"),
            Some(before) if columns => beside(&before, &after, width),
            Some(before) => format!("{}\n\n{}", before.join("\n"), after.join("\n")),
        };
        let blocks: String = blocks.lines().map(|line| format!("  {line}").trim_end().to_owned() + "\n").collect();
        let command = format!("{} --rounds {} --seed {}", act.command(), self.show.rounds, self.show.seed);
        format!(
            "{}{blocks}\n{}\n{}{}",
            page.label(&ui.code),
            page.prose(&texts.code),
            page.painted(&ui.again, |line| page.palette.dim(line)),
            page.command(&command)
        )
    }

    /// Some code under its name, with a mark that says whether it is sound.
    fn block(&self, code: Code, name: Option<&str>, width: usize) -> Vec<String> {
        let palette = self.page.palette;
        let paint = |text: &str| if code.is_sound { palette.fine(text) } else { palette.wrong(text) };
        let mark = if code.is_sound { "✓" } else { "✗" };
        let name = name.map(|name| paint(&format!("{mark} {name}")));
        let lines = code.lines.lines().flat_map(|line| {
            let line = line.replace("{gap}", &self.texts.ui.gap);
            // What does not fit beside its blanks needs fewer of them.
            let blanks = (line.len() - line.trim_start().len())
                .min(width.saturating_sub(2 + measure_text_width(line.trim_start())));
            wrap(line.trim_start(), blanks, width.saturating_sub(2))
        });
        name.into_iter().chain(lines.map(|line| format!("{} {line}", paint("│")))).collect()
    }

    /// What is said to someone who leaves.
    pub(super) fn left(&self) -> String {
        self.page.painted(&self.texts.ui.quit, |line| self.page.palette.dim(line))
    }

    pub(super) fn closing(&self, played: &[(Act, Raced)]) -> String {
        let (page, closing) = (self.page, &self.texts.closing);
        let points = closing.points.iter().map(|point| {
            let lines = wrap(point, 4, page.width.min(100));
            lines.join("\n").replacen("    ", "  • ", 1) + "\n"
        });
        let commands = [
            page.label(&closing.own),
            page.command("quickeats-bench race --target http://127.0.0.1:8000"),
            page.prose(&closing.own_api),
            page.command("quickeats-bench init --model state-machine"),
        ];
        let came_true = played.iter().all(|(act, raced)| act.came_true(raced));
        let count = |verdict| played.iter().filter(|(_, raced)| raced.result.verdict == verdict).count();
        let (template, verdict) =
            if came_true { (&closing.came_true, Verdict::Holds) } else { (&closing.not_true, Verdict::Inconclusive) };
        let told = fill(template, &[("violated", &count(Verdict::Violated)), ("held", &count(Verdict::Holds))]);
        [
            page.heading("", &closing.title),
            points.collect(),
            commands.concat(),
            page.painted(&told, |line| page.palette.verdict(verdict, line)),
        ]
        .join("\n")
    }
}

/// What a race came to, for those in it.
fn seen(texts: &ActTexts, record: &Record, hits: u64, rounds: u64) -> String {
    let Record { refused, replayed, in_progress, .. } = record;
    let counts: [(&str, &dyn Display); 5] = [
        ("hits", &hits),
        ("rounds", &rounds),
        ("refused", refused),
        ("replayed", replayed),
        ("in_progress", in_progress),
    ];
    fill(&texts.seen, &counts)
}

/// What the round came to, for the people in it.
fn ended(texts: &ActTexts, shown: &Shown) -> Option<String> {
    let template = match shown.state.as_deref() {
        Some("cancelled") if texts.ended_cancelled.is_some() => texts.ended_cancelled.as_ref(),
        Some("preparing") if texts.ended_preparing.is_some() => texts.ended_preparing.as_ref(),
        Some(_) | None => texts.charged.as_ref(),
    }?;
    let [first, second] = &shown.contenders[..] else { return None };
    let [first, second] = [first, second].map(picture::answer_of);
    let charges = shown.charges.map_or_else(|| "?".to_owned(), |charges| charges.to_string());
    let values: [(&str, &dyn Display); 4] =
        [("round", &shown.number), ("charges", &charges), ("first", &first), ("second", &second)];
    Some(fill(template, &values))
}

/// `If-Match` of `if-match`.
fn capitalised(header: &str) -> String {
    let parts = header.split('-').map(|part| part[..1].to_uppercase() + &part[1..]);
    parts.collect::<Vec<_>>().join("-")
}

/// Two blocks beside each other, the left one `width` columns wide.
fn beside(left: &[String], right: &[String], width: usize) -> String {
    let lines = (0..left.len().max(right.len())).map(|row| {
        let cell = |block: &[String]| block.get(row).cloned().unwrap_or_default();
        let left = cell(left);
        let gap = width.saturating_sub(crate::report::visible_width(&left)) + 2;
        format!("{left}{:gap$}{}", "", cell(right))
    });
    lines.collect::<Vec<_>>().join("\n")
}
