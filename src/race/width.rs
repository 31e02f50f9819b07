//! How many rounds run side by side.
//!
//! ```text
//! --parallel N   controls, one by one │ a place more every 5 ms, up to N
//! default        controls, one by one │ one round alone │ more, up to what the measured time asks for,
//!                                     │                 │ as long as rounds stay about as quick as alone; a quarter
//!                                     │                 │ from where a set-up is not answered beside others
//! ```

use std::time::Duration;

use tokio::time::Instant;

/// How many rounds run side by side.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Parallel {
    /// As many as the target's measured time asks for, and as it bears.
    #[default]
    Auto,
    /// So many; 0 is taken for 1.
    Rounds(u32),
}

/// The most that are ever worth while.
pub const MOST_PARALLEL: u32 = 256;

/// One round per so much of a round's time.
const PORTION: Duration = Duration::from_millis(20);
/// The most rounds side by side that nobody asked for by number.
const MOST_UNASKED: usize = 128;
/// The most connections that nobody asked for by number: processes may commonly have 1,024 files open.
const MOST_CONNECTIONS: usize = 768;
/// The time between two places being opened. Each comes with connections of its own, and a server may have room for
/// no more than five that wait.
const STAGGER: Duration = Duration::from_millis(5);
/// How many places a round that was quick enough opens, until one was not.
const GROWTH: usize = 3;

/// How many rounds side by side the time of one that runs alone asks for.
///
/// A portion of 20 ms means about 50 rounds a second, 3,000 a minute, whatever a round takes. A server whose rounds take
/// less than two portions reaches as much with one round after the other, and its races are tight: a neighbour would only
/// disturb them. Each round holds a connection for each contender and one for its set-up.
fn asked_for(alone: Duration, contenders: usize) -> usize {
    let portions = usize::try_from(alone.as_millis() / PORTION.as_millis()).unwrap_or(usize::MAX);
    portions.min(MOST_UNASKED).min(MOST_CONNECTIONS / (contenders + 1)).max(1)
}

/// The places for rounds side by side: one until the controls are over.
#[derive(Debug)]
pub(super) struct Width {
    parallel: Parallel,
    controls: usize,
    contenders: usize,
    /// Places that may be there, and those that are.
    allowed: usize,
    open: usize,
    /// When the last place was opened.
    opened: Option<Instant>,
    /// How many heats were begun, and the most that ran side by side.
    begun: usize,
    most: usize,
    /// The quickest and the slowest of those that had the target to themselves.
    alone: Option<(Duration, Duration)>,
    bearing: Option<Bearing>,
}

/// What the target bears, as far as it is known.
#[derive(Debug)]
struct Bearing {
    /// The most that its time asks for.
    ceiling: usize,
    /// What a round takes alone, at most.
    alone: Duration,
    /// Heats from this one on tell about the width of today. Some only once the width was lowered.
    from: usize,
    was_lowered: bool,
    /// Quick ones since the last change.
    quick: usize,
}

/// Whether another round may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Room {
    /// Now.
    Now,
    /// Then, unless one ends before.
    At(Instant),
    /// When one has ended.
    None,
}

impl Width {
    /// Places for heats of which the first `controls` are controls; a raced one has so many `contenders`.
    pub(super) fn new(parallel: Parallel, controls: usize, contenders: usize) -> Self {
        let mut width = Self {
            parallel,
            controls,
            contenders,
            allowed: 1,
            open: 1,
            opened: None,
            begun: 0,
            most: 0,
            alone: None,
            bearing: None,
        };
        width.open_if_controls_are_over(0);
        width
    }

    /// Whether another may begin, while `under_way` are under way and `held` are over, but wait for one before them.
    pub(super) fn room(&mut self, under_way: usize, held: usize, now: Instant) -> Room {
        if held > self.open {
            return Room::None;
        }
        if under_way < self.open {
            return Room::Now;
        }
        if self.open >= self.allowed {
            return Room::None;
        }
        let at = self.opened.map_or(now, |opened| opened + STAGGER);
        if at > now {
            return Room::At(at);
        }
        self.opened = Some(now);
        self.open += 1;
        Room::Now
    }

