//! Targets that cannot be raced at all: said at once, in one message, with exit code 4.

use std::net::TcpListener;
use std::time::Duration;

use crate::bench::Bench;
use crate::server::{Asked, Greeting, Reaction, Server};
use crate::shop::{Answer, Shop, json_of};

fn always(reaction: Reaction) -> Server {
    Server::start(move |_: &Asked| reaction.clone())
}

fn says(response: impl Into<Vec<u8>>) -> Server {
    always(Reaction::Say(response.into()))
}

#[test]
fn a_port_where_nobody_listens_is_named_and_advice_given() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    Bench::race(&url)
        .run()
        .expect_unusable("no connection (")
        .expect_stderr(&url)
        .expect_stderr("is the server running, and is the port right?");
}

#[test]
fn what_is_not_http_is_called_that() {
    let ssh = b"SSH-2.0-OpenSSH_9.6\r\n".to_vec();
    for (name, server) in [
        ("banner on connect, kept open", Server::start(Greeting(Reaction::Say(ssh.clone())))),
        ("banner on connect, closed", Server::start(Greeting(Reaction::SayAndClose(ssh.clone())))),
        ("banner as the answer", says(ssh)),
        ("a TLS alert", says(b"\x15\x03\x01\x00\x02\x02\x46".to_vec())),
        ("a status that is no number", says("HTTP/1.1 OK\r\n\r\n")),
        ("two lengths", says("HTTP/1.1 201 Created\r\ncontent-length: 2\r\ncontent-length: 3\r\n\r\n{}")),
        ("a length that is no number", says("HTTP/1.1 201 Created\r\ncontent-length: -1\r\n\r\n{}")),
        ("a header without a name", says("HTTP/1.1 201 Created\r\n: x\r\n\r\n{}")),
    ] {
        let ended = Bench::race(&server.url()).run();
        let why =
            if name.starts_with("banner on connect") { "POST /api/v2/orders: " } else { "the answer was not HTTP" };
        assert!(ended.stderr.contains(why), "{name}\n{}", ended.said());
        ended.expect_unusable("is it an HTTP server?");
    }
}

#[test]
fn an_answer_that_is_cut_off_is_told_from_none() {
    for server in [
        Server::start(Greeting(Reaction::SayAndClose(Vec::new()))),
        always(Reaction::SayAndClose(Vec::new())),
        always(Reaction::SayAndClose(b"HTTP/1.1 201 Crea".to_vec())),
        always(Reaction::SayAndClose(b"HTTP/1.1 201 Created\r\ncontent-length: 100\r\n\r\n{".to_vec())),
        always(Reaction::SayAndClose(b"HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{".to_vec())),
    ] {
        Bench::race(&server.url()).run().expect_unusable("the connection broke before the answer was complete");
    }
}

#[test]
fn an_answer_that_never_ends_is_given_up_in_time() {
    let pause = Duration::from_millis(20);
    let repeat = |first: &str, again: &str, pause| always(Reaction::Repeat(first.into(), again.into(), pause));
    let flood = "HTTP/1.1 102 Processing\r\n\r\n".repeat(1_000);
    for (name, server) in [
        ("silence", always(Reaction::Hang)),
        ("silence before anything is asked", Server::start(Greeting(Reaction::Hang))),
        ("a body a byte at a time", repeat("HTTP/1.1 201 Created\r\ncontent-length: 100000\r\n\r\n", " ", pause)),
        (
            "chunks of one byte",
            repeat("HTTP/1.1 201 Created\r\ntransfer-encoding: chunked\r\n\r\n", "1\r\n \r\n", pause),
        ),
        ("headers a byte at a time", repeat("HTTP/1.1 201 Created\r\nx: ", "y", pause)),
        ("a status line a byte at a time", repeat("HTTP/1.1 201 ", "y", pause)),
        ("interim answers", repeat("", "HTTP/1.1 100 Continue\r\n\r\n", pause)),
        ("a flood of interim answers", repeat("", &flood, Duration::ZERO)),
    ] {
        let ended = Bench::race(&server.url()).timeout("300ms").run();
        assert!(ended.took < Duration::from_secs(50), "{name}\n{}", ended.said());
        assert!(ended.stderr.contains("no complete answer within the time limit"), "{name}\n{}", ended.said());
        ended.expect_unusable("--timeout gives it longer");
    }
}

#[test]
fn an_endless_body_is_not_swallowed() {
    for first in ["HTTP/1.1 201 Created\r\n\r\n", "HTTP/1.1 201 Created\r\ncontent-length: 99999999999\r\n\r\n"] {
        let server = always(Reaction::Repeat(first.into(), vec![b'['; 1 << 16], Duration::ZERO));
        Bench::race(&server.url()).timeout("20s").run().expect_unusable("the answer exceeded the size limit");
    }
}

#[test]
fn huge_headers_are_not_swallowed() {
    let one_line = format!("HTTP/1.1 201 Created\r\nx: {}\r\n\r\n", "y".repeat(8 << 20));
    let many_lines = format!("HTTP/1.1 201 Created\r\n{}\r\n", "x: y\r\n".repeat(20_000));
    for response in [one_line, many_lines] {
        Bench::race(&says(response).url()).run().expect_unusable("message head is too large");
    }
}

