//! A credential goes where it is bound, whatever a caller, an upstream or a name says (promise GL2).
//!
//! Two integrations have a credential and a server each, and a third server belongs to nobody. Raw requests name one thing in
//! one place and another in another: host, target, authority, server name of TLS, the headers by which gateways and proxies
//! are told of a destination. Upstreams answer with redirects, hosts are written as programs read them differently, and names
//! stand for several addresses. No server may ever see the credential of another one, and the third may see nothing.

mod catcher;
mod places;

use std::collections::BTreeMap;

use testkit::{Doorward, Running, canary};

use crate::network_wire::{answer, capability, gateway};
use crate::{home, rounds, write, write_integration};
use catcher::Catcher;

#[test]
fn torture_binding_no_credential_goes_elsewhere() {
    let all = rounds(1_000);
    let (alpha, beta, nobody) = (Catcher::start(), Catcher::start(), Catcher::start());
    let (secret, other) = (canary::plant("alpha"), canary::plant("beta"));
    let doorward = home();
    for (name, catcher) in [("alpha", &alpha), ("beta", &beta)] {
        let text = integration(
            name,
            &format!("http://127.0.0.1:{}", catcher.port()),
            "dangerous_allow_private: true\n",
        );
        write_integration(&doorward, &text);
    }
    let spelled = readable(&doorward, disguised(nobody.port()));
    let running = doorward.start_up(&["--threads", "2"]);
    for (name, secret) in [("alpha", &secret), ("beta", &other)] {
        let _ = answer(&running, &format!("secret.put?name={name}/token"), secret.as_bytes());
    }
    for (name, _) in &spelled {
        let _ = answer(&running, &format!("secret.put?name={name}/token"), secret.as_bytes());
    }
    let token = capability(&running, "&expires=1d");
    let names: Vec<&str> = spelled.iter().map(|(name, _)| name.as_str()).collect();
    let statuses = ask_all(&running, all, &token, nobody.port(), &names);
    println!("binding: {all} requests, by status, 0 where the connection was closed: {statuses:?}");

    for (name, catcher, own) in [("alpha", &alpha, &secret), ("beta", &beta, &other)] {
        let seen = catcher.seen();
        assert!(!seen.is_empty(), "nothing reached {name}, so nothing was tried");
        for request in &seen {
            let lower = request.to_ascii_lowercase();
            let host = format!("\r\nhost: 127.0.0.1:{}\r\n", catcher.port());
            assert!(lower.contains(&host), "{name} was addressed as another: {request}");
            let credentials = lower.matches("\r\nauthorization: ").count();
            assert!(
                credentials == 1 && request.contains(&format!("Bearer {own}\r\n")),
                "at {name}: {request}"
            );
            assert!(!request.contains(&token), "{name} was shown the capability");
        }
    }
    for (secret, catcher, name) in [(&secret, &beta, "beta"), (&other, &alpha, "alpha")] {
        let seen = catcher.seen().join("\n");
        canary::assert_free_of(seen, secret, &format!("what {name} was sent"));
    }
    assert_eq!(nobody.seen(), Vec::<String>::new(), "somebody was led to a server that belongs to nobody");
    assert_eq!(nobody.connections(), 0, "somebody connected to a server that belongs to nobody");
    assert!(running.stop().success());
    canary::assert_absent(doorward.printed(), "what was printed");
}

#[test]
fn torture_binding_the_name_in_a_handshake_leads_nowhere_else() {
    let (alpha, beta) = (Catcher::start(), Catcher::start());
    let (secret, other) = (canary::plant("alpha"), canary::plant("beta"));
    let doorward = home();
    for (name, catcher) in [("alpha", &alpha), ("beta", &beta)] {
        let text = integration(
            name,
            &format!("http://127.0.0.1:{}", catcher.port()),
            "dangerous_allow_private: true\n",
        );
        write_integration(&doorward, &text);
    }
    let (certificate, key) = testkit::certificate::self_signed("localhost");
    let (cert, key_file) = (doorward.folder().join("cert.pem"), doorward.folder().join("key.pem"));
    write(&cert, &certificate);
    write(&key_file, &key);
    let running =
        doorward.start_up(&["--tls-cert", &cert.to_string_lossy(), "--tls-key", &key_file.to_string_lossy()]);
    for (name, secret) in [("alpha", &secret), ("beta", &other)] {
        let _ = answer(&running, &format!("secret.put?name={name}/token"), secret.as_bytes());
    }
    let token = capability(&running, "&expires=1d");
    let port = running.gateway_url.rsplit(':').next().unwrap().to_owned();
    let mut answered = 0;
    for said in
        ["alpha.localhost", "beta.localhost", "nobody.example", "ALPHA.localhost", "localhost", "127.0.0.1"]
    {
        for host in
            ["alpha.localhost", "beta.localhost", "nobody.example", "alpha.localhost:1", "alpha.localhost."]
        {
            for version in ["--http1.1", "--http2"] {
                let output = std::process::Command::new("curl")
                    .args(["--silent", "--insecure", "--max-time", "120", version, "--noproxy", "*"])
                    .args(["--connect-to", &format!("::127.0.0.1:{port}"), "--write-out", "%{http_code}"])
                    .args([
                        "--header",
                        &format!("Host: {host}"),
                        "--header",
                        &format!("Authorization: Bearer {token}"),
                    ])
                    .arg(format!("https://{said}:{port}/first/1"))
                    .output()
                    .unwrap();
                canary::assert_absent(&output.stdout, "a reply");
                answered += usize::from(output.stdout.ends_with(b"200"));
            }
        }
    }
    println!("binding: {answered} of 60 handshakes led to an answer");
    assert!(answered >= 10, "hardly anything was tried");
    for (catcher, own, foreign) in [(&alpha, &secret, &other), (&beta, &other, &secret)] {
        let seen = catcher.seen();
        assert!(
            !seen.is_empty() && seen.iter().all(|request| request.contains(&format!("Bearer {own}\r\n")))
        );
        canary::assert_free_of(seen.join("\n"), foreign, "what another server was sent");
    }
    assert!(running.stop().success());
}

