//! A body in chunks (RFC 9112 §7.1), taken in pieces as they come.

/// The most bytes that chunk extensions and trailers of one body may have together. Nobody reads them.
const ASIDE_LIMIT: usize = 64 << 10;
/// The most digits of a chunk's size: more would not fit.
const DIGITS: u8 = 16;

/// Where in the body the next byte stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// In what tells chunks apart.
    Between(Mark),
    /// In a chunk's data.
    Data,
    /// After the body.
    Done,
}

/// Where in what tells chunks apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// In a chunk's size, so many digits of which have come.
    Size { digits: u8 },
    /// In the blanks after a chunk's size (RFC 9112 §7.1.1 has them before an extension).
    Blank,
    /// In a chunk extension.
    Extension,
    /// At the end of the line with the size.
    SizeEnd,
    /// Right after a chunk's data.
    DataReturn,
    /// At the end of the line that data ends with.
    DataEnd,
    /// At the beginning of a line of the trailer section.
    Trailer,
    /// Within a line of the trailer section.
    TrailerLine,
    /// At the end of such a line.
    TrailerEnd,
    /// At the end of the empty line that ends the body.
    LastEnd,
}

/// Takes a body's chunks apart.
#[derive(Debug)]
pub(super) struct Chunks {
    place: Place,
    /// What is left of the present chunk's data; while its size is read, the size so far.
    left: u64,
    /// How many bytes of extensions and trailers have come.
    aside: usize,
}

/// Why it cannot be taken further.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Bad {
    /// What is wrong with it.
    Grammar(&'static str),
    /// More is said beside the body than anybody will read, or a chunk is larger than any memory.
    TooLarge,
}

impl Chunks {
    pub(super) const fn new() -> Self {
        Self { place: Place::Between(Mark::Size { digits: 0 }), left: 0, aside: 0 }
    }

    /// Whether the body is complete.
    pub(super) fn is_done(&self) -> bool {
        self.place == Place::Done
    }

