//! What is believed of one axis: where its crossing lies, how wide the window around it is, and how much the times
//! scatter.
//!
//! Delays are cut into *cells*: coarse ones at first, each a part of its own distance from zero, and cut in two where
//! belief gathers. Each cell holds how likely it is that the crossing lies there and the race has a certain [`Shape`];
//! once for races that the first to come wins, once for races whose winner says nothing about the crossing. Each round
//! weighs all of that anew by what it showed (Bayes' rule).
//!
//! Winners make this a bisection whose answers may be wrong (Horstein 1963; Waeber, Frazier and Henderson, *Bisection
//! search with noisy responses*, 2013); hits and misses make it a search, which works without them.

use super::sight::{EVEN, SHAPES, Shape, Sight, shapes};
use crate::seed::Dice;

/// Bounds of coarse cells between 5 µs and 50 µs, in tenths of µs; and so on with each power of ten.
const BOUNDS: [i32; 5] = [50, 80, 125, 200, 315];

/// A cell is not cut into parts smaller than this, in µs.
const NARROWEST_US: i32 = 5;

/// A cell is cut in two while it holds more than this part of the belief.
const HEAVY: f64 = 0.04;

/// At most so many cells: beyond that the lightest neighbours are joined.
const MOST_CELLS: usize = 72;

/// With each round, this part of the belief goes back to where it began: old rounds count less, nothing is ever ruled
/// out.
const FORGOTTEN: f64 = 0.002;

/// How much of the belief, before the first round, is with races whose winner says nothing about the crossing.
const FREE: f64 = 0.15;

/// How much a past winner counts after each further one, in how often either wins.
const REMEMBERED: f64 = 0.995;

/// Shapes of races that the first to come wins, then shapes of races with free winners.
const KINDS: usize = 2 * SHAPES;

#[derive(Debug, Clone)]
struct Cell {
    /// In µs.
    from: i32,
    /// In µs, beyond the last delay of the cell.
    to: i32,
    /// The part of the belief it began with.
    prior: f64,
    belief: [f64; KINDS],
}

impl Cell {
    fn centre(&self) -> f64 {
        f64::midpoint(f64::from(self.from), f64::from(self.to))
    }

    fn width(&self) -> f64 {
        f64::from(self.to - self.from)
    }

    fn mass(&self) -> f64 {
        self.belief.iter().sum()
    }

    fn draw(&self, dice: &mut Dice) -> i32 {
        draw(self.from, self.to, dice)
    }

    /// What it began with, for one kind.
    fn prior_of(&self, kind: usize) -> f64 {
        self.prior * EVEN * if kind < SHAPES { 1.0 - FREE } else { FREE }
    }

    /// Keeps the part of it up to `to`, and returns the rest.
    fn split_off(&mut self, to: i32) -> Self {
        let part = f64::from(to - self.from) / self.width();
        let mut rest = self.clone();
        (self.to, rest.from) = (to, to);
        self.scale(part);
        rest.scale(1.0 - part);
        rest
    }

    fn scale(&mut self, part: f64) {
        self.prior *= part;
        self.belief.iter_mut().for_each(|belief| *belief *= part);
    }

    fn join(&mut self, next: &Self) {
        self.to = next.to;
        self.prior += next.prior;
        self.belief.iter_mut().zip(&next.belief).for_each(|(belief, more)| *belief += more);
    }
}

/// The belief about one axis.
#[derive(Debug, Clone)]
pub(super) struct Belief {
    shapes: [Shape; SHAPES],
    /// In order, without gaps. The belief of all adds up to 1.
    cells: Vec<Cell>,
    /// What the cells were at first, in µs.
    coarse: Vec<(i32, i32)>,
    /// How often the first and the other won alone; each begins with a half (Krichevsky and Trofimov).
    winners: [f64; 2],
}

