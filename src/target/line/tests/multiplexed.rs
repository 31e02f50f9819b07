//! HTTP/2: what a server has of a volley, and when.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::io::ReadBuf;
use tokio::sync::mpsc;

use super::*;
use crate::target::Line;

/// How many contenders a volley has here.
const WIDTH: usize = 3;

/// A stream that notes how much each read brought.
struct Tapped<S> {
    inner: S,
    reads: Arc<Mutex<Vec<usize>>>,
}

impl<S: AsyncRead + Unpin> AsyncRead for Tapped<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buf);
        let read = buf.filled().len() - before;
        if read > 0 {
            self.reads.lock().unwrap().push(read);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tapped<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// What a server has of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Got {
    /// Its head: the number that its contender put there.
    Head(usize),
    /// So many bytes of its body.
    Body(usize, usize),
    /// All of it.
    End(usize),
}

/// Serves HTTP/2, tells what it gets of every request but those to `/warm`, and answers those that are complete.
async fn serve(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, got: mpsc::UnboundedSender<Got>) {
    let mut connection =
        h2::server::Builder::new().max_concurrent_streams(3).handshake::<_, Bytes>(stream).await.unwrap();
    while let Some(Ok((request, mut respond))) = connection.accept().await {
        let got = got.clone();
        tokio::spawn(async move {
            let number = request.headers().get("x-number").map(|value| value.to_str().unwrap().parse().unwrap());
            let mut body = request.into_body();
            let tell = |what: fn(usize) -> Got| number.map(|number| got.send(what(number)).unwrap());
            tell(Got::Head);
            while let Some(Ok(data)) = body.data().await {
                if let Some(number) = number.filter(|_| !data.is_empty()) {
                    got.send(Got::Body(number, data.len())).unwrap();
                }
            }
            tell(Got::End);
            let response = http::Response::builder().status(204).body(()).unwrap();
            respond.send_response(response, true).unwrap();
        });
    }
}

struct Bench {
    lines: Vec<Line>,
    got: mpsc::UnboundedReceiver<Got>,
    reads: Arc<Mutex<Vec<usize>>>,
}

/// A server, and the warm lines of a volley on one connection to it.
async fn bench(is_tls: bool) -> Bench {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (mut server_tls, client_tls) = private_tls();
    server_tls.alpn_protocols = vec![b"h2".to_vec()];
    let target = target(&listener, if is_tls { "https" } else { "http" }, &client_tls);
    let (sender, got) = mpsc::unbounded_channel();
    let reads = Arc::<Mutex<Vec<usize>>>::default();
    let tap = Arc::clone(&reads);
    tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let tapped = Tapped { inner: tcp, reads: tap };
        if is_tls {
            serve(TlsAcceptor::from(Arc::new(server_tls)).accept(tapped).await.unwrap(), sender).await;
        } else {
            serve(tapped, sender).await;
        }
    });
    let mut first = target.contender(Version::Http2).await.unwrap();
    let warm = Request { method: "GET".into(), path: "/warm".into(), headers: Vec::new(), body: None };
    assert_eq!(first.send(&warm).await.result.unwrap().status, 204);
    let mut lines = vec![first];
    while let Some(twin) = lines[0].twin() {
        lines.push(twin);
    }
    assert_eq!(lines.len(), WIDTH, "as many as the server allows");
    Bench { lines, got, reads }
}

fn numbered(number: usize, has_body: bool) -> Request {
    // Distinct headers: their compression depends on the order in which they are sent.
    let headers =
        vec![("x-number".into(), number.to_string().into()), ("if-match".into(), format!("\"{number}\"").into())];
    Request { headers, body: has_body.then(|| Bytes::from(format!("{{\"minutes\":{number}}}"))), ..request() }
}

/// All that has come within a while.
async fn so_far(got: &mut mpsc::UnboundedReceiver<Got>) -> Vec<Got> {
    let mut all = Vec::new();
    while let Ok(Some(one)) = timeout(Duration::from_millis(100), got.recv()).await {
        all.push(one);
    }
    all.sort_by_key(|got| match got {
        Got::Head(number) => (*number, 0),
        Got::Body(number, _) => (*number, 1),
        Got::End(number) => (*number, 2),
    });
    all
}

