//! What the address for the browser believes, and what it does not.

use net::plain::{Place, Plain};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use super::*;
use crate::wire::fake::open;

const SOON: Duration = Duration::from_secs(120);

struct Opened {
    redirect: Redirect,
    state: State,
    text: String,
    browser: Plain,
    address: SocketAddr,
}

fn opened() -> Opened {
    let redirect = Redirect::open().unwrap();
    let state = State::generate().unwrap();
    let text = open(state.secret());
    let address = redirect.host.parse().unwrap();
    let browser = Plain::new(Place::Loopback(address), SOON, 4096);
    Opened { redirect, state, text, browser, address }
}

#[tokio::test]
async fn the_code_comes_with_the_state_and_the_browser_gets_a_page() {
    let Opened { redirect, state, text, browser, address } = opened();
    assert_eq!(redirect.uri(), format!("http://{address}/oauth/callback"));
    assert!(address.ip().is_loopback());
    let visit =
        async { browser.get(&format!("/oauth/callback?code=CANARY%2Bcode&state={text}")).await.unwrap() };
    let (code, page) =
        tokio::join!(redirect.exchanged(state, SOON, async |code| Ok::<_, Error>(code)), visit);
    assert_eq!(open(&code.unwrap().unwrap()), "CANARY+code");
    assert_eq!(page.status(), StatusCode::OK);
    let body = String::from_utf8(page.body().to_vec()).unwrap();
    assert!(body.contains("You are signed in."), "{body}");
    assert!(!body.contains("CANARY"), "{body}");
    assert!(tokio::net::TcpStream::connect(address).await.is_err(), "the address is closed");
}

#[tokio::test]
async fn what_was_not_started_here_changes_nothing() {
    let Opened { redirect, state, text, browser, address } = opened();
    let visits = async {
        for (target, status) in [
            ("/oauth/callback?code=EVIL&state=wrong".to_owned(), 400),
            ("/oauth/callback?code=EVIL".to_owned(), 400),
            (format!("/oauth/callback?code=EVIL&state={text}&state={text}"), 400),
            (format!("/oauth/callback?code=EVIL&code=EVIL&state={text}"), 400),
            (format!("/oauth/callback?code=&state={text}"), 400),
            (format!("/oauth/callback?code=EVIL&error=x&state={text}"), 400),
            (format!("/other?code=EVIL&state={text}"), 404),
            ("/favicon.ico".to_owned(), 404),
        ] {
            assert_eq!(browser.get(&target).await.unwrap().status().as_u16(), status, "{target}");
        }
        let posted =
            browser.post(&format!("/oauth/callback?code=EVIL&state={text}"), "{}".into()).await.unwrap();
        assert_eq!(posted.status(), 400);
        let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let rebound = format!(
            "GET /oauth/callback?code=EVIL&state={text} HTTP/1.1\r\nHost: evil.test\r\nConnection: close\r\n\r\n"
        );
        stream.write_all(rebound.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 400"), "{answer}");
        browser.get(&format!("/oauth/callback?state={text}&code=good")).await.unwrap();
    };
    let (code, ()) = tokio::join!(redirect.exchanged(state, SOON, async |code| Ok::<_, Error>(code)), visits);
    assert_eq!(open(&code.unwrap().unwrap()), "good");
}

#[tokio::test]
async fn an_error_of_the_page_ends_the_sign_in() {
    let Opened { redirect, state, text, browser, .. } = opened();
    let visit = async {
        browser.get(&format!("/oauth/callback?error=access_denied%0A%1b&state={text}")).await.unwrap()
    };
    let (code, _) = tokio::join!(redirect.exchanged(state, SOON, async |code| Ok::<_, Error>(code)), visit);
    assert_eq!(code.err().unwrap().to_string(), "the sign-in page answered `access_denied`");
}

#[tokio::test]
async fn a_browser_that_never_comes_is_not_waited_for_longer() {
    let Opened { redirect, state, .. } = opened();
    let error = redirect
        .exchanged(state, Duration::from_millis(10), async |code| Ok::<_, Error>(code))
        .await
        .err()
        .unwrap();
    assert!(matches!(error, Error::Expired), "{error}");
}
