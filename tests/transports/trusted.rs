//! Whom a target is trusted by, and who is let in.

use std::fs;

use quickeats_bench::service::ServiceConfig;

use crate::bench::race_trusting;
use crate::front::{Callers, Target};
use crate::transport::Transport;

/// Over TLS, with both versions to choose.
const TLS: Transport = Transport::Tls;

#[test]
fn a_certificate_that_nobody_vouches_for_needs_a_word() {
    let target = Target::start(TLS, ServiceConfig::default());
    let trusted = target.trusted().unwrap().to_str().unwrap();
    race_trusting(&target, &[]).expect_code(4).expect_stderr("no TLS session");
    race_trusting(&target, &["--cacert", trusted]).expect_code(0);
    race_trusting(&target, &["--insecure", "--quiet"]).expect_code(0).expect_stderr("WARNING: --insecure");
}

#[test]
fn a_target_that_asks_for_a_certificate_is_shown_one() {
    let target = Target::start_for(Callers::WithTheCertificate, TLS, ServiceConfig::default());
    let own = target.trusted().unwrap().to_str().unwrap();
    race_trusting(&target, &["--cacert", own]).expect_code(4);
    race_trusting(&target, &["--cacert", own, "--cert", own, "--key", own]).expect_code(0);
}

#[test]
fn a_file_that_is_of_no_use_is_named() {
    let target = Target::start(TLS, ServiceConfig::default());
    let empty = tempfile::NamedTempFile::new().unwrap();
    let empty = empty.path().to_str().unwrap();
    race_trusting(&target, &["--cacert", empty]).expect_code(2).expect_stderr("holds no certificate in PEM form");
    race_trusting(&target, &["--cacert", "/no/such/file"]).expect_code(2).expect_stderr("/no/such/file cannot be read");
    race_trusting(&target, &["--cert", empty]).expect_code(2).expect_stderr("--key");
    let certificate_alone = tempfile::NamedTempFile::new().unwrap();
    let pem = fs::read_to_string(target.trusted().unwrap()).unwrap();
    fs::write(certificate_alone.path(), pem.split("-----BEGIN PRIVATE").next().unwrap()).unwrap();
    let alone = certificate_alone.path().to_str().unwrap();
    race_trusting(&target, &["--cert", alone, "--key", alone]).expect_code(2).expect_stderr("holds no private key");
    race_trusting(&target, &["--cacert", alone, "--insecure"]).expect_code(2).expect_stderr("cannot be used with");
}
