//! How a trace is taken over and written down.

use http::header::{HeaderMap, HeaderValue};

use super::parent::written;
use super::*;

fn said(values: &[&str]) -> Option<Remote> {
    let mut headers = HeaderMap::new();
    for value in values {
        headers.append(&TRACEPARENT, HeaderValue::from_str(value).unwrap());
    }
    parent(&headers)
}

#[test]
fn a_parent_is_read_in_the_one_way_in_which_it_may_be_written() {
    let good = said(&["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]).unwrap();
    assert_eq!((good.trace[0], good.span[7], good.sampled), (0x4b, 0xb7, true));
    assert!(!said(&["00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02"]).unwrap().sampled);
    // A later version may say more.
    assert!(said(&["cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what"]).is_some());
    for wrong in [
        "",
        "00",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
        "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
        "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
        "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
        "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-1",
        "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
    ] {
        assert_eq!(said(&[wrong]), None, "{wrong}");
    }
    let twice = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    assert_eq!(said(&[twice, twice]), None);
}

#[test]
fn what_is_written_is_read_as_the_same() {
    let span = Span {
        trace: [7; 16],
        id: [0xA9; 8],
        parent: None,
        side: Side::Sent,
        took: Duration::ZERO,
        evidence: EvidenceId::new(model::Timestamp::from_millis(1), [0; 10]),
        caller: None,
        operation: None,
        request: None,
        status: None,
        code: None,
    };
    for sampled in [true, false] {
        let read = said(&[&written(&span, sampled)]).unwrap();
        assert_eq!(read, Remote { trace: span.trace, span: span.id, sampled });
    }
}
