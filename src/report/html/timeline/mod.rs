//! The interactive timeline of a finding's round: drawn whole in SVG, readable without a script.

mod picture;
mod scale;

use maud::{Markup, html};

use super::words::{Px, at, prose};
use crate::run_result::{FindingResult, WitnessLine};
use crate::text::{count, harmless, short};
use picture::{Bar, LEFT, LaneName, Picture, RIGHT, ROW, TOP, Tone, brief};

/// Pixels of the column with the lanes' names.
const NAMES: f64 = 116.0;

/// The timeline of `finding`, number `id` of the page, with at most `most` operations.
pub(super) fn draw(finding: &FindingResult, id: usize, most: usize) -> Markup {
    let picture = Picture::new(finding, most);
    html! {
        figure class="timeline" aria-labelledby=(format!("t{id}")) {
            (head(finding, &picture, id))
            div class={ "stage" (on_paper(&picture)) } {
                (lane_names(&picture))
                div class="scroll" tabindex="0" role="region" aria-label="Timeline, scrolls sideways" { (lanes(&picture, id)) }
            }
            p class="detail" aria-live="polite" hidden {}
            (legend(&picture))
            (order_told(finding, &picture))
            (table(&picture, id))
        }
    }
}

fn head(finding: &FindingResult, picture: &Picture<'_>, id: usize) -> Markup {
    let name = finding.round.as_ref().map(|story| story.name.as_str());
    let name = name.or_else(|| finding.witness.first().map(|line| line.round.as_str())).unwrap_or_default();
    let drawn = picture.bars.len() as u64;
    html! {
        figcaption id=(format!("t{id}")) {
            span {
                b { "Round " (harmless(name, 40)) }
                @if drawn < picture.count {
                    " · showing " (drawn) " of " (count(picture.count, "operation")) ", those nearest to the proof"
                } @else {
                    " · " (count(drawn, "operation"))
                }
            }
            span class="tools" hidden {
                button type="button" data-do="back" aria-label="Previous operation" { "←" }
                button type="button" data-do="on" { "Step through" }
                button type="button" data-do="next" aria-label="Next operation" { "→" }
                button type="button" data-do="out" aria-label="Zoom out" { "−" }
                button type="button" data-do="in" aria-label="Zoom in" { "+" }
            }
        }
    }
}

fn lane_names(picture: &Picture<'_>) -> Markup {
    html! {
        svg class="names" width=(Px(NAMES)) height=(Px(picture.height)) aria-hidden="true" {
            @for (at, (name, top, height)) in picture.lanes.iter().enumerate() {
                @if at % 2 == 0 { rect class="band" x="0" y=(Px(*top)) width=(Px(NAMES)) height=(Px(*height)) {} }
                text class="lane" x="10" y=(Px(top + 25.0)) { (harmless(&name.actor, 15)) }
                text class="client" x="10" y=(Px(top + 41.0)) { (under(name)) }
            }
        }
    }
}

fn under(name: &LaneName) -> String {
    name.client.map_or_else(|| "set-up, reads".to_owned(), |client| format!("client {client}"))
}

fn lanes(picture: &Picture<'_>, id: usize) -> Markup {
    let width = LEFT + picture.width + RIGHT;
    html! {
        svg class="lanes" role="img" aria-label="What each client asked when, and what it was answered; the table below says the same in words"
            width=(Px(width)) height=(Px(picture.height)) viewBox=(format!("{} 0 {} {}", Px(-LEFT), Px(width), Px(picture.height)))
            preserveAspectRatio="none" data-width=(Px(width)) {
            @for (at, (_, top, height)) in picture.lanes.iter().enumerate() {
                @if at % 2 == 0 { rect class="band" x=(Px(-LEFT)) y=(Px(*top)) width=(Px(width)) height=(Px(*height)) {} }
            }
            @for (x, moment) in &picture.ticks {
                line class="tick" x1=(Px(*x)) x2=(Px(*x)) y1=(Px(TOP - 6.0)) y2=(Px(picture.height)) {}
                text class="moment" x=(Px(*x)) y=(Px(TOP - 10.0)) text-anchor=(anchor(*x, picture.width)) { (at(*moment)) }
            }
            @if let Some(x) = picture.gate {
                line class="gate" x1=(Px(x)) x2=(Px(x)) y1="12" y2=(Px(picture.height)) {}
                text class="gate-name" x=(Px(x + 5.0)) y="12" text-anchor="start" { "gate opens" }
            }
            @for bar in &picture.bars { (operation(bar, picture, id)) }
        }
    }
}

