//! The broker itself: what there is, how it is, what it counts, who may what.

use crate::v1::route::{CURSOR, Carries, Does, Gives, Kind, LIMIT, List, Pages, Route, Take, To, same};
use serde_json::Value;

/// The routes.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1",
        id: "index",
        tag: "API",
        about: "What there is",
        does: Does::Index,
        takes: &[],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Index", same),
    },
    Route {
        method: "GET",
        path: "/v1/openapi.json",
        id: "getOpenApi",
        tag: "API",
        about: "This document",
        does: Does::Document,
        takes: &[],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Document", same),
    },
    Route {
        method: "GET",
        path: "/v1/status",
        id: "getStatus",
        tag: "Broker",
        about: "How the broker is, and what waits for somebody",
        does: Does::Operation("broker.status"),
        takes: &[],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Status", same),
    },
    Route {
        method: "GET",
        path: "/v1/metrics",
        id: "getMetrics",
        tag: "Broker",
        about: "The counters of the broker",
        does: Does::Operation("broker.metrics"),
        takes: &[],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Metrics", families),
    },
    Route {
        method: "GET",
        path: "/v1/roles",
        id: "listRoles",
        tag: "Roles",
        about: "Principals and their roles",
        does: Does::Operation("role.list"),
        takes: &[SEARCH, LIMIT, CURSOR],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::List(List {
            item: "Principal",
            member: "principals",
            key: "principal",
            beside: &[("known", "KnownRoles")],
            pages: Pages::Door,
            shape: same,
        }),
    },
    Route {
        method: "PUT",
        path: "/v1/roles/{principal}/{role}",
        id: "grantRole",
        tag: "Roles",
        about: "Give a principal a role",
        does: Does::Operation("role.grant"),
        takes: &[
            Take::path("principal", "principal", "Who"),
            Take::path("role", "role", "Which role"),
            Take::may(
                "kind",
                Kind::Word(&["person", "service", "workload", "agent"]),
                To::Input("kind"),
                "What the principal is",
            ),
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Principal", same),
    },
    Route {
        method: "DELETE",
        path: "/v1/roles/{principal}/{role}",
        id: "revokeRole",
        tag: "Roles",
        about: "Take a role back from a principal",
        does: Does::Operation("role.revoke"),
        takes: &[Take::path("principal", "principal", "Who"), Take::path("role", "role", "Which role")],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Principal", same),
    },
];

const SEARCH: Take = Take::query("q", Kind::Text(200), To::Search, "Only items in which this text stands");

/// The counters, read from the text that a scraper gets.
fn families(answer: &mut Value) -> Value {
    let text = answer.get("text").and_then(Value::as_str).unwrap_or_default();
    crate::v1::metrics::families(text)
}
