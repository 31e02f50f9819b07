//! What a header section says about the message it begins: where its body ends (RFC 9112 §6.3), and whether the connection
//! goes on after it (§9.3).

use httparse::Header;

/// Where a body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// After so many bytes; there may be none.
    Length(u64),
    /// Where its last chunk says.
    Chunked,
    /// With the connection.
    UntilClose,
}

/// What is to be known of a final response before its body is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Framing {
    pub(super) body: Body,
    /// Whether the connection can be used again after it.
    pub(super) goes_on: bool,
}

/// Why nobody can say where the message ends.
pub(super) type Faulty = &'static str;

impl Framing {
    /// Of a final response in HTTP/1.`minor`; `to_head` if it answers a HEAD request.
    pub(super) fn of(minor: u8, status: u16, headers: &[Header<'_>], to_head: bool) -> Result<Self, Faulty> {
        let mut said = Said::default();
        for header in headers {
            said.hear(header);
        }
        // Whatever its header section says, it has no body.
        let body = if to_head || matches!(status, 204 | 304) { Body::Length(0) } else { said.body(minor)? };
        let kept = if minor == 0 { said.keep_alive } else { true };
        Ok(Self { body, goes_on: kept && !said.close && body != Body::UntilClose })
    }
}

/// What header lines say, one by one.
#[derive(Debug, Default)]
struct Said {
    length: Option<Result<u64, Faulty>>,
    coding: Option<Coding>,
    close: bool,
    keep_alive: bool,
}

/// What the lines of Transfer-Encoding come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Coding {
    /// `chunked` comes last, and nowhere else.
    Chunked,
    /// Another coding comes last.
    Other,
    /// `chunked` twice, or before another.
    Twisted,
}

