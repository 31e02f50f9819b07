//! What can be learned of a URL without a description, by safe methods alone (RFC 9110 §9.2.1): how it is reached, and what
//! reading it tells.

use super::ProbeError;
use crate::api::{Headers, Request, Response, Secrets};
use crate::probe_result::{Mark, ProbeFinding, ProbeResult, SCHEMA};
use crate::target::{HttpTarget, Target, Transport};
use crate::text::harmless;

/// Asks how the URL itself is reached and read. `headers` go with every request, and are told nowhere. Unless it `reads`, no more than how it is
/// reached.
///
/// # Errors
/// Why it does not answer.
pub async fn probe_plainly(
    target: &HttpTarget,
    url: &str,
    headers: &Headers,
    reads: bool,
) -> Result<ProbeResult, ProbeError> {
    let get = request(target, "GET", headers, None);
    let transport = target.transport(&get).await.map_err(ProbeError::Unreachable)?;
    let mut findings = reached(&transport);
    if reads {
        let target = target.clone().speaking(transport.spoken);
        findings.append(&mut read(&target, headers).await?);
    }
    Ok(ProbeResult {
        schema: SCHEMA.to_owned(),
        tool_version: env!("CARGO_PKG_VERSION").to_owned(),
        target: url.to_owned(),
        api: None,
        findings,
        statuses: Vec::new(),
        advice: Vec::new(),
    })
}

fn request(target: &HttpTarget, method: &str, headers: &Headers, condition: Option<&str>) -> Request {
    let mut headers = headers.clone();
    headers.extend(condition.map(|tag| ("if-none-match".into(), tag.into())));
    Request { method: method.into(), path: target.own_path().to_owned(), headers, body: None }
}

fn learned(about: &str, sentence: impl Into<String>) -> ProbeFinding {
    ProbeFinding { about: about.to_owned(), mark: Mark::Learned, sentence: sentence.into() }
}

fn reached(transport: &Transport) -> Vec<ProbeFinding> {
    let tls = match &transport.tls {
        None => "none: plain text".to_owned(),
        Some(tls) if tls.chooses_http2 => format!("{}; chooses HTTP/2 where that is offered (ALPN)", tls.version),
        Some(tls) => format!("{}; does not choose HTTP/2 (ALPN)", tls.version),
    };
    let spoken = match (transport.spoken.http1, transport.spoken.http2) {
        (true, true) => "HTTP/1.1 and HTTP/2: every method of delivery can be used",
        (true, false) => "HTTP/1.1, not HTTP/2: races send with barrier, head or tail",
        (false, true) => "HTTP/2, not HTTP/1.1: races send in single packets",
        (false, false) => "neither HTTP/1.1 nor HTTP/2",
    };
    let kept = if transport.keeps_alive {
        "kept: a second request on one is answered"
    } else {
        "closed after an answer: each contender connects anew, and leaves less sharply with the others"
    };
    vec![learned("TLS", tls), learned("HTTP", spoken), learned("connections", kept)]
}

/// What reading the URL tells.
async fn read(target: &HttpTarget, headers: &Headers) -> Result<Vec<ProbeFinding>, ProbeError> {
    let secrets = Secrets::of(headers);
    // What is cut is found no more.
    let safe = |text: &str, most| harmless(&secrets.mask(text), most);
    let first = ask(target, &request(target, "GET", headers, None)).await?;
    let media = first.header("content-type").map_or("no content type".to_owned(), |media| safe(media, 80));
    let mut findings = vec![learned("GET", format!("{}, {media}, {} bytes", first.status, first.body.len()))];
    match first.header("etag") {
        None => findings.push(learned("ETag", "none")),
        Some(tag) => {
            let kind = if tag.starts_with("W/") { "weak: it never matches in If-Match" } else { "strong" };
            let second = ask(target, &request(target, "GET", headers, None)).await?;
            let stays = if second.header("etag") == Some(tag) { "the same" } else { "another" };
            findings.push(learned("ETag", format!("{} ({kind}); {stays} when it is read again", safe(tag, 80))));
            let unchanged = ask(target, &request(target, "GET", headers, Some(tag))).await?;
            let honoured = if unchanged.status == 304 { "honoured" } else { "not honoured" };
            findings.push(learned("If-None-Match", format!("{honoured}: with that tag, {}", unchanged.status)));
        }
    }
    let options = ask(target, &request(target, "OPTIONS", headers, None)).await?;
    let said: Vec<String> = (["allow", "accept-patch"].iter())
        .filter_map(|name| Some(format!("{name}: {}", safe(options.header(name)?, 200))))
        .collect();
    let said = if said.is_empty() { "says nothing of methods".to_owned() } else { said.join("; ") };
    findings.push(learned("OPTIONS", format!("{}, {said}", options.status)));
    Ok(findings)
}

async fn ask(target: &HttpTarget, request: &Request) -> Result<Response, ProbeError> {
    target.send(request).await.result.map_err(|failure| ProbeError::Unreachable(failure.cause().clone()))
}
