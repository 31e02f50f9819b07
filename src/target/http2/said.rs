//! What a server says of a connection as a whole, read off its frames on their way in: that it ends it, and how much of a body
//! it takes before it has read any. The `h2` crate knows both, and tells neither in time.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::frame::{FRAME_HEAD, FrameHead};

/// Frame types (RFC 9113 §6.5, §6.8).
const SETTINGS: u8 = 0x4;
const GOAWAY: u8 = 0x7;
/// The length of one setting, and the one that says how much of a body may be under way (RFC 9113 §6.5.1, §6.5.2).
const SETTING: usize = 6;
const INITIAL_WINDOW_SIZE: [u8; 2] = [0, 4];
/// What it is as long as the server says nothing.
const USUAL_WINDOW: u32 = 65_535;

/// What the server said so far.
#[derive(Debug)]
pub(super) struct Said {
    is_leaving: AtomicBool,
    window: AtomicU32,
}

impl Default for Said {
    fn default() -> Self {
        Self { is_leaving: AtomicBool::new(false), window: AtomicU32::new(USUAL_WINDOW) }
    }
}

impl Said {
    /// Whether it takes no further streams.
    pub(super) fn is_leaving(&self) -> bool {
        self.is_leaving.load(Ordering::Acquire)
    }

    /// How many bytes of a request's body it takes before it has read any.
    pub(super) fn window(&self) -> usize {
        self.window.load(Ordering::Acquire) as usize
    }
}

/// Finds the frames in what is read.
#[derive(Debug, Default)]
pub(super) struct Incoming {
    head: [u8; FRAME_HEAD],
    head_got: usize,
    /// Of the frame's payload.
    left: usize,
    /// The setting under way, if the frame has settings.
    setting: Option<Vec<u8>>,
}

impl Incoming {
    /// Notes what is said in these bytes, which come after all before.
    pub(super) fn note(&mut self, mut bytes: &[u8], said: &Said) {
        while !bytes.is_empty() {
            let wanted = if self.left > 0 { self.left } else { FRAME_HEAD - self.head_got };
            let (now, later) = bytes.split_at(bytes.len().min(wanted));
            bytes = later;
            if self.left > 0 {
                self.left -= now.len();
                self.note_payload(now, said);
                continue;
            }
            self.head[self.head_got..self.head_got + now.len()].copy_from_slice(now);
            self.head_got += now.len();
            if self.head_got == FRAME_HEAD {
                let head = FrameHead::read(&self.head);
                (self.head_got, self.left) = (0, head.length);
                self.setting = (head.kind == SETTINGS).then(Vec::new);
                if head.kind == GOAWAY {
                    said.is_leaving.store(true, Ordering::Release);
                }
            }
        }
    }

    fn note_payload(&mut self, bytes: &[u8], said: &Said) {
        let Some(setting) = &mut self.setting else { return };
        for byte in bytes {
            setting.push(*byte);
            if setting.len() == SETTING {
                if let [n0, n1, v0, v1, v2, v3] = setting[..]
                    && [n0, n1] == INITIAL_WINDOW_SIZE
                {
                    said.window.store(u32::from_be_bytes([v0, v1, v2, v3]), Ordering::Release);
                }
                setting.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_noted_however_it_is_cut() {
        let frames = [
            &[0, 0, 12, 4, 0, 0, 0, 0, 0, 0, 3, 0, 0, 0, 7, 0, 4, 0, 0, 0, 9][..], // settings: 7 streams, a window of 9
            &[0, 0, 0, 4, 1, 0, 0, 0, 0],                                          // an acknowledgement
            &[0, 0, 18, 0, 1, 0, 0, 0, 1, 0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 4, 0, 0, 0, 1, 0, 4, 5], // data that look like frames
        ]
        .concat();
        let goodbye = [0, 0, 8, 7, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0];
        for size in 1..=frames.len() {
            let (said, mut incoming) = (Said::default(), Incoming::default());
            assert_eq!((said.window(), said.is_leaving()), (65_535, false));
            frames.chunks(size).for_each(|piece| incoming.note(piece, &said));
            assert_eq!((said.window(), said.is_leaving()), (9, false), "in pieces of {size}");
            goodbye.chunks(size).for_each(|piece| incoming.note(piece, &said));
            assert!(said.is_leaving(), "in pieces of {size}");
        }
    }
}
