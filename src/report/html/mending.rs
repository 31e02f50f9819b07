//! What usually causes each kind of finding of this run, and what mends it.

use maud::{Markup, html};

use super::findings::{Found, code};
use super::words::prose;
use crate::check::Kind;
use crate::report::advice::Advice;

/// The kinds of these findings, the found ones first, then those they are evidence of as well.
fn kinds(all: &[Found<'_>]) -> Vec<Kind> {
    let found = all.iter().map(|(_, finding)| finding.kind);
    let mut kinds: Vec<Kind> = Vec::new();
    for kind in found.chain(all.iter().flat_map(|(_, finding)| finding.also.iter().copied())) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

/// The section; nothing where nothing was found.
pub(super) fn section(all: &[Found<'_>]) -> Markup {
    let kinds = kinds(all);
    html! {
        @if !kinds.is_empty() {
            section id="mend" aria-labelledby="mend-title" {
                h2 id="mend-title" { "What mends it" }
                p class="lead" { "What such findings usually come from, and what usually helps. The code is an example: names and databases differ." }
                @for kind in kinds { (hint(kind)) }
            }
        }
    }
}

fn hint(kind: Kind) -> Markup {
    let advice @ Advice { title, cause, mend, .. } = Advice::of(kind);
    html! {
        article class="hint" id={ "mend-" (kind.name()) } {
            h3 { (title) " " span class="kind" { (kind.name()) } }
            p { b { "Usual cause. " } (prose(cause)) }
            p { b { "Mend. " } (prose(mend)) }
            div class="examples" {
                @for (name, _, example) in advice.examples() { div { h4 { (name) } (code(example)) } }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run_result::RunResult;

    #[test]
    fn each_kind_is_told_once_and_links_lead_to_it() {
        let result: RunResult =
            serde_json::from_str(include_str!("../../../reports/sample/run.json")).expect("the sample is valid");
        let all = super::super::findings::all(&result);
        let twice: Vec<Found<'_>> = all.iter().chain(&all).copied().collect();
        let page = section(&twice).into_string();
        for kind in kinds(&all) {
            assert_eq!(page.matches(&format!("id=\"mend-{kind}\"")).count(), 1, "{kind}");
        }
    }
}
