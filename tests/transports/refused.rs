//! A method that the target does not speak the HTTP for is refused before anything is raced, and another one named.

use quickeats_bench::history::{Method, Version};
use quickeats_bench::service::ServiceConfig;

use crate::bench::race;
use crate::front::Target;
use crate::transport::{Transport, over_every_transport};

over_every_transport!(what_the_target_does_not_speak_is_named);

fn what_the_target_does_not_speak_is_named(transport: Transport) {
    let target = Target::start(transport, ServiceConfig::default());
    let refused = Method::ALL.into_iter().filter(|method| !transport.speaks(method.version()));
    let mut named: Vec<(&str, Version)> = refused.map(|method| (method.name(), method.version())).collect();
    if !transport.speaks(Version::Http2) {
        named.push(("single-packet", Version::Http2));
    }
    for (delivery, version) in named {
        let (missing, others) = match version {
            Version::Http1 => ("HTTP/1.1", "over HTTP/2: single-packet"),
            Version::Http2 => ("HTTP/2", "over HTTP/1.1: barrier, head or tail"),
        };
        let ended = race(&target, &["cancel-vs-accept"], 1, delivery)
            .expect_code(4)
            .expect_stderr(&format!("it does not speak {missing}, which --delivery {delivery} needs"))
            .expect_stderr(others);
        assert_eq!(ended.folder(), None, "{}", ended.said());
    }
}
