//! Waiting for a moment, to some tens of microseconds: a runtime's own timer counts in milliseconds, and would make every slot of
//! an open load late by about one.

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use crate::clock::{Clock, Stamp};

/// Wakes the tasks of one thread at their moments.
#[derive(Debug)]
pub(super) struct Pacer {
    clock: Clock,
    alarm: Alarm,
    sleepers: RefCell<Sleepers>,
    /// For when the alarm is set; `None` if nobody waits.
    armed: Cell<Option<Stamp>>,
}

#[derive(Debug, Default)]
struct Sleepers {
    by_moment: BinaryHeap<Reverse<(Stamp, u64)>>,
    wakers: HashMap<u64, Waker>,
    next: u64,
}

impl Pacer {
    /// A pacer of this thread, whose [`Self::drive`] must run beside those who wait. Within a tokio runtime.
    pub(super) fn new(clock: Clock) -> io::Result<Rc<Self>> {
        let alarm = Alarm::new()?;
        Ok(Rc::new(Self { clock, alarm, sleepers: RefCell::default(), armed: Cell::new(None) }))
    }

    /// Waits until `moment`.
    pub(super) fn until(self: &Rc<Self>, moment: Stamp) -> Sleep {
        Sleep { pacer: Rc::clone(self), moment, id: None }
    }

    /// Wakes whoever's moment has come, as long as it is polled.
    pub(super) async fn drive(&self) {
        loop {
            self.alarm.rings(self.armed.get(), self.clock).await;
            self.armed.set(None);
            self.wake_due();
        }
    }

    fn wake_due(&self) {
        let now = self.clock.now();
        let mut sleepers = self.sleepers.borrow_mut();
        while let Some(Reverse((moment, id))) = sleepers.by_moment.peek().copied() {
            let is_gone = !sleepers.wakers.contains_key(&id);
            if moment > now && !is_gone {
                drop(sleepers);
                self.arm(moment);
                return;
            }
            sleepers.by_moment.pop();
            if let Some(waker) = sleepers.wakers.remove(&id) {
                waker.wake();
            }
        }
    }

    fn arm(&self, moment: Stamp) {
        if self.armed.get().is_none_or(|armed| moment < armed) {
            self.armed.set(Some(moment));
            self.alarm.set(moment, self.clock);
        }
    }
}

/// See [`Pacer::until`].
#[derive(Debug)]
pub(super) struct Sleep {
    pacer: Rc<Pacer>,
    moment: Stamp,
    id: Option<u64>,
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        if self.pacer.clock.now() >= self.moment {
            return Poll::Ready(());
        }
        let mut sleepers = self.pacer.sleepers.borrow_mut();
        let id = self.id.unwrap_or_else(|| {
            sleepers.next += 1;
            let id = sleepers.next;
            sleepers.by_moment.push(Reverse((self.moment, id)));
            id
        });
        if sleepers.wakers.insert(id, cx.waker().clone()).is_none() && self.id.is_some() {
            // It was woken before its moment by somebody else, and its place is gone.
            sleepers.by_moment.push(Reverse((self.moment, id)));
        }
        drop(sleepers);
        self.id = Some(id);
        self.pacer.arm(self.moment);
        Poll::Pending
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        if let Some(id) = self.id {
            self.pacer.sleepers.borrow_mut().wakers.remove(&id);
        }
    }
}

#[cfg(target_os = "linux")]
mod alarm {
    use std::io;
    use std::os::fd::OwnedFd;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use crate::clock::{Clock, Stamp};

    /// A timer of the kernel's, as a file that becomes readable.
    #[derive(Debug)]
    pub(in crate::load) struct Alarm(AsyncFd<OwnedFd>);

