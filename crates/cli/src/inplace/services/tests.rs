//! The catalogue says enough for a file of another program, or says why it does not.

use super::*;

#[test]
fn every_service_of_the_catalogue_has_a_builder_or_a_reason_why_not() {
    let catalogue = Catalogue::load();
    let more = catalogue.more();
    let (mut can, mut reasons) = (0, Vec::new());
    for name in &more.names {
        match (more.find)(name) {
            Ok(service) => {
                can += 1;
                assert!(service.destination.starts_with("https://"), "{service:?}");
                assert!(service.secrets().all(|secret| !secret.flag.contains('_')), "{service:?}");
                assert_eq!(
                    service.destination.contains("{domain}"),
                    service.domain == Domain::Yours,
                    "{service:?}"
                );
            }
            Err(reason) => reasons.push(reason),
        }
    }
    assert!(can > 50, "{can} of {}: {reasons:?}", more.names.len());
    assert!(reasons.iter().all(|reason| reason.contains("can't say")), "{reasons:?}");
}

#[test]
fn capabilities_are_those_of_the_catalogue() {
    let catalogue = Catalogue::load();
    let known = catalogue.capabilities();
    let slack = (known.of)("slack").unwrap();
    assert!(slack.contains(&("post_as".to_owned(), vec!["username".to_owned()])), "{slack:?}");
    assert_eq!((known.of)("of-my-own"), None);
}
