//! What a tenant keeps for providers.

use crate::v1::route::{
    CURSOR, Carries, Does, Gives, IF_MATCH, IF_NONE_MATCH, Kind, LIMIT, List, Pages, Route, Take, To, same,
};
use serde_json::{Value, json};

/// The routes.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/tenants/{tenant}/credentials",
        id: "listCredentials",
        tag: "Credentials",
        about: "One item a provider, also where nothing is configured",
        does: Does::Operation("credential.list"),
        takes: &[
            Take::path("tenant", "tenant", "The tenant"),
            Take::query(
                "status",
                Kind::Word(&["NOT_CONFIGURED", "PENDING", "VALID", "INVALID", "EXPIRED"]),
                To::Filter("status"),
                "Only those that are so",
            ),
            LIMIT,
            CURSOR,
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::List(List {
            item: "Credential",
            member: "items",
            key: "provider",
            beside: &[("tenant", "Name"), ("configured", "Texts"), ("all_valid", "Flag")],
            pages: Pages::Door,
            shape: listed,
        }),
    },
    Route {
        method: "GET",
        path: "/v1/credentials",
        id: "surveyCredentials",
        tag: "Credentials",
        about: "The credentials that all tenants use, those of the first 1000 active ones; beside them, how many there are",
        does: Does::Operation("credential.survey"),
        takes: &[
            Take::query(
                "status",
                Kind::Word(&["PENDING", "VALID", "INVALID", "EXPIRED"]),
                To::Filter("status"),
                "Only those that are so",
            ),
            Take::query("connected", Kind::Flag, To::Filter("connected"), "Only those that work, or do not"),
            Take::query("q", Kind::Text(200), To::Search, "Only items in which this text stands"),
            LIMIT,
            CURSOR,
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::List(List {
            item: "SurveyedCredential",
            member: "credentials",
            key: "at",
            beside: &[("tenants", "Count"), ("configured", "Count"), ("connected", "Count")],
            pages: Pages::Door,
            shape: same,
        }),
    },
    Route {
        method: "GET",
        path: "/v1/tenants/{tenant}/credentials/{provider}",
        id: "getCredential",
        tag: "Credentials",
        about: "The credential for a provider",
        does: Does::Operation("credential.show"),
        takes: &[
            Take::path("tenant", "tenant", "The tenant"),
            Take::path("provider", "provider", "The provider, by its code or a name of it"),
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Credential", shown),
    },
    Route {
        method: "PUT",
        path: "/v1/tenants/{tenant}/credentials/{provider}",
        id: "setUpCredential",
        tag: "Credentials",
        about: "Set up a credential, and ask the provider whether it works",
        does: Does::Operation("credential.setup"),
        takes: &[
            IF_MATCH,
            IF_NONE_MATCH,
            Take::path("tenant", "tenant", "The tenant"),
            Take::path("provider", "provider", "The provider, by its code or a name of it"),
            Take::must(
                "credential",
                Kind::Secret,
                To::Along,
                "The key as a text, or the document as an object",
            ),
            Take::may("name", Kind::Text(200), To::Along, "What it is called"),
            Take::may("metadata", Kind::Object, To::Along, "What is noted beside it"),
            Take::may("skip_validation", Kind::Flag, To::Along, "Keep it without asking the provider"),
        ],
        carries: Carries::Json(CREDENTIAL),
        status: 200,
        gives: Gives::One("SetUp", told),
    },
    Route {
        method: "PATCH",
        path: "/v1/tenants/{tenant}/credentials/{provider}",
        id: "updateCredential",
        tag: "Credentials",
        about: "Change what stands beside a credential, or put another one in its place",
        does: Does::Operation("credential.update"),
        takes: &[
            IF_MATCH,
            Take::path("tenant", "tenant", "The tenant"),
            Take::path("provider", "provider", "The provider, by its code or a name of it"),
            Take::may(
                "credential",
                Kind::Secret,
                To::Along,
                "The key as a text, or the document as an object",
            ),
            Take::may("name", Kind::Text(200), To::Along, "What it is called"),
            Take::may("metadata", Kind::Object, To::Along, "What is noted beside it"),
            Take::may("skip_validation", Kind::Flag, To::Along, "Keep it without asking the provider"),
        ],
        carries: Carries::Json(CREDENTIAL),
        status: 200,
        gives: Gives::One("SetUp", told),
    },
    Route {
        method: "POST",
        path: "/v1/tenants/{tenant}/credentials/{provider}:validate",
        id: "validateCredential",
        tag: "Credentials",
        about: "Ask the provider whether the credential works",
        does: Does::Operation("credential.validate"),
        takes: &[
            IF_MATCH,
            Take::path("tenant", "tenant", "The tenant"),
            Take::path("provider", "provider", "The provider, by its code or a name of it"),
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("SetUp", told),
    },
    Route {
        method: "DELETE",
        path: "/v1/tenants/{tenant}/credentials/{provider}",
        id: "deleteCredential",
        tag: "Credentials",
        about: "Remove the bytes of a credential; the evidence stays",
        does: Does::Operation("credential.delete"),
        takes: &[
            IF_MATCH,
            Take::path("tenant", "tenant", "The tenant"),
            Take::path("provider", "provider", "The provider, by its code or a name of it"),
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Deleted", deleted),
    },
];

/// What goes along, under the names that the operation knows.
const CREDENTIAL: &[(&str, &str)] = &[
    ("credential", "credential"),
    ("name", "credential_name"),
    ("metadata", "metadata"),
    ("skip_validation", "skip_validation"),
];

fn member(value: &Value, name: &str) -> Value {
    value.get(name).cloned().unwrap_or_default()
}

/// A credential in the words of this API.
fn shown(answer: &mut Value) -> Value {
    broker::credential_shown(answer)
}

fn listed(answer: &mut Value) -> Value {
    let items: Vec<Value> = answer
        .get_mut("integrations")
        .and_then(Value::as_object_mut)
        .map(|all| all.values_mut().map(shown).collect())
        .unwrap_or_default();
    json!({
        "items": items, "tenant": member(answer, "org_slug"),
        "configured": member(answer, "providers_configured"), "all_valid": member(answer, "all_valid"),
    })
}

/// What came of it.
fn told(answer: &mut Value) -> Value {
    json!({
        "provider": member(answer, "provider"), "valid": member(answer, "success"),
        "status": member(answer, "validation_status"), "id": member(answer, "credential_id"),
        "error": member(answer, "validation_error"), "message": member(answer, "message"),
    })
}

fn deleted(answer: &mut Value) -> Value {
    json!({ "provider": member(answer, "provider"), "message": member(answer, "message") })
}