    impl Alarm {
        #[expect(
            deprecated,
            reason = "an OwnedFd is open as long as it lives; the new way is unsafe, and this crate is not"
        )]
        pub(in crate::load) fn new() -> io::Result<Self> {
            let timer = timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
            Ok(Self(AsyncFd::with_interest(timer, Interest::READABLE)?))
        }

        /// Rings at `moment`, and no longer when it was to.
        pub(in crate::load) fn set(&self, moment: Stamp, clock: Clock) {
            // A time of zero would disarm it.
            let left = moment.since(clock.now()).max(std::time::Duration::from_nanos(1));
            let at =
                Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
            let once = Itimerspec { it_interval: Timespec { tv_sec: 0, tv_nsec: 0 }, it_value: at };
            timerfd_settime(self.0.get_ref(), TimerfdTimerFlags::empty(), &once)
                .expect("a timer of our own takes any time from now");
        }

        /// Waits until it rings.
        pub(in crate::load) async fn rings(&self, _armed: Option<Stamp>, _clock: Clock) {
            let mut count = [0; 8];
            while let Ok(mut ready) = self.0.readable().await {
                let read = ready.try_io(|timer| rustix::io::read(timer.get_ref(), &mut count).map_err(io::Error::from));
                if read.is_ok() {
                    return;
                }
            }
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod alarm {
    use std::cell::RefCell;
    use std::io;

    use tokio::sync::Notify;

    use crate::clock::{Clock, Stamp};

    /// The runtime's own timer, which counts in milliseconds.
    #[derive(Debug, Default)]
    pub(in crate::load) struct Alarm {
        moment: RefCell<Option<Stamp>>,
        changed: Notify,
    }

    impl Alarm {
        pub(in crate::load) fn new() -> io::Result<Self> {
            Ok(Self::default())
        }

        pub(in crate::load) fn set(&self, moment: Stamp, _clock: Clock) {
            self.moment.replace(Some(moment));
            self.changed.notify_one();
        }

        pub(in crate::load) async fn rings(&self, _armed: Option<Stamp>, clock: Clock) {
            loop {
                let moment = *self.moment.borrow();
                match moment {
                    None => self.changed.notified().await,
                    Some(moment) if clock.now() >= moment => {
                        self.moment.replace(None);
                        return;
                    }
                    Some(moment) => tokio::select! {
                        () = tokio::time::sleep(moment.since(clock.now())) => {}
                        () = self.changed.notified() => {}
                    },
                }
            }
        }
    }
}

use alarm::Alarm;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn on_a_thread_of_its_own<R>(test: impl AsyncFnOnce(Rc<Pacer>, Clock) -> R) -> R {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let local = tokio::task::LocalSet::new();
        local.block_on(&runtime, async {
            let clock = Clock::start();
            let pacer = Pacer::new(clock).unwrap();
            let driven = Rc::clone(&pacer);
            tokio::task::spawn_local(async move { driven.drive().await });
            test(pacer, clock).await
        })
    }

    fn after(clock: Clock, micros: u64) -> Stamp {
        Stamp::from_nanos(clock.now().nanos() + micros * 1_000)
    }

    #[test]
    fn nobody_wakes_before_the_moment_and_all_wake_in_order() {
        on_a_thread_of_its_own(async |pacer, clock| {
            let woken = Rc::new(RefCell::new(Vec::new()));
            let tasks: Vec<_> = [3_000, 500, 1_500, 500, 0]
                .into_iter()
                .map(|micros| {
                    let (pacer, woken, moment) = (Rc::clone(&pacer), Rc::clone(&woken), after(clock, micros));
                    tokio::task::spawn_local(async move {
                        pacer.until(moment).await;
                        assert!(clock.now() >= moment);
                        woken.borrow_mut().push(micros);
                    })
                })
                .collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert_eq!(*woken.borrow(), [0, 500, 500, 1_500, 3_000]);
        });
    }

    #[test]
    fn who_gives_up_waiting_holds_nobody_up() {
        on_a_thread_of_its_own(async |pacer, clock| {
            let early = pacer.until(after(clock, 1_000));
            tokio::select! { biased; () = early => {} () = tokio::task::yield_now() => {} }
            pacer.until(after(clock, 3_000)).await;
            assert!(pacer.sleepers.borrow().wakers.is_empty());
            let limit = Duration::from_secs(5);
            tokio::time::timeout(limit, pacer.until(after(clock, 100))).await.unwrap();
        });
    }
}