impl Belief {
    /// For delays of either sign, up to `longest` µs. `typical`: how long the target took to answer each alone, in µs.
    ///
    /// Each reaches its critical section some time before it is answered. So the crossing is likely near the difference
    /// of both times, or near zero where one of them does more after its critical section; but it may be anywhere.
    pub(super) fn signed(longest: i32, typical: Option<(i32, i32)>) -> Self {
        let bounds = bounds(longest);
        let below: Vec<i32> = bounds.iter().rev().map(|bound| -bound).collect();
        let mut belief = Self::flat(&[below, bounds].concat());
        match typical {
            Some((first, other)) => {
                let apart = f64::from(first) - f64::from(other);
                let reach = 0.25 * (f64::from(first) + f64::from(other)).max(40.0);
                belief.lean(0.5, |delay| bump((delay - apart) / (0.5 * reach)));
                belief.lean(0.25, |delay| bump(delay / reach));
            }
            None => belief.lean(0.3, |delay| bump(delay / 500.0)),
        }
        belief.begun()
    }

    /// For delays of 0 to `longest` µs between equals: likely near 0.
    pub(super) fn unsigned(longest: i32) -> Self {
        let mut belief = Self::flat(&[vec![0], bounds(longest)].concat());
        belief.lean(0.6, |delay| bump(delay / 50.0));
        belief.begun()
    }

    /// All coarse cells alike.
    fn flat(bounds: &[i32]) -> Self {
        let coarse: Vec<(i32, i32)> = bounds.windows(2).map(|pair| (pair[0], pair[1])).collect();
        let cell = |&(from, to): &(i32, i32)| Cell { from, to, prior: 1.0, belief: [0.0; KINDS] };
        let mut belief =
            Self { shapes: shapes(), cells: coarse.iter().map(cell).collect(), coarse, winners: [0.5, 0.5] };
        let total: f64 = belief.cells.iter().map(|cell| cell.prior).sum();
        belief.cells.iter_mut().for_each(|cell| cell.prior /= total);
        belief
    }

    /// Moves a part of the prior to where `density` is high.
    fn lean(&mut self, part: f64, density: impl Fn(f64) -> f64) {
        let weights: Vec<f64> = self.cells.iter().map(|cell| density(cell.centre()) * cell.width()).collect();
        let total: f64 = weights.iter().sum();
        for (cell, weight) in self.cells.iter_mut().zip(weights) {
            cell.prior = (1.0 - part) * cell.prior + part * weight / total;
        }
    }

    /// With its prior as its belief.
    fn begun(mut self) -> Self {
        for cell in &mut self.cells {
            cell.belief = std::array::from_fn(|kind| cell.prior_of(kind));
        }
        self.recut();
        self
    }

    /// Weighs everything by what a round at `delay` µs showed. Returns how likely that was, as far as was believed.
    pub(super) fn note(&mut self, delay: i32, sight: Sight) -> f64 {
        let usual = self.usual(sight);
        let mut total = 0.0;
        for cell in &mut self.cells {
            let (beyond, width) = (f64::from(delay) - cell.centre(), cell.width());
            let (directed, free) = cell.belief.split_at_mut(SHAPES);
            for ((shape, directed), free) in self.shapes.iter().zip(directed).zip(free) {
                let (if_directed, if_free) = shape.likelihood(sight, beyond, width, usual);
                *directed *= if_directed;
                *free *= if_free;
                total += *directed + *free;
            }
        }
        for cell in &mut self.cells {
            for kind in 0..KINDS {
                cell.belief[kind] = (1.0 - FORGOTTEN) * cell.belief[kind] / total + FORGOTTEN * cell.prior_of(kind);
            }
        }
        self.recut();
        total
    }

    /// How often this one was the winner so far. Counts the new one.
    fn usual(&mut self, sight: Sight) -> f64 {
        let winner = match sight {
            Sight::FirstWon => 0,
            Sight::SecondWon => 1,
            Sight::Hit | Sight::Miss => return 0.5,
        };
        let usual = self.winners[winner] / (self.winners[0] + self.winners[1]);
        self.winners = self.winners.map(|count| (count * REMEMBERED).max(0.5));
        self.winners[winner] += 1.0;
        usual
    }

    /// Cuts heavy cells, joins light ones.
    fn recut(&mut self) {
        let mut index = 0;
        while index < self.cells.len() {
            let cell = &mut self.cells[index];
            if cell.to - cell.from >= 2 * NARROWEST_US && cell.mass() > HEAVY {
                let rest = cell.split_off(cell.from + (cell.to - cell.from) / 2);
                self.cells.insert(index + 1, rest);
            } else {
                index += 1;
            }
        }
        while self.cells.len() > MOST_CELLS {
            let masses: Vec<f64> = self.cells.iter().map(Cell::mass).collect();
            let both = |index: &usize| masses[*index] + masses[index + 1];
            let lightest = (0..masses.len() - 1).min_by(|a, b| both(a).total_cmp(&both(b)));
            let lightest = lightest.expect("there are more cells than one");
            let next = self.cells.remove(lightest + 1);
            self.cells[lightest].join(&next);
        }
    }

