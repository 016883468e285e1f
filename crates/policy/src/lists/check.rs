//! One request against the lists.

use std::sync::Arc;

use model::{Call, Method, OperationName};

use super::body::Body;
use super::fit::Fit;
use super::index::{At, Entry, Rules};
use super::pairs::{self, Want, Words};
use super::rule::{Constraints, Rule};
use super::verdict::{Listed, Reason, Says, Verdict};
use super::{Lists, Request, path};

impl Lists {
    /// Whether the body has to be known before anything can be said: a rule that could allow or deny the request looks into
    /// it, and all else that the rule wants holds.
    #[must_use]
    pub fn wants_body(&self, request: &Request<'_>) -> bool {
        if self.is_empty() {
            return false;
        }
        let steps = &mut 0;
        let open = |fit: &Fit| !matches!(fit, Fit::Fails(_));
        if let Some(laid) = self.deny.get(request.integration)
            && denying(&laid.entry, request, steps)
                .iter()
                .any(|(_, rule)| rule.wants.wants_body() && open(&head(&rule.wants, request, View::Received)))
        {
            return true;
        }
        let Some((_, rules)) = self.allowing(request) else { return false };
        if rules.everything.is_some() {
            return false;
        }
        let found = rules.matching(request.method, &path::exact(request.path), steps);
        let fits = |rule: &&&Rule| head(&rule.wants, request, View::Sent) == Fit::Fits;
        let (looking, plain): (Vec<&Rule>, Vec<&Rule>) =
            found.into_iter().partition(|rule| rule.wants.wants_body());
        !plain.iter().any(|rule| fits(&rule)) && looking.iter().any(|rule| fits(&rule))
    }

    /// What the lists say about a call. `body` is the whole body as it will be sent; `None` where nobody read it, so that a
    /// rule that looks into it is in doubt.
    pub fn check(&self, request: &Request<'_>, call: &Call, body: Option<&[u8]>) -> Verdict {
        self.check_counting(request, call, body, &mut 0)
    }

    pub(super) fn check_counting(
        &self,
        request: &Request<'_>,
        call: &Call,
        body: Option<&[u8]>,
        steps: &mut u64,
    ) -> Verdict {
        if self.is_empty() {
            return Verdict::silent();
        }
        *steps += 1;
        let mut observed = None;
        if let Some(laid) = self.deny.get(request.integration)
            && let Some((rules, rule)) = denied(&laid.entry, request, body, steps)
        {
            let place = laid.at.place(rule.line);
            if laid.entry.observe {
                observed = Some(place);
            } else {
                let reason = Reason::Denied {
                    caller: Arc::clone(&rules.id),
                    method: request.method.as_str(),
                    path: Arc::clone(&rule.path),
                };
                return Verdict { says: Says::Denied(place, reason), observed, resembles: None };
            }
        }
        // Without an entry nobody is allowed anything; other roles may say more.
        let says = match self.allowing(request).map(|found| allowed(found, request, call, body, steps)) {
            Some(Ok(rule)) => Says::Allowed(Listed { call: call.id(), rule }),
            Some(Err(reason)) => Says::Silent(Some(reason)),
            None => Says::Silent(Some(Reason::NoMatch)),
        };
        Verdict { says, observed, resembles: None }
    }

    /// The first of these operations that a ready-made capability is about which the caller has.
    #[must_use]
    pub fn made_for<'a>(
        &self,
        request: &Request<'_>,
        operations: &'a [OperationName],
    ) -> Option<&'a OperationName> {
        let (_, rules) = self.allowing(request)?;
        operations.iter().find(|operation| !rules.ready(operation).is_empty())
    }

    fn allowing(&self, request: &Request<'_>) -> Option<(&At, &Rules)> {
        let laid = self.allow.get(request.integration)?;
        Some((&laid.at, laid.entry.own_or_anybody(request.caller)?))
    }
}

/// The rules of a denylist whose method and path fit in some reading of the path. What denies a GET denies a HEAD.
fn denying<'a>(entry: &'a Entry, request: &Request<'_>, steps: &mut u64) -> Vec<(&'a Rules, &'a Rule)> {
    let readings = path::readings(request.path);
    let mut found = Vec::new();
    for rules in entry.own_and_anybody(request.caller) {
        for reading in &readings {
            let matching = rules.matching(request.method, reading, steps);
            found.extend(matching.into_iter().map(|rule| (rules, rule)));
        }
    }
    found
}

/// The first rule that no part keeps from matching.
fn denied<'a>(
    entry: &'a Entry,
    request: &Request<'_>,
    body: Option<&[u8]>,
    steps: &mut u64,
) -> Option<(&'a Rules, &'a Rule)> {
    let mut read = Body::new(request, body);
    denying(entry, request, steps).into_iter().find(|(_, rule)| {
        let fit = head(&rule.wants, request, View::Received).and(|| read.fit(&rule.wants));
        !matches!(fit, Fit::Fails(_))
    })
}

/// The place of the first rule of which every part fits, or why there is none.
fn allowed(
    (at, rules): (&At, &Rules),
    request: &Request<'_>,
    call: &Call,
    body: Option<&[u8]>,
    steps: &mut u64,
) -> Result<Arc<str>, Reason> {
    if let Some(line) = rules.everything {
        return Ok(at.place(line));
    }
    let mut first = None;
    let mut read = Body::new(request, body);
    for rule in rules.matching(request.method, &path::exact(request.path), steps) {
        match head(&rule.wants, request, View::Sent).and(|| read.fit(&rule.wants)) {
            Fit::Fits => return Ok(at.place(rule.line)),
            Fit::Fails(why) | Fit::Doubt(why) => first = first.or(Some(Reason::Constraint(why))),
        }
    }
    for (condition, line) in rules.ready(call.operation()) {
        *steps += 1;
        match condition.broken(call) {
            None => return Ok(at.place(*line)),
            Some(why) => first = first.or(Some(Reason::Constraint(why))),
        }
    }
    Err(first.unwrap_or(Reason::NoMatch))
}

/// Which of the headers count: those that will be sent for what allows, those that came for what denies.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum View {
    Sent,
    Received,
}

impl View {
    fn lines(self, request: &Request<'_>, name: &str) -> Vec<Vec<u8>> {
        match self {
            Self::Sent => request.headers.sent(name),
            Self::Received => request.headers.received(name),
        }
    }
}

/// How headers and query stand to what a rule wants of them.
fn head(wants: &Constraints, request: &Request<'_>, view: View) -> Fit {
    let headers = wants.headers.iter().map(|pair| match pair.want {
        // For some services it is there then.
        Want::Absent if request.headers.resembled(&pair.name) => pair.unsure_header(),
        _ => pair.fit_lines(&view.lines(request, &pair.name)),
    });
    Fit::all(headers).and(|| {
        if wants.query.is_empty() {
            return Fit::Fits;
        }
        match pairs::split(request.query.unwrap_or_default()) {
            Some(found) => Fit::all(wants.query.iter().map(|pair| pair.fit(&found, Words::Query))),
            None => Fit::Doubt("the query can be read in two ways".to_owned()),
        }
    })
}

/// The methods that a rule of a denylist is for: whoever may not GET may not HEAD.
pub(super) fn denied_methods(method: Method) -> &'static [Method] {
    match method {
        Method::Get => &[Method::Get, Method::Head],
        Method::Head => &[Method::Head],
        Method::Post => &[Method::Post],
        Method::Put => &[Method::Put],
        Method::Patch => &[Method::Patch],
        Method::Delete => &[Method::Delete],
        Method::Options => &[Method::Options],
    }
}
