//! A probe tells how a target is reached, whatever it speaks, and asks over that.

use quickeats_bench::history::Version;
use quickeats_bench::service::ServiceConfig;

use crate::bench::probe;
use crate::front::Target;
use crate::transport::{Transport, over_every_transport};

over_every_transport!(a_probe_tells_what_is_spoken_and_asks_over_it);

fn a_probe_tells_what_is_spoken_and_asks_over_it(transport: Transport) {
    let target = Target::start(transport, ServiceConfig::default());
    let output = probe(&target, &["--api", "quickeats-v2", "--jwt-secret-env", "SECRET"]);
    let told = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{told}{}", String::from_utf8_lossy(&output.stderr));
    let (http1, http2) = (transport.speaks(Version::Http1), transport.speaks(Version::Http2));
    let spoken = match (http1, http2) {
        (true, true) => "HTTP/1.1 and HTTP/2",
        (true, false) => "HTTP/1.1, not HTTP/2",
        (false, _) => "HTTP/2, not HTTP/1.1",
    };
    let tls = match (transport.is_tls(), http2) {
        (false, _) => "none: plain text",
        (true, true) => "TLS 1.3; chooses HTTP/2",
        (true, false) => "TLS 1.3; does not choose HTTP/2",
    };
    for part in [spoken, tls, "✓ as described: 18 things; 0 that cannot be told"] {
        assert!(told.contains(part), "`{part}` is missing in:\n{told}");
    }
}
