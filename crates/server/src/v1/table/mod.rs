//! Every route of the API, by subject.

mod approvals;
mod capabilities;
mod catalogue;
mod credentials;
mod evidence;
mod house;
mod plans;
mod policies;
mod sessions;
mod tenants;
mod webhooks;

use super::route::Route;

/// Every route, in the order of the document.
pub(crate) fn routes() -> impl Iterator<Item = &'static Route> {
    [
        house::ROUTES,
        sessions::ROUTES,
        tenants::ROUTES,
        credentials::ROUTES,
        catalogue::ROUTES,
        capabilities::ROUTES,
        policies::ROUTES,
        approvals::ROUTES,
        plans::ROUTES,
        evidence::ROUTES,
        webhooks::ROUTES,
    ]
    .into_iter()
    .flatten()
}