    /// Any delay, whatever is believed; all orders of magnitude alike.
    pub(super) fn anywhere(&self, dice: &mut Dice) -> i32 {
        let (from, to) = self.coarse[dice.below(self.coarse.len())];
        draw(from, to, dice)
    }

    /// A delay as likely as it is believed to be the crossing.
    pub(super) fn drawn(&self, dice: &mut Dice) -> i32 {
        let masses: Vec<f64> = self.cells.iter().map(Cell::mass).collect();
        self.cells[pick(&masses, dice)].draw(dice)
    }

    /// The delay with half of the belief on either side, for a kind of race drawn from the belief.
    pub(super) fn halving(&self, dice: &mut Dice) -> i32 {
        let kind = self.draw_kind(dice);
        let half = 0.5 * self.cells.iter().map(|cell| cell.belief[kind]).sum::<f64>();
        let mut sum = 0.0;
        let is_beyond = |cell: &&Cell| {
            sum += cell.belief[kind];
            sum >= half
        };
        self.cells.iter().find(is_beyond).unwrap_or(&self.cells[0]).draw(dice)
    }

    /// The delay at which a hit is likeliest, for a kind of race drawn from the belief.
    pub(super) fn likeliest(&self, dice: &mut Dice) -> i32 {
        let kind = self.draw_kind(dice);
        let reach = self.shapes[kind % SHAPES].reach();
        let score = |at: &Cell| -> f64 {
            let near = |cell: &Cell| {
                let away = (cell.centre() - at.centre()) / (reach + cell.width() / 4.0);
                cell.belief[kind] * (1.0 - away * away).max(0.0)
            };
            self.cells.iter().map(near).sum()
        };
        // The best one is not far below the heaviest; looking there only saves most of the work.
        let heaviest = self.cells.iter().map(|cell| cell.belief[kind]).fold(0.0, f64::max);
        let scored =
            self.cells.iter().filter(|cell| cell.belief[kind] >= 0.2 * heaviest).map(|cell| (cell, score(cell)));
        let best = scored.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(&self.cells[0], |(cell, _)| cell);
        best.draw(dice)
    }

    fn draw_kind(&self, dice: &mut Dice) -> usize {
        let mut masses = [0.0; KINDS];
        for cell in &self.cells {
            masses.iter_mut().zip(&cell.belief).for_each(|(mass, belief)| *mass += belief);
        }
        pick(&masses, dice)
    }

    #[cfg(test)]
    pub(super) fn total(&self) -> f64 {
        self.cells.iter().map(Cell::mass).sum()
    }
}

/// 5, 8, 12, 20, 31, 50, 80 … and at last `longest` itself, in µs.
fn bounds(longest: i32) -> Vec<i32> {
    let powers = std::iter::successors(Some(1), |power: &i32| power.checked_mul(10));
    let all = powers.flat_map(|power| BOUNDS.map(|bound| i32::try_from(i64::from(bound) * i64::from(power) / 10).ok()));
    let longest = longest.max(2 * NARROWEST_US);
    all.flatten().take_while(|bound| *bound < longest).chain([longest]).collect()
}

/// 1 at 0, falling as 1/x² on either side.
fn bump(x: f64) -> f64 {
    1.0 / (1.0 + x * x)
}

fn draw(from: i32, to: i32, dice: &mut Dice) -> i32 {
    let width = usize::try_from(to - from).unwrap_or(0).max(1);
    from + i32::try_from(dice.below(width)).unwrap_or(0)
}

/// An index, as likely as its weight.
fn pick(weights: &[f64], dice: &mut Dice) -> usize {
    let mut left = dice.fraction() * weights.iter().sum::<f64>();
    let is_it = |weight: &f64| {
        left -= weight;
        left < 0.0
    };
    weights.iter().position(is_it).unwrap_or(weights.len() - 1)
}