    /// One was begun; so many are under way now.
    pub(super) fn begin(&mut self, under_way: usize) {
        self.begun += 1;
        self.most = self.most.max(under_way);
    }

    /// How many were begun.
    pub(super) const fn begun(&self) -> usize {
        self.begun
    }

    /// The most that ran side by side.
    pub(super) fn most(&self) -> u32 {
        u32::try_from(self.most).unwrap_or(u32::MAX)
    }

    /// Learns from heat `number`, of which nobody answered the set-up while so many ran side by side. A server with few places for
    /// connections lets all others wait, however quick it is: fewer come, and never again as many. What was begun before tells of
    /// the width of before.
    pub(super) fn starve(&mut self, number: usize, abreast: usize) {
        if self.parallel != Parallel::Auto || abreast < 2 {
            return;
        }
        if let Some(bearing) = self.bearing.as_mut().filter(|bearing| number >= bearing.from) {
            self.allowed = (self.allowed / 4).max(1);
            self.open = self.open.min(self.allowed);
            (bearing.ceiling, bearing.from) = (self.allowed, self.begun);
        }
    }

    /// Learns from heat `number`, which took so long, and yielded something usable or not.
    pub(super) fn over(&mut self, number: usize, took: Duration, is_fruitful: bool) {
        self.open_if_controls_are_over(number + 1);
        if self.parallel == Parallel::Auto {
            match &mut self.bearing {
                // A target that hangs is not measured by how long it is waited for.
                None if is_fruitful => self.measure(number, took),
                None => {}
                Some(bearing) if number < bearing.from => {}
                Some(bearing) => {
                    self.allowed = bearing.weigh(self.allowed, took, is_fruitful, self.begun);
                    self.open = self.open.min(self.allowed);
                }
            }
        }
    }

    fn open_if_controls_are_over(&mut self, over: usize) {
        if let Parallel::Rounds(rounds) = self.parallel
            && over >= self.controls
        {
            self.allowed = rounds.clamp(1, MOST_PARALLEL) as usize;
        }
    }

    /// Takes the measure of one that ran alone. With the first that raced, the measure is complete: a race asks more of the
    /// target than a control.
    fn measure(&mut self, number: usize, took: Duration) {
        let (quickest, slowest) = self.alone.map_or((took, took), |(low, high)| (low.min(took), high.max(took)));
        self.alone = Some((quickest, slowest));
        if number >= self.controls {
            let ceiling = asked_for(quickest, self.contenders);
            self.allowed = (1 + GROWTH).min(ceiling);
            self.bearing = Some(Bearing { ceiling, alone: slowest, from: self.begun, was_lowered: false, quick: 0 });
        }
    }
}

