//! `quickeats-bench` proves whether an HTTP API stays correct when people act on it at the same moment.
//!
//! ```text
//! scenario + API description ──► plan ──► race ──► history ──► judge ──► run result ──► reports
//!        (what to race)   (how to speak)    │  ▲               (pure)
//!                                           ▼  │
//!                               target: any URL, or the reference service started in-process
//! ```
//!
//! The middle of the picture is data: a [`history`]. Everything left of it does I/O; everything right of it is
//! pure, so a saved history can be judged again, elsewhere, by a better judge.
//!
//! Modules stand in layer order; each imports only from layers above its own line (`tests/layers.rs` keeps that).

// 1 base: no other module
pub mod clock;
pub mod ids;
pub mod jwt;
pub mod seed;
pub mod source;
pub mod text;
// 2 vocabulary: pure
pub mod api;
pub mod history;
// 3 judgment: pure
pub mod check;
pub mod measure;
pub mod spec;
// 4 world: async
pub mod service;
pub mod target;
// 5 drive: never the service
pub mod check_result;
pub mod compare_result;
pub mod event;
pub mod init;
pub mod load;
pub mod load_result;
pub mod probe;
pub mod probe_result;
pub mod race;
pub mod recheck;
pub mod run_result;
pub mod scenario;
pub mod traffic;
// 6 run and present
pub mod report;
pub mod run;
// 7 rim
pub mod cli;
pub mod demo;