/// Pixels that a sheet has room for, between the edges of a finding.
const PAPER: f64 = 680.0;
/// By how much a picture is drawn smaller on paper, and the class that has the style sheet do it.
const ON_PAPER: [(f64, &str); 8] = [
    (0.72, ""),
    (0.62, ".paper-62"),
    (0.54, ".paper-54"),
    (0.46, ".paper-46"),
    (0.4, ".paper-40"),
    (0.34, ".paper-34"),
    (0.28, ".paper-28"),
    (0.2, ".paper-20"),
];

/// The largest of those steps at which a picture fits on paper, as a class beside others; else the smallest.
fn on_paper(picture: &Picture<'_>) -> String {
    let width = NAMES + LEFT + picture.width + RIGHT;
    let step = ON_PAPER.iter().find(|(zoom, _)| width * zoom <= PAPER).or(ON_PAPER.last());
    step.map_or_else(String::new, |(_, class)| class.replace('.', " "))
}

/// Text at an end of the picture stays within it.
fn anchor(x: f64, width: f64) -> &'static str {
    if x < 30.0 {
        "start"
    } else if x > width - 30.0 {
        "end"
    } else {
        "middle"
    }
}

fn operation(bar: &Bar<'_>, picture: &Picture<'_>, id: usize) -> Markup {
    let (opened, released, closed) = bar.x;
    let (top, height) = (bar.y + 18.0, 14.0);
    let is_open_ended = bar.line.status.is_none() && bar.line.answer.starts_with("unknown");
    html! {
        g class=(classes(bar)) data-op=(format!("{id}-{}", bar.line.operation)) {
            title { (told(bar)) }
            rect class="hit" x=(Px(opened.min(bar.text_x) - 3.0)) y=(Px(bar.y)) width=(Px((closed - opened).max(40.0) + 6.0)) height=(Px(ROW - 2.0)) {}
            text class="request" x=(Px(bar.text_x)) y=(Px(bar.y + 13.0)) { (bar.request) }
            @if released > opened { rect class="held" x=(Px(opened)) y=(Px(top)) width=(Px(released - opened)) height=(Px(height)) {} }
            rect class="window" x=(Px(released)) y=(Px(top)) width=(Px((closed - released).max(3.0))) height=(Px(height)) rx="2" {}
            @if is_open_ended { line class="endless" x1=(Px(closed)) x2=(Px(picture.width)) y1=(Px(top + 7.0)) y2=(Px(top + 7.0)) {} }
            @if let Some(badge) = &bar.badge { text class="badge" x=(Px(closed + 5.0)) y=(Px(top + 11.5)) { (badge) } }
            text class="reply" x=(Px(bar.text_x)) y=(Px(top + 27.0)) {
                "→ " (bar.reply) @if bar.is_stuck { tspan class="contradiction" { "  ✗ no lawful place" } }
            }
            @if let Some((number, x)) = bar.number {
                circle class="place" cx=(Px(x)) cy=(Px(top + 7.0)) r="8.5" {}
                text class="number" x=(Px(x)) y=(Px(top + 11.0)) text-anchor="middle" { (number) }
            }
        }
    }
}

fn classes(bar: &Bar<'_>) -> String {
    let tone = match bar.tone {
        Tone::Applied => "applied",
        Tone::Refused => "refused",
        Tone::Open => "open",
    };
    let witness = if bar.is_witness { " witness" } else { "" };
    let stuck = if bar.is_stuck { " stuck" } else { "" };
    format!("op {tone}{witness}{stuck}")
}

/// One operation in words: what hovering and stepping show.
fn told(bar: &Bar<'_>) -> String {
    let WitnessLine { actor, client, opened_us, released_us, closed_us, .. } = bar.line;
    let condition =
        bar.line.precondition.as_deref().map(|token| format!(", if the version is {}", cell(&short(token))));
    let key = bar.line.idempotency_key.as_deref().map(|key| format!(", idempotency key {}", cell(&short(key))));
    let released = released_us.map(|stamp| format!(", let go at {}", at(stamp))).unwrap_or_default();
    let role = match (bar.number, bar.is_stuck) {
        (_, true) => " It has no place after the longest lawful order: the contradiction.".to_owned(),
        (Some((number, _)), _) => format!(" Number {number} of the lawful order."),
        (None, _) => String::new(),
    };
    format!(
        "{} (client {client}): {}{}{}. Opened at {}{released}, closed at {}. Answer: {}.{role}",
        cell(actor),
        cell(&bar.line.request),
        condition.unwrap_or_default(),
        key.unwrap_or_default(),
        at(*opened_us),
        at(*closed_us),
        cell(&bar.line.answer),
    )
}

