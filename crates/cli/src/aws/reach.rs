//! How AWS is reached, and by what.

use aws::profile::Profile;
use aws::wire::Wire;
use broker::mint::Reach;
use zeroize::Zeroizing;

use super::speech::Wrong;
use crate::compat::environment;
use crate::failure::Failure;

/// How AWS is reached: by the environment, as every tool is.
pub(crate) fn reach(profile: Option<&Profile>) -> Reach {
    let either = |upper: &str, lower: &str| environment(upper).or_else(|| environment(lower));
    let bundle = profile.and_then(|profile| profile.endpoints.ca_bundle.clone());
    let bundle = bundle.or_else(|| environment("AWS_CA_BUNDLE")).or_else(|| environment("SSL_CERT_FILE"));
    Reach {
        https: either("HTTPS_PROXY", "https_proxy").map(Zeroizing::new),
        // The upper-case name is a header of CGI programs, so only the other one counts (CVE-2016-5385).
        http: environment("http_proxy").map(Zeroizing::new),
        except: either("NO_PROXY", "no_proxy"),
        // A running broker has another folder than we have.
        bundle: bundle.map(|path| std::path::absolute(&path).unwrap_or_else(|_| path.into())),
    }
}

/// What sends requests to AWS; belongs to the runtime of the call.
pub(super) fn wire(reach: &Reach) -> Result<Wire, Wrong> {
    reach.wire().map_err(|error| Wrong(Failure::of(&error).maybe_hint(error.hint())))
}
