//! What comes back: the credential never does.

use model::Code;
use testkit::{Upstream, canary};

use crate::asking::Ask;
use crate::house::{House, is, unseen};
use crate::service::{Service, Step, chunked, reply};

#[tokio::test]
async fn a_reply_that_echoes_the_credential_comes_back_masked_in_every_packing() {
    let upstream = Upstream::start();
    let house = House::at(&upstream.url(), upstream.canary()).await;
    let pass = house.pass().await;
    for path in ["/echo", "/gzip", "/br", "/zstd", "/deflate", "/header-echo", "/set-cookie", "/sse"] {
        let got = house.got(Ask::get(path).with(&pass)).await.unwrap();
        assert_eq!(got.status, 200, "{path}");
        canary::assert_absent(&got.body, path);
        canary::assert_absent(format!("{:?}", got.headers), path);
        assert!(got.headers.get("content-encoding").is_none() && got.headers.get("set-cookie").is_none());
        let shown = format!("{} {:?}", got.text(), got.headers);
        assert_eq!(shown.contains("[masked"), path != "/set-cookie", "{path}: {shown}");
        house.settled(got.id).await;
    }
    assert!(upstream.requests().iter().all(|request| request.accepted));
    assert!(house.broker.metrics_text().contains("doorward_masked_total"));
    house.spotless();
}

#[tokio::test]
async fn what_an_upstream_says_behind_the_status_does_not_come_back() {
    let secret = canary::plant("phrase");
    let said = secret.clone();
    let service = Service::start(move |seen| {
        let status = if seen.target == "/ok" { 200 } else { 404 };
        vec![Step::Send(format!("HTTP/1.1 {status} {said}\r\ncontent-length: 2\r\n\r\nhi").into_bytes())]
    });
    let house = House::at(&service.url(), &secret).await;
    let pass = house.pass().await;
    for path in ["/ok", "/not"] {
        let got = house.got(Ask::get(path).with(&pass)).await.unwrap();
        assert_eq!((got.phrase, got.body.as_ref()), (None, b"hi".as_slice()), "{path}");
    }
    house.spotless();
}

#[tokio::test]
async fn nobody_asks_for_parts_of_a_reply_in_which_the_credential_may_be_repeated() {
    let secret = canary::plant("parts");
    let service = Service::start(|_| vec![Step::Send(reply(200, &[], "the whole"))]);
    let house = House::at(&service.url(), &secret).await;
    let ask = Ask::get("/a").with(&house.pass().await);
    let ask = ask.header("range", "bytes=3-5").header("if-range", "\"v1\"");
    assert_eq!(house.got(ask).await.unwrap().text(), "the whole");
    let seen = service.seen();
    let sent: Vec<&str> =
        seen.iter().flat_map(|one| one.headers.iter().map(|(name, _)| name.as_str())).collect();
    assert!(
        !sent.iter().any(|name| name.eq_ignore_ascii_case("range") || name.eq_ignore_ascii_case("if-range"))
    );
    assert!(sent.iter().any(|name| name.eq_ignore_ascii_case("authorization")), "{sent:?}");
}

#[tokio::test]
async fn a_redirect_is_passed_on_without_the_credential_and_not_followed() {
    let upstream = Upstream::start();
    let house = House::at(&upstream.url(), upstream.canary()).await;
    let got = house.got(Ask::get("/redirect").with(&house.pass().await)).await.unwrap();
    assert_eq!(got.status, 302);
    let location = got.headers["location"].to_str().unwrap();
    assert!(location.starts_with("https://elsewhere.invalid/?key=[masked"), "{location}");
    assert_eq!(upstream.requests().len(), 1);
    house.spotless();
}