impl Bearing {
    /// The width after a heat that took so long, where it was `allowed` before. A server that works on one request at a
    /// time gets slower with each neighbour, until requests time out and rounds prove nothing: the width must stop before.
    /// Up quickly at first and slowly after a setback, down by a quarter.
    fn weigh(&mut self, allowed: usize, took: Duration, is_fruitful: bool, begun: usize) -> usize {
        if !is_fruitful || took > 3 * self.alone {
            (self.was_lowered, self.quick, self.from) = (true, 0, begun);
            return (allowed * 3 / 4).max(1);
        }
        if took > 2 * self.alone {
            return allowed;
        }
        self.quick += 1;
        let raised = match self.was_lowered {
            false => allowed + GROWTH,
            true if self.quick >= allowed => allowed + 1,
            true => return allowed,
        };
        self.quick = 0;
        raised.min(self.ceiling)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn a_fast_server_is_raced_one_round_after_the_other_and_a_slow_one_side_by_side() {
        for (alone, contenders, width) in [
            (ms(0), 2, 1),
            (ms(2), 2, 1),
            (ms(39), 2, 1),
            (ms(40), 2, 2),
            (ms(1_500), 2, 75),
            (ms(2_000), 2, 100),
            (ms(60_000), 2, 128),
            (ms(60_000), 64, 11),
            (Duration::MAX, 5_000, 1),
        ] {
            assert_eq!(asked_for(alone, contenders), width, "{alone:?}, {contenders} contenders");
        }
    }

    /// Opens all places that may be there.
    fn open(width: &mut Width) -> usize {
        let mut now = Instant::now();
        loop {
            match width.room(width.open, 0, now) {
                Room::Now => {}
                Room::At(later) => now = later,
                Room::None => return width.open,
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn places_open_one_by_one_after_the_controls() {
        let mut width = Width::new(Parallel::Rounds(3), 2, 2);
        let now = Instant::now();
        width.over(0, ms(1), true);
        assert_eq!([width.room(0, 0, now), width.room(1, 0, now)], [Room::Now, Room::None]);
        width.over(1, ms(1), true);
        assert_eq!([width.room(1, 0, now), width.room(2, 0, now)], [Room::Now, Room::At(now + STAGGER)]);
        assert_eq!(width.room(1, 0, now), Room::Now, "a place that is there needs no time");
        assert_eq!(width.room(2, 0, now + STAGGER), Room::Now);
        assert_eq!(width.room(3, 0, now + 10 * STAGGER), Room::None);
        assert_eq!(width.room(0, 4, now), Room::None, "many are over, and wait for one before them");
    }

    #[tokio::test(start_paused = true)]
    async fn the_width_grows_to_its_ceiling_while_rounds_stay_quick() {
        let mut width = Width::new(Parallel::Auto, 2, 2);
        for number in 0..2 {
            width.over(number, ms(1_500), true);
            assert_eq!(open(&mut width), 1);
        }
        width.over(2, ms(1_600), true);
        let grown: Vec<usize> = (3..40)
            .map(|number| {
                width.over(number, ms(1_700), true);
                open(&mut width)
            })
            .collect();
        assert_eq!((grown[0], grown[1], grown[36]), (7, 10, 75));
    }

    #[tokio::test(start_paused = true)]
    async fn a_target_that_gets_slower_is_raced_less_wide_and_one_that_hangs_least() {
        let mut width = Width::new(Parallel::Auto, 0, 2);
        width.over(0, ms(400), true);
        for number in 1..10 {
            width.over(number, ms(500), true);
        }
        assert_eq!(open(&mut width), 20);
        width.over(10, ms(900), true);
        assert_eq!(open(&mut width), 20, "somewhat slower is neither");
        for _ in 0..30 {
            width.begin(20);
        }
        width.over(11, ms(1_300), true);
        assert_eq!(open(&mut width), 15);
        width.over(12, ms(1_300), true);
        assert_eq!(open(&mut width), 15, "it was begun when there were more");
        for number in 30..60 {
            width.over(number, ms(500), true);
        }
        assert_eq!(open(&mut width), 16, "after a setback it grows slowly: by one when all of them were quick");
        for number in 60..90 {
            width.over(number, ms(5_000), false);
        }
        assert_eq!(open(&mut width), 1);
    }

    #[tokio::test(start_paused = true)]
    async fn where_a_set_up_is_not_answered_beside_others_the_width_goes_down_and_stays_down() {
        let mut width = Width::new(Parallel::Auto, 0, 2);
        width.over(0, ms(400), true);
        for number in 1..10 {
            width.begin(1);
            width.over(number, ms(400), true);
        }
        assert_eq!(open(&mut width), 20);
        (0..20).for_each(|_| width.begin(20));
        width.starve(10, 20);
        assert_eq!(open(&mut width), 5);
        width.starve(11, 19);
        assert_eq!(open(&mut width), 5, "it was begun beside as many");
        for number in 30..99 {
            width.begin(5);
            width.over(number, ms(400), true);
        }
        assert_eq!(open(&mut width), 5, "it never asks for more again");
        width.starve(99, 1);
        assert_eq!(open(&mut width), 5, "alone, it is not the neighbours");
        width.starve(99, 5);
        assert_eq!(open(&mut width), 1);
        let mut asked = Width::new(Parallel::Rounds(6), 0, 2);
        asked.starve(0, 6);
        assert_eq!(open(&mut asked), 6, "a number that was asked for is kept to");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_for_a_target_that_hangs_is_no_measure() {
        let mut width = Width::new(Parallel::Auto, 1, 2);
        for number in 0..9 {
            width.over(number, ms(5_000), false);
        }
        assert_eq!(open(&mut width), 1);
    }
}
