//! How hard we looked: an upper bound on the rate of what was seen `k` times in `n` rounds.

/// The exact one-sided upper bound on a rate after `hits` in `trials` (Clopper & Pearson 1934): at 95 % `confidence` (0.95)
/// the largest rate at which so few hits still happen in one run of twenty. `None` if nothing was tried.
///
/// ```
/// use quickeats_bench::measure::upper_bound;
/// assert!((upper_bound(0, 1000, 0.95).unwrap() - 0.002_99).abs() < 1e-5); // about 3/n, the "rule of three"
/// assert_eq!(upper_bound(0, 0, 0.95), None);
/// ```
pub fn upper_bound(hits: u64, trials: u64, confidence: f64) -> Option<f64> {
    if trials == 0 {
        return None;
    }
    if hits >= trials {
        return Some(1.0);
    }
    // The probability of at most `hits` falls as the rate rises: bisect for where it is what confidence leaves.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let rate = f64::midpoint(low, high);
        if at_most(hits, trials, rate) > 1.0 - confidence {
            low = rate;
        } else {
            high = rate;
        }
    }
    Some(high)
}

/// The fewest trials, none of them a hit, after which the upper bound at `confidence` is below `rate`.
///
/// The number is known before anything is tried. So whoever stops there has not picked the moment that suits, and the bound
/// stays exact.
///
/// ```
/// use quickeats_bench::measure::trials_to_exclude;
/// assert_eq!(trials_to_exclude(0.01, 0.95), 299);
/// ```
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive; what exceeds u64 saturates")]
pub fn trials_to_exclude(rate: f64, confidence: f64) -> u64 {
    // Without a hit the bound is where (1 - bound)^trials = 1 - confidence.
    let needed = (-confidence).ln_1p() / (-rate).ln_1p();
    (needed.floor() as u64).saturating_add(1)
}

/// The binomial probability of at most `hits` in `trials` at `rate`, summed in logarithms so that nothing underflows.
#[expect(clippy::cast_precision_loss, reason = "counts of rounds are far below 2^52")]
fn at_most(hits: u64, trials: u64, rate: f64) -> f64 {
    let (log_rate, log_miss) = (rate.ln(), (-rate).ln_1p());
    let mut log_ways = 0.0;
    let mut total = 0.0;
    for hit in 0..=hits {
        if hit > 0 {
            log_ways += ((trials - hit + 1) as f64 / hit as f64).ln();
        }
        total += (log_ways + hit as f64 * log_rate + (trials - hit) as f64 * log_miss).exp();
    }
    total
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_agree_with_published_tables() {
        // One-sided 95 % Clopper-Pearson, e.g. qbeta(0.95, k + 1, n - k) in R.
        for (hits, trials, expected) in
            [(0, 10, 0.258_866), (1, 10, 0.394_163), (5, 10, 0.777_559), (3, 100, 0.075_711)]
        {
            let found = upper_bound(hits, trials, 0.95).unwrap();
            assert!((found - expected).abs() < 1e-5, "{hits} of {trials}: {found}");
        }
    }

    #[test]
    fn more_rounds_prove_more() {
        let bound = |trials| upper_bound(0, trials, 0.95).unwrap();
        assert!(bound(10) > bound(100) && bound(100) > bound(100_000));
        assert_eq!(upper_bound(7, 7, 0.95), Some(1.0));
    }

    #[test]
    fn a_rate_is_excluded_by_just_as_many_trials_as_the_bound_needs() {
        for (rate, confidence) in [(0.01, 0.99), (0.01, 0.95), (0.001, 0.999), (0.3, 0.8), (0.5, 0.5), (0.9, 0.6)] {
            let needed = trials_to_exclude(rate, confidence);
            let bound = |trials| upper_bound(0, trials, confidence).unwrap_or(1.0);
            assert!(bound(needed) < rate, "{rate} at {confidence}: {needed}");
            assert!(bound(needed - 1) > rate - 1e-9, "{rate} at {confidence}: {needed}");
        }
        assert_eq!(trials_to_exclude(0.01, 0.99), 459);
    }
}
