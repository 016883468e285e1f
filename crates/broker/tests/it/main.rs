//! The path from end to end: a broker over a home of its own, asked through `Worker::call` as doors ask it.
//!
//! `house.rs` is what all topics share: the home, the caller, the reader of the evidence. `service.rs` is a service that does
//! exactly what a test tells it to; the awkward replies come from `testkit::Upstream`.

#[cfg(test)]
mod access_tokens;
#[cfg(test)]
mod agent;
#[cfg(test)]
mod agent_uses;
#[cfg(test)]
mod answering;
#[cfg(test)]
mod approvals;
#[cfg(test)]
mod approvers;
#[cfg(test)]
mod asking;
#[cfg(test)]
mod capabilities;
#[cfg(test)]
mod cases;
#[cfg(test)]
mod connections;
#[cfg(test)]
mod coverage;
#[cfg(test)]
mod credentials;
#[cfg(test)]
mod evidence_trouble;
#[cfg(test)]
mod house;
#[cfg(test)]
mod incoming;
#[cfg(test)]
mod incoming_tokens;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod lists;
#[cfg(test)]
mod lists_unread;
#[cfg(test)]
mod management;
#[cfg(test)]
mod outgoing;
#[cfg(test)]
mod outgoing_signed;
#[cfg(test)]
mod outgoing_tokens;
#[cfg(test)]
mod plans;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod scrubbing;
#[cfg(test)]
mod sealing;
#[cfg(test)]
mod service;
#[cfg(test)]
mod storage;
#[cfg(test)]
mod upstreams;
