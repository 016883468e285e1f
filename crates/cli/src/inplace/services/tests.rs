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
fn every_block_that_is_written_is_one_that_the_gateway_starts_with() {
    let catalogue = Catalogue::load();
    let more = catalogue.more();
    let mut names: Vec<String> = known().into_iter().map(|service| service.name).collect();
    names.extend(more.names.iter().filter(|name| (more.find)(name).is_ok()).cloned());
    for name in names {
        let service = known().into_iter().find(|service| service.name == name);
        let service = service.unwrap_or_else(|| (more.find)(&name).unwrap());
        let mut words = vec![name.clone()];
        for secret in service.secrets() {
            words.extend([format!("-{}", secret.flag), "env:A_SECRET".to_owned()]);
        }
        if service.domain == Domain::Yours {
            words.extend(["-domain".to_owned(), "corp.example.com".to_owned()]);
        }
        let typed = foreign::integrations::read(&words, "integrations", &more).unwrap();
        let mut document = foreign::yaml::Document::read("", "config.yaml").unwrap();
        let _ = typed.command.apply(&mut document, "config.yaml").unwrap();
        let config = authtranslator::Config::read(document.text(), "config.yaml").unwrap();
        let options = authtranslator::Options::default();
        let translated = config.translate(&options, &mut |_, _| unreachable!()).unwrap();
        let written: Vec<Written> = translated.integrations.iter().map(|one| one.written.clone()).collect();
        if let Err(error) = Catalog::layered(None, &written, &[]) {
            panic!("{name}: {error}\n{}", document.text());
        }
    }
}

#[test]
fn capabilities_are_those_of_the_catalogue() {
    let catalogue = Catalogue::load();
    let known = catalogue.capabilities();
    let slack = (known.of)("slack").unwrap();
    assert!(slack.contains(&("post_as".to_owned(), vec!["username".to_owned()])), "{slack:?}");
    assert_eq!((known.of)("of-my-own"), None);
}

#[test]
fn a_grant_is_refused_for_what_a_gateway_would_refuse_it_for() {
    let catalogue = Catalogue::load();
    let known = catalogue.capabilities();
    let said = |integration: &str, capability: &str, params: &[(&str, Node)]| {
        let params =
            Node::Map(params.iter().map(|(name, node)| ((*name).to_owned(), node.clone())).collect());
        let (integration, capability) = (integration.to_owned(), capability.to_owned());
        (known.problem)(&Grant { integration, caller: "bot".to_owned(), capability, params })
    };
    let one = |text: &str| Node::text(text);
    for (integration, capability, params) in [
        ("sendgrid", "send_email", vec![("from", one("a@b.c")), ("replyTo", one("x@y.z"))]),
        ("sendgrid", "send_email", vec![("from", one("a@b.c")), ("replyTo", Node::Nothing)]),
        ("monday", "create_item", vec![]),
        ("zendesk", "open_ticket", vec![]),
        ("gitlab", "comment", vec![("project", Node::Number(7))]),
        ("of-my-own", "anything", vec![]),
    ] {
        assert_eq!(said(integration, capability, &params), None, "{integration} {capability}");
    }
    for (integration, capability, params, why) in [
        ("slack", "post_as", vec![], "the parameter `username` is missing"),
        ("slack", "post_as", vec![("user", one("b"))], "the parameter `username` is missing"),
        ("slack", "post_channels", vec![("channels", one("C1"))], "is a list of texts"),
        ("slack", "post_channels", vec![("channels", Node::List(vec![]))], "is an empty list"),
        ("zendesk", "open_ticket", vec![("x", one("y"))], "takes no parameter `x`"),
        ("github", "comment", vec![("repo", one("**"))], "holds a wildcard"),
    ] {
        let problem = said(integration, capability, &params).unwrap_or_default();
        assert!(problem.contains(why), "{integration} {capability}: {problem}");
    }
}
