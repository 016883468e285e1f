//! The bill of materials: CycloneDX 1.5 (ECMA-424), as JSON.

use serde_json::{Value, json};

use super::facts::{Facts, Package};
use super::write as write_text;
use crate::failure::{Failure, Outcome};
use std::path::Path;

/// Writes it; answers its name.
pub(super) fn write(out: &Path, facts: &Facts) -> Outcome<String> {
    let name = format!("{}.cdx.json", facts.stem());
    let text = serde_json::to_string_pretty(&bill(facts))
        .map_err(|error| Failure::doing("write the bill of materials", &error))?;
    write_text(&out.join(&name), &(text + "\n"))?;
    Ok(name)
}

fn bill(facts: &Facts) -> Value {
    let components: Vec<Value> =
        facts.packages.iter().filter(|package| package.name != "cli").map(component).collect();
    json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "component": {
                "type": "application",
                "bom-ref": "doorward",
                "name": "doorward",
                "version": facts.version,
                "licenses": [{ "expression": "Apache-2.0" }],
            },
            "properties": [{ "name": "target", "value": facts.triple }],
        },
        "components": components,
    })
}

fn component(package: &Package) -> Value {
    let mut component = json!({
        "type": "library",
        "bom-ref": format!("{}@{}", package.name, package.version),
        "name": package.name,
        "version": package.version,
    });
    if let Some(fields) = component.as_object_mut() {
        if let Some(licence) = &package.license {
            let expression = licence.replace('/', " OR ");
            fields.insert("licenses".to_owned(), json!([{ "expression": expression }]));
        }
        if package.source.is_some() {
            let purl = format!("pkg:cargo/{}@{}", package.name, package.version);
            fields.insert("purl".to_owned(), Value::from(purl));
        }
    }
    component
}
