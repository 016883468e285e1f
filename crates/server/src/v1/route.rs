//! What a route is: data, from which both the router and the OpenAPI document are made.

use serde_json::Value;

/// One method on one path.
pub(crate) struct Route {
    /// The method, in capitals.
    pub(crate) method: &'static str,
    /// The path with places in braces; a word behind a colon in the last segment is a verb: `/v1/capabilities/{id}:revoke`.
    pub(crate) path: &'static str,
    /// Its name in the document.
    pub(crate) id: &'static str,
    /// What it belongs to in the document.
    pub(crate) tag: &'static str,
    /// One line about it.
    pub(crate) about: &'static str,
    /// What is done.
    pub(crate) does: Does,
    /// What it takes, by name. Everything else is refused.
    pub(crate) takes: &'static [Take],
    /// What goes along with the operation and is no input of it.
    pub(crate) carries: Carries,
    /// The status of success.
    pub(crate) status: u16,
    /// What it gives.
    pub(crate) gives: Gives,
}

/// What a route does.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Does {
    /// Performs this operation of Doorward itself.
    Operation(&'static str),
    /// Gives the document of the API, to anybody.
    Document,
    /// Says what there is, to anybody.
    Index,
    /// Says how one can sign in, to anybody.
    Ways,
    /// Opens a session.
    SignIn,
    /// Ends a session.
    SignOut,
    /// Sends a browser to an identity provider.
    SignInElsewhere,
    /// Takes a browser back from there.
    ComeBack,
}

impl Does {
    /// Whether somebody who proves nothing may ask.
    pub(crate) const fn is_public(self) -> bool {
        matches!(
            self,
            Self::Document | Self::Index | Self::Ways | Self::SignIn | Self::SignInElsewhere | Self::ComeBack
        )
    }

    /// The operations that it performs.
    pub(crate) const fn operation(self) -> Option<&'static str> {
        match self {
            Self::Operation(name) => Some(name),
            Self::SignIn | Self::ComeBack => Some("session.open"),
            Self::SignOut => Some("session.close"),
            Self::Document | Self::Index | Self::Ways | Self::SignInElsewhere => None,
        }
    }
}

/// One thing that a route takes.
pub(crate) struct Take {
    /// Its name in the request.
    pub(crate) name: &'static str,
    /// Where it stands.
    pub(crate) place: Place,
    /// What it looks like.
    pub(crate) kind: Kind,
    /// Whether it has to be there.
    pub(crate) need: Need,
    /// What becomes of it.
    pub(crate) to: To,
    /// One line about it.
    pub(crate) about: &'static str,
}

/// Where something stands in a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// In the path.
    Path,
    /// In the query.
    Query,
    /// In the JSON body.
    Body,
    /// In the head.
    Head,
}

/// What something looks like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A text of at most so many characters.
    Text(usize),
    /// An id of Doorward's that begins so.
    Id(&'static str),
    /// One of these words.
    Word(&'static [&'static str]),
    /// A list of texts without commas; in a query, separated by commas.
    List,
    /// Yes or no.
    Flag,
    /// A whole number.
    Number,
    /// An object; what may stand in it is for the operation to say.
    Object,
    /// A text or an object that nobody gets to see again.
    Secret,
    /// A text of many lines, such as a policy.
    Lines,
}

/// Whether something has to be there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It has.
    Must,
    /// It may be left out.
    May,
}

