//! How busy this thread was.

use std::time::Duration;

/// The processor time that the calling thread has taken since it began; zero where the system does not tell.
pub(super) fn time_of_this_thread() -> Duration {
    #[cfg(target_os = "linux")]
    {
        let spent = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
        let (seconds, nanos) = (u64::try_from(spent.tv_sec), u32::try_from(spent.tv_nsec));
        Duration::new(seconds.unwrap_or_default(), nanos.unwrap_or_default())
    }
    #[cfg(not(target_os = "linux"))]
    Duration::ZERO
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn work_takes_time() {
        let before = super::time_of_this_thread();
        while super::time_of_this_thread() == before {}
    }
}