/// Every place that could name a destination, in turn; gives how often which status was answered.
fn ask_all(running: &Running, all: u64, token: &str, nobody: u16, disguised: &[&str]) -> BTreeMap<u16, u64> {
    let address = running.gateway_url.trim_start_matches("http://");
    let mut statuses = BTreeMap::new();
    for number in 0..all {
        let request = places::request(number, token, address, nobody, disguised);
        let reply = gateway(&running.gateway_url).unwrap().ask(&request);
        let status = reply.as_ref().map_or(0, |reply| reply.status);
        if let Ok(reply) = &reply {
            canary::assert_absent(&reply.raw, "a reply");
        }
        *statuses.entry(status).or_insert(0) += 1;
    }
    statuses
}

#[test]
fn torture_binding_a_name_that_stands_for_several_addresses_is_refused_whole() {
    use net::tls::{Outbound, Trust};
    use net::{Body, Dial, Names, Private, Sent, Upstream, UpstreamConfig, Verify};
    use std::net::IpAddr;
    use std::sync::Arc;
    let catcher = Catcher::start();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    for number in 0..rounds(200).min(10_000) {
        let public: Vec<IpAddr> =
            ["93.184.216.34", "2606:2800:220:1::1"].iter().map(|ip| ip.parse().unwrap()).collect();
        let private: IpAddr =
            places::PRIVATE[usize::try_from(number).unwrap() % places::PRIVATE.len()].parse().unwrap();
        let mut addresses = public[..usize::try_from(number % 3).unwrap()].to_vec();
        addresses.insert(usize::try_from(number / 3).unwrap() % (addresses.len() + 1), private);
        let table = BTreeMap::from([("rebound.test".into(), addresses.clone())]);
        let names = Names::Table(Arc::new(table));
        let config = UpstreamConfig { names, ..UpstreamConfig::new(Outbound::on_demand(Trust::default())) };
        let upstream = Upstream::new(config).unwrap();
        let dial = Dial {
            authority: format!("https://rebound.test:{}", catcher.port()).parse().unwrap(),
            private: Private::Refused,
            verify: Verify::Skipped,
            connect: std::time::Duration::from_secs(2),
            way: None,
        };
        let mut request = http::Request::new(Body::empty());
        *request.uri_mut() = "/".parse().unwrap();
        let error =
            runtime.block_on(upstream.send(&dial, request, std::time::Duration::from_secs(2))).unwrap_err();
        assert!(matches!(error, net::Error::Address { .. }), "{addresses:?}: {error}");
        assert_eq!(error.sent(), Sent::Nothing);
    }
    assert_eq!(catcher.connections(), 0);
}

#[test]
fn torture_binding_a_forwarder_that_believes_the_host_is_caught() {
    let (own, nobody) = (Catcher::start(), Catcher::start());
    let address = catcher::believes_the_host(own.port(), "naive-CANARY-bound");
    let url = format!("http://{address}");
    for number in 0..400 {
        let request = places::request(number, "cap1_naive", &address, nobody.port(), &[]);
        let _ = gateway(&url).unwrap().ask(&request);
    }
    let led = nobody.seen();
    let caught = led.iter().filter(|request| request.contains("naive-CANARY-bound")).count();
    println!("binding: {caught} of 400 requests lead a forwarder that believes the host astray");
    assert!(caught >= 20, "{led:?}");
}

/// Base URLs that lead to loopback in ways that not everybody sees, for integrations that may not go there. Plain http is
/// refused without that leave, and so is what can't be written as a base URL at all.
fn disguised(port: u16) -> Vec<(String, String)> {
    let urls = places::LOOPBACK.iter().map(|host| format!("https://{host}:{port}"));
    let urls = urls.filter(|url| url.parse::<model::Authority>().is_ok());
    urls.enumerate().map(|(number, url)| (format!("disguised-{number}"), url)).collect()
}

/// Writes them as integrations, and takes away again what the catalogue does not read.
fn readable(doorward: &Doorward, mut disguised: Vec<(String, String)>) -> Vec<(String, String)> {
    for (name, url) in &disguised {
        write_integration(doorward, &integration(name, url, ""));
    }
    let _ = doorward.run(&["init"], "").succeeded();
    loop {
        let output = doorward.run(&["integration", "list"], "");
        if output.status.success() {
            println!(
                "binding: {} of {} disguises can be written as a base URL",
                disguised.len(),
                places::LOOPBACK.len()
            );
            assert!(!disguised.is_empty());
            return disguised;
        }
        let at = disguised.iter().position(|(name, _)| output.stderr.contains(&format!("{name}.yaml")));
        let (name, _) = disguised.remove(at.unwrap_or_else(|| panic!("{}", output.stderr)));
        std::fs::remove_file(doorward.data().join(format!("integrations/{name}.yaml"))).unwrap();
    }
}

fn integration(name: &str, url: &str, more: &str) -> String {
    format!(
        "name: {name}\ntitle: A server\ndocs: https://example.com/\nbase_url: {url}\n{more}\
         secrets:\n  token: {{title: Token, default: store:{name}/token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
         limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n\
         \x20 any.show: {{title: Anything, access: read, risk: low, match: {{method: GET, path: '/{{kind}}/{{more}}'}}}}\n"
    )
}
