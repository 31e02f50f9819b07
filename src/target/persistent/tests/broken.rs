//! Servers that do not answer, or not as they should: nothing is ever sent twice, and what may have left is unknown.

use super::*;
use crate::target::Patience;
use crate::target::tls;

/// How many requests the server had on all of its connections.
async fn asked(server: Server) -> usize {
    server.requests().await.concat().matches("GET /").count()
}

#[tokio::test]
async fn a_connection_that_breaks_at_any_point_of_an_answer_leaves_the_outcome_unknown() {
    let chunked = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n";
    for answer in [OK, chunked] {
        for at in 0..answer.len() {
            for end in [vec![], vec![Act::Reset]] {
                let first = [vec![Act::Take, Act::say(&answer[..at])], end].concat();
                let script = vec![first, vec![Act::Take, Act::say(OK)]];
                let (server, mut line) = Server::start(false, LONG, script).await;
                let result = ask(&mut line, "/first").await;
                assert!(matches!(unknown(&result), Some(Cause::Broken(_))), "at {at}: {result:?}");
                assert_eq!(ask(&mut line, "/second").await, Ok((200, 2)));
                drop(line);
                assert_eq!(asked(server).await, 2, "each is sent once");
            }
        }
    }
}

#[tokio::test]
async fn a_tls_answer_that_is_cut_off_is_not_complete() {
    let until_close = b"HTTP/1.1 200 OK\r\n\r\nok";
    for (end, is_whole) in [(vec![], true), (vec![Act::Cut], false)] {
        let acts = [vec![Act::Take, Act::say(until_close)], end].concat();
        let (_server, mut line) = Server::start(true, LONG, vec![acts]).await;
        let result = ask(&mut line, "/").await;
        assert_eq!(result.is_ok(), is_whole, "{result:?}");
        assert_eq!(matches!(unknown(&result), Some(Cause::Broken(_))), !is_whole);
    }
}

#[tokio::test]
async fn what_is_no_http_is_unknown_and_not_used_again() {
    for garbage in [
        &b"SSH-2.0-OpenSSH_9.6\r\n"[..],
        b"HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nok",
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nok",
    ] {
        let script = vec![vec![Act::Take, Act::say(garbage), Act::Hang], vec![Act::Take, Act::say(OK)]];
        let (server, mut line) = Server::start(false, LONG, script).await;
        let result = line.send(&get("/")).await.result;
        assert!(matches!(unknown(&result), Some(Cause::NotHttp(_))), "{result:?}");
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
        drop(line);
        assert_eq!(asked(server).await, 2);
    }
}

