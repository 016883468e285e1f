//! The document of the API, made of the table of routes and the schemas.

use serde_json::{Map, Value, json};

use super::route::{Does, Gives, Kind, List, Need, Pages, Place, Route, Take, To};
use super::table;

mod headers;

/// The document: OpenAPI 3.1.
pub(crate) fn document() -> Value {
    made()
}

pub(super) fn made() -> Value {
    let mut paths: Map<String, Value> = Map::new();
    let mut schemas = schemas();
    for route in table::routes() {
        if let Gives::List(list) = &route.gives {
            schemas.insert(name_of_page(route), page(list));
        }
        let path = paths.entry(route.path.to_owned()).or_insert_with(|| json!({}));
        if let Some(methods) = path.as_object_mut() {
            methods.insert(route.method.to_ascii_lowercase(), operation(route));
        }
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Doorward", "version": env!("CARGO_PKG_VERSION"), "summary": "The API of a credential broker",
            "description": "Secrets go in once and never come out; every use leaves evidence. Each call here is one operation of \
                            Doorward itself: policies and roles hold for it as for the command line. `HEAD` is answered wherever `GET` is.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "http://127.0.0.1:8000" }],
        "security": [{ "bearer": [] }, { "apiKey": [] }, { "session": [], "csrf": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {
                "bearer": { "type": "http", "scheme": "bearer", "description": "A capability, or a key of the API" },
                "apiKey": { "type": "apiKey", "in": "header", "name": "X-API-Key" },
                "session": {
                    "type": "apiKey", "in": "cookie", "name": super::caller::COOKIE,
                    "description": "Behind TLS its name begins with `__Host-`",
                },
                "csrf": {
                    "type": "apiKey", "in": "header", "name": "X-CSRF-Token",
                    "description": "The other half of a session, beside the cookie and for every method: `csrf` of the answer that began it",
                },
            },
            "headers": headers::described(),
            "responses": {
                "NotModified": {
                    "description": "It is as it was: nothing comes with this",
                    "headers": headers::of(&["ETag", "RateLimit", "RateLimit-Policy", "X-Doorward-Evidence"]),
                },
                "Problem": {
                    "description": "What is wrong (RFC 9457)",
                    "headers": headers::of(&["RateLimit", "RateLimit-Policy", "Retry-After", "X-Doorward-Evidence"]),
                    "content": { "application/problem+json": { "schema": reference("Problem") } },
                },
            },
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut made = json!({
        "operationId": route.id, "tags": [route.tag], "summary": route.about,
        "responses": { route.status.to_string(): response(route), "default": { "$ref": "#/components/responses/Problem" } },
    });
    let Some(fields) = made.as_object_mut() else { return made };
    if headers::is_tagged(route)
        && let Some(responses) = fields.get_mut("responses").and_then(Value::as_object_mut)
    {
        responses.insert("304".to_owned(), json!({ "$ref": "#/components/responses/NotModified" }));
    }
    if route.does.is_public() {
        fields.insert("security".to_owned(), json!([]));
    }
    if let Some(name) = route.does.operation() {
        fields.insert("x-doorward-operation".to_owned(), json!(format!("doorward/{name}")));
    }
    let named = || route.takes.iter().filter(|take| !take.name.is_empty());
    let mut parameters: Vec<Value> =
        named().filter(|take| take.place != Place::Body).map(parameter).collect();
    if takes_key(route) {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "description": "1 to 255 of ASCII without white space, bare or in quotes: the same key with the same body gives the same answer for 24 hours",
            "schema": { "type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$" },
        }));
    }
    if headers::is_tagged(route) {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false,
            "description": "The `ETag` of what is there already, several of them, or `*`: where it is still so, the answer is 304",
            "schema": { "type": "string", "minLength": 1 },
        }));
    }
    if !parameters.is_empty() {
        fields.insert("parameters".to_owned(), parameters.into());
    }
    let body: Vec<&Take> = named().filter(|take| take.place == Place::Body).collect();
    if !body.is_empty() {
        let properties: Map<String, Value> =
            body.iter().map(|take| (take.name.to_owned(), schema_of(take))).collect();
        let required: Vec<&str> =
            body.iter().filter(|take| take.need == Need::Must).map(|take| take.name).collect();
        let schema = json!({
            "type": "object", "properties": properties, "required": required, "additionalProperties": false,
        });
        let content = json!({
            "required": !required.is_empty(), "content": { "application/json": { "schema": schema } },
        });
        fields.insert("requestBody".to_owned(), content);
    }
    made
}

