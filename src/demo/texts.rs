//! What the demo says: one file per language, with the same keys. Numbers and names from the run go into `{holes}`.

use serde::Deserialize;

use super::Act;

/// A language that the demo speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lang {
    /// English.
    En,
    /// Korean.
    Ko,
}

impl Lang {
    /// What is said in it.
    ///
    /// # Panics
    /// Never: the embedded files are read by a test.
    pub(super) fn texts(self) -> Texts {
        toml::from_str(self.source()).expect("the embedded texts are tested")
    }

    const fn source(self) -> &'static str {
        match self {
            Self::En => include_str!("texts/en.toml"),
            Self::Ko => include_str!("texts/ko.toml"),
        }
    }
}

/// A file of texts.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Texts {
    pub(super) opening: Opening,
    pub(super) ui: Ui,
    act: Acts,
    pub(super) closing: Closing,
}

impl Texts {
    pub(super) const fn act(&self, act: Act) -> &ActTexts {
        match act {
            Act::PutStatus => &self.act.put_status,
            Act::FakeLock => &self.act.fake_lock,
            Act::ConditionalUpdate => &self.act.conditional_update,
            Act::KeyLookedUp => &self.act.key_looked_up,
            Act::KeyClaimed => &self.act.key_claimed,
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Opening {
    pub(super) title: String,
    pub(super) story: String,
}

/// What is said in every act.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Ui {
    pub(super) act: String,
    pub(super) requests: String,
    pub(super) racing: String,
    pub(super) raced: String,
    pub(super) running: String,
    pub(super) picture: String,
    pub(super) legend: String,
    pub(super) words: String,
    pub(super) finding: String,
    pub(super) code: String,
    pub(super) gap: String,
    pub(super) again: String,
    pub(super) violated: String,
    pub(super) holds: String,
    pub(super) bound: String,
    pub(super) inconclusive: String,
    pub(super) unseen: String,
    pub(super) other_kind: String,
    pub(super) unsound: String,
    pub(super) doubt: String,
    pub(super) gone: String,
    pub(super) next: String,
    pub(super) quit: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Acts {
    put_status: ActTexts,
    fake_lock: ActTexts,
    conditional_update: ActTexts,
    key_looked_up: ActTexts,
    key_claimed: ActTexts,
}

/// What is said in one act.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ActTexts {
    pub(super) title: String,
    pub(super) story: String,
    /// Once it came true.
    pub(super) seen: String,
    /// Of the round that is shown, where the order was cancelled in the end.
    pub(super) ended_cancelled: Option<String>,
    /// Of the round that is shown, where the order was being prepared in the end.
    pub(super) ended_preparing: Option<String>,
    /// Of the round that is shown, where it is about charges.
    pub(super) charged: Option<String>,
    /// Beside the code.
    pub(super) code: String,
    /// What the code was before.
    pub(super) before: Option<String>,
    /// What it is now.
    pub(super) after: Option<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Closing {
    pub(super) title: String,
    pub(super) points: Vec<String>,
    pub(super) own: String,
    pub(super) own_api: String,
    pub(super) came_true: String,
    pub(super) not_true: String,
}

/// Puts values into the holes of a text.
pub(super) fn fill(text: &str, values: &[(&str, &dyn std::fmt::Display)]) -> String {
    values
        .iter()
        .fold(text.trim().to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), &value.to_string()))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use toml::Value;

    use super::*;

    /// Every text of a file under its key, and the holes in it.
    fn holes(lang: Lang) -> BTreeMap<String, Vec<String>> {
        fn walk(key: &str, value: &Value, found: &mut BTreeMap<String, Vec<String>>) {
            match value {
                Value::String(text) => {
                    let mut holes: Vec<String> =
                        text.split('{').skip(1).filter_map(|rest| Some(rest.split_once('}')?.0.to_owned())).collect();
                    holes.sort();
                    found.insert(key.to_owned(), holes);
                }
                Value::Table(table) => {
                    table.iter().for_each(|(name, value)| walk(&format!("{key}.{name}"), value, found));
                }
                Value::Array(values) => {
                    values.iter().enumerate().for_each(|(n, value)| walk(&format!("{key}.{n}"), value, found));
                }
                other => panic!("{key} is no text: {other}"),
            }
        }
        let mut found = BTreeMap::new();
        walk("", &Value::Table(toml::from_str(lang.source()).unwrap()), &mut found);
        found
    }

    #[test]
    fn both_languages_have_the_same_keys_and_the_same_holes() {
        let (en, ko) = (holes(Lang::En), holes(Lang::Ko));
        assert!(en.len() > 50, "{}", en.len());
        assert_eq!(en, ko);
        for lang in [Lang::En, Lang::Ko] {
            let texts = lang.texts();
            for act in Act::ALL {
                let ActTexts { ended_cancelled, ended_preparing, charged, .. } = texts.act(act);
                assert!(!texts.act(act).title.is_empty());
                assert_eq!(ended_cancelled.is_some(), ended_preparing.is_some());
                assert!(ended_cancelled.is_none() || charged.is_none());
            }
        }
    }

    #[test]
    fn korean_is_korean_and_english_is_english() {
        let hangul = |text: &str| text.chars().filter(|c| ('가'..='힣').contains(c)).count();
        assert_eq!(hangul(Lang::En.source()), 0);
        let texts = Lang::Ko.texts();
        for act in Act::ALL {
            let ActTexts { title, story, seen, code, .. } = texts.act(act);
            assert!([title, story, seen, code].into_iter().all(|text| hangul(text) > 3), "{act}");
        }
    }

    #[test]
    fn values_go_into_holes() {
        assert_eq!(fill("{hits} of {rounds}\n", &[("hits", &7), ("rounds", &"ten")]), "7 of ten");
    }
}
