//! Webhooks: who is told of what, and how that goes.

use crate::v1::route::{
    CURSOR, Carries, Does, Gives, IF_MATCH, Kind, LIMIT, List, Pages, Route, Take, To, same,
};

/// The routes.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/webhooks",
        id: "listWebhooks",
        tag: "Webhooks",
        about: "Who is told of what",
        does: Does::Operation("webhook.list"),
        takes: &[LIMIT, CURSOR],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::List(List {
            item: "Webhook",
            member: "webhooks",
            key: "id",
            beside: &[("known", "Texts")],
            pages: Pages::Door,
            shape: same,
        }),
    },
    Route {
        method: "POST",
        path: "/v1/webhooks",
        id: "createWebhook",
        tag: "Webhooks",
        about: "Have somebody told; the answer has the signing key, once",
        does: Does::Operation("webhook.create"),
        takes: &[
            Take::must("url", Kind::Text(2_000), To::Input("url"), "Where: an `https://` address"),
            Take::may("events", Kind::List, To::Input("events"), "Of what; of everything, where nobody says"),
            Take::may("label", Kind::Text(200), To::Input("label"), "What it is for"),
        ],
        carries: Carries::Nothing,
        status: 201,
        gives: Gives::One("MadeWebhook", same),
    },
    Route {
        method: "GET",
        id: "getWebhook",
        about: "One of them",
        status: 200,
        ..one("webhook.show", "/v1/webhooks/{id}")
    },
    Route {
        method: "DELETE",
        id: "forgetWebhook",
        about: "Tell it nothing any more, also not what it was not told yet",
        takes: SEEN,
        gives: Gives::One("Forgotten", same),
        ..one("webhook.forget", "/v1/webhooks/{id}")
    },
    Route {
        id: "rotateWebhook",
        about: "A new signing key, once; the former one signs beside it for a day, or as long as is said",
        takes: &[
            Take::id("id", "whk_", "The webhook"),
            Take::may("overlap", Kind::Text(20), To::Input("overlap"), "How long both sign: `0s` to `7d`"),
        ],
        gives: Gives::One("MadeWebhook", same),
        ..one("webhook.rotate", "/v1/webhooks/{id}:rotate")
    },
    Route {
        id: "enableWebhook",
        about: "Tell it again, from where it was switched off",
        takes: SEEN,
        ..one("webhook.enable", "/v1/webhooks/{id}:enable")
    },
    Route {
        id: "testWebhook",
        about: "Tell it something that it can forget, at once",
        gives: Gives::One("Delivery", same),
        ..one("webhook.test", "/v1/webhooks/{id}:test")
    },
    Route {
        method: "GET",
        path: "/v1/webhooks/{id}/deliveries",
        id: "listDeliveries",
        tag: "Webhooks",
        about: "What it was told and is to be told, and how that went",
        does: Does::Operation("webhook.deliveries"),
        takes: &[
            Take::id("id", "whk_", "The webhook"),
            Take::query(
                "state",
                Kind::Word(&["waiting", "delivered", "dead"]),
                To::Filter("state"),
                "Only those that are so",
            ),
            Take::query("event", Kind::Text(100), To::Filter("event"), "Only this event"),
            LIMIT,
            CURSOR,
        ],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::List(List {
            item: "Delivery",
            member: "deliveries",
            key: "id",
            beside: &[],
            pages: Pages::Door,
            shape: same,
        }),
    },
    Route {
        method: "POST",
        path: "/v1/webhooks/{id}/deliveries/{delivery}:redeliver",
        id: "redeliver",
        tag: "Webhooks",
        about: "Tell it this once more, with the same id",
        does: Does::Operation("webhook.redeliver"),
        takes: &[Take::id("id", "whk_", "The webhook"), Take::id("delivery", "msg_", "The delivery")],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Delivery", same),
    },
];

/// What something about one webhook is usually.
const fn one(operation: &'static str, path: &'static str) -> Route {
    Route {
        method: "POST",
        path,
        id: "",
        tag: "Webhooks",
        about: "",
        does: Does::Operation(operation),
        takes: ID,
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Webhook", same),
    }
}

const SEEN: &[Take] = &[IF_MATCH, Take::id("id", "whk_", "The webhook")];
const ID: &[Take] = &[Take::id("id", "whk_", "The webhook")];
