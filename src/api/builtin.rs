//! The API descriptions that are part of the tool.

use std::sync::Arc;

use super::Api;

macro_rules! embedded {
    ($($name:literal),* $(,)?) => {
        &[$((concat!($name, ".toml"), include_str!(concat!("../../scenarios/apis/", $name, ".toml")))),*]
    };
}

const FILES: &[(&str, &str)] =
    embedded!["quickeats-v1", "quickeats-v2", "documents", "revisions", "transactions", "objects", "charges", "stock",];

/// Their names.
pub fn names() -> impl Iterator<Item = &'static str> + Clone {
    FILES.iter().map(|(file, _)| file.trim_end_matches(".toml"))
}

/// The built-in description called `name`.
///
/// # Panics
/// Never: the embedded files are read by a test.
pub fn api(name: &str) -> Option<Arc<Api>> {
    let (file, text) = FILES.iter().find(|(file, _)| file.trim_end_matches(".toml") == name)?;
    Some(Arc::new(Api::parse(file, text).expect("embedded descriptions are tested")))
}

/// The text of the built-in description called `name`.
pub fn text(name: &str) -> Option<&'static str> {
    FILES.iter().find(|(file, _)| file.trim_end_matches(".toml") == name).map(|(_, text)| *text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_embedded_description_is_valid_and_named_after_its_file() {
        for (file, text) in FILES {
            let api = Api::parse(file, text).unwrap_or_else(|error| panic!("{error}"));
            assert_eq!(format!("{}.toml", api.name), *file);
        }
    }
}
