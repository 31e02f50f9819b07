//! What a load is made of, as data: when requests begin ([`Shape`]), and what they ask for ([`TrafficPlan`], out of a file or made
//! for any API description).

mod file;
mod plan;
mod shape;
mod threshold;

pub use file::{Traffic, parse_percent};
pub use plan::{Ask, Hot, Journey, JourneyStep, TrafficPlan};
pub use shape::{Arrivals, Part, Shape, Spacing, Stage};
pub use threshold::{METRICS, Metric, Side, Threshold};

/// The traffic that is part of the tool: file name and text.
const BUILT_IN: &[(&str, &str)] = &[("delivery-day.toml", include_str!("../../scenarios/traffic/delivery-day.toml"))];

/// The traffic that is part of the tool.
///
/// # Panics
/// Never: the embedded files are read by a test.
pub fn built_in() -> Vec<Traffic> {
    let read = |(file, text): &(&str, &str)| Traffic::parse(file, text).expect("embedded files are read by a test");
    BUILT_IN.iter().map(read).collect()
}

/// The JSON Schema of traffic files, as it is committed under `scenarios/`: what editors complete them by.
pub fn traffic_schema() -> String {
    let mut text = serde_json::to_string_pretty(&schemars::schema_for!(Traffic)).expect("a schema is plain data");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::builtin;

    #[test]
    fn the_built_in_traffic_fits_its_descriptions() {
        for traffic in built_in() {
            for name in &traffic.apis {
                let api = builtin::api(name.get_ref()).unwrap();
                TrafficPlan::resolve(&traffic, &api).unwrap_or_else(|error| panic!("{error}"));
            }
        }
    }
}
