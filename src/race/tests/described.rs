//! Races of what is described otherwise: resources that nobody makes, that cannot be read, or that are not there.

use std::sync::{Arc, Mutex};

use tokio::sync::Notify;

use super::super::fake::{Held, LIMIT};
use super::super::round::RoundRunner;
use super::super::schedule::Orders;
use super::super::servers::Servers;
use super::super::{Ending, Finish, Noted, Pace, Parallel, Race, Sink, Stop};
use crate::api::{Api, Bounds, Request, Response};
use crate::clock::Clock;
use crate::history::{Cause, Delivered, Operation, Phase, Precondition, Stagger, Window};
use crate::ids::RoundId;
use crate::scenario::described::{counter, effects, register, register_that_nobody_makes};
use crate::scenario::{ContenderPlan, Plan, Scenario, catalog};
use crate::seed::Seed;
use crate::target::gate::{Parked, Ticket};
use crate::target::{Contender, Exchange, Method, Target, Version};

/// A server of documents: what was never written is not there, and what is written is `v`.
#[derive(Clone)]
struct Documents(Arc<World>);

struct World {
    clock: Clock,
    /// Ids of those that are there.
    there: Mutex<Vec<String>>,
}

impl Documents {
    fn answer(&self, request: &Request) -> Response {
        let mut there = self.0.there.lock().unwrap();
        let parts: Vec<&str> = request.path.split('/').skip(2).collect();
        let status = match (&*request.method, parts.as_slice()) {
            ("POST", []) => {
                let made = format!("made-{}", there.len());
                there.push(made.clone());
                return shown(201, &made);
            }
            ("GET", [_, "charges"]) => return Response { status: 200, headers: Vec::new(), body: "[]".into() },
            ("GET", [id]) if there.iter().any(|own| own == id) => 200,
            ("GET", [_]) => 404,
            ("PUT", [id, "put-new"]) if there.iter().any(|own| own == id) => 409,
            ("PUT", [id, "put-new"]) => {
                there.push((*id).to_owned());
                201
            }
            ("PUT", [id, "delete"]) => {
                there.retain(|own| own != id);
                200
            }
            ("PUT", [_, _]) => 200,
            _ => 400,
        };
        shown(status, parts[0])
    }

    async fn exchange(&self, request: &Request, ticket: Option<Ticket>) -> Exchange {
        let opened = self.0.clock.now();
        let mut released = None;
        if let Some(ticket) = ticket {
            let gate = Arc::new(Held(Notify::new()));
            ticket.park(Arc::clone(&gate) as Arc<dyn Parked>);
            gate.0.notified().await;
            released = Some(self.0.clock.now());
        }
        let result = Ok(self.answer(request));
        Exchange { window: Window { opened, released, closed: self.0.clock.now() }, result }
    }
}

