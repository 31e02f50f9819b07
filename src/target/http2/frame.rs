//! The head of an HTTP/2 frame (RFC 9113 §4.1): all that is read of what passes.

/// The length of a frame's header (RFC 9113 §4.1).
pub(super) const FRAME_HEAD: usize = 9;
/// Frame types that carry a request (RFC 9113 §6).
pub(super) const DATA: u8 = 0x0;
pub(super) const HEADERS: u8 = 0x1;
pub(super) const CONTINUATION: u8 = 0x9;
pub(super) const END_STREAM: u8 = 0x1;
pub(super) const END_HEADERS: u8 = 0x4;

/// What a frame's header says.
#[derive(Debug, Clone, Copy)]
pub(super) struct FrameHead {
    pub(super) length: usize,
    pub(super) kind: u8,
    pub(super) flags: u8,
    pub(super) stream: u32,
}

impl FrameHead {
    /// Reads it.
    pub(super) fn read(bytes: &[u8; FRAME_HEAD]) -> Self {
        let [l0, l1, l2, kind, flags, s0, s1, s2, s3] = *bytes;
        Self {
            length: u32::from_be_bytes([0, l0, l1, l2]) as usize,
            kind,
            flags,
            stream: u32::from_be_bytes([s0 & 0x7f, s1, s2, s3]),
        }
    }

    /// Whether nothing follows it on its stream, but the rest of its header block.
    pub(super) const fn ends_stream(self) -> bool {
        matches!(self.kind, DATA | HEADERS) && self.flags & END_STREAM != 0
    }

    /// Whether nothing of a request whose end was begun comes after it.
    pub(super) const fn completes(self) -> bool {
        match self.kind {
            DATA => true,
            HEADERS | CONTINUATION => self.flags & END_HEADERS != 0,
            _ => false,
        }
    }
}
