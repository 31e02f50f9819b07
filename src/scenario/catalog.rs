//! The scenarios that are part of the tool, in the order they run.

use super::Scenario;

macro_rules! embedded {
    ($folder:literal: $($name:literal),* $(,)?) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("../../scenarios/", $folder, $name, ".toml")))),*]
    };
}

const FILES: &[(&str, &str)] = embedded!["":
    "cancel-vs-accept",
    "accept-vs-reject",
    "pay-vs-cancel",
    "duplicate-payment",
    "double-click-payment",
    "double-pickup",
    "read-beside-write",
    "stale-write",
    "missing-if-match",
    "weak-etag",
    "away-and-back",
    "double-create",
    "late-retry",
    "key-reuse",
    "retry-after-412",
    "act-on-cancelled",
    "pickup-too-early",
    "wrong-role",
    "others-order",
    "crash",
    "swarm",
    "v1-cancel-vs-accept",
    "v1-double-pay",
];

const GENERIC: &[(&str, &str)] = embedded!["generic/":
    "concurrent-replace",
    "concurrent-create",
    "replace-vs-delete",
    "blind-replace",
    "missing-token",
    "stale-replace",
    "weak-token",
    "read-beside-replace",
    "oversell",
    "lost-count",
    "take-vs-give",
    "double-effect",
    "reused-key",
    "lost-retry",
    "any-swarm",
];

/// Those for the built-in API descriptions.
///
/// # Panics
/// Never: the embedded files are read by a test.
pub fn all() -> Vec<Scenario> {
    parse(FILES)
}

/// Those for any API description of a kind of model.
///
/// # Panics
/// Never: the embedded files are read by a test.
pub fn generic() -> Vec<Scenario> {
    parse(GENERIC)
}

fn parse(files: &[(&str, &str)]) -> Vec<Scenario> {
    (files.iter()).map(|(file, text)| Scenario::parse(file, text).expect("embedded scenarios are tested")).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use super::*;
    use crate::api::builtin;
    use crate::scenario::Plan;

    #[test]
    fn every_embedded_scenario_fits_every_api_it_is_for() {
        for (file, text) in FILES {
            let scenario = Scenario::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(format!("{}.toml", scenario.name.get_ref()), *file);
            for api in &scenario.apis {
                let api = builtin::api(api.get_ref()).unwrap();
                Plan::resolve(&scenario, &api, Some(20)).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }

    #[test]
    fn every_generic_scenario_is_for_models_and_no_name_is_taken_twice() {
        for (file, text) in GENERIC {
            let scenario = Scenario::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(format!("{}.toml", scenario.name.get_ref()), *file);
            assert!(scenario.is_generic());
        }
        let names: Vec<&str> = FILES.iter().chain(GENERIC).map(|(file, _)| *file).collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }

    #[test]
    fn every_scenario_file_is_embedded() {
        for (folder, embedded) in [("scenarios", FILES), ("scenarios/generic", GENERIC)] {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(folder);
            let on_disk =
                std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
            let is_scenario = |name: &String| Path::new(name).extension().is_some_and(|extension| extension == "toml");
            let mut missing: Vec<String> = on_disk.filter(is_scenario).collect();
            missing.retain(|name| embedded.iter().all(|(file, _)| file != name));
            assert!(missing.is_empty(), "not embedded: {missing:?}");
        }
    }
}
