//! Schemas of what handlers read and write, made from the types that they read and write.

use schemars::generate::SchemaSettings;
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value};

const COMPONENTS: &str = "/components/schemas";

/// Collects the types that the document refers to.
pub(super) struct Schemas {
    read: SchemaGenerator,
    written: SchemaGenerator,
}

impl Schemas {
    pub(super) fn new() -> Self {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = COMPONENTS.into();
                settings.meta_schema = None;
            })
        };
        Self {
            read: settings().for_deserialize().into_generator(),
            written: settings().for_serialize().into_generator(),
        }
    }

    /// Where the schema of a request's body stands.
    pub(super) fn of_request<T: JsonSchema>(&mut self) -> Value {
        self.read.subschema_for::<T>().to_value()
    }

    /// Where the schema of an answer's body stands.
    pub(super) fn of_answer<T: JsonSchema>(&mut self) -> Value {
        self.written.subschema_for::<T>().to_value()
    }

    pub(super) fn into_components(mut self) -> Map<String, Value> {
        let mut components = self.written.take_definitions(true);
        components.extend(self.read.take_definitions(true));
        components.sort_keys();
        components
    }
}
