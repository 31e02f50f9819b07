//! `JUnit` XML: valid by its XSD, and green if and only if the run is.

use quickeats_bench::report::{Junit, Renderer};
use uppsala::XsdValidator;
use uppsala::{NodeKind, parse};

use crate::{assert_harmless, fixed, results};

pub(crate) fn errors(xml: &str) -> Vec<String> {
    let schema = parse(include_str!("junit.xsd")).unwrap();
    let validator = XsdValidator::from_schema(&schema).unwrap();
    match parse(xml) {
        Ok(document) => validator.validate(&document).iter().map(ToString::to_string).collect(),
        Err(error) => vec![error.to_string()],
    }
}

/// How often each element stands in a document.
fn elements(xml: &str) -> std::collections::BTreeMap<String, usize> {
    let document = parse(xml).unwrap();
    let mut counts = std::collections::BTreeMap::new();
    let mut open = vec![document.root()];
    while let Some(node) = open.pop() {
        if let Some(NodeKind::Element(element)) = document.node_kind(node) {
            *counts.entry(element.name.local_name.to_string()).or_default() += 1;
        }
        open.extend(document.children(node));
    }
    counts
}

#[test]
fn every_report_is_valid_by_its_schema() {
    for (name, result) in results() {
        let xml = Junit.render(result);
        assert_eq!(errors(&xml), [""; 0], "{name}");
        assert_harmless(name, &xml);
    }
}

#[test]
fn the_schema_refuses_what_is_not_the_format() {
    let valid = Junit.render(&fixed::mixed());
    for (from, to) in [
        ("<testcase name=", "<testcase title="),
        (" type=\"lost-update\"", ""),
        (" tests=\"6\"", ""),
        (" tests=\"6\"", " tests=\"six\""),
        ("<system-out>", "<failure message=\"\" type=\"x\"/><system-out>"),
        ("timestamp=\"2026", "timestamp=\"yesterday 2026"),
        ("</testsuites>", ""),
    ] {
        let broken = valid.replacen(from, to, 1);
        assert_ne!(broken, valid, "{from}");
        assert!(!errors(&broken).is_empty(), "{from} → {to}");
    }
}

#[test]
fn it_is_green_if_and_only_if_the_run_is() {
    for (name, result) in results() {
        let counts = elements(&Junit.render(result));
        let is_green = !counts.contains_key("failure") && !counts.contains_key("error");
        assert_eq!(is_green, result.exit_code == 0, "{name}: {counts:?}");
    }
}

#[test]
fn hostile_text_changes_no_element() {
    let result = fixed::mixed();
    let (plain, hostile) = (fixed::filled(&result, "plain"), fixed::filled(&result, fixed::HOSTILE));
    assert_eq!(elements(&Junit.render(&plain)), elements(&Junit.render(&hostile)));
}
