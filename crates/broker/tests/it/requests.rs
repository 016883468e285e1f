//! What reaches the service, and what of the caller's does not.

use base64::Engine as _;
use bytes::Bytes;
use model::Code;
use net::Body;
use testkit::canary;

use crate::asking::Ask;
use crate::house::{House, described, is};
use crate::service::{Service, Step, reply};

fn told() -> Service {
    Service::saying("{\"said\": \"hello\"}")
}

#[tokio::test]
async fn the_callers_own_credentials_cookies_and_claims_do_not_reach_the_service() {
    let (service, secret) = (told(), canary::plant("own"));
    let house = House::at(&service.url(), &secret).await;
    let pass = house.pass().await;
    let mut ask = Ask::get("/a").with(&pass).header("authorization", &format!("Bearer {pass}"));
    for (name, value) in STRIPPED {
        ask = ask.header(name, value);
    }
    house.got(ask.header("x-kept", "yes")).await.unwrap();
    let seen = &service.seen()[0];
    assert_eq!(seen.all("authorization"), [format!("Bearer {secret}")]);
    assert_eq!(seen.all("x-kept"), ["yes"]);
    for (name, _) in STRIPPED {
        assert_eq!(seen.all(name), Vec::<&str>::new(), "{name}");
    }
    assert!(!format!("{:?}", seen.headers).contains("cap1_"));
    house.spotless();
}

const STRIPPED: [(&str, &str); 21] = [
    ("cookie", "session=CANARY"),
    ("x-api-key", "CANARY"),
    ("api-key", "CANARY"),
    ("private-token", "CANARY"),
    ("x-auth-token", "CANARY"),
    ("x_auth_token", "CANARY"),
    ("x-doorward-capability", "cap1_x"),
    ("x-doorward-purpose", "ticket"),
    ("proxy-authorization", "Basic CANARY"),
    ("x-forwarded-for", "10.0.0.1"),
    ("x-forwarded-host", "evil.example"),
    ("forwarded", "for=10.0.0.1"),
    ("x-real-ip", "10.0.0.1"),
    ("via", "1.1 evil"),
    ("x-http-method-override", "DELETE"),
    ("x-original-url", "/admin"),
    ("te", "deflate"),
    ("upgrade", "h2c"),
    ("keep-alive", "timeout=5"),
    ("expect", "100-continue"),
    ("connection", "keep-alive"),
];

#[tokio::test]
async fn a_connection_header_strips_the_callers_headers_and_not_the_credential() {
    let (service, secret) = (told(), canary::plant("connection"));
    let house = House::at(&service.url(), &secret).await;
    let ask = Ask::get("/a").with(&house.pass().await);
    let ask = ask.header("connection", "authorization, x-mine, host").header("x-mine", "1");
    house.got(ask).await.unwrap();
    let seen = &service.seen()[0];
    assert_eq!(seen.all("authorization"), [format!("Bearer {secret}")]);
    assert_eq!(seen.all("host"), [service.url().trim_start_matches("http://")]);
    assert!(seen.all("x-mine").is_empty() && seen.all("connection").is_empty());
}

#[tokio::test]
async fn a_header_of_the_integrations_own_is_ours_whatever_the_caller_wrote() {
    let (service, secret) = (told(), canary::plant("header"));
    let auth = "{scheme: header, name: x-desk, prefix: \"Key \", secret: token}";
    let house = House::start(&[("house", described(&service.url(), "token: {title: T}", auth, ""))]).await;
    house.put("house/token", &secret).await;
    let ask =
        Ask::get("/a").with(&house.pass().await).header("x-desk", "Key mine").header("x-desk", "Key more");
    house.got(ask).await.unwrap();
    assert_eq!(service.seen()[0].all("x-desk"), [format!("Key {secret}")]);
    assert!(service.seen()[0].all("authorization").is_empty());
}