#[test]
fn a_refusal_to_make_an_order_is_told_with_its_status() {
    for (status, why) in [
        (404, "POST /api/v2/orders was answered 404 (not-found)"),
        (401, "was answered 401 (unauthorized)"),
        (405, "was answered 405 (refused)"),
        (429, "was answered 429 (refused)"),
        (500, "status 500"),
        (599, "status 599"),
        (999, "status 999"),
    ] {
        let server = says(json_of(status, &[], "{}"));
        Bench::race(&server.url()).run().expect_unusable(why);
    }
}

#[test]
fn a_redirect_is_not_followed() {
    let elsewhere = Server::start(Shop::default());
    for status in [301, 302, 303, 307, 308] {
        let location = format!("{}/api/v2/orders", elsewhere.url());
        let server = says(json_of(status, &[("location", &location)], ""));
        Bench::race(&server.url()).run().expect_unusable(&format!("was answered {status} (unclear)"));
        assert_eq!(server.asked().len(), 1);
    }
    assert!(elsewhere.asked().is_empty());
}

#[test]
fn a_page_for_people_is_shown_for_what_it_is() {
    let page = "<!DOCTYPE html><script>alert(1)</script>";
    let response =
        format!("HTTP/1.1 200 OK\r\ncontent-type: text/html\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    Bench::race(&says(response).url())
        .run()
        .expect_unusable("a JSON body was expected and `<!DOCTYPE html>")
        .expect_stderr("(text/html)")
        .expect_stderr("is it a `quickeats-v2` API?");
}

#[test]
fn json_of_the_wrong_shape_is_answered_with_what_is_missing() {
    let long = "x".repeat(100_000);
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    for (body, why) in [
        ("", "a JSON body was expected and none came"),
        ("null", "there is no id at `/id`"),
        ("[]", "there is no id at `/id`"),
        (r#"{"status":"pending_payment"}"#, "there is no id at `/id`"),
        (r#"{"id":null,"status":"pending_payment"}"#, "there is no id at `/id`"),
        (r#"{"id":{"$oid":"1"},"status":"pending_payment"}"#, "there is no id at `/id`"),
        (r#"{"id":["1"],"status":"pending_payment"}"#, "there is no id at `/id`"),
        (r#"{"id":true,"status":"pending_payment"}"#, "there is no id at `/id`"),
        (r#"{"id":"","status":"pending_payment"}"#, "there is no id at `/id`"),
        (r#"{"id":"1"}"#, "there is no state at `/status`"),
        (r#"{"id":"1","status":{}}"#, "there is no state at `/status`"),
        (&format!(r#"{{"id":"{long}","status":"pending_payment"}}"#), "there is no id at `/id`"),
        (&deep, "a JSON body was expected and `[[["),
        ("\u{feff}{}", "a JSON body was expected and `\\u{feff}{}`"),
        ("{\"id\":\"\u{1b}[31m", "a JSON body was expected and `{\"id\":\"\\u{1b}[31m`"),
        (r#"{"id":"1""#, "a JSON body was expected"),
    ] {
        Bench::race(&says(json_of(201, &[], body)).url()).run().expect_unusable(why);
    }
}

#[test]
fn an_id_stays_within_its_path_segment() {
    for id in [
        "../../admin",
        "..\\x",
        "a/../../b",
        "1?x=y",
        "1#x",
        "%2e%2e",
        "1\r\nx-injected: 1",
        "\u{1b}[31m\u{202e}",
        "//evil.example",
    ] {
        let server = Server::start(move |asked: &Asked| match asked.path.as_str() {
            "/api/v2/orders" => {
                let body = serde_json::json!({"id": id, "status": "pending_payment"});
                Answer { headers: vec![("etag", "\"1\"".into())], ..Answer::new(201, body) }.said()
            }
            _ => Answer::new(404, serde_json::json!({})).said(),
        });
        Bench::race(&server.url()).run().expect_unusable("was answered 404 (not-found)");
        for asked in server.asked() {
            let segment = asked.path.strip_prefix("/api/v2/orders").unwrap();
            let segment = segment.strip_prefix('/').unwrap_or(segment);
            assert!(!segment.contains(['/', '\\', '?', '#']), "{id:?}: {asked:?}");
            assert!(asked.header("x-injected").is_none(), "{id:?}: {asked:?}");
        }
    }
}

#[test]
fn an_id_that_a_path_would_swallow_is_refused() {
    for id in [".", ".."] {
        let body = format!(r#"{{"id":"{id}","status":"pending_payment","version":1}}"#);
        let server = says(json_of(201, &[("etag", "\"1\"")], &body));
        Bench::race(&server.url()).run().expect_unusable("cannot stand in a path");
        assert_eq!(server.asked().len(), 1);
    }
}

#[test]
fn a_server_without_version_tokens_is_told_what_is_missing() {
    let shop = Shop::default();
    let server = Server::start(move |asked: &Asked| Answer { headers: Vec::new(), ..shop.answer(asked) }.said());
    Bench::race(&server.url())
        .run()
        .expect_unusable("the order was read, and the answer has no version token at the header `etag`");
}
