//! A corpus of mistakes: each is made in a valid file, and the error must say so where it stands.

use std::fs;

use quickeats_bench::source::SourceError;

use super::root;

/// A mistake of the corpus.
#[derive(Default)]
struct Mistake {
    base: String,
    from: String,
    to: String,
    at: Option<String>,
    says: Vec<String>,
}

fn read(corpus: &str) -> Vec<Mistake> {
    let mut mistakes: Vec<Mistake> = Vec::new();
    for line in corpus.lines() {
        let unescaped = |text: &str| text.replace("\\n", "\n");
        if let Some(base) = line.strip_prefix("=== ") {
            mistakes.push(Mistake { base: base.to_owned(), ..Mistake::default() });
        } else if let Some(mistake) = mistakes.last_mut() {
            match line.split_at_checked(2) {
                Some(("- ", text)) => mistake.from = unescaped(text),
                Some(("+ ", text)) => mistake.to = unescaped(text),
                Some(("@ ", text)) => mistake.at = Some(text.to_owned()),
                Some(("? ", text)) => mistake.says.push(text.to_owned()),
                _ => assert!(line.is_empty() || line.starts_with('#'), "{line}"),
            }
        }
    }
    mistakes
}

/// Makes each mistake in its file of `folder`, and has `judge` find it.
pub(crate) fn assert_all_are_named(
    corpus: &str,
    folder: &str,
    at_least: usize,
    judge: impl Fn(&str) -> Result<(), SourceError>,
) {
    let mut wrong = Vec::new();
    let corpus = read(corpus);
    for Mistake { base, from, to, at, says } in &corpus {
        let valid = fs::read_to_string(root().join(format!("{folder}/{base}.toml"))).unwrap();
        let start = valid.find(from.as_str()).unwrap_or_else(|| panic!("{base} has no {from:?}"));
        let text = valid.replacen(from, to, 1);
        let Err(error) = judge(&text) else {
            wrong.push(format!("{base}: {to}: accepted"));
            continue;
        };
        let shown = error.to_string();
        let line = error.place.as_ref().map(|place| place.line);
        let is_there = match at {
            None => line == Some(text[..start].matches('\n').count() + 1),
            Some(at) => {
                line.is_some_and(|line| text.lines().nth(line - 1).is_some_and(|line| line.contains(at.as_str())))
            }
        };
        if !is_there || !says.iter().all(|said| shown.contains(said.as_str())) {
            wrong.push(format!("{base}: {to}\nexpected {says:?}{}\n{shown}", if is_there { "" } else { " elsewhere" }));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    assert!(corpus.len() >= at_least, "{}", corpus.len());
}