/// Text of a stranger, as long as a cell of a table bears.
fn cell(text: &str) -> String {
    harmless(text, 80)
}

fn legend(picture: &Picture<'_>) -> Markup {
    let is_held = picture.bars.iter().any(|bar| bar.line.released_us.is_some());
    let is_ordered = picture.bars.iter().any(|bar| bar.number.is_some());
    html! {
        ul class="legend" aria-label="How to read the timeline" {
            @if is_held { li { span class="key held" {} "opened, end withheld" } }
            li { span class="key applied" {} "on its way, then done" }
            li { span class="key refused" {} "refused" }
            @if is_ordered { li { span class="key place" { "1" } "lawful order" } }
            @if picture.bars.iter().any(|bar| bar.is_stuck) { li { span class="key stuck" {} "the contradiction" } }
            li { "v2: the version an answer told" }
            li { "Moments are in exact order; long waits are drawn shorter" }
        }
    }
}

fn order_told(finding: &FindingResult, picture: &Picture<'_>) -> Markup {
    let Some(order) = finding.round.as_ref().and_then(|story| story.order.as_ref()) else {
        return html! {};
    };
    let placed = order.operations.len() as u64;
    let stuck = picture.bars.iter().find(|bar| bar.is_stuck);
    html! {
        p class="order" {
            @match (placed, stuck) {
                (0, Some(bar)) => { "No lawful order begins with any operation: " b { (brief(&bar.line.request)) } " cannot come first." },
                (_, Some(bar)) => {
                    "The longest lawful order has " (count(placed, "operation")) @if placed > 1 { ", numbered 1 to " (placed) }
                    ". After " @if placed > 1 { "them " } @else { "it " }
                    "the " b { (cell(&bar.line.actor)) "’s " (brief(&bar.line.request)) } " (" (prose(&cell(&bar.line.answer)))
                    ") cannot come next, though its window ends. That is the contradiction."
                },
                (_, None) if order.stuck.is_some() => {
                    "The longest lawful order has " (count(placed, "operation")) "; the one that cannot come next is not drawn here."
                },
                (_, None) => { "All " (count(placed, "operation")) " have a place in a lawful order: this finding is about something else than order." },
            }
        }
    }
}

/// The same in words, for those who do not see the drawing.
fn table(picture: &Picture<'_>, id: usize) -> Markup {
    html! {
        details class="rows" {
            summary { "The operations as a table" }
            div class="wide" tabindex="0" role="region" aria-label="Operations, scrolls sideways" {
                table {
                    thead { tr {
                        th scope="col" { "order" } th scope="col" { "who" } th scope="col" { "request" } th scope="col" { "if version" }
                        th scope="col" { "key" } th scope="col" { "answer" } th scope="col" class="n" { "opened" }
                        th scope="col" class="n" { "let go" } th scope="col" class="n" { "closed" }
                    } }
                    tbody { @for bar in &picture.bars { (row(bar, id)) } }
                }
            }
        }
    }
}

fn row(bar: &Bar<'_>, id: usize) -> Markup {
    let line = bar.line;
    let or_none = |text: Option<&str>| text.map_or_else(|| "–".to_owned(), |text| cell(&short(text)));
    html! {
        tr class=[bar.is_witness.then_some("witness")] data-row=(format!("{id}-{}", line.operation)) {
            td { @if bar.is_stuck { "✗ none" } @else if let Some((number, _)) = bar.number { (number) } @else { "–" } }
            td { (cell(&line.actor)) " " (line.client) }
            td class="path" { (cell(&line.request)) }
            td { (or_none(line.precondition.as_deref())) }
            td { (or_none(line.idempotency_key.as_deref())) }
            td { (cell(&line.answer)) }
            td class="n" { (at(line.opened_us)) }
            td class="n" { @if let Some(released) = line.released_us { (at(released)) } @else { "–" } }
            td class="n" { (at(line.closed_us)) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_style_sheet_has_every_step_and_each_fills_paper() {
        let style = include_str!("../page.css");
        for (zoom, class) in ON_PAPER {
            assert!(style.contains(&format!(".stage{class} {{ zoom: {zoom}; }}")), "{class}");
        }
        assert!(ON_PAPER.windows(2).all(|pair| pair[1].0 < pair[0].0));
    }
}
