//! A plan as a shell script with curl: one round of the race, for who wants to see it without this tool, or to show it to others.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::contender::{KeyUse, ServerUse, TokenUse};
use super::plan::{ContenderPlan, Plan};
use crate::api::{AnswerFiles, Dialect, ShellFill};
use crate::history::{Actor, Verb};
use crate::text::shell_word;

/// Where a script's server is, and how it takes callers.
#[derive(Debug, Clone, Copy)]
pub struct ScriptTarget<'a> {
    /// Where it is, unless the script's user says otherwise.
    pub url: &'a str,
    /// The command that starts it, where it is the reference service. That believes whoever says who they are.
    pub start: Option<&'a str>,
}

/// One round of `plan` as a POSIX shell script. `None` where none can be written: clients that act at random, or requests whose
/// holes no shell fills.
pub fn script(plan: &Plan, target: ScriptTarget<'_>) -> Option<String> {
    if plan.swarm.is_some() {
        return None;
    }
    let mut script = Script { plan, believes_all: target.start.is_some(), secrets: BTreeMap::new(), words: 0 };
    let mut body = String::new();
    script.set_up(&mut body)?;
    script.race(&mut body)?;
    script.follow(&mut body)?;
    script.look(&mut body)?;
    Some(format!("{}{body}", script.head(target)))
}

struct Script<'a> {
    plan: &'a Plan,
    believes_all: bool,
    /// Variables that the user must set, and what they are to hold.
    secrets: BTreeMap<String, String>,
    /// Unique words so far.
    words: usize,
}

/// What one request names.
#[derive(Default)]
struct Named<'a> {
    token: Option<String>,
    key: Option<String>,
    word: Option<String>,
    body: Option<&'a serde_json::Value>,
}

/// The variable of the token that the resource had before the race.
const BEFORE: &str = "BEFORE";

const ASK: &str = r#"
# ask NAME CURL-ARGUMENTS: sends a request, keeps the answer under NAME and shows it.
ask() {
  name="$1"; shift
  curl -sS -D "$DIR/$name.head" -o "$DIR/$name.body" "$@" || true
  printf '%s: %s\n  %s\n' "$name" "$(head -n 1 "$DIR/$name.head" | tr -d '\r')" "$(head -c 300 "$DIR/$name.body" 2>/dev/null)"
}
"#;

