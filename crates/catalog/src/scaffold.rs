//! A new integration to start from: a commented file and its cases. They load and pass as they are.

use model::IntegrationName;

/// The text of `NAME.yaml` and of `cases/NAME.yaml`.
#[must_use]
pub fn template(name: &IntegrationName) -> (String, String) {
    let fill = |text: &str| text.replace("NAME", name.as_str());
    (fill(INTEGRATION), fill(CASES))
}

const INTEGRATION: &str = include_str!("scaffold/integration.yaml");
const CASES: &str = include_str!("scaffold/cases.yaml");
