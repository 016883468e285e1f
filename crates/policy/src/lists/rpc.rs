//! Calls that are named in the body: JSON-RPC methods and actions of AWS's query protocol.

use super::body::{Content, Pairs};
use super::fit::Fit;
use super::json::Json;
use super::pairs;
use super::test::Test;

/// Every method of a request or a batch has to be one of these. Some services take it from the query as well, so one that stands
/// there is in doubt, and is the method where it is one of these.
pub(super) fn methods(want: &[Test], content: &Content, query: &Pairs) -> Fit {
    let fit = in_body(want, content);
    let mut beside = query.iter().filter(|(name, _)| pairs::alike(name, "method")).peekable();
    if beside.peek().is_none() {
        return fit;
    }
    let why = "jsonrpc method is in the query too";
    let might = beside.any(|(_, value)| want.iter().any(|test| test.matches(value)));
    if might { Fit::Doubt(why.to_owned()) } else { fit.doubted(why) }
}

fn in_body(want: &[Test], content: &Content) -> Fit {
    let calls = match content {
        Content::Empty => return Fit::Fails("jsonrpc request is missing".to_owned()),
        Content::Unclear(why) => return Fit::Doubt((*why).to_owned()),
        Content::Form(_) => return Fit::Doubt("unsupported content type".to_owned()),
        Content::Json(Json::List(calls)) if calls.is_empty() => {
            return Fit::Fails("jsonrpc request is missing".to_owned());
        }
        Content::Json(Json::List(calls)) => calls.as_slice(),
        Content::Json(one) => std::slice::from_ref(one),
    };
    let mut found = Vec::new();
    for call in calls {
        match (call.only("jsonrpc").and_then(Json::as_text), call.only("method").and_then(Json::as_text)) {
            (Some("2.0"), Some(method)) => found.push(method),
            _ => return Fit::Doubt("jsonrpc request is ambiguous".to_owned()),
        }
    }
    sorted(&found, want, "jsonrpc method mismatch")
}

/// The action of AWS's query protocol, in the form or in the query, once.
pub(super) fn actions(want: &[Test], content: &Content, query: &Pairs) -> Fit {
    let empty = Vec::new();
    let form = match content {
        Content::Empty => &empty,
        Content::Form(form) => form,
        Content::Unclear(why) => return Fit::Doubt((*why).to_owned()),
        Content::Json(_) => return Fit::Doubt("unsupported content type".to_owned()),
    };
    let near: Vec<_> = form.iter().chain(query).filter(|(name, _)| pairs::alike(name, "Action")).collect();
    let found: Vec<&str> = near.iter().map(|(_, value)| value.as_str()).collect();
    if found.is_empty() {
        return Fit::Fails("missing form field Action".to_owned());
    }
    let fit = sorted(&found, want, "aws action mismatch");
    let once = found.len() == 1 && near.iter().all(|(name, _)| name == "Action");
    if once { fit } else { fit.doubted("form field Action is ambiguous") }
}

/// All are wanted, some are, or none.
fn sorted(found: &[&str], want: &[Test], why: &str) -> Fit {
    let wanted = |name: &&str| want.iter().any(|test| test.matches(name));
    if found.iter().all(wanted) {
        Fit::Fits
    } else if found.iter().any(wanted) {
        Fit::Doubt(why.to_owned())
    } else {
        Fit::Fails(why.to_owned())
    }
}