/// Races a volley, and again on the same connection: what the server has before the gate opens is what `early` says of each
/// contender, and then all, in one read.
async fn volley(
    method: Method,
    has_body: bool,
    is_tls: bool,
    early: fn(usize) -> Vec<Got>,
    late: fn(usize) -> Vec<Got>,
) {
    let Bench { mut lines, mut got, reads } = bench(is_tls).await;
    for delay in [0, 0, 3] {
        let (gate, mut tickets) = Gate::new(WIDTH + 1);
        let latecomer = tickets.pop().unwrap();
        let racers: Vec<_> = (lines.drain(..).zip(tickets).enumerate())
            .map(|(number, (mut line, ticket))| {
                tokio::spawn(async move {
                    let exchange = line.race(&numbered(number, has_body), method, ticket).await;
                    (line, exchange)
                })
            })
            .collect();
        let leaves: Vec<Leave> =
            (0..=WIDTH).map(|index| Leave { index, delay: Duration::from_millis(delay * index as u64) }).collect();
        let opening = tokio::spawn(async move { gate.open(&leaves, LIMIT).await });
        assert_eq!(so_far(&mut got).await, (0..WIDTH).flat_map(early).collect::<Vec<_>>(), "{method}, before");
        reads.lock().unwrap().clear();
        drop(latecomer);
        assert_eq!(opening.await.unwrap(), Ok(WIDTH));
        let mut released = Vec::new();
        for racer in racers {
            let (line, exchange) = racer.await.unwrap();
            assert_eq!(exchange.result.unwrap().status, 204);
            assert!(line.is_usable());
            released.push(exchange.window.released.unwrap());
            lines.push(line);
        }
        assert_eq!(so_far(&mut got).await, (0..WIDTH).flat_map(late).collect::<Vec<_>>(), "{method}, after");
        if delay == 0 {
            // (What comes after may be an acknowledgement of the answers.)
            let reads = reads.lock().unwrap();
            assert!(reads[0] >= 9 * WIDTH && reads[1..].iter().sum::<usize>() < reads[0], "one packet: {reads:?}");
        } else {
            assert!(released.is_sorted_by(|one, next| one < next), "they left one by one: {released:?}");
        }
    }
}

#[tokio::test]
async fn no_server_has_any_of_a_volley_before_its_single_packet_leaves() {
    let nothing = |_| Vec::new();
    for is_tls in [false, true] {
        let all = |number| vec![Got::Head(number), Got::Body(number, 13), Got::End(number)];
        volley(Method::SinglePacketHead, true, is_tls, nothing, all).await;
        volley(Method::SinglePacketHead, false, is_tls, nothing, |number| vec![Got::Head(number), Got::End(number)])
            .await;
    }
}

#[tokio::test]
async fn a_server_has_all_but_the_last_byte_of_each_request_before_the_single_packet_of_tails_leaves() {
    for is_tls in [false, true] {
        let early = |number| vec![Got::Head(number), Got::Body(number, 12)];
        volley(Method::SinglePacketTail, true, is_tls, early, |number| vec![Got::Body(number, 1), Got::End(number)])
            .await;
        let head = |number| vec![Got::Head(number)];
        volley(Method::SinglePacketTail, false, is_tls, head, |number| vec![Got::End(number)]).await;
    }
}

#[tokio::test]
async fn a_place_that_is_given_up_makes_room_for_another() {
    let Bench { mut lines, .. } = bench(false).await;
    assert!(lines[0].twin().is_none());
    assert!(lines.pop().unwrap().is_twin());
    assert!(lines[0].twin().is_some());
}

#[tokio::test]
async fn a_connection_that_breaks_while_it_holds_a_volley_keeps_nobody_waiting() {
    let Bench { mut lines, mut got, .. } = bench(false).await;
    let (gate, mut tickets) = Gate::new(2);
    let latecomer = tickets.pop().unwrap();
    let mut line = lines.swap_remove(0);
    let own = tickets.pop().unwrap();
    let racer = tokio::spawn(async move { line.race(&numbered(0, true), Method::SinglePacketTail, own).await });
    assert_eq!(so_far(&mut got).await.len(), 2);
    let opening = tokio::spawn(async move { gate.open(&at_once(2), LIMIT).await });
    racer.abort();
    drop(lines); // the last place is gone, and the connection with it
    drop(latecomer);
    // It had parked; that its connection is gone is nothing the gate need know.
    assert!(timeout(LIMIT / 2, opening).await.unwrap().unwrap().is_ok());
}

#[tokio::test]
async fn an_answer_before_the_tail_is_an_answer_over_http_2_as_well() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let target = target(&listener, "http", &private_tls().1);
    let server = tokio::spawn(async move {
        let (tcp, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(tcp).await.unwrap();
        let (_, mut respond) = connection.accept().await.unwrap().unwrap();
        respond.send_response(http::Response::builder().status(412).body(()).unwrap(), true).unwrap();
        while connection.accept().await.is_some() {}
    });
    let mut line = target.contender(Version::Http2).await.unwrap();
    let (gate, own, latecomer) = two_tickets();
    let exchange = line.race(&request(), Method::SinglePacketTail, own).await;
    assert_eq!(exchange.result.unwrap().status, 412);
    assert!(exchange.window.released.is_none() && !line.is_usable());
    drop(latecomer);
    assert!(gate.open(&at_once(2), LIMIT).await.is_ok(), "it does not hold the volley up");
    drop(line);
    server.await.unwrap();
}
