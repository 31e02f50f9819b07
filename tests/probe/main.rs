//! Asking before a race: files are checked, plans shown and played once, servers probed. All through the command line, against
//! the reference service and the servers in `tests/apis/servers`.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod check;
mod every;
mod found;
mod keys;
mod lost;
mod odd;
mod probe;
mod secrets;
#[path = "../apis/servers.rs"]
#[expect(dead_code, reason = "real servers are not asked here")]
mod servers;
#[path = "../serving/mod.rs"]
mod serving;
mod tags;
mod tool;
mod undescribed;
mod versions;
