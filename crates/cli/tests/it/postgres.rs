//! A home that keeps its rows in PostgreSQL, through the binary, against a real server.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use testkit::postgres::{APP_PASSWORD, OWNER_PASSWORD, Postgres};
use testkit::{Demand, Doorward, Running, Upstream, canary, certificate};

use crate::gateway_reasons::printed_with;
use crate::kill9::{Totals, torture_one_home};
use crate::network_wire::{answer, call, capability, operate};
use crate::{home, rounds, write, write_integration};

/// A server with the options of `start_with`; notes a skip where there is none.
fn server() -> Option<Postgres> {
    let server = Postgres::start();
    if server.is_none() {
        crate::skip("postgres", "there is no PostgreSQL");
    }
    server
}

/// Writes passwords and `[store]` for a home.
fn dress(doorward: &Doorward, url: &str, owner: &str, more: &str) {
    use std::os::unix::fs::DirBuilderExt;
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(doorward.data()).unwrap();
    let folder = doorward.folder();
    write(folder.join("app.password"), &format!("{APP_PASSWORD}\n"));
    write(folder.join("owner.password"), OWNER_PASSWORD);
    let settings = format!(
        "[store]\nurl = \"{url}\"\npassword = \"file:{0}/app.password\"\nowner = \"{owner}\"\nowner_password = \"file:{0}/owner.password\"\n{more}",
        folder.display()
    );
    write(doorward.data().join("settings.toml"), &settings);
}

/// A home over the server's first database.
fn dressed(server: &Postgres) -> Doorward {
    let doorward = home();
    dress_over(&doorward, server);
    doorward
}

fn dress_over(doorward: &Doorward, server: &Postgres) {
    let (url, owner) = (server.url("doorward_app", "doorward"), server.url("doorward_owner", "doorward"));
    dress(doorward, &url, &owner, "wait = \"2m\"\ntimeout = \"60s\"\n");
}

fn integration(doorward: &Doorward, upstream: &Upstream) {
    write_integration(
        doorward,
        &format!(
            "name: notes\ntitle: Notes\ndocs: https://example.com/docs\nbase_url: {}\ndangerous_allow_private: true\n\
             secrets:\n  token: {{title: Token}}\nauth:\n  - {{scheme: bearer, secret: token}}\n\
             limits: {{connect: 30s, head: 60s, total: 2m, idle: 60s, body: 1MiB}}\noperations:\n  \
             any.show: {{title: Show, access: read, risk: low, match: {{method: GET, path: '/{{rest...}}'}}}}\n",
            upstream.url()
        ),
    );
}

#[test]
fn a_home_in_postgresql_is_made_used_verified_and_had_by_one_broker() {
    let Some(server) = server() else { return };
    let (doorward, upstream) = (dressed(&server), Upstream::start());
    let made = doorward.run(&["init", "--recovery-out", "recovery.txt", "--json"], "").json();
    assert_eq!(made["status"], "created");
    assert!(!doorward.data().join("home.db").exists(), "nothing is kept in the folder");
    let again = doorward.run(&["init", "--recovery-out", "again.txt"], "").failed_with(1);
    assert!(again.contains("there is a home in the store `postgres://doorward_app@"), "{again}");
    integration(&doorward, &upstream);
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let token = capability(&running, "&expires=1d&uses=2");
    for status in [200, 200, 403] {
        let reply = call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap();
        assert_eq!(reply.status, status, "{}", reply.text());
    }
    assert_eq!(upstream.requests().len(), 2);

    // A second broker, of another home over the same database, is refused and says who has it.
    let other = home();
    let (url, owner) = (server.url("doorward_app", "doorward"), server.url("doorward_owner", "doorward"));
    dress(&other, &url, &owner, "wait = \"1ms\"\n");
    let refused = other.run(&["up", "--gateway", "127.0.0.1:0"], "").failed_with(1);
    assert!(refused.contains("another broker has this store: process "), "{refused}");

    // The ciphertext is in the database; the secret is nowhere.
    let dump = server.sql("doorward", "SELECT count(*) FROM doorward.versions");
    assert_eq!(dump, "1");
    let _ = doorward.run(&["evidence", "verify"], "").succeeded();
    assert!(running.stop().success());
    let verified = doorward.run(&["evidence", "verify", "--json"], "").json();
    assert_eq!(verified["verified"], true, "{verified}");
    let doctor = doorward.run(&["doctor", "--thorough", "--json"], "");
    assert!(
        doctor.stdout.contains("records of evidence are unchanged"),
        "{} {}",
        doctor.stdout,
        doctor.stderr
    );
    let backup = doorward.run(&["backup", "copy"], "").failed_with(1);
    assert!(backup.contains("pg_dump"), "{backup}");
    // What somebody changes in the database is found.
    let _ = server
        .sql("doorward", "UPDATE doorward.evidence SET value = set_byte(value, 60, get_byte(value, 60) # 1)");
    let changed = doorward.run(&["doctor", "--thorough", "--json"], "");
    assert!(!changed.status.success(), "{}", changed.stdout);
    for planted in [upstream.canary(), APP_PASSWORD, OWNER_PASSWORD] {
        canary::assert_free_of(doorward.printed(), planted, "what was printed");
    }
}