/// What becomes of something.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum To {
    /// The input of the operation with this name.
    Input(&'static str),
    /// It goes along with the operation; see [`Carries`].
    Along,
    /// Only items with this in the member of this name are shown.
    Filter(&'static str),
    /// Only items in which this text stands anywhere are shown.
    Search,
    /// It has to be the same as what stands in the path under this name.
    Same(&'static str),
    /// How a list is paged.
    Paging,
    /// The route itself says this input.
    Fixed(&'static str, &'static str),
}

/// What goes along with an operation.
#[derive(Clone, Copy)]
pub(crate) enum Carries {
    /// Nothing.
    Nothing,
    /// The text of this member of the body.
    Text(&'static str),
    /// A JSON object of these members, each under the name that the operation knows.
    Json(&'static [(&'static str, &'static str)]),
}

/// What a route gives.
#[derive(Clone, Copy)]
pub(crate) enum Gives {
    /// Nothing but the status.
    Nothing,
    /// One thing, described by the schema of this name, made of the operation's answer.
    One(&'static str, fn(&mut Value) -> Value),
    /// A list, described by the schema of its items.
    List(List),
    /// Text of this type, in the member of this name of the operation's answer.
    Text(&'static str, &'static str),
}

/// A list of things.
#[derive(Clone, Copy)]
pub(crate) struct List {
    /// The schema of an item.
    pub(crate) item: &'static str,
    /// The member of the operation's answer.
    pub(crate) member: &'static str,
    /// The member by which items are told apart and sorted.
    pub(crate) key: &'static str,
    /// Members of the answer that stand beside the items, with the schemas of each.
    pub(crate) beside: &'static [(&'static str, &'static str)],
    /// Who makes pages of it.
    pub(crate) pages: Pages,
    /// What becomes of the operation's answer first.
    pub(crate) shape: fn(&mut Value) -> Value,
}

/// Who makes pages of a list.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pages {
    /// This door: the operation gives everything.
    Door,
    /// The operation, by its inputs `limit` and `before`; it says where to go on in `next`.
    Operation,
}

/// As it is.
pub(crate) fn same(value: &mut Value) -> Value {
    value.take()
}

// === short ways to write the table ===

impl Take {
    /// Something of the path.
    pub(crate) const fn path(name: &'static str, input: &'static str, about: &'static str) -> Self {
        Self {
            name,
            place: Place::Path,
            kind: Kind::Text(200),
            need: Need::Must,
            to: To::Input(input),
            about,
        }
    }

    /// An id of Doorward's in the path, which begins so.
    pub(crate) const fn id(name: &'static str, prefix: &'static str, about: &'static str) -> Self {
        Self { kind: Kind::Id(prefix), ..Self::path(name, name, about) }
    }

    /// An input that the route itself says.
    pub(crate) const fn fixed(input: &'static str, value: &'static str) -> Self {
        let to = To::Fixed(input, value);
        Self { name: "", place: Place::Query, kind: Kind::Flag, need: Need::May, to, about: "" }
    }

    /// Something of the query.
    pub(crate) const fn query(name: &'static str, kind: Kind, to: To, about: &'static str) -> Self {
        Self { name, place: Place::Query, kind, need: Need::May, to, about }
    }

    /// Something of the body that may be left out.
    pub(crate) const fn may(name: &'static str, kind: Kind, to: To, about: &'static str) -> Self {
        Self { name, place: Place::Body, kind, need: Need::May, to, about }
    }

    /// Something of the body that has to be there.
    pub(crate) const fn must(name: &'static str, kind: Kind, to: To, about: &'static str) -> Self {
        Self { name, place: Place::Body, kind, need: Need::Must, to, about }
    }
}

/// What somebody saw before they changed it.
pub(crate) const IF_MATCH: Take = Take {
    name: "If-Match",
    place: Place::Head,
    kind: Kind::Text(1_000),
    need: Need::May,
    to: To::Input("seen"),
    about: "The `ETag` of what was seen, several of them, or `*` for whatever is there: where it is another one now, nothing is done",
};
/// That there is nothing yet.
pub(crate) const IF_NONE_MATCH: Take = Take {
    name: "If-None-Match",
    place: Place::Head,
    kind: Kind::Word(&["*"]),
    need: Need::May,
    to: To::Input("absent"),
    about: "`*`: where there is one already, nothing is done",
};
/// How many items a page has.
pub(crate) const LIMIT: Take = Take::query(
    "limit",
    Kind::Number,
    To::Paging,
    "How many items a page has, 1 to 1000; 100 where nobody says",
);
/// Where a page goes on.
pub(crate) const CURSOR: Take =
    Take::query("cursor", Kind::Text(1_000), To::Paging, "Where to go on: `next` of the page before");