#[tokio::test]
async fn a_credential_in_the_query_is_sent_and_not_recorded_and_the_callers_own_is_refused() {
    let (service, secret) = (told(), canary::plant("query"));
    let auth = "{scheme: query, name: key, secret: token}";
    let house = House::start(&[("house", described(&service.url(), "token: {title: T}", auth, ""))]).await;
    house.put("house/token", &secret).await;
    let pass = house.pass().await;
    house.got(Ask::get("/a%2Fb").with(&pass)).await.unwrap();
    let target = service.seen()[0].target.clone();
    let written = target.strip_prefix("/a%2Fb?key=").unwrap();
    assert_eq!(percent_encoding::percent_decode_str(written).decode_utf8().unwrap(), secret);
    is(&house.refused(Ask::get("/a?KEY=mine").with(&pass)).await, Code::BadRequest);
    assert_eq!(service.seen().len(), 1);
    house.spotless();
}

#[tokio::test]
async fn a_credential_in_the_path_takes_the_place_of_the_one_that_the_caller_wrote() {
    let (service, secret) = (told(), canary::plant("path"));
    let auth = "{scheme: path, prefix: bot, secret: token}";
    let house = House::start(&[("house", described(&service.url(), "token: {title: T}", auth, ""))]).await;
    house.put("house/token", &secret).await;
    let pass = house.pass().await;
    let got = house.got(Ask::get("/botmine/sendMessage").with(&pass)).await.unwrap();
    let target = service.seen()[0].target.clone();
    let written = target.strip_prefix("/bot").and_then(|rest| rest.strip_suffix("/sendMessage")).unwrap();
    assert_eq!(percent_encoding::percent_decode_str(written).decode_utf8().unwrap(), secret);
    let entry = house.settled(got.id).await;
    let evidence::What::Call(intent) = entry.what else { panic!() };
    assert_eq!(&*intent.deed.request.unwrap().path, "/sendMessage");
    house.spotless();
}

#[tokio::test]
async fn user_name_and_password_are_sent_as_basic_and_both_are_masked() {
    let (user, password) = (canary::plant("user").replace(':', "-"), canary::plant("password"));
    let service = Service::start(|seen| {
        let shown = format!("{}|{}", seen.all("authorization")[0], seen.target);
        vec![Step::Send(reply(200, &[], shown))]
    });
    let auth = "{scheme: basic, username_secret: user, password_secret: word}";
    let secrets = "user: {title: U}, word: {title: W}";
    let house = House::start(&[("house", described(&service.url(), secrets, auth, ""))]).await;
    house.put("house/user", &user).await;
    house.put("house/word", &password).await;
    let got = house.got(Ask::get("/a").with(&house.pass().await)).await.unwrap();
    let pair = base64::engine::general_purpose::STANDARD.encode(format!("{user}:{password}"));
    assert_eq!(service.seen()[0].all("authorization"), [format!("Basic {pair}")]);
    canary::assert_absent(&got.body, "the reply");
    assert!(got.text().contains("[masked"), "{}", got.text());
    house.spotless();
}

#[tokio::test]
async fn only_encodings_that_can_be_searched_are_asked_for() {
    let (service, secret) = (told(), canary::plant("encodings"));
    let house = House::at(&service.url(), &secret).await;
    let pass = house.pass().await;
    for (asked, wanted) in [("gzip, br;q=0.5, compress, *", "gzip, br;q=0.5"), ("dcz", "identity")] {
        house.got(Ask::get("/a").with(&pass).header("accept-encoding", asked)).await.unwrap();
        assert_eq!(service.seen().last().unwrap().all("accept-encoding"), [wanted]);
    }
}

#[tokio::test]
async fn a_body_of_known_length_that_is_too_large_is_refused_before_anything_is_sent() {
    let (service, secret) = (told(), canary::plant("large"));
    let limits = ", body: 1KiB";
    let text = described(&service.url(), "token: {title: T}", "{scheme: bearer, secret: token}", limits);
    let house = House::start(&[("house", text)]).await;
    house.put("house/token", &secret).await;
    let pass = house.pass().await;
    let refusal =
        house.refused(Ask::request("POST", "/a").body(Body::full(vec![b'x'; 1025])).with(&pass)).await;
    is(&refusal, Code::TooLarge);
    assert!(refusal.hint.as_deref().is_some_and(|hint| hint.contains("limits")), "{refusal:?}");
    assert!(service.seen().is_empty());
    let whole =
        house.got(Ask::request("POST", "/a").body(Body::full(vec![b'x'; 1024])).with(&pass)).await.unwrap();
    assert_eq!(house.settled(whole.id).await.outcome.unwrap().bytes_in, 1024);
}

