//! How hard we looked: an upper bound on the rate of what was seen `k` times in `n` rounds.

/// The exact one-sided upper 95 % bound on a rate after `hits` in `trials` (Clopper & Pearson 1934): the largest rate
/// at which so few hits still happen in one run of twenty. `None` if nothing was tried.
///
/// ```
/// use quickeats_bench::measure::upper_bound_95;
/// assert!((upper_bound_95(0, 1000).unwrap() - 0.002_99).abs() < 1e-5); // about 3/n, the "rule of three"
/// assert_eq!(upper_bound_95(0, 0), None);
/// ```
pub fn upper_bound_95(hits: u64, trials: u64) -> Option<f64> {
    if trials == 0 {
        return None;
    }
    if hits >= trials {
        return Some(1.0);
    }
    // The probability of at most `hits` falls as the rate rises: bisect for where it is 5 %.
    let (mut low, mut high) = (0.0_f64, 1.0_f64);
    for _ in 0..60 {
        let rate = f64::midpoint(low, high);
        if at_most(hits, trials, rate) > 0.05 {
            low = rate;
        } else {
            high = rate;
        }
    }
    Some(high)
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
            let found = upper_bound_95(hits, trials).unwrap();
            assert!((found - expected).abs() < 1e-5, "{hits} of {trials}: {found}");
        }
    }

    #[test]
    fn more_rounds_prove_more() {
        let bound = |trials| upper_bound_95(0, trials).unwrap();
        assert!(bound(10) > bound(100) && bound(100) > bound(100_000));
        assert_eq!(upper_bound_95(7, 7), Some(1.0));
    }
}