#[test]
fn a_broker_that_stands_by_hands_on_what_comes_and_takes_over_behind_the_same_doors() {
    let Some(mut server) = server() else { return };
    let (first, second, upstream) = (home(), home(), Upstream::start());
    for doorward in [&first, &second] {
        let (url, owner) = (server.url("doorward_app", "doorward"), server.url("doorward_owner", "doorward"));
        dress(doorward, &url, &owner, "timeout = \"60s\"\nlisten = \"127.0.0.1:0\"\n");
        integration(doorward, &upstream);
    }
    let _ = first.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    std::fs::copy(first.data().join("key"), second.data().join("key")).unwrap();
    let leads = first.start_up(&["--api", "127.0.0.1:0"]);
    let _ = answer(&leads, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let token = capability(&leads, "&expires=1d");
    std::thread::scope(|threads| {
        let follows = threads.spawn(|| second.start_up(&["--api", "127.0.0.1:0"]));
        let open = opened(&second);
        let gateway = open["gateway"].as_str().map(|place| format!("http://{place}")).unwrap();
        let api = format!("http://{}", open["api"].as_str().unwrap());
        assert_ne!(gateway, leads.gateway_url);
        for _ in 0..3 {
            let reply = call(&gateway, "GET", "/notes/echo", &token).unwrap();
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
        assert_eq!(upstream.requests().len(), 3);
        let unproven = call(&api, "GET", "/v1/tenants", "").unwrap();
        assert_eq!(unproven.status, 401, "{}", unproven.text());
        let written = answer(&leads, "evidence.list?limit=20", b"").to_string();
        assert!(written.contains("any.show"), "{written}");
        // A server that crashes and comes back ends neither of them for good.
        server.kill();
        server.up();
        // Behind the same doors: nobody finds them closed in between.
        let _ = leads.kill9();
        let until = Instant::now() + crate::HANG;
        loop {
            let reply = call(&gateway, "GET", "/notes/echo", &token).unwrap();
            if reply.status == 200 {
                break;
            }
            assert_eq!(reply.status, 503, "{}", reply.text());
            assert!(Instant::now() < until, "nobody takes over");
        }
        let follows = follows.join().unwrap();
        assert_eq!(follows.gateway_url, gateway);
        assert_eq!(answer(&follows, "evidence.verify", b"")["verified"], true);
        assert!(follows.stop().success());
    });
}

const OPEN: &str = "\"event\":\"open\"";

/// The doors of a broker that stands by.
fn opened(doorward: &Doorward) -> Value {
    let printed = printed_with(doorward, OPEN);
    serde_json::from_str(printed.lines().find(|line| line.contains(OPEN)).unwrap()).unwrap()
}

#[test]
fn a_database_is_prepared_by_its_owner_and_a_home_of_one_command_moves_into_it_and_back() {
    let Some(server) = server() else { return };
    let doorward = home();
    let _ = doorward.run(&["init", "--recovery-out", "recovery.txt"], "").succeeded();
    let upstream = Upstream::start();
    integration(&doorward, &upstream);
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=notes/token", upstream.canary().as_bytes());
    let token = capability(&running, "&expires=1d&uses=3");
    assert_eq!(call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap().status, 200);
    assert!(running.stop().success());

    let pgpass = format!(
        "127.0.0.1:{0}:doorward:doorward_app:{APP_PASSWORD}\n127.0.0.1:{0}:*:doorward_owner:{OWNER_PASSWORD}\n",
        server.port()
    );
    write(doorward.folder().join(".pgpass"), &pgpass);
    let (url, folder) = (server.url("doorward_app", "doorward"), doorward.data().display().to_string());
    let unprepared = doorward.run(&["store", "copy", &folder, &url], "").failed_with(1);
    assert!(unprepared.contains("the schema of the store has version 0"), "{unprepared}");
    let prepared =
        doorward.run(&["store", "prepare", &server.url("doorward_owner", "doorward"), "--json"], "").json();
    assert_eq!(prepared["status"], "prepared");

    // A copy that was cut short is no home, and does not stop the next one.
    let _ = server.sql(
        "doorward",
        "INSERT INTO doorward.meta VALUES ('local', 'store/unfinished-copy', 'copy'); INSERT INTO doorward.grants VALUES ('old', 'x', 'x')",
    );
    let copied = doorward.run(&["store", "copy", &folder, &url, "--json"], "").json();
    assert_eq!(
        (&copied["status"], copied["tables"].as_array().unwrap().len()),
        (&json!("copied"), store::Table::ALL.len())
    );
    assert_eq!(server.sql("doorward", "SELECT count(*) FROM doorward.grants WHERE tenant = 'old'"), "0");
    let again = doorward.run(&["store", "copy", &folder, &url], "").failed_with(1);
    assert!(again.contains("is not empty"), "{again}");

    // The same home over the database: the secret opens, one use was counted before.
    write(doorward.data().join("settings.toml"), &format!("[store]\nurl = \"{url}\"\nwait = \"2m\"\n"));
    let running = doorward.start_up(&[]);
    for status in [200, 200, 403] {
        assert_eq!(call(&running.gateway_url, "GET", "/notes/echo", &token).unwrap().status, status);
    }
    assert!(running.stop().success());

    let back = doorward.folder().join("back");
    let _ = doorward.run(&["store", "copy", &url, &back.display().to_string()], "").succeeded();
    let shown = |value: &Value| value["records"].as_u64().unwrap();
    let there = doorward.run(&["evidence", "verify", "--json"], "").json();
    // Its key file is known by its place in the home, and goes with it by hand.
    std::fs::copy(doorward.data().join("key"), back.join("key")).unwrap();
    let here =
        doorward.run(&["evidence", "verify", "--json", "--home", &back.display().to_string()], "").json();
    assert!(shown(&here) > 0 && shown(&there) > 0, "{here} {there}");
    doorward.watch(upstream.canary());
    canary::assert_free_of(doorward.printed(), APP_PASSWORD, "what was printed");
}

#[test]
fn the_server_is_spoken_to_over_tls_that_was_verified_or_not_at_all() {
    if Postgres::start().is_none() {
        return crate::skip("postgres", "there is no PostgreSQL");
    }
    let (cert, key) = certificate::self_signed("localhost");
    let folder = tempfile::tempdir_in("/tmp").unwrap();
    write(folder.path().join("cert.pem"), &cert);
    let server = Postgres::start_tls(&cert, &key).unwrap();
    let doorward = home();
    let prepare = |url: &str, ca: &[&str]| {
        write(doorward.folder().join("owner.password"), OWNER_PASSWORD);
        let file = format!("file:{}/owner.password", doorward.folder().display());
        doorward.run(&[&["store", "prepare", url, "--password", &file], ca].concat(), "")
    };
    let ca = folder.path().join("cert.pem").display().to_string();
    let tls = server.url_with_tls("doorward_owner", "localhost");
    let _ = prepare(&tls, &["--ca", &ca]).succeeded();
    let stranger = prepare(&tls, &[]).failed_with(1);
    assert!(stranger.contains("does not answer") || stranger.contains("certificate"), "{stranger}");
    // The name is another one.
    let misnamed =
        prepare(&server.url_with_tls("doorward_owner", "127.0.0.1"), &["--ca", &ca]).failed_with(1);
    assert!(!misnamed.contains(OWNER_PASSWORD), "{misnamed}");
    let typed =
        doorward.run(&["store", "prepare", "postgres://doorward_owner:hunter2@localhost/doorward"], "");
    assert!(typed.failed_with(1).contains("a password stands in it"));
}

#[test]
fn torture_kill9_of_a_broker_over_postgresql_loses_nothing() {
    let Some(server) = server() else { return };
    let mut totals = Totals::default();
    torture_one_home(rounds(4), &mut totals, &|doorward| dress_over(doorward, &server));
    println!("{} acknowledged writes, {} acknowledged calls, none lost", totals.writes, totals.calls);
    assert!(totals.writes + totals.calls > 0);
}

#[test]
fn torture_postgres_killed_under_load_loses_nothing_that_was_acknowledged() {
    let Some(mut server) = server() else { return };
    let doorward = dressed(&server);
    let upstream = Upstream::demanding(Demand::Nothing(canary::plant("nothing")));
    integration(&doorward, &upstream);
    let running = doorward.start_up(&[]);
    let _ = answer(&running, "secret.put?name=notes/token", b"xoxb-CANARY-token");
    let token = capability(&running, "");
    let kills = rounds(5);
    let (ending, count) = (AtomicBool::new(false), AtomicU64::new(0));
    let (written, called) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    std::thread::scope(|threads| {
        for writer in 0..6 {
            let (ending, count, written, socket) = (&ending, &count, &written, &running.socket);
            threads.spawn(move || {
                let mut n = 0;
                while !ending.load(Ordering::SeqCst) {
                    let name = format!("p/{writer}-{n}");
                    n += 1;
                    if let Some(evidence) = put(socket, &name) {
                        written.lock().unwrap().push((name, evidence));
                        count.fetch_add(1, Ordering::SeqCst);
                    }
                }
            });
        }
        let (ending, called, gateway, token) = (&ending, &called, &running.gateway_url, &token);
        threads.spawn(move || {
            while !ending.load(Ordering::SeqCst) {
                let reply = call(gateway, "GET", "/notes/echo", token).unwrap();
                if reply.status == 200 {
                    called.lock().unwrap().push(reply.evidence().unwrap());
                }
            }
        });
        for _ in 0..kills {
            // There is something to lose in each round.
            let (before, until) = (count.load(Ordering::SeqCst), Instant::now() + crate::HANG);
            while count.load(Ordering::SeqCst) < before + 10 && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            server.kill();
            server.up();
        }
        let (before, until) = (count.load(Ordering::SeqCst), Instant::now() + crate::HANG);
        while count.load(Ordering::SeqCst) < before + 10 {
            assert!(Instant::now() < until, "the broker does not go on");
            std::thread::sleep(Duration::from_millis(5));
        }
        ending.store(true, Ordering::SeqCst);
    });
    let (written, called) = (written.into_inner().unwrap(), called.into_inner().unwrap());
    nothing_is_lost(&running, &written, &called);
    println!(
        "{kills} kills of the server: {} writes and {} calls acknowledged, none lost, none doubled",
        written.len(),
        called.len()
    );
    assert!(running.stop().success());
}

/// Stores a secret; the evidence of it, where it was acknowledged.
fn put(socket: &std::path::Path, name: &str) -> Option<String> {
    let reply = operate(socket, &format!("secret.put?name={name}"), b"xoxb-CANARY-written").unwrap();
    (reply.status == 200).then(|| reply.json()["evidence"].as_str().unwrap().to_owned())
}

/// Everything that was acknowledged is there, once.
fn nothing_is_lost(running: &Running, written: &[(String, String)], called: &[String]) {
    let verified = answer(running, "evidence.verify", b"");
    assert_eq!(verified["verified"], true, "{verified}");
    let exported = answer(running, "evidence.export", b"");
    let lines = exported["text"].as_str().unwrap();
    let done: Vec<&str> = lines
        .lines()
        .filter(|line| line.contains(r#""kind":"outcome""#) && line.contains(r#""result":"done""#))
        .filter_map(|line| line.split_once(r#""evidence":""#)?.1.split('"').next())
        .collect();
    let once: BTreeSet<&str> = done.iter().copied().collect();
    assert_eq!(once.len(), done.len(), "an outcome stands twice");
    let listed = answer(running, "secret.list", b"").to_string();
    for (name, evidence) in written {
        assert!(once.contains(evidence.as_str()), "{evidence} was acknowledged and has no outcome");
        assert!(listed.contains(&format!("\"{name}\"")), "{name} was acknowledged and is not there");
    }
    assert!(called.iter().all(|evidence| once.contains(evidence.as_str())));
}
