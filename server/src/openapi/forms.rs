//! Schemas of forms, made from those of JSON bodies.
//!
//! A field of a form can be left out, but it cannot be `null`, and a flag is one of several words.

use serde_json::Value;
use utoipa::openapi::path::Operation;
use utoipa::openapi::{OpenApi, PathItem, Ref, RefOr, Schema};

const FORM: &str = "application/x-www-form-urlencoded";
const COMPONENTS: &str = "#/components/schemas/";
/// The words of a flag, as [`crate::extract::payload::parse_flag`] reads them.
const FLAG: &str = "^(true|on|1|false|off|0|)$";

/// Gives each form a schema of its own in which no field is `null`.
pub(super) fn describe_forms(openapi: &mut OpenApi) {
    let Some(components) = openapi.components.as_mut() else {
        return;
    };
    for operation in openapi.paths.paths.values_mut().flat_map(operations) {
        let Some(RefOr::T(body)) = operation.request_body.as_mut() else {
            continue;
        };
        let Some(RefOr::T(form)) = body.content.get_mut(FORM) else {
            continue;
        };
        let Some(RefOr::Ref(reference)) = &form.schema else {
            continue;
        };
        let name = reference.ref_location.trim_start_matches(COMPONENTS);
        let form_name = format!("{name}Form");
        if let Some(schema) = components.schemas.get(name).and_then(without_null) {
            form.schema = Some(Ref::from_schema_name(&form_name).into());
            components.schemas.insert(form_name, schema);
        }
    }
}

fn operations(path: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let operations = [
        &mut path.post,
        &mut path.put,
        &mut path.patch,
        &mut path.delete,
    ];
    operations.into_iter().filter_map(Option::as_mut)
}

fn without_null(schema: &RefOr<Schema>) -> Option<RefOr<Schema>> {
    let mut schema = serde_json::to_value(schema).ok()?;
    for field in schema.get_mut("properties")?.as_object_mut()?.values_mut() {
        remove_null(field);
        if field["type"] == "boolean" {
            field["type"] = "string".into();
            field["pattern"] = FLAG.into();
        }
    }
    serde_json::from_value(schema).ok()
}

/// Turns `{"type": ["string", "null"]}` into `{"type": "string"}`, and removes `null` from choices.
fn remove_null(field: &mut Value) {
    if let Some(Value::Array(types)) = field.get_mut("type") {
        types.retain(|kind| kind != "null");
        if let [kind] = types.as_slice() {
            field["type"] = kind.clone();
        }
    }
    for choice in ["oneOf", "anyOf"] {
        if let Some(Value::Array(choices)) = field.get_mut(choice) {
            choices.retain(|schema| schema.get("type").is_none_or(|kind| kind != "null"));
        }
    }
}