impl<'a> Script<'a> {
    fn dialect(&self) -> &'a Dialect {
        &self.plan.api.dialect
    }

    fn head(&self, target: ScriptTarget<'_>) -> String {
        let mut head = format!(
            "#!/bin/sh\n# One round of {} against {}, by hand. curl lets its requests go milliseconds apart, so one round may\n\
             # well not collide: run it again, or race it with quickeats-bench. Needs curl and jq.\nset -eu\n",
            self.plan.name, self.plan.api.name
        );
        if let Some(start) = target.start {
            let _ = writeln!(head, "# First, in another terminal: {start}");
        }
        let _ = writeln!(head, "URL=\"${{URL:-{}}}\"", target.url);
        for (variable, holds) in &self.secrets {
            let _ = writeln!(head, ": \"${{{variable}:?set it to {holds}}}\"");
        }
        head.push_str("RUN=\"$(date +%s)-$$\"\nDIR=\"$(mktemp -d)\"\ntrap 'rm -rf \"$DIR\"' EXIT\n");
        head.push_str(ASK);
        head
    }

    fn set_up(&mut self, out: &mut String) -> Option<()> {
        let plan = self.plan;
        out.push_str("\n# A fresh resource, brought to where the race starts.\n");
        if let Some(made) = self.dialect().made_id("MADE-OF-THE-RUN") {
            let _ = writeln!(out, "ID=\"{}\"", made.replace("MADE-OF-THE-RUN", "$RUN"));
        }
        if plan.creates {
            let role = Actor { role: self.dialect().role(&Verb::Create).clone(), person: 1 };
            let key = self.dialect().sends_key(&Verb::Create).then(|| "$RUN-create".to_owned());
            self.ask(out, "create", &Verb::Create, &role, &Named { key, ..Named::default() })?;
            out.push('\n');
            if !self.dialect().makes_ids() {
                let find = self.dialect().shell_id(files("create").get())?;
                let _ = writeln!(out, "ID=\"$({find})\"");
            }
        }
        self.steps(out, &plan.set_up)?;
        if plan.then.iter().any(|follower| follower.token == TokenUse::Stale) {
            let reader = self.reader();
            self.read_token(out, BEFORE, &reader)?;
        }
        for (index, contender) in plan.contenders.iter().enumerate() {
            if contender.token == TokenUse::Stale {
                self.read_token(out, &format!("TOKEN{}", index + 1), &contender.reader)?;
            }
        }
        self.steps(out, &plan.change)
    }

    fn steps(&mut self, out: &mut String, steps: &[super::Step]) -> Option<()> {
        for step in steps {
            let verb = step.verb();
            let mut named = Named::default();
            if self.dialect().sends_token(&verb) {
                let reader = self.reader();
                self.read_token(out, "TOKEN", &reader)?;
                named.token = Some("$TOKEN".to_owned());
            }
            if self.dialect().sends_key(&verb) {
                named.key = Some(format!("$RUN-{}", step.action));
            }
            self.ask(out, &step.action, &verb, &step.actor, &named)?;
            out.push('\n');
        }
        Some(())
    }

    fn race(&mut self, out: &mut String) -> Option<()> {
        let plan = self.plan;
        let mut requests = String::new();
        for (index, contender) in plan.contenders.iter().enumerate() {
            let number = index + 1;
            let variable = format!("TOKEN{number}");
            if matches!(contender.token, TokenUse::Current | TokenUse::Weak) && self.takes_token(contender) {
                self.read_token(out, &variable, &contender.reader)?;
            }
            let named = self.named(contender, &variable, &number.to_string());
            let pause = contender.offset.as_secs_f64();
            let late = if pause > 0.0 { format!("sleep {pause}; ") } else { String::new() };
            let _ = write!(requests, "( {late}");
            self.ask(
                &mut requests,
                &format!("{number}-{}", contender.verb),
                &contender.verb,
                &contender.actor,
                &named,
            )?;
            requests.push_str(" ) &\n");
        }
        let _ = write!(out, "\n# The race.\n{requests}wait\n");
        if plan.restart {
            out.push_str("printf 'Now restart the server, and press Enter. '; read -r _\n");
        }
        Some(())
    }

    fn follow(&mut self, out: &mut String) -> Option<()> {
        for (index, contender) in self.plan.then.iter().enumerate() {
            if contender.at == ServerUse::Replica {
                out.push_str("# (Best sent to another address of the same service.)\n");
            }
            let variable = match contender.token {
                TokenUse::Stale => BEFORE.to_owned(),
                TokenUse::Current | TokenUse::Weak | TokenUse::Unheard | TokenUse::None => {
                    format!("LATER{}", index + 1)
                }
            };
            if matches!(contender.token, TokenUse::Current | TokenUse::Weak) && self.takes_token(contender) {
                self.read_token(out, &variable, &contender.reader)?;
            }
            let named = self.named(contender, &variable, &format!("later-{}", index + 1));
            self.ask(out, &format!("later-{}", contender.verb), &contender.verb, &contender.actor, &named)?;
            out.push('\n');
        }
        Some(())
    }

    fn look(&mut self, out: &mut String) -> Option<()> {
        out.push_str("\n# What the server says now.\n");
        let read = self.dialect().reads().then_some(Verb::Read);
        let looks: Vec<Verb> = self.dialect().lists().chain(read).collect();
        for verb in looks {
            let actor = Actor { role: self.dialect().role(&verb).clone(), person: 1 };
            let name = verb.to_string().replace(' ', "-");
            self.ask(out, &name, &verb, &actor, &Named::default())?;
            out.push('\n');
        }
        Some(())
    }

    fn reader(&self) -> Actor {
        Actor { role: self.dialect().role(&Verb::Read).clone(), person: 1 }
    }

    fn takes_token(&self, contender: &ContenderPlan) -> bool {
        self.dialect().sends_token(&contender.verb)
    }

    fn named<'p>(&self, contender: &'p ContenderPlan, variable: &str, own: &str) -> Named<'p> {
        let token = match contender.token {
            TokenUse::Current | TokenUse::Stale => Some(format!("${variable}")),
            TokenUse::Weak => Some(format!("W/${variable}")),
            TokenUse::Unheard => Some("\\\"unheard-of-$RUN\\\"".to_owned()),
            TokenUse::None => None,
        };
        let (key, word) = match contender.key {
            KeyUse::Own => (Some(format!("$RUN-key-{own}")), None),
            KeyUse::Shared => (Some("$RUN-shared".to_owned()), Some("$RUN-said-again".to_owned())),
            KeyUse::Reused => (Some("$RUN-shared".to_owned()), None),
            KeyUse::None => (None, None),
        };
        Named {
            token: token.filter(|_| self.takes_token(contender)),
            key: key.filter(|_| self.dialect().sends_key(&contender.verb)),
            word,
            body: contender.body.as_ref(),
        }
    }

    fn read_token(&mut self, out: &mut String, variable: &str, reader: &Actor) -> Option<()> {
        let name = format!("read-for-{}", variable.to_lowercase());
        self.ask(out, &name, &Verb::Read, reader, &Named::default())?;
        let find = self.dialect().shell_token(files(&name).get())?;
        let _ = writeln!(out, "\n{variable}=\"$({find})\"");
        Some(())
    }

    fn ask(&mut self, out: &mut String, name: &str, verb: &Verb, actor: &Actor, named: &Named<'_>) -> Option<()> {
        self.words += 1;
        let own = format!("$RUN-{}", self.words);
        let fill = ShellFill {
            actor,
            id: "$ID",
            person: &format!("{}-{}-$RUN", actor.role, actor.person),
            unique: named.word.as_deref().unwrap_or(&own),
            token: named.token.as_deref(),
            key: named.key.as_deref(),
            body: named.body,
            starts: (*verb == Verb::Create).then_some(self.plan.starts).flatten(),
        };
        let arguments = self.plan.api.dialect.curl(verb, fill, self.believes_all, &mut self.secrets)?;
        let _ = write!(out, "ask {} {arguments}", shell_word(name));
        Some(())
    }
}

/// The files of an answer, as the script names them.
struct Files {
    head: String,
    body: String,
}

fn files(name: &str) -> Files {
    Files { head: format!("\"$DIR/{name}.head\""), body: format!("\"$DIR/{name}.body\"") }
}

impl Files {
    fn get(&self) -> AnswerFiles<'_> {
        AnswerFiles { head: &self.head, body: &self.body }
    }
}