    /// Takes what belongs to the body off `bytes`, and says how many bytes that were; they are all of them unless the body is
    /// done. What is data is given to `data`, which may stop it all.
    pub(super) fn take<E: From<Bad>>(
        &mut self,
        bytes: &[u8],
        mut data: impl FnMut(&[u8]) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match self.place {
                Place::Done => break,
                Place::Data => {
                    let rest = &bytes[at..];
                    let length = usize::try_from(self.left).map_or(rest.len(), |left| left.min(rest.len()));
                    data(&rest[..length])?;
                    at += length;
                    self.left -= length as u64;
                    if self.left == 0 {
                        self.place = Place::Between(Mark::DataReturn);
                    }
                }
                Place::Between(mark) => {
                    self.place = self.after(mark, byte)?;
                    at += 1;
                }
            }
        }
        Ok(at)
    }

    /// The place after `byte`, which stands at `mark`.
    fn after(&mut self, mark: Mark, byte: u8) -> Result<Place, Bad> {
        let next = match (mark, byte) {
            (Mark::Size { digits }, _) if byte.is_ascii_hexdigit() => self.digit(digits, byte)?,
            (Mark::Size { digits: 0 }, _) => return Err(Bad::Grammar("a chunk has no size")),
            (Mark::Size { .. } | Mark::Blank, b' ' | b'\t') => self.skip(Mark::Blank)?,
            (Mark::Size { .. } | Mark::Blank, b';') => self.skip(Mark::Extension)?,
            (Mark::Size { .. } | Mark::Blank | Mark::Extension, b'\r') => Mark::SizeEnd,
            (Mark::Size { .. } | Mark::Blank, _) => return Err(Bad::Grammar("a chunk's size is not a number")),
            (Mark::Extension | Mark::TrailerLine, b'\n') => return Err(Bad::Grammar("a line ends without a return")),
            (Mark::Extension, _) => self.skip(Mark::Extension)?,
            (Mark::SizeEnd, b'\n') if self.left > 0 => return Ok(Place::Data),
            (Mark::DataReturn, b'\r') => Mark::DataEnd,
            (Mark::DataEnd, b'\n') => Mark::Size { digits: 0 },
            (Mark::DataReturn | Mark::DataEnd, _) => return Err(Bad::Grammar("a chunk is longer than its size")),
            (Mark::Trailer, b'\r') => Mark::LastEnd,
            (Mark::TrailerLine, b'\r') => Mark::TrailerEnd,
            (Mark::Trailer | Mark::TrailerLine, _) => self.skip(Mark::TrailerLine)?,
            (Mark::SizeEnd | Mark::TrailerEnd, b'\n') => Mark::Trailer,
            (Mark::LastEnd, b'\n') => return Ok(Place::Done),
            (Mark::SizeEnd | Mark::TrailerEnd | Mark::LastEnd, _) => {
                return Err(Bad::Grammar("a return does not end its line"));
            }
        };
        Ok(Place::Between(next))
    }

    fn digit(&mut self, digits: u8, byte: u8) -> Result<Mark, Bad> {
        if digits == DIGITS {
            return Err(Bad::TooLarge);
        }
        let value = char::from(byte).to_digit(16).map_or(0, u64::from);
        self.left = self.left << 4 | value;
        Ok(Mark::Size { digits: digits + 1 })
    }

    /// Goes on to `next`, over a byte that nobody reads.
    fn skip(&mut self, next: Mark) -> Result<Mark, Bad> {
        self.aside += 1;
        if self.aside > ASIDE_LIMIT { Err(Bad::TooLarge) } else { Ok(next) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The data of a body that comes in pieces of so many bytes, and what is left after it.
    fn decode(bytes: &[u8], piece: usize) -> Result<(Vec<u8>, usize), Bad> {
        let (mut chunks, mut data, mut taken) = (Chunks::new(), Vec::new(), 0);
        for piece in bytes.chunks(piece) {
            taken += chunks.take::<Bad>(piece, |part| {
                data.extend_from_slice(part);
                Ok(())
            })?;
        }
        assert!(chunks.is_done() || taken == bytes.len(), "all is taken until the body is done");
        if chunks.is_done() { Ok((data, bytes.len() - taken)) } else { Err(Bad::Grammar("not done")) }
    }

    #[test]
    fn chunks_are_put_together_however_they_are_cut() {
        for (bytes, data, left) in [
            (&b"0\r\n\r\n"[..], &b""[..], 0),
            (b"3\r\nabc\r\n0\r\n\r\n", b"abc", 0),
            (b"3\r\nabc\r\n00A\r\n0123456789\r\n000\r\n\r\n", b"abc0123456789", 0),
            (b"3;name=\"value\"\r\nabc\r\n0 ; last\r\nX-Sum: 7\r\nOther: 1\r\n\r\nrest", b"abc", 4),
            (b"3 \t\r\n\r\n0\r\n0\r\n\r\n", b"\r\n0", 0),
        ] {
            for piece in 1..=bytes.len() {
                assert_eq!(decode(bytes, piece), Ok((data.to_vec(), left)), "{piece}: {}", bytes.escape_ascii());
            }
        }
    }

    #[test]
    fn what_is_no_chunk_is_told() {
        for bytes in [
            &b"\r\n"[..],
            b"x\r\n",
            b"-1\r\n",
            b"0x3\r\nabc\r\n",
            b"3\nabc\r\n0\r\n\r\n",
            b"3 4\r\nabc\r\n",
            b"3;a\nabc",
            b"3\rabc",
            b"2\r\nabc\r\n0\r\n\r\n",
            b"3\r\nabc0\r\n\r\n",
            b"3\r\nabc\r0\r\n\r\n",
            b"0\r\nX: 1\n\r\n",
            b"0\r\n\rX",
        ] {
            for piece in 1..=bytes.len() {
                let told = decode(bytes, piece);
                assert!(
                    matches!(told, Err(Bad::Grammar(why)) if why != "not done"),
                    "{told:?}: {}",
                    bytes.escape_ascii()
                );
            }
        }
        assert_eq!(decode(b"fffffffffffffffff\r\n", 1), Err(Bad::TooLarge));
    }

    #[test]
    fn what_is_said_beside_the_body_has_an_end() {
        for before in [&b"1;"[..], b"0\r\nX: ", b"1"] {
            let fill = if before == b"1" { b' ' } else { b'a' };
            let bytes = [before, &vec![fill; ASIDE_LIMIT + 1]].concat();
            assert_eq!(decode(&bytes, 4096), Err(Bad::TooLarge), "{}", before.escape_ascii());
        }
    }
}