fn shown(status: u16, id: &str) -> Response {
    let headers = vec![("etag".into(), "\"1\"".into())];
    Response { status, headers, body: format!(r#"{{"id":"{id}","text":"v"}}"#).into() }
}

impl Target for Documents {
    type Contender = Self;

    async fn send(&self, request: &Request) -> Exchange {
        self.exchange(request, None).await
    }

    async fn contender(&self, _: Version) -> Result<Self, Cause> {
        Ok(self.clone())
    }
}

impl Contender for Documents {
    async fn send(&mut self, request: &Request) -> Exchange {
        self.exchange(request, None).await
    }

    async fn race(&mut self, request: &Request, _: Method, ticket: Ticket) -> Exchange {
        self.exchange(request, Some(ticket)).await
    }

    fn is_usable(&self) -> bool {
        true
    }
}

/// Keeps the last round.
#[derive(Default)]
struct Last {
    operations: Vec<Operation>,
    rounds: usize,
}

impl Sink for Last {
    fn round(&mut self, _: RoundId, _: Option<&Delivered>, operations: &[Operation]) -> Noted {
        self.operations = operations.to_vec();
        self.rounds += 1;
        Noted::default()
    }
}

impl Last {
    /// What was asked in a phase, and what the answers were: ids are left out.
    fn asked(&self, phase: Phase) -> Vec<String> {
        let own = self.operations.iter().filter(|operation| operation.phase == phase);
        let status = |operation: &Operation| operation.outcome.reply().map_or(0, |reply| reply.status);
        own.map(|operation| format!("{} {}", operation.call.verb, status(operation))).collect()
    }
}

fn generic(name: &str) -> Scenario {
    catalog::generic().into_iter().find(|scenario| scenario.name.get_ref() == name).unwrap()
}

fn pace() -> Pace {
    Pace {
        rounds: 3,
        deadline: None,
        parallel: Parallel::Rounds(1),
        max_rate: None,
        gate_limit: LIMIT,
        methods: vec![Method::Head],
        sweep: false,
        replay: Vec::new(),
    }
}

/// Three rounds of a scenario, one after the other.
async fn race(scenario: &Scenario, api: &Api) -> Last {
    let clock = Clock::start();
    let target = Documents(Arc::new(World { clock, there: Mutex::default() }));
    let plan = Plan::resolve(scenario, &Arc::new(api.clone()), None).unwrap();
    let mut last = Last::default();
    let race = Race::new((&target, None), &plan, Seed::new(7), clock, Arc::default(), pace());
    let finish = race.run(&Stop::default(), &mut last).await;
    assert_eq!(finish, Finish { ending: Ending::Complete, parallel: 1 });
    last
}

#[tokio::test(start_paused = true)]
async fn what_is_to_be_created_in_the_race_is_not_there_before_and_has_no_token() {
    let last = race(&generic("concurrent-create"), &register(true)).await;
    assert_eq!(last.asked(Phase::SetUp), ["read 404", "read 404"], "connections are warmed, and nothing is made");
    let mut asked = last.asked(Phase::Contend);
    asked.sort();
    assert_eq!(asked, ["put-new 201", "put-new 409"]);
    assert_eq!(last.asked(Phase::Observe), ["read 200", "read 200"]);
    let one = &last.operations[0].call.request;
    assert!(one.starts_with("GET /docs/doc-"), "{one}");
    assert!(last.operations.iter().all(|operation| operation.call.precondition == Precondition::Absent));
}

#[tokio::test(start_paused = true)]
async fn where_the_server_thinks_up_ids_it_is_made_and_deleted_before() {
    let last = race(&generic("concurrent-create"), &register(false)).await;
    assert_eq!(last.asked(Phase::SetUp), ["create 201", "delete 200", "read 404", "read 404"]);
    let mut asked = last.asked(Phase::Contend);
    asked.sort();
    assert_eq!(asked, ["put-new 201", "put-new 409"]);
}

#[tokio::test(start_paused = true)]
async fn what_no_request_makes_is_written_first() {
    let last = race(&generic("concurrent-replace"), &register_that_nobody_makes()).await;
    assert_eq!(last.asked(Phase::SetUp), ["put-new 201", "read 200", "read 200"]);
    assert_eq!(last.asked(Phase::Contend), ["replace 200", "replace 200"]);
}

#[tokio::test(start_paused = true)]
async fn what_cannot_be_read_is_looked_at_by_its_list() {
    let last = race(&generic("double-effect"), &effects()).await;
    assert_eq!(last.asked(Phase::SetUp), ["list of effects 200", "list of effects 200"]);
    assert_eq!(last.asked(Phase::Contend), ["charge 200", "charge 200"]);
    assert_eq!(last.asked(Phase::Follow), ["charge 200"]);
    assert_eq!(last.asked(Phase::Observe), ["list of effects 200"]);
    let keys: Vec<_> = last.operations.iter().filter_map(|operation| operation.call.key.as_ref()).collect();
    assert!(keys.len() == 3 && keys.iter().all(|key| *key == keys[0]));
}

#[tokio::test(start_paused = true)]
async fn a_swarm_acts_on_registers_and_counters() {
    for api in [register(true), register(false), counter(Bounds::default())] {
        let last = race(&generic("any-swarm"), &api).await;
        let asked = last.asked(Phase::Contend);
        assert!(asked.iter().any(|one| one.starts_with("read")) && asked.iter().any(|one| !one.starts_with("read")));
        assert_eq!(last.asked(Phase::SetUp), ["create 201"]);
    }
}

#[test]
fn an_offset_holds_a_contender_back_and_comes_on_top_of_what_is_swept() {
    let offset = "\"<delete>\"\noffset = \"3ms\"\n[[contenders]]\naction = \"<read>\"";
    let text = generic("replace-vs-delete").text.replace("\"<delete>\"", offset);
    let scenario = Scenario::parse("mine.toml", &text).unwrap();
    let plan = Plan::resolve(&scenario, &Arc::new(register(true)), None).unwrap();
    let plans: Vec<&ContenderPlan> = plan.contenders.iter().collect();
    let target = Documents(Arc::new(World { clock: Clock::start(), there: Mutex::default() }));
    let servers = Servers::new(&target, None);
    let delays = |stagger, plans: &[&ContenderPlan]| {
        let orders = Orders { method: Method::Head, stagger };
        let runner = RoundRunner::new(&servers, (&plan, &orders), Seed::new(7), Seed::new(8), LIMIT);
        let mut leaves = runner.leaves(plans).0;
        assert!(leaves.is_sorted_by_key(|leave| leave.delay));
        leaves.sort_by_key(|leave| leave.index);
        leaves.iter().map(|leave| leave.delay.as_micros()).collect::<Vec<_>>()
    };
    assert_eq!(delays(None, &plans), [0, 3_000, 0]);
    assert_eq!(delays(Some(Stagger::Kinds(vec![40, -30])), &plans), [30, 3_070, 0]);
    assert_eq!(delays(None, &plans[1..2]), [0], "alone, it waits for nobody");
}

#[tokio::test(start_paused = true)]
async fn rounds_wait_until_what_was_asked_is_paid_for() {
    let clock = Clock::start();
    let target = Documents(Arc::new(World { clock, there: Mutex::default() }));
    let plan = Plan::resolve(&generic("concurrent-create"), &Arc::new(register(true)), None).unwrap();
    let (mut last, begun) = (Last::default(), tokio::time::Instant::now());
    let capped = Pace { max_rate: Some(2.0), ..pace() };
    let race = Race::new((&target, None), &plan, Seed::new(7), clock, Arc::default(), capped);
    assert_eq!(race.run(&Stop::default(), &mut last).await.ending, Ending::Complete);
    // Two controls (4 requests each) and two of three rounds (6 each) are paid for before the last one begins.
    assert_eq!((last.rounds, begun.elapsed().as_secs_f64()), (5, 10.0));

    let deadline = Some(tokio::time::Instant::now() + std::time::Duration::from_secs(4));
    let (mut last, begun) = (Last::default(), tokio::time::Instant::now());
    let hurried = Pace { max_rate: Some(2.0), deadline, ..pace() };
    let race = Race::new((&target, None), &plan, Seed::new(7), clock, Arc::default(), hurried);
    assert_eq!(race.run(&Stop::default(), &mut last).await.ending, Ending::OutOfTime(None));
    assert_eq!((last.rounds, begun.elapsed().as_secs_f64()), (2, 4.0));
}
