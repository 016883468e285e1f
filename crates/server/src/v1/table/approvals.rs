//! Approvals: what waits for somebody, and the answer.

use crate::v1::route::{
    CURSOR, Carries, Does, Gives, IF_MATCH, Kind, LIMIT, List, Pages, Route, Take, To, same,
};

/// The routes.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/approvals",
        id: "listApprovals",
        tag: "Approvals",
        about: "What waits for an answer",
        does: Does::Operation("approval.list"),
        takes: &[
            Take::query(
                "state",
                Kind::Word(&["all", "pending", "approved", "denied", "expired", "used"]),
                To::Input("state"),
                "Only those that are so; those that wait, where nobody says",
            ),
            LIMIT,
            CURSOR,
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::List(List {
            item: "Approval",
            member: "approvals",
            key: "id",
            beside: &[],
            pages: Pages::Door,
            shape: same,
        }),
    },
    Route {
        method: "GET",
        path: "/v1/approvals/{id}",
        id: "getApproval",
        tag: "Approvals",
        about: "Exactly what would be done",
        does: Does::Operation("approval.show"),
        takes: &[Take::id("id", "apr_", "The approval")],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("ApprovalDetails", same),
    },
    Route {
        method: "POST",
        path: "/v1/approvals/{id}:approve",
        id: "approve",
        tag: "Approvals",
        about: "Approve exactly what was shown",
        does: Does::Operation("approval.decide"),
        takes: &[
            Take::id("id", "apr_", "The approval"),
            IF_MATCH,
            APPROVE,
            Take::must(
                "digest",
                Kind::Text(200),
                To::Input("digest"),
                "The digest that was shown: what is approved is exactly this",
            ),
            Take::may("reason", Kind::Text(500), To::Input("reason"), "Why"),
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Approval", same),
    },
    Route {
        method: "POST",
        path: "/v1/approvals/{id}:deny",
        id: "deny",
        tag: "Approvals",
        about: "Deny it",
        does: Does::Operation("approval.decide"),
        takes: &[
            Take::id("id", "apr_", "The approval"),
            IF_MATCH,
            DENY,
            Take::must(
                "digest",
                Kind::Text(200),
                To::Input("digest"),
                "The digest that was shown: what is approved is exactly this",
            ),
            Take::may("reason", Kind::Text(500), To::Input("reason"), "Why"),
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Approval", same),
    },
];

/// The answers.
pub(super) const APPROVE: Take = Take::fixed("decision", "approve");
pub(super) const DENY: Take = Take::fixed("decision", "deny");
