//! What was asked one request after the other: each with its reply, and what was read from it.

use std::fmt::Write as _;

use super::Terminal;
use crate::api::Sighted;
use crate::probe_result::{Heard, Played, Told, Turn};
use crate::text::count;

impl Terminal {
    /// All that was played.
    pub fn render_played(&self, played: &Played) -> String {
        let mut out = String::new();
        for (index, (title, turn)) in played.turns.iter().enumerate() {
            if let Some(title) = title {
                let _ = writeln!(out, "\n{}", self.palette.strong(title));
            }
            self.turn(&mut out, index + 1, turn);
        }
        out.push('\n');
        for note in &played.notes {
            let _ = writeln!(out, "{}", self.palette.dim(&format!("note: {note}")));
        }
        for (sentence, hint) in &played.mismatches {
            let _ = writeln!(out, "{} {sentence}", self.palette.wrong("✗"));
            let _ = hint.iter().try_for_each(|hint| writeln!(out, "  = help: {hint}"));
        }
        let asked = count(played.turns.len() as u64, "request");
        let _ = match (&played.ended, played.failures()) {
            (None, 0) if !played.mismatches.is_empty() => {
                let word = self.palette.wrong("✗ not as described");
                writeln!(out, "{word}: {asked}; every reply could be read, but see above")
            }
            (Some(why), _) => writeln!(out, "{}: {asked}; {why}", self.palette.wrong("✗ ended early")),
            (None, 0) => writeln!(out, "{}: {asked}, and every reply could be read", self.palette.fine("✓ fine")),
            (None, failures) => {
                let word = self.palette.wrong("✗ not all could be read");
                writeln!(
                    out,
                    "{word}: {asked}, {} that nothing can be made of",
                    count(failures as u64, "reply").replace("replys", "replies")
                )
            }
        };
        self.fit(&out)
    }

    fn turn(self, out: &mut String, number: usize, turn: &Turn) {
        let who = format!("{}: {}", turn.who, turn.verb);
        let _ = writeln!(out, "  {number:>2}  {}  {}", turn.asked.request, self.palette.dim(&who));
        for (name, value) in &turn.asked.headers {
            let _ = writeln!(out, "      {}", self.palette.dim(&format!("{name}: {value}")));
        }
        if let Some(body) = &turn.asked.body {
            let _ = writeln!(out, "      {}", self.palette.dim(body));
        }
        match &turn.heard {
            Heard::Nothing(why) => {
                let _ = writeln!(out, "    → {}", self.palette.wrong(&format!("✗ no reply: {why}")));
            }
            Heard::Reply(told) => self.told(out, told),
        }
    }

    fn told(self, out: &mut String, told: &Told) {
        let meaning = self.palette.strong(&format!("{} {}", told.status, told.meaning));
        let _ = writeln!(out, "    → {meaning}  {}", self.palette.dim(&format!("({})", told.because)));
        for (name, value) in &told.headers {
            let _ = writeln!(out, "      {}", self.palette.dim(&format!("{name}: {value}")));
        }
        if let Some(body) = &told.body {
            let _ = writeln!(out, "      {}", self.palette.dim(body));
        }
        let width = told.sights.iter().map(|sight| sight.what.chars().count()).max().unwrap_or(0);
        for sight in &told.sights {
            self.sight(out, sight, width);
        }
        let is_said = told.sights.iter().any(|sight| sight.is_needed && sight.found.is_none());
        if let Some(why) = told.unreadable.as_ref().filter(|_| !is_said) {
            let _ = writeln!(out, "      {}", self.palette.wrong(&format!("✗ {why}")));
        }
    }

    fn sight(self, out: &mut String, sight: &Sighted, width: usize) {
        let what = format!("{:width$}", sight.what);
        let _ = match (&sight.found, &sight.hint) {
            (Some(found), _) => {
                let mark = self.palette.fine("✓");
                writeln!(out, "      {mark} {what}  {found}  {}", self.palette.dim(&format!("at {}", sight.place)))
            }
            (None, hint) => {
                let mark = if sight.is_needed { self.palette.wrong("✗") } else { self.palette.warning("-") };
                let hint = hint.as_ref().map(|hint| format!(": {hint}")).unwrap_or_default();
                writeln!(out, "      {mark} {what}  nothing at {}{hint}", sight.place)
            }
        };
    }
}