/// Whether a route may be told to be performed once.
pub(super) fn takes_key(route: &Route) -> bool {
    route.method == "POST" && matches!(route.does, Does::Operation(_))
}

fn parameter(take: &Take) -> Value {
    let place = match take.place {
        Place::Path => "path",
        Place::Head => "header",
        Place::Query | Place::Body => "query",
    };
    let mut schema = schema_of(take);
    // In a path or a query a list is a text.
    if take.kind == Kind::List {
        schema = json!({ "type": "string", "description": "Separated by commas" });
    }
    json!({
        "name": take.name, "in": place, "required": take.need == Need::Must, "description": take.about, "schema": schema,
    })
}

fn schema_of(take: &Take) -> Value {
    let mut schema = match take.kind {
        Kind::Text(most) => json!({ "type": "string", "minLength": 1, "maxLength": most }),
        Kind::Id(prefix) => {
            json!({ "type": "string", "pattern": format!("^{prefix}[0-7][0-9a-hjkmnp-tv-z]{{25}}$") })
        }
        Kind::Word(words) => json!({ "type": "string", "enum": words }),
        Kind::List => json!({ "type": "array", "items": { "type": "string" }, "minItems": 1 }),
        Kind::Flag => json!({ "type": "boolean" }),
        Kind::Number => json!({ "type": "integer", "minimum": 0 }),
        Kind::Object => json!({ "type": "object" }),
        Kind::Lines => json!({ "type": "string" }),
        Kind::Secret => json!({ "type": ["string", "object"], "writeOnly": true }),
    };
    if let (Some(fields), Place::Body) = (schema.as_object_mut(), take.place) {
        fields.insert("description".to_owned(), take.about.into());
    }
    if take.to == To::Paging && take.name == "limit" {
        schema = json!({ "type": "integer", "minimum": 1, "maximum": 1000, "default": 100 });
    }
    schema
}

fn response(route: &Route) -> Value {
    let mut made = content(route);
    let headers = headers::of(&headers::of_success(route));
    if let Some(fields) =
        made.as_object_mut().filter(|_| headers.as_object().is_some_and(|all| !all.is_empty()))
    {
        fields.insert("headers".to_owned(), headers);
    }
    made
}

fn content(route: &Route) -> Value {
    let about = route.about;
    match route.gives {
        Gives::Nothing => json!({ "description": about }),
        Gives::One(name, _) => {
            json!({ "description": about, "content": { "application/json": { "schema": reference(name) } } })
        }
        Gives::List(_) => {
            let schema = reference(&name_of_page(route));
            json!({ "description": about, "content": { "application/json": { "schema": schema } } })
        }
        Gives::Text(kind, _) => {
            json!({ "description": about, "content": { kind: { "schema": { "type": "string" } } } })
        }
    }
}

/// `listTenants` gives a `ListTenants`.
fn name_of_page(route: &Route) -> String {
    let mut letters = route.id.chars();
    letters.next().map_or_else(String::new, |first| first.to_ascii_uppercase().to_string() + letters.as_str())
}

fn page(list: &List) -> Value {
    let mut properties = Map::from_iter([
        ("items".to_owned(), json!({ "type": "array", "items": reference(list.item) })),
        (
            "next".to_owned(),
            json!({ "type": ["string", "null"], "description": "The `cursor` of the next page" }),
        ),
    ]);
    let mut required = vec!["items", "next"];
    if list.pages == Pages::Door {
        properties.insert("total".to_owned(), json!({ "type": "integer", "minimum": 0 }));
        required.push("total");
    }
    for (name, schema) in list.beside {
        properties.insert((*name).to_owned(), reference(schema));
        required.push(name);
    }
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn reference(name: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{name}") })
}

/// The schemas of answers. Each member that is named has to be there, and no other may be, but where one says otherwise.
fn schemas() -> Map<String, Value> {
    serde_json::from_str(SCHEMAS).unwrap_or_default()
}

const SCHEMAS: &str = include_str!("schemas.json");

#[cfg(test)]
mod tests;