#[tokio::test]
async fn a_body_of_unknown_length_is_counted_and_cut_where_it_is_too_large() {
    let (service, secret) = (told(), canary::plant("unknown-length"));
    let limits = ", body: 1KiB";
    let text = described(&service.url(), "token: {title: T}", "{scheme: bearer, secret: token}", limits);
    let house = House::start(&[("house", text)]).await;
    house.put("house/token", &secret).await;
    let pass = house.pass().await;
    let got = house.got(Ask::request("POST", "/a").body(pieces(10, 100)).with(&pass)).await.unwrap();
    assert_eq!(house.settled(got.id).await.outcome.unwrap().bytes_in, 1000);
    assert_eq!(service.seen()[0].body.len(), 1000);
    let refusal = house.refused(Ask::request("POST", "/a").body(pieces(20, 100)).with(&pass)).await;
    // Some of it has left, but nobody takes a part for the whole.
    is(&refusal, Code::TooLarge);
    assert_eq!(service.seen().len(), 1, "a request that broke off is not one that arrived");
}

#[tokio::test]
async fn a_read_with_a_body_of_unknown_length_is_the_callers_mistake() {
    let (service, secret) = (told(), canary::plant("get-body"));
    let house = House::at(&service.url(), &secret).await;
    let refusal = house.refused(Ask::get("/a").body(pieces(1, 3)).with(&house.pass().await)).await;
    is(&refusal, Code::BadRequest);
    assert!(service.seen().is_empty());
}

#[tokio::test]
async fn what_comes_beside_the_inputs_of_a_services_operation_is_refused_and_not_dropped() {
    let (service, secret) = (told(), canary::plant("beside"));
    let house = House::at(&service.url(), &secret).await;
    let ask = Ask::named("house", "look", &[("path", "a")]).payload("a body that would be lost");
    is(&house.refused(ask).await, Code::BadRequest);
    let looked = house.ask(Ask::named("house", "look", &[("path", "a")])).await.unwrap();
    let broker::Outbound::Answer(looked) = looked else { panic!("not an answer: {looked:?}") };
    assert_eq!((looked.value["used"].as_str(), looked.value["status"].as_u64()), (Some("http"), Some(200)));
    assert!(!looked.failed);
    assert_eq!(service.seen().len(), 1);
}

/// A body that is written piece by piece.
fn pieces(count: usize, size: usize) -> Body {
    let (sender, body) = Body::channel(1);
    tokio::spawn(async move {
        for _ in 0..count {
            if sender.send(Bytes::from(vec![b'x'; size])).await.is_err() {
                return;
            }
        }
        let _ = sender.finish(None).await;
    });
    body
}

/// A body of this length, of which one piece comes and no other.
struct BrokenOff(Option<Bytes>, u64);

impl http_body::Body for BrokenOff {
    type Data = Bytes;
    type Error = net::body::Error;

    fn poll_frame(
        self: std::pin::Pin<&mut Self>,
        _: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Result<http_body::Frame<Bytes>, Self::Error>>> {
        let piece = self.get_mut().0.take().map(http_body::Frame::data);
        std::task::Poll::Ready(Some(piece.ok_or(net::body::Error::Unfinished)))
    }

    fn size_hint(&self) -> http_body::SizeHint {
        http_body::SizeHint::with_exact(self.1)
    }
}

#[tokio::test]
async fn where_a_service_has_little_time_to_answer_a_short_body_is_there_before_that_begins() {
    let service = told();
    let impatient = described(&service.url(), "token: {title: T}", "{scheme: bearer, secret: token}", "")
        .replace("head: 60s", "head: 59s");
    let house = House::start(&[("house", impatient)]).await;
    house.put("house/token", &canary::plant("impatient")).await;
    let pass = house.pass().await;
    let broken = Body::stream(BrokenOff(Some(Bytes::from_static(b"half ")), 10));
    let refusal = house.refused(Ask::request("POST", "/a").body(broken).with(&pass)).await;
    // What broke off was not sent, so it is known what came of it.
    is(&refusal, Code::BadRequest);
    assert!(service.seen().is_empty());
    house.got(Ask::post("/a", "whole").with(&pass)).await.unwrap();
    assert_eq!(service.seen()[0].body, b"whole");
    house.spotless();
}
