//! Sessions: how one can sign in, and the session that there is.

use crate::v1::route::{Carries, Does, Gives, Kind, Route, Take, To, same};

/// The routes.
pub(crate) const ROUTES: &[Route] = &[
    Route {
        method: "GET",
        path: "/v1/session/ways",
        id: "listWaysToSignIn",
        tag: "Session",
        about: "How one can sign in",
        does: Does::Ways,
        takes: &[],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Ways", same),
    },
    Route {
        method: "POST",
        path: "/v1/session",
        id: "signIn",
        tag: "Session",
        about: "Begin a session, with the code of a link or a key of the API",
        does: Does::SignIn,
        takes: &[
            Take::may("code", Kind::Secret, To::Along, "The code of a link that `doorward console` made"),
            Take::may("key", Kind::Secret, To::Along, "A key of the API"),
        ],
        carries: Carries::Nothing,
        status: 201,
        gives: Gives::One("Session", same),
    },
    Route {
        method: "GET",
        path: "/v1/session",
        id: "getSession",
        tag: "Session",
        about: "Who you are",
        does: Does::Operation("session.show"),
        takes: &[],
        carries: Carries::Nothing,
        status: 200,
        gives: Gives::One("Session", same),
    },
    Route {
        method: "DELETE",
        path: "/v1/session",
        id: "signOut",
        tag: "Session",
        about: "End your session",
        does: Does::SignOut,
        takes: &[],
        carries: Carries::Nothing,
        status: 204,
        gives: Gives::Nothing,
    },
];
