//! Which protocol a connection speaks, told by its first bytes: HTTP/2 without TLS begins with a preface that is no request
//! of HTTP/1.1 (RFC 9113 §3.3, §3.4: "prior knowledge").

use std::io::{self, Cursor};

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, join};
use tokio::net::TcpStream;

/// What every HTTP/2 connection begins with.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What is spoken on a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Protocol {
    Http1,
    Http2,
}

/// Waits until it is clear what is spoken: at the first byte for nearly every request of HTTP/1.1, and else as soon as the
/// preface is whole. Hands the connection back with what was read put before the rest.
///
/// # Errors
/// If the connection ends before that.
pub(super) async fn tell(mut stream: TcpStream) -> io::Result<(Protocol, impl AsyncRead + AsyncWrite + Unpin)> {
    let (protocol, begun) = read(&mut stream).await?;
    let (reading, writing) = stream.into_split();
    Ok((protocol, join(Cursor::new(begun).chain(reading), writing)))
}

/// Takes what tells the protocol, and no byte beyond the preface. (A peek would return at once, again and again, while a part
/// of the preface is there.)
async fn read(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Protocol, Vec<u8>)> {
    let mut begun = Vec::with_capacity(PREFACE.len());
    while begun.len() < PREFACE.len() {
        let rest = PREFACE.len() - begun.len();
        if (&mut *stream).take(rest as u64).read_buf(&mut begun).await? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        if !PREFACE.starts_with(&begun) {
            return Ok((Protocol::Http1, begun));
        }
    }
    Ok((Protocol::Http2, begun))
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncWriteExt, duplex};

    use super::*;

    /// What is told when `said` comes in pieces of `size` bytes, and the connection then ends.
    async fn told(said: &[u8], size: usize) -> io::Result<(Protocol, Vec<u8>)> {
        let (mut near, mut far) = duplex(size);
        let said = said.to_vec();
        let speaking = tokio::spawn(async move {
            // Nobody listens any more once it is clear what is spoken.
            let _ = near.write_all(&said).await;
        });
        let told = read(&mut far).await;
        drop(far);
        speaking.await.unwrap();
        told
    }

    #[tokio::test]
    async fn the_preface_is_told_however_it_is_cut() {
        let said = [PREFACE, b"frames"].concat();
        for size in [1, 2, 5, 23, 24, 25, 100] {
            assert_eq!(told(&said, size).await.unwrap(), (Protocol::Http2, PREFACE.to_vec()));
        }
    }

    #[tokio::test]
    async fn anything_else_is_older_and_nothing_of_it_is_lost() {
        for said in
            ["GET / HTTP/1.1\r\n", "POST / HTTP/1.1\r\n", "PRI * HTTP/2.1\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\rx", "\0"]
        {
            for size in [1, 3, 100] {
                let (protocol, begun) = told(said.as_bytes(), size).await.unwrap();
                assert_eq!(protocol, Protocol::Http1, "{said:?}");
                assert!(said.as_bytes().starts_with(&begun) && !PREFACE.starts_with(&begun), "{said:?}: {begun:?}");
            }
        }
    }

    #[tokio::test]
    async fn a_connection_that_ends_before_it_is_clear_is_no_connection() {
        for said in ["", "P", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r"] {
            assert!(told(said.as_bytes(), 100).await.is_err(), "{said:?}");
        }
    }
}
