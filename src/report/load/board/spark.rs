//! A row of numbers as a row of blocks.

/// From nothing to the largest of the row.
const BLOCKS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];

/// The last `width` of `values`, each as high as it is next to the largest of them.
///
/// ```text
/// [0, 1, 2, 4] ──► ▁▂▄█
/// ```
pub(super) fn spark(values: impl DoubleEndedIterator<Item = u64> + ExactSizeIterator, width: usize) -> String {
    let skipped = values.len().saturating_sub(width);
    let values: Vec<u64> = values.skip(skipped).collect();
    let largest = values.iter().copied().max().unwrap_or(0).max(1);
    // 0 is the lowest block, and nothing but the largest the highest.
    let block = |value: &u64| BLOCKS[usize::try_from(value * 7 / largest).unwrap_or(7).min(7)];
    values.iter().map(block).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_as_high_as_their_numbers() {
        let of = |values: &[u64], width| spark(values.iter().copied(), width);
        assert_eq!(of(&[0, 1, 2, 4, 7], 9), "▁▂▃▅█");
        assert_eq!(of(&[9, 0, 7], 2), "▁█");
        assert_eq!([of(&[], 5), of(&[0, 0], 5), of(&[3], 0)], ["", "▁▁", ""]);
    }
}