impl Said {
    fn hear(&mut self, header: &Header<'_>) {
        let is = |name: &str| header.name.eq_ignore_ascii_case(name);
        match header.name.len() {
            10 if is("connection") => {
                for word in words(header.value) {
                    self.close |= word.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= word.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            14 if is("content-length") => {
                for word in words(header.value) {
                    let one = length(word);
                    self.length = Some(match self.length {
                        Some(before) if before != one => Err("it has two lengths (Content-Length)"),
                        _ => one,
                    });
                }
            }
            17 if is("transfer-encoding") => {
                for word in words(header.value) {
                    let is_chunked = word.eq_ignore_ascii_case(b"chunked");
                    self.coding = Some(match self.coding {
                        Some(Coding::Chunked | Coding::Twisted) => Coding::Twisted,
                        None | Some(Coding::Other) if is_chunked => Coding::Chunked,
                        None | Some(Coding::Other) => Coding::Other,
                    });
                }
            }
            _ => {}
        }
    }

    fn body(&self, minor: u8) -> Result<Body, Faulty> {
        match (self.coding, self.length) {
            (Some(_), Some(_)) => Err("it has a length and is coded (Content-Length beside Transfer-Encoding)"),
            (Some(_), None) if minor == 0 => Err("it is coded, which HTTP/1.0 does not know (Transfer-Encoding)"),
            (Some(Coding::Twisted), None) => Err("it is in chunks before its last coding (Transfer-Encoding)"),
            (Some(Coding::Chunked), None) => Ok(Body::Chunked),
            (Some(Coding::Other) | None, None) => Ok(Body::UntilClose),
            (None, Some(length)) => length.map(Body::Length),
        }
    }
}

/// The elements of a list (RFC 9110 §5.6.1). An empty one is an element here: as a length or a coding it is wrong.
fn words(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii)
}

/// `1*DIGIT` (RFC 9110 §8.6). One that does not fit is longer than anything that is read.
fn length(word: &[u8]) -> Result<u64, Faulty> {
    if word.is_empty() || !word.iter().all(u8::is_ascii_digit) {
        return Err("its length is not a number (Content-Length)");
    }
    let add = |sum: u64, digit: &u8| sum.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
    Ok(word.iter().fold(0, add))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The framing of a response with these header lines.
    fn framing(
        minor: u8,
        status: u16,
        lines: &[(&'static str, &'static str)],
        to_head: bool,
    ) -> Result<Framing, Faulty> {
        let headers: Vec<_> = lines.iter().map(|(name, value)| Header { name, value: value.as_bytes() }).collect();
        Framing::of(minor, status, &headers, to_head)
    }

    fn body(lines: &[(&'static str, &'static str)]) -> Result<Body, Faulty> {
        framing(1, 200, lines, false).map(|framing| framing.body)
    }

    #[test]
    fn a_body_ends_where_rfc_9112_says() {
        assert_eq!(body(&[]), Ok(Body::UntilClose));
        assert_eq!(body(&[("Content-Length", "12")]), Ok(Body::Length(12)));
        assert_eq!(body(&[("content-length", "0012")]), Ok(Body::Length(12)));
        assert_eq!(body(&[("Content-Length", "5, 5"), ("content-length", "5")]), Ok(Body::Length(5)));
        assert_eq!(body(&[("Content-Length", "99999999999999999999999")]), Ok(Body::Length(u64::MAX)));
        assert_eq!(body(&[("Transfer-Encoding", "Chunked")]), Ok(Body::Chunked));
        assert_eq!(body(&[("Transfer-Encoding", "gzip, chunked")]), Ok(Body::Chunked));
        assert_eq!(body(&[("Transfer-Encoding", "gzip"), ("Transfer-Encoding", "chunked")]), Ok(Body::Chunked));
        assert_eq!(body(&[("Transfer-Encoding", "gzip")]), Ok(Body::UntilClose));
    }

    #[test]
    fn a_message_whose_end_is_disputed_is_faulty() {
        for lines in [
            &[("Content-Length", "5"), ("Content-Length", "6")][..],
            &[("Content-Length", "5, 6")],
            &[("Content-Length", "5"), ("Content-Length", "05x")],
            &[("Content-Length", "x"), ("Content-Length", "5")],
            &[("Content-Length", "")],
            &[("Content-Length", "5,")],
            &[("Content-Length", "+5")],
            &[("Content-Length", "-5")],
            &[("Content-Length", "5 5")],
            &[("Content-Length", "0x5")],
            &[("Content-Length", "5"), ("Transfer-Encoding", "chunked")],
            &[("Transfer-Encoding", "gzip"), ("Content-Length", "5")],
            &[("Transfer-Encoding", "chunked, gzip")],
            &[("Transfer-Encoding", "chunked, chunked")],
            &[("Transfer-Encoding", "chunked,")],
        ] {
            assert!(body(lines).is_err(), "{lines:?}");
        }
        assert!(framing(0, 200, &[("Transfer-Encoding", "chunked")], false).is_err());
    }

    #[test]
    fn some_responses_have_no_body_whatever_they_say() {
        let lines = [("Content-Length", "5"), ("Transfer-Encoding", "chunked")];
        for (status, to_head) in [(204, false), (304, false), (200, true), (404, true)] {
            let expected = Framing { body: Body::Length(0), goes_on: true };
            assert_eq!(framing(1, status, &lines, to_head), Ok(expected), "{status}");
        }
    }

    #[test]
    fn a_server_says_that_it_closes_by_header_by_version_or_by_how_the_body_ends() {
        for (minor, connection, expected) in [
            (1, "", true),
            (1, "keep-alive", true),
            (1, "Close", false),
            (1, "x-other, close", false),
            (1, "closed", true),
            (0, "", false),
            (0, "Keep-Alive", true),
            (0, "keep-alive, close", false),
        ] {
            let lines = [("content-length", "0"), ("Connection", connection)];
            assert_eq!(framing(minor, 200, &lines, false).unwrap().goes_on, expected, "{minor} {connection}");
        }
        assert!(!framing(0, 200, &[("connection", "keep-alive")], false).unwrap().goes_on);
    }
}