#[tokio::test]
async fn what_leads_elsewhere_or_is_a_page_for_people_is_no_operation_that_was_done() {
    let service = Service::start(|seen| {
        vec![Step::Send(match seen.target.as_str() {
            "/moved" => reply(302, &[("location", "/login")], r#"{"said": "yes"}"#),
            "/page" => reply(200, &[("content-type", "Text/HTML; charset=utf-8")], "<html>sign in</html>"),
            _ => reply(200, &[("content-type", "application/json")], r#"{"said": "yes"}"#),
        })]
    });
    let house = House::at(&service.url(), &canary::plant("pages")).await;
    for operation in ["look", "change"] {
        for (path, wanted) in [("moved", "`house` answered 302 (Found)"), ("page", "a page for people")] {
            let asked = house.answer(Ask::named("house", operation, &[("path", path)])).await;
            let (_, value) = asked.unwrap();
            assert!(value["failed"].as_str().unwrap().contains(wanted), "{operation} {path}: {value}");
        }
        let (_, value) = house.answer(Ask::named("house", operation, &[("path", "fine")])).await.unwrap();
        assert!(value["failed"].is_null() && value["evidence_fields"]["said"] == "yes", "{value}");
    }
    // Whoever sends requests of their own reads the replies themselves.
    let got = house.got(Ask::get("/page").with(&house.pass().await)).await.unwrap();
    assert_eq!((got.status, got.text()), (200, "<html>sign in</html>"));
}

fn percent_encoding_of(text: &str) -> String {
    let plain = |one: char| one.is_ascii_alphanumeric() || one == '-';
    text.chars()
        .map(|one| if plain(one) { one.to_string() } else { format!("%{:02X}", u32::from(one)) })
        .collect()
}

/// The forms that the masking promises to find; see `secrets::Mask`.
const FORMS: [&str; 12] = [
    "raw",
    "hex",
    "upper-case hex",
    "percent",
    "percent of everything",
    "JSON with escaped slashes",
    "base 64",
    "base 64 for URLs",
    "base 64 behind one byte",
    "base 64 for URLs behind one byte",
    "base 64 behind two bytes",
    "base 64 for URLs behind two bytes",
];

#[tokio::test]
async fn every_form_of_the_credential_is_masked_whole_in_pieces_in_headers_and_in_trailers() {
    let secret = canary::plant("forms");
    let mut forms: Vec<_> =
        canary::encodings(&secret).into_iter().filter(|(name, _)| FORMS.contains(name)).collect();
    assert!(forms.len() > 8, "only {} forms", forms.len());
    // Writers choose for each character: by number, by name, with a letter before the number or not.
    let mixed = |ways: &[&dyn Fn(char) -> String]| {
        let each = |(at, one): (usize, char)| ways[at % ways.len()](one);
        secret.chars().enumerate().map(each).collect::<String>().into_bytes()
    };
    let plain = |one: char| one.to_string();
    let number = |one: char| format!("&#{};", u32::from(one));
    let hex = |one: char| format!("&#X{:04x};", u32::from(one));
    let unit = |one: char| format!("\\u{:04X}", u32::from(one));
    let slash = |one: char| if one == '/' { "\\/".to_owned() } else { one.to_string() };
    forms.push(("mixed HTML", mixed(&[&plain, &number, &plain, &hex])));
    forms.push(("mixed JSON", mixed(&[&unit, &slash, &slash])));
    forms.push(("escaped once more", percent_encoding_of(&secret).replace('%', "%25").into_bytes()));
    let served = forms.clone();
    let service = Service::start(move |seen| {
        let (how, which) = seen.target.trim_start_matches('/').split_once('/').unwrap();
        let form = &served[which.parse::<usize>().unwrap()].1;
        let text = String::from_utf8(form.clone()).unwrap();
        let (front, back) = form.split_at(form.len() / 2);
        let step = match how {
            "whole" => reply(200, &[], [b"before ", form.as_slice(), b" behind"].concat()),
            "pieces" => chunked(&[], &[b"before ", front, back, b" behind"], &[]),
            "single" => chunked(&[], &form.chunks(1).collect::<Vec<_>>(), &[]),
            "header" => reply(200, &[("x-echo", &text)], ""),
            _ => chunked(
                &[("trailer", "x-echo")],
                &[b"text"],
                &[("x-echo", &text), ("set-cookie", "a=b"), ("x-doorward-refusal", "x")],
            ),
        };
        vec![Step::Send(step)]
    });
    let house = House::at(&service.url(), &secret).await;
    let pass = house.pass().await;
    for (at, (name, form)) in forms.iter().enumerate() {
        for how in ["whole", "pieces", "single", "header", "trailers"] {
            let got = house.got(Ask::get(&format!("/{how}/{at}")).with(&pass)).await.unwrap();
            let trailers = got.trailers.clone().unwrap_or_default();
            let shown = format!("{} {:?} {trailers:?}", got.text(), got.headers);
            assert!(shown.contains("[masked"), "{name} {how}: {shown}");
            canary::assert_free_of(&shown, &secret, how);
            assert!(!shown.contains(std::str::from_utf8(form).unwrap()), "{name} {how}");
            assert!(!trailers.contains_key("set-cookie") && !trailers.contains_key("x-doorward-refusal"));
            if how == "whole" || how == "pieces" {
                assert_eq!(got.body.len(), "before  behind".len() + form.len(), "{name} {how}");
            }
        }
    }
    house.spotless();
}

#[tokio::test]
async fn a_credential_that_json_hides_from_the_search_does_not_get_into_the_evidence() {
    let secret = canary::plant("hidden");
    // One letter is escaped and the others are not: no form that the body is searched for.
    let hidden = format!("{{\"said\": \"\\u{:04x}{}\"}}", u32::from(secret.as_bytes()[0]), &secret[1..]);
    let service = Service::start(move |_| {
        vec![Step::Send(reply(200, &[("content-type", "application/json")], &hidden))]
    });
    let house = House::at(&service.url(), &secret).await;
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    let outcome = house.settled(got.id).await.outcome.unwrap();
    let said = &outcome.fields.iter().find(|(name, _)| name == "said").unwrap().1;
    assert!(said.starts_with("[masked"), "{said}");
    house.spotless();
}

#[tokio::test]
async fn an_encoding_that_cannot_be_searched_is_refused() {
    let service = Service::start(|seen| {
        let codings: Vec<_> =
            seen.target[1..].split('+').map(|coding| ("content-encoding", coding)).collect();
        vec![Step::Send(reply(200, &codings, "packed"))]
    });
    let house = House::at(&service.url(), &canary::plant("coding")).await;
    let pass = house.pass().await;
    for path in ["/compress", "/gzip,br", "/gzip+br", "/dcb"] {
        is(&house.refused(Ask::get(path).with(&pass)).await, Code::UpstreamReply);
        let write = house.refused(Ask::post(path, "x").with(&pass)).await;
        is(&write, Code::OutcomeUnknown);
        let entry = house.settled(write.evidence.unwrap()).await;
        assert_eq!(entry.outcome.unwrap().ending, evidence::Ending::Unknown);
    }
    let identity = house.got(Ask::get("/identity").with(&pass)).await.unwrap();
    assert_eq!(identity.text(), "packed");
}

#[tokio::test]
async fn packed_bytes_that_are_damaged_break_off_and_are_not_passed_on() {
    let service =
        Service::start(|_| vec![Step::Send(reply(200, &[("content-encoding", "gzip")], "not gzip"))]);
    let house = House::at(&service.url(), &canary::plant("damaged")).await;
    let answer = house.ask(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    let broker::Outbound::Reply(id, reply) = answer else { panic!() };
    assert!(crate::house::collected(id, *reply).await.is_err());
    let entry = house.entry_when(id, |entry| entry.close.is_some()).await;
    assert_eq!(entry.close.unwrap().code, Some(Code::UpstreamReply));
}

#[tokio::test]
async fn evidence_is_read_from_the_head_of_a_reply_that_is_not_json() {
    let service = Service::start(|seen| {
        let head = [("x-request-id", "req-1"), ("content-type", "text/plain")];
        vec![Step::Send(if seen.target == "/stream" {
            chunked(&head, &[b"text"], &[])
        } else {
            reply(204, &head, "")
        })]
    });
    let house = House::at(&service.url(), &canary::plant("head")).await;
    let pass = house.pass().await;
    for path in ["/nothing", "/stream"] {
        let got = house.got(Ask::get(path).with(&pass)).await.unwrap();
        let outcome = house.settled(got.id).await.outcome.unwrap();
        assert_eq!(outcome.fields, [("request".to_owned(), "req-1".to_owned())], "{path}");
    }
}

#[tokio::test]
async fn what_escapes_hid_in_a_document_is_masked_where_it_is_written_anew() {
    let service = Service::start(|seen| {
        let bearer = seen.all("authorization")[0].trim_start_matches("Bearer ").to_owned();
        let hidden: String = bearer.chars().map(|letter| format!("\\u{:04x}", u32::from(letter))).collect();
        let (first, rest) = (&hidden[..6], &bearer[1..]);
        let body =
            format!(r#"{{"said": "{first}{rest}", "{first}{rest}": [{{"deep": "x{first}{rest}y"}}]}}"#);
        vec![Step::Send(reply(200, &[("content-type", "application/json")], &body))]
    });
    let secret = canary::plant("hidden");
    let house = House::at(&service.url(), &secret).await;
    let (_, value) = house.answer(Ask::named("house", "look", &[("path", "any")])).await.unwrap();
    unseen(&value.to_string(), "the answer");
    assert!(value["output"].to_string().matches("[masked").count() == 3, "{value}");
    house.spotless();
}
