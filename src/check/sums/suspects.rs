//! Which changes must have gone another way than was told, for a number to come out.

use std::collections::{BTreeSet, HashMap};

/// Sums looked at before it is given up.
const MOST: usize = 65_536;

/// How many times a change was done: at least, and at most.
pub(super) type Times = (usize, usize);

/// What a change adds, and how many times it was done.
pub(super) type Way = (i64, Times);

/// All sums that changes can come to. `None` if there are too many.
pub(super) fn sums(ways: impl IntoIterator<Item = Way>) -> Option<BTreeSet<i64>> {
    let mut sums = BTreeSet::from([0_i64]);
    for (adds, (least, most)) in ways {
        let mut after = BTreeSet::new();
        for sum in sums {
            for count in least..=most {
                let added = adds.checked_mul(i64::try_from(count).ok()?)?;
                after.insert(sum.checked_add(added)?);
            }
        }
        if after.len() > MOST {
            return None;
        }
        sums = after;
    }
    Some(sums)
}

/// Places of the changes that a number accuses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Suspects {
    /// Each of them alone leads there, and all else as it was told. Never none.
    Alone(Vec<usize>),
    /// None does alone; these do together, and no fewer of these.
    Together(Vec<usize>),
}

impl Suspects {
    /// Whom the number accuses that changes add up to `by`, where they were done as in `told`, but for some as in
    /// `slipped`. `None` if not even all slips together lead there.
    pub(super) fn of(by: i64, told: &[Way], slipped: &[Way]) -> Option<Self> {
        let leads = |slips: &dyn Fn(usize) -> bool| {
            let ways = told.iter().zip(slipped).enumerate();
            let ways = ways.map(|(place, (told, slipped))| if slips(place) { *slipped } else { *told });
            sums(ways).is_some_and(|sums| sums.contains(&by))
        };
        let mut all: Vec<usize> = (0..told.len()).filter(|place| told[*place] != slipped[*place]).collect();
        // Most often many are alike: what one leads to, each of them does.
        let mut known: HashMap<(Way, Way), bool> = HashMap::new();
        let mut leads_alone = |place: &usize| {
            let alike = known.entry((told[*place], slipped[*place]));
            *alike.or_insert_with(|| leads(&|other| other == *place))
        };
        let alone: Vec<usize> = all.iter().copied().filter(|place| leads_alone(place)).collect();
        if !alone.is_empty() {
            return Some(Self::Alone(alone));
        }
        if !leads(&|place| all.contains(&place)) {
            return None;
        }
        for index in (0..all.len()).rev() {
            let dropped = all.remove(index);
            if !leads(&|place| all.contains(&place)) {
                all.insert(index, dropped);
            }
        }
        Some(Self::Together(all))
    }

    /// Their places.
    pub(super) fn places(&self) -> &[usize] {
        let (Self::Alone(places) | Self::Together(places)) = self;
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refused changes that add so much: not done, and done if they slipped.
    fn refused(by: i64, adds: &[i64]) -> Option<Suspects> {
        let way = |times| adds.iter().map(move |adds| (*adds, times)).collect::<Vec<Way>>();
        Suspects::of(by, &way((0, 0)), &way((0, 1)))
    }

    #[test]
    fn only_what_leads_to_the_number_is_accused() {
        assert_eq!(refused(-1, &[1, -1]), Some(Suspects::Alone(vec![1])));
        assert_eq!(refused(-1, &[-1, 5, -1]), Some(Suspects::Alone(vec![0, 2])));
        assert_eq!(refused(6, &[1, 2, 3, 1]), Some(Suspects::Together(vec![0, 1, 2])));
        assert_eq!(refused(4, &[-1, 1]), None);
    }
}
