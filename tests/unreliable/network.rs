//! A network that loses requests before they arrive, and answers after the effect. What it does is drawn from a seed.

use std::sync::{Arc, Mutex};

use quickeats_bench::api::Request;
use quickeats_bench::clock::Clock;
use quickeats_bench::history::{Cause, Window};
use quickeats_bench::target::gate::Ticket;
use quickeats_bench::target::{Contender, Exchange, Failure, HttpTarget, Method, Target, Version};

/// Of 100 raced requests so many are lost, half of them before the effect.
const RACED: u8 = 36;
/// Of 100 others: fewer, or no round would ever come to be raced.
const OTHERS: u8 = 13;

/// What is lost next.
#[derive(Debug, Clone)]
pub(crate) struct Losses(Arc<Mutex<fastrand::Rng>>);

enum Loss {
    Nothing,
    Request,
    Answer,
}

impl Losses {
    pub(crate) fn seeded(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(fastrand::Rng::with_seed(seed))))
    }

    fn next(&self, of_100: u8) -> Loss {
        let drawn = self.0.lock().unwrap().u8(0..100);
        if drawn < of_100 / 2 {
            Loss::Request
        } else if drawn < of_100 {
            Loss::Answer
        } else {
            Loss::Nothing
        }
    }
}

/// A target behind such a network.
pub(crate) struct LossyTarget {
    target: HttpTarget,
    losses: Losses,
    clock: Clock,
}

impl LossyTarget {
    pub(crate) const fn new(target: HttpTarget, losses: Losses, clock: Clock) -> Self {
        Self { target, losses, clock }
    }
}

/// A contender's connection through it.
pub(crate) struct LossyContender<C> {
    contender: C,
    losses: Losses,
    clock: Clock,
}

impl Target for LossyTarget {
    type Contender = LossyContender<<HttpTarget as Target>::Contender>;

    async fn send(&self, request: &Request) -> Exchange {
        match self.losses.next(OTHERS) {
            Loss::Nothing => self.target.send(request).await,
            Loss::Request => never_arrived(self.clock),
            Loss::Answer => answer_lost(self.target.send(request).await),
        }
    }

    fn forget_connections(&self) {
        self.target.forget_connections();
    }

    async fn contender(&self, version: Version) -> Result<Self::Contender, Cause> {
        let contender = self.target.contender(version).await?;
        Ok(LossyContender { contender, losses: self.losses.clone(), clock: self.clock })
    }
}

impl<C: Contender + Sync> Contender for LossyContender<C> {
    async fn send(&mut self, request: &Request) -> Exchange {
        match self.losses.next(OTHERS) {
            Loss::Nothing => self.contender.send(request).await,
            Loss::Request => never_arrived(self.clock),
            Loss::Answer => answer_lost(self.contender.send(request).await),
        }
    }

    async fn race(&mut self, request: &Request, method: Method, ticket: Ticket) -> Exchange {
        match self.losses.next(RACED) {
            Loss::Nothing => self.contender.race(request, method, ticket).await,
            Loss::Request => {
                drop(ticket);
                never_arrived(self.clock)
            }
            Loss::Answer => answer_lost(self.contender.race(request, method, ticket).await),
        }
    }

    fn version(&self) -> Version {
        self.contender.version()
    }

    fn twin(&self) -> Option<Self> {
        let contender = self.contender.twin()?;
        Some(Self { contender, losses: self.losses.clone(), clock: self.clock })
    }

    fn is_twin(&self) -> bool {
        self.contender.is_twin()
    }

    fn is_usable(&self) -> bool {
        self.contender.is_usable()
    }
}

fn never_arrived(clock: Clock) -> Exchange {
    let now = clock.now();
    Exchange { window: Window { opened: now, released: None, closed: now }, result: Err(lost()) }
}

fn answer_lost(mut exchange: Exchange) -> Exchange {
    exchange.result = Err(lost());
    exchange
}

fn lost() -> Failure {
    Failure::Unknown(Cause::Broken("lost on the way".to_owned()))
}
