//! Independent parts of a history, judged side by side on as many threads as asked for.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// A part whose judge panicked: nothing is known about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Panicked;

/// Judges each of `parts`; answers stand in the order of the parts, whoever was done first.
pub fn side_by_side<P: Sync, T: Send>(
    parts: &[P],
    threads: usize,
    judge: impl Fn(&P) -> T + Sync,
) -> Vec<Result<T, Panicked>> {
    let next = AtomicUsize::new(0);
    let answers: Vec<Mutex<Option<Result<T, Panicked>>>> = parts.iter().map(|_| Mutex::new(None)).collect();
    let work = || {
        while let Some((part, answer)) = {
            let number = next.fetch_add(1, Ordering::Relaxed);
            parts.get(number).zip(answers.get(number))
        } {
            let judged = catch_unwind(AssertUnwindSafe(|| judge(part))).map_err(|_| Panicked);
            *answer.lock().expect("held only to put an answer in") = Some(judged);
        }
    };
    thread::scope(|scope| {
        for _ in 1..threads.clamp(1, parts.len().max(1)) {
            scope.spawn(work);
        }
        work();
    });
    let taken = |answer: Mutex<Option<_>>| answer.into_inner().expect("held only to put an answer in");
    answers.into_iter().map(|answer| taken(answer).expect("every part is judged")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_whose_judge_panics_leaves_the_others_alone() {
        let parts: Vec<u32> = (0..100).collect();
        for threads in [1, 2, 8, 200] {
            let answers = side_by_side(&parts, threads, |part| {
                assert!(part % 7 != 3, "the judge fails on this part, as it should");
                part * 2
            });
            for (part, answer) in parts.iter().zip(answers) {
                assert_eq!(answer, if part % 7 == 3 { Err(Panicked) } else { Ok(part * 2) });
            }
        }
        assert!(side_by_side(&[], 4, |part: &u32| *part).is_empty());
    }
}