#[tokio::test]
async fn what_is_too_large_is_unknown() {
    let endless_head = vec![Act::Take, Act::say(b"HTTP/1.1 200 OK\r\n"), Act::Repeat(b"x-line: 1\r\n".repeat(100))];
    let endless_hints = vec![Act::Take, Act::Repeat(b"HTTP/1.1 103 Early Hints\r\n\r\n".repeat(100))];
    let endless_body = vec![Act::Take, Act::say(b"HTTP/1.1 200 OK\r\n\r\n"), Act::Repeat(vec![b'x'; 1 << 16])];
    for acts in [endless_head, endless_hints, endless_body] {
        for is_tls in [false, true] {
            let (_server, mut line) = Server::start(is_tls, LONG, vec![acts.clone()]).await;
            let result = ask(&mut line, "/").await;
            assert_eq!(unknown(&result), Some(&Cause::TooLarge), "{result:?}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_does_not_end_in_time_is_unknown() {
    let nothing = vec![Act::Take, Act::Hang];
    let half = vec![Act::Take, Act::say(&OK[..20]), Act::Hang];
    for acts in [nothing, half] {
        for is_tls in [false, true] {
            let script = vec![acts.clone(), vec![Act::Take, Act::say(OK)]];
            let (server, mut line) = Server::start(is_tls, SHORT, script).await;
            line.connect().await.unwrap();
            let exchange = line.send(&get("/")).await;
            assert_eq!(unknown(&exchange.result), Some(&Cause::TimedOut));
            assert!(exchange.window.closed.since(exchange.window.opened) >= SHORT);
            drop(line);
            drop(server);
        }
    }
}

/// Bytes that never pause leave no timer a turn.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_body_that_never_pauses_ends_in_time_all_the_same() {
    let chunk = [b"1;", &*vec![b'x'; 20], b"\r\n-\r\n"].concat();
    let head = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n";
    let script = vec![vec![Act::Take, Act::say(head), Act::Repeat(chunk)]];
    let (_server, mut line) = Server::start(false, SHORT, script).await;
    let result = ask(&mut line, "/").await;
    assert!(matches!(unknown(&result), Some(Cause::TimedOut | Cause::TooLarge)), "{result:?}");
}

#[tokio::test]
async fn an_idle_connection_that_died_is_replaced_before_anything_is_sent() {
    for is_tls in [false, true] {
        for end in [vec![], vec![Act::Reset], vec![Act::Cut]] {
            let first = [vec![Act::Take, Act::say(OK)], end].concat();
            let (mut server, mut line) = Server::start(is_tls, LONG, vec![first, vec![Act::Take, Act::say(OK)]]).await;
            assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
            server.hangs_up().await;
            assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
            assert_eq!(line.connections(), 2);
            drop(line);
            assert_eq!(asked(server).await, 2, "each is sent once");
        }
    }
}

#[tokio::test]
async fn what_comes_unasked_is_not_taken_for_an_answer() {
    let late = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    for is_tls in [false, true] {
        let script = vec![vec![Act::Take, Act::say(OK), Act::say(late)], vec![Act::Take, Act::say(OK)]];
        let (mut server, mut line) = Server::start(is_tls, LONG, script).await;
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
        server.hangs_up().await;
        assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
        assert_eq!(line.connections(), 2);
    }
}

#[tokio::test]
async fn a_dead_connection_whose_server_is_gone_was_not_sent_anything() {
    let (mut server, mut line) = Server::start(false, LONG, vec![vec![Act::Take, Act::say(OK)]]).await;
    assert_eq!(ask(&mut line, "/").await, Ok((200, 2)));
    server.hangs_up().await;
    assert_eq!(asked(server).await, 1);
    let result = ask(&mut line, "/").await;
    assert!(matches!(result, Err(Failure::NotSent(Cause::Connect(_)))), "{result:?}");
}

#[tokio::test]
async fn a_server_that_is_not_trusted_or_speaks_no_tls_is_sent_nothing() {
    let (server, line) = Server::start(true, LONG, vec![vec![Act::Take]]).await;
    let stranger = server::private_tls().1;
    let endpoint = line.route.endpoint();
    let route = Route::with_tls(endpoint, &stranger, crate::clock::Clock::start(), Patience { request: LONG }).await;
    let result = ask(&mut Persistent::new(route.unwrap()), "/").await;
    assert!(matches!(result, Err(Failure::NotSent(Cause::Tls(_)))), "{result:?}");
    assert_eq!(asked(server).await, 0);

    let (server, line) = Server::start(false, LONG, vec![vec![Act::say(b"HTTP/1.1 400 Bad Request\r\n\r\n")]]).await;
    let endpoint = Endpoint::parse(&line.route.endpoint().to_string().replace("http:", "https:")).unwrap();
    let tls = tls::trusting(rustls::RootCertStore::empty());
    let route = Route::with_tls(&endpoint, &tls, crate::clock::Clock::start(), Patience { request: LONG }).await;
    let result = ask(&mut Persistent::new(route.unwrap()), "/").await;
    assert!(matches!(result, Err(Failure::NotSent(Cause::Tls(_)))), "{result:?}");
    assert_eq!(asked(server).await, 0);
}

#[tokio::test]
async fn a_tls_handshake_that_never_ends_was_not_sent() {
    let (_server, line) = Server::start(false, SHORT, vec![vec![Act::Hang]]).await;
    let endpoint = Endpoint::parse(&line.route.endpoint().to_string().replace("http:", "https:")).unwrap();
    let tls = tls::trusting(rustls::RootCertStore::empty());
    let route = Route::with_tls(&endpoint, &tls, crate::clock::Clock::start(), Patience { request: SHORT }).await;
    let result = ask(&mut Persistent::new(route.unwrap()), "/").await;
    assert!(matches!(result, Err(Failure::NotSent(Cause::Connect(_)))), "{result:?}");
}

/// Gives a request up as soon as the server has it, with half an answer on the way.
#[tokio::test]
async fn a_request_that_is_given_up_takes_its_connection_with_it() {
    for is_tls in [false, true] {
        for half in [0, 10, OK.len() - 1] {
            let script = vec![
                vec![Act::Take, Act::say(OK), Act::Take, Act::say(&OK[..half]), Act::Hang],
                vec![Act::Take, Act::say(b"HTTP/1.1 201 Created\r\ncontent-length: 0\r\n\r\n")],
            ];
            let (server, mut line) = Server::start(is_tls, LONG, script).await;
            assert_eq!(ask(&mut line, "/1").await, Ok((200, 2)));
            tokio::select! {
                biased;
                result = ask(&mut line, "/2") => panic!("{result:?}"),
                () = listen() => {}
            }
            assert_eq!(ask(&mut line, "/3").await, Ok((201, 0)), "the answer is its own");
            assert_eq!(line.connections(), 2);
            drop(line);
            let requests = server.requests().await;
            assert!(!requests[0].contains("/3") && requests[1].starts_with("GET /3 "), "{requests:?}");
        }
    }
}

#[tokio::test]
async fn a_request_that_http_does_not_allow_is_not_sent() {
    let (_server, mut line) = Server::start(false, LONG, vec![vec![]]).await;
    let with = |name: &str, value: &str| Request { headers: vec![(name.into(), value.into())], ..get("/") };
    for request in [
        get("/a b"),
        get("/\r\n"),
        with("x-line", "a\r\nb: c"),
        with("x line", "a"),
        with("Content-Length", "7"),
        with("transfer-encoding", "chunked"),
        with("connection", "close"),
    ] {
        assert!(matches!(Prepared::new(&line.route, &request), Err(Failure::NotSent(_))), "{request:?}");
        assert!(matches!(line.send(&request).await.result, Err(Failure::NotSent(_))), "{request:?}");
    }
    assert_eq!(line.connections(), 0);
}
