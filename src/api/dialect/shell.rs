//! Requests for a shell: with curl, and what an answer tells found again by sed and jq.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::{Dialect, Fill};
use crate::api::exchange::Request;
use crate::api::place::{Place, Source, Spot};
use crate::api::template::MASKED;
use crate::history::{Actor, Verb};
use crate::text::{shell_quoted, shell_word};

/// What stands for the target's URL while a request is put together.
const URL: &str = "ZqURLqZ";

/// What a shell is to put into a request: expressions such as `$ID`, each quoted where it stands.
#[derive(Debug, Clone, Copy)]
pub struct ShellFill<'a> {
    /// Who asks.
    pub actor: &'a Actor,
    /// The resource's id.
    pub id: &'a str,
    /// The acting person's name.
    pub person: &'a str,
    /// A word unique to the request.
    pub unique: &'a str,
    /// The version token to be conditional on.
    pub token: Option<&'a str>,
    /// The idempotency key.
    pub key: Option<&'a str>,
    /// A body instead of the described one.
    pub body: Option<&'a serde_json::Value>,
    /// What a fresh counter is to hold.
    pub starts: Option<i64>,
}

/// Where an answer lies: curl's files of its header section and of its body.
#[derive(Debug, Clone, Copy)]
pub struct AnswerFiles<'a> {
    /// The header section.
    pub head: &'a str,
    /// The body.
    pub body: &'a str,
}

impl Dialect {
    /// The arguments of curl for a request, the URL as `"$URL"` and a path. Secrets are variables, added to `secrets` with
    /// what they are to hold. Nothing is sent that proves an actor whom the server need not believe (`believes_all`).
    ///
    /// `None` where no shell can fill the request: a hole goes through a filter, or counts.
    pub fn curl(
        &self,
        verb: &Verb,
        fill: ShellFill<'_>,
        believes_all: bool,
        secrets: &mut BTreeMap<String, String>,
    ) -> Option<String> {
        let (one, other) = (self.with_marks(verb, fill, 'a'), self.with_marks(verb, fill, 'b'));
        if one.as_ref().map(|words| rename(words)) != other {
            return None;
        }
        let mut words = Vec::new();
        let role = &fill.actor.role;
        let marked = self.marked(verb, fill, 'a');
        words.push(format!("-X {} {}", marked.method, filled(&format!("{URL}{}", marked.path), fill)));
        for (name, value) in &marked.headers {
            if believes_all && name.eq_ignore_ascii_case("authorization") {
                continue;
            }
            let value = if value.contains(MASKED) {
                let variable =
                    format!("{role}_{name}").to_ascii_uppercase().replace(|c: char| !c.is_ascii_alphanumeric(), "_");
                secrets.insert(variable.clone(), format!("the header {name} of a {role}"));
                format!("\"{name}: ${variable}\"")
            } else {
                filled(&format!("{name}: {value}"), fill)
            };
            words.push(format!("-H {value}"));
        }
        if let Some(body) = &marked.body {
            words.push(format!("--data-binary {}", filled(std::str::from_utf8(body).ok()?, fill)));
        }
        Some(words.join(" "))
    }

    /// A command that prints the id that the answer to a create tells; `None` where no simple one does.
    pub fn shell_id(&self, files: AnswerFiles<'_>) -> Option<String> {
        self.id.place().and_then(|place| place.shell(files))
    }

    /// A command that prints the version token that an answer tells; `None` where no simple one does.
    pub fn shell_token(&self, files: AnswerFiles<'_>) -> Option<String> {
        self.token.as_ref().and_then(|token| token.read.shell(files))
    }

    fn with_marks(&self, verb: &Verb, fill: ShellFill<'_>, mark: char) -> Option<String> {
        let request = self.marked(verb, fill, mark);
        let headers: Vec<String> = request.headers.iter().map(|(name, value)| format!("{name}:{value}")).collect();
        let body = std::str::from_utf8(request.body.as_deref().unwrap_or_default()).ok()?.to_owned();
        Some(format!("{} {} {body}", request.path, headers.join(" ")))
    }

