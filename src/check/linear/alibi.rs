//! Alibis: operations that may have taken effect within their windows, or never. Each is a required operation of a
//! specification that lets it change nothing, so the search needs to know nothing about them.

use super::Entry;
use crate::spec::Spec;

/// An operation, and whether it may as well not have been.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told<Op> {
    pub(super) op: Op,
    pub(super) is_alibi: bool,
}

/// The same specification, where alibis may also change nothing.
pub(super) struct WithAlibis<'a, S>(pub(super) &'a S);

impl<S: Spec> Spec for WithAlibis<'_, S> {
    type State = S::State;
    type Op = Told<S::Op>;

    fn step(&self, state: &S::State, told: &Told<S::Op>, next: &mut Vec<S::State>) {
        self.0.step(state, &told.op, next);
        if told.is_alibi && !next.contains(state) {
            next.push(state.clone());
        }
    }

    fn only_observes(&self, told: &Told<S::Op>) -> bool {
        self.0.only_observes(&told.op)
    }

    fn may_help(&self, first: &Told<S::Op>, then: &Told<S::Op>) -> bool {
        // An alibi that changes nothing hands on what came before it.
        then.is_alibi || self.0.may_help(&first.op, &then.op)
    }
}

/// Which of an order's optional operations and alibis must have taken effect for it to be legal: as few as possible. Of
/// every state that can be reached, the way with the fewest of them is followed.
pub(super) fn needed<S: Spec>(spec: &S, start: &S::State, asked: &[Entry<Told<S::Op>>], order: &[usize]) -> Vec<usize> {
    struct Way<State> {
        state: State,
        /// The way to it, and how many alibis lie on it.
        from: usize,
        alibis: usize,
        is_used: bool,
    }
    let mut layers = vec![vec![Way { state: start.clone(), from: 0, alibis: 0, is_used: false }]];
    for index in order {
        let Entry { op: Told { op, is_alibi }, optional, .. } = &asked[*index];
        let last = layers.last().expect("starts with one");
        let mut layer: Vec<Way<S::State>> = Vec::new();
        let mut reach = |way: Way<S::State>| match layer.iter_mut().find(|known| known.state == way.state) {
            Some(known) if known.alibis > way.alibis => *known = way,
            Some(_) => {}
            None => layer.push(way),
        };
        for (from, before) in last.iter().enumerate() {
            if *is_alibi || *optional {
                reach(Way { state: before.state.clone(), from, alibis: before.alibis, is_used: false });
            }
            let mut next = Vec::new();
            spec.step(&before.state, op, &mut next);
            for state in next {
                let is_used = *is_alibi || *optional;
                reach(Way { state, from, alibis: before.alibis + usize::from(is_used), is_used });
            }
        }
        layers.push(layer);
    }
    let best = layers.last().and_then(|layer| (0..layer.len()).min_by_key(|place| layer[*place].alibis));
    let Some(mut place) = best else { return Vec::new() };
    let mut used = Vec::new();
    for (layer, index) in layers[1..].iter().zip(order).rev() {
        used.extend(layer[place].is_used.then_some(*index));
        place = layer[place].from;
    }
    used
}