    /// The request with words in its holes that nobody else says.
    fn marked(&self, verb: &Verb, fill: ShellFill<'_>, mark: char) -> Request {
        let [id, person, unique, token, key] = marks(mark);
        let fill = Fill {
            id: &id,
            role: &fill.actor.role,
            person: &person,
            unique: &unique,
            token: fill.token.map(|_| token.as_str()),
            key: fill.key.map(|_| key.as_str()),
            body: fill.body,
            starts: fill.starts,
            // A script is of no round: what names one is left empty there.
            ..Fill::default()
        };
        self.request_and_shown(verb, fill).1
    }
}

/// Words that survive in a path, in a header and in JSON.
fn marks(mark: char) -> [String; 5] {
    ["id", "person", "unique", "token", "key"].map(|name| format!("Zq{mark}7{name}7{mark}qZ"))
}

fn rename(text: &str) -> String {
    marks('a').into_iter().zip(marks('b')).fold(text.to_owned(), |text, (one, other)| text.replace(&one, &other))
}

/// The text as one word of a shell, with its marks filled: in double quotes where nothing in it needs single ones.
fn filled(text: &str, fill: ShellFill<'_>) -> String {
    let values =
        [fill.id, fill.person, fill.unique, fill.token.unwrap_or_default(), fill.key.unwrap_or_default(), "$URL"];
    let marks: Vec<String> = marks('a').into_iter().chain([URL.to_owned()]).collect();
    let is_plain = !text.contains(['"', '\\', '$', '`']);
    // What follows a variable's name must not belong to it.
    let goes_on = |rest: &str| rest.starts_with(|c: char| c.is_ascii_alphanumeric() || c == '_');
    let is_cut = marks.iter().all(|mark| text.split(mark.as_str()).skip(1).all(|rest| !goes_on(rest)));
    if is_plain && is_cut {
        let inlined = marks.iter().zip(values).fold(text.to_owned(), |text, (mark, value)| text.replace(mark, value));
        return format!("\"{inlined}\"");
    }
    let splice = |text: String, (mark, value): (&String, &str)| text.replace(mark, &format!("'\"{value}\"'"));
    marks.iter().zip(values).fold(shell_quoted(text), splice)
}

impl Place {
    fn shell(&self, files: AnswerFiles<'_>) -> Option<String> {
        match &self.0[..] {
            [Spot { at, regex: None, is_base64: false }] => at.shell(files),
            _ => None,
        }
    }
}

impl Source {
    fn shell(&self, files: AnswerFiles<'_>) -> Option<String> {
        Some(match self {
            Self::Header(name) => {
                let name = name.replace('/', "\\/");
                format!("sed -n 's/^{name}: *//Ip' {} | tr -d '\\r' | tail -n 1", files.head)
            }
            Self::Body => format!("cat {}", files.body),
            Self::Pointer(pointer) => {
                format!("jq -r {} < {}", shell_word(&jq_path(pointer)), files.body)
            }
            Self::Path(..) => return None,
        })
    }
}

/// A JSON Pointer as a path of jq. A part that is a number may be a place in a list, and is taken for one.
fn jq_path(pointer: &str) -> String {
    let mut path = String::new();
    for part in pointer.split('/').skip(1) {
        let key = part.replace("~1", "/").replace("~0", "~");
        let is_name = key.bytes().all(|byte| byte.is_ascii_alphabetic() || byte == b'_') && !key.is_empty();
        let is_number = key.bytes().all(|byte| byte.is_ascii_digit()) && !key.is_empty();
        let _ = match (is_name, is_number) {
            (true, _) => write!(path, ".{key}"),
            (_, true) => write!(path, ".[{key}]"),
            (false, false) => write!(path, ".[{}]", serde_json::Value::from(key)),
        };
    }
    if path.is_empty() { ".".to_owned() } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pointers_are_paths_of_jq() {
        for (pointer, path) in [("/id", ".id"), ("/a/0/b-c", ".a.[0].[\"b-c\"]"), ("/x~1y", ".[\"x/y\"]"), ("", ".")] {
            assert_eq!(jq_path(pointer), path);
        }
    }
}
