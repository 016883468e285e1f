//! The member for PostgreSQL against a real server.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::*;
use crate::tests as conformance;

// Included as it is: a dependency of the store, also one of its tests, would change the list that the shipped build is bound to.
#[expect(unreachable_pub, dead_code, reason = "the other tests use more of it")]
#[path = "../../../testkit/src/postgres.rs"]
mod server;

mod reads;

use server::{APP_PASSWORD, OWNER_PASSWORD, Postgres as Server};

/// A server, or a word about why there is none.
fn server() -> Option<Server> {
    let started = Server::start();
    if started.is_none() {
        note_skip();
    }
    started
}

#[expect(clippy::disallowed_methods, reason = "`cargo xtask test` says where skips are noted")]
fn note_skip() {
    use std::io::Write;
    let Some(file) = std::env::var_os("DOORWARD_SKIPS") else { return };
    let mut file = std::fs::File::options().append(true).create(true).open(file).unwrap();
    writeln!(file, "postgres\tthere is no PostgreSQL").unwrap();
}

fn target(url: &str, password: &'static str) -> Target {
    Target::parse(url, None, Arc::new(move |_| Ok(Some(password.into())))).unwrap()
}

fn setup(server: &Server, database: &str) -> Setup {
    Setup {
        target: target(&server.url("doorward_app", database), APP_PASSWORD),
        owner: Some(target(&server.url("doorward_owner", database), OWNER_PASSWORD)),
        connections: 4,
        timeout: Duration::from_secs(60),
        who: "a test".to_owned(),
    }
}

fn opened(setup: &Setup) -> Postgres {
    Postgres::leader(setup, |waited| waited < Duration::from_secs(300)).unwrap()
}

fn refused(setup: &Setup) -> String {
    match Postgres::leader(setup, |_| false) {
        Ok(_) => "it was opened".to_owned(),
        Err(error) => error.to_string(),
    }
}

fn tenant(name: &str) -> TenantName {
    name.parse().unwrap()
}

fn put(n: u64) -> Batch {
    Batch::new().put(Table::Grants, &TenantName::local(), b"a", n.to_be_bytes().to_vec())
}

#[test]
fn it_keeps_what_every_member_keeps() {
    let Some(server) = server() else { return };
    conformance::of_all_tables(&opened(&setup(&server, "doorward")));
    server.database("other");
    conformance::of_evidence(&opened(&setup(&server, "other")));
    // The same over the socket, without a password.
    server.database("third");
    let mut over_socket = setup(&server, "third");
    let url = server.socket_url("doorward_app").replace("/doorward?", "/third?");
    over_socket.target = Target::parse(&url, None, Arc::new(|_| Ok(None))).unwrap();
    let storage = opened(&over_socket);
    conformance::of_all_tables(&storage);
    drop(storage);
    let reader = Postgres::reader(&over_socket).unwrap();
    assert_eq!(reader.get(Table::Policies, &tenant("steps"), b"a").unwrap().unwrap(), b"3");
    assert!(matches!(reader.commit(&put(0)), Err(crate::Error::ReadOnly)));
}

#[test]
fn without_our_own_conditions_the_database_alone_keeps_tenants_apart() {
    let Some(server) = server() else { return };
    let setup = setup(&server, "doorward");
    let storage = Postgres::leader_with(&setup, |_| true, Where::Nothing).unwrap();
    let (one, two, none) = (tenant("one"), tenant("two"), tenant("none"));
    for table in Table::ALL {
        let batch = Batch::new().put(table, &one, b"k", b"of one".to_vec()).put(
            table,
            &two,
            b"k",
            b"of two".to_vec(),
        );
        storage.commit(&batch).unwrap();
        for (name, value) in
            [(&one, Some(b"of one".to_vec())), (&two, Some(b"of two".to_vec())), (&none, None)]
        {
            assert_eq!(storage.get(table, name, b"k").unwrap(), value, "{table:?}");
            let row = value.clone().map(|value| Row { key: b"k".to_vec(), value });
            assert_eq!(storage.last(table, name).unwrap(), row, "{table:?}");
            let rows: Vec<Row> = row.into_iter().collect();
            assert_eq!(storage.scan(table, name, b"", None, 10).unwrap(), rows, "{table:?}");
            assert_eq!(storage.scan(table, name, b"k", None, 10).unwrap(), rows, "{table:?}");
        }
        // Whoever swaps or deletes without saying whose, does it to one tenant only.
        let row = Row { key: b"k".to_vec(), value: b"new".to_vec() };
        storage.commit(&Batch::new().swap(table, &one, b"of one".to_vec(), row)).unwrap();
        let row = Row { key: b"k".to_vec(), value: b"never".to_vec() };
        let foreign = Batch::new().swap(table, &none, b"of two".to_vec(), row);
        assert!(matches!(storage.commit(&foreign), Err(crate::Error::Conflict)), "{table:?}");
        storage.commit(&Batch::new().delete(table, &none, b"k")).unwrap();
        storage.commit(&Batch::new().delete(table, &one, b"k")).unwrap();
        assert_eq!(storage.get(table, &two, b"k").unwrap().unwrap(), b"of two", "{table:?}");
        assert_eq!(storage.get(table, &one, b"k").unwrap(), None, "{table:?}");
    }
    // The statements really have no condition: as the superuser, whom no policy holds, they see everything.
    let seen = server
        .sql("doorward", "SELECT count(*) FROM doorward.grants WHERE 'x'::text IS NOT NULL AND key = 'k'");
    assert_eq!(seen, "1");
    // A session that has named nobody sees nobody, and writes for nobody.
    let as_app = |text: &str| server.sql("doorward", &format!("SET ROLE doorward_app; {text}"));
    for table in Table::ALL {
        assert_eq!(as_app(&format!("SELECT count(*) FROM doorward.{}", table.as_str())), "0");
    }
    let written = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        as_app("SET doorward.tenant = 'one'; INSERT INTO doorward.grants VALUES ('two', 'x', 'x')")
    }));
    assert!(written.is_err(), "a row of another tenant was written");
}

#[test]
fn a_database_that_would_not_keep_tenants_apart_is_refused() {
    let Some(server) = server() else { return };
    let good = setup(&server, "doorward");
    drop(opened(&good));
    let because = |spoil: &str, mend: &str| {
        let _ = server.sql("doorward", spoil);
        let said = refused(&good);
        let _ = server.sql("doorward", mend);
        said
    };
    let said = because("ALTER ROLE doorward_app SUPERUSER", "ALTER ROLE doorward_app NOSUPERUSER");
    assert!(said.contains("`doorward_app` is a superuser"), "{said}");
    let said = because("ALTER ROLE doorward_app BYPASSRLS", "ALTER ROLE doorward_app NOBYPASSRLS");
    assert!(said.contains("bypasses row-level security"), "{said}");
    let said = because("GRANT doorward_owner TO doorward_app", "REVOKE doorward_owner FROM doorward_app");
    assert!(said.contains("may become its owner"), "{said}");
    let said = because(
        "CREATE ROLE mighty BYPASSRLS; GRANT mighty TO doorward_app",
        "REVOKE mighty FROM doorward_app",
    );
    assert!(said.contains("may become `mighty`"), "{said}");
    let said = because(
        "ALTER TABLE doorward.keys NO FORCE ROW LEVEL SECURITY",
        "ALTER TABLE doorward.keys FORCE ROW LEVEL SECURITY",
    );
    assert!(said.contains("not forced on the table `keys`"), "{said}");
    let said = because(
        "CREATE POLICY open ON doorward.secrets USING (true)",
        "DROP POLICY open ON doorward.secrets",
    );
    assert!(said.contains("another policy, `open`"), "{said}");
    let said = because(
        "ALTER POLICY own ON doorward.secrets USING (true)",
        "ALTER POLICY own ON doorward.secrets USING (tenant = current_setting('doorward.tenant', true))",
    );
    assert!(said.contains("another policy, `own`"), "{said}");
    drop(opened(&good));
}

#[test]
fn the_schema_is_made_by_its_owner_and_a_newer_one_is_refused() {
    let Some(server) = server() else { return };
    let good = setup(&server, "doorward");
    let without = Setup { owner: None, ..good.clone() };
    let said = refused(&without);
    assert!(said.contains("has version 0, this program needs"), "{said}");
    // Four that start at once make it once.
    let opened: Vec<bool> = std::thread::scope(|threads| {
        let all: Vec<_> = (0..4)
            .map(|_| {
                threads.spawn(|| Postgres::leader(&good, |waited| waited < Duration::from_secs(300)).is_ok())
            })
            .collect();
        all.into_iter().map(|one| one.join().unwrap()).collect()
    });
    assert_eq!(opened, [true; 4]);
    drop(Postgres::leader(&without, |_| true).unwrap());
    let _ = server.sql("doorward", "UPDATE doorward.schema SET version = 99");
    for setup in [&good, &without] {
        let newer = Postgres::leader(setup, |_| false).err();
        assert!(matches!(newer, Some(crate::Error::Newer { found: 99, .. })), "{newer:?}");
    }
    assert!(matches!(Postgres::reader(&good), Err(crate::Error::Newer { .. })));
}

#[test]
fn one_broker_leads_and_the_next_one_follows_when_it_is_gone() {
    let Some(server) = server() else { return };
    let one = Setup { who: "first on host-a".to_owned(), ..setup(&server, "doorward") };
    let two = Setup { who: "second".to_owned(), ..one.clone() };
    let first = opened(&one);
    first.commit(&put(1)).unwrap();
    let said = refused(&two);
    assert!(said.contains("another broker has this store: first on host-a, since 2"), "{said}");
    // The first is cut off: its session ends, as when its machine is gone, and the second one waits for that.
    let second = std::thread::scope(|threads| {
        let waits = threads.spawn(|| opened(&two));
        while !waits.is_finished() {
            // Again, because the first one takes its lock again where nobody was quicker.
            let _ = server.sql(
                "doorward",
                "SELECT count(pg_terminate_backend(pid)) FROM pg_locks WHERE locktype = 'advisory' AND classid = 1685024626 AND objid = 1 AND granted",
            );
        }
        waits.join().unwrap()
    });
    second.commit(&put(2)).unwrap();
    let error = first.commit(&put(3)).unwrap_err();
    assert!(matches!(error, crate::Error::Postgres(Error::Fenced { epoch: 1 })), "{error:?}");
    assert!(first.is_lost() && !error.is_passing());
    assert!(first.commit(&put(4)).is_err());
    let value = second.get(Table::Grants, &TenantName::local(), b"a").unwrap().unwrap();
    assert_eq!(value, 2_u64.to_be_bytes());
    assert!(!second.is_lost());
}

#[test]
fn a_wrong_password_or_database_is_said_at_once_and_without_the_password() {
    let Some(server) = server() else { return };
    let mut wrong = setup(&server, "doorward");
    wrong.target = target(&server.url("doorward_app", "doorward"), "wrong-CANARY");
    drop(opened(&setup(&server, "doorward")));
    let error = Postgres::leader(&wrong, |_| false).err().unwrap();
    let said = format!("{error:?} {error}");
    assert!(said.contains("password authentication failed") && !said.contains("CANARY"), "{said}");
    wrong.target = target(&server.url("doorward_app", "nowhere"), APP_PASSWORD);
    let error = Postgres::leader(&wrong, |_| false).err().unwrap();
    assert!(format!("{error:?}").contains("does not exist"), "{error:?}");
}

#[test]
fn torture_commits_that_were_acknowledged_are_there_and_none_is_done_twice_whatever_the_server_suffers() {
    let Some(mut server) = server() else { return };
    let setup = Setup { timeout: Duration::from_secs(60), ..setup(&server, "doorward") };
    let storage = opened(&setup);
    let (writers, kills) = (4_u64, rounds());
    let ending = AtomicBool::new(false);
    let acknowledged: Vec<AtomicU64> = (0..writers).map(|_| AtomicU64::new(0)).collect();
    std::thread::scope(|threads| {
        for (writer, done) in acknowledged.iter().enumerate() {
            let (storage, ending) = (&storage, &ending);
            threads.spawn(move || {
                let name = tenant(&format!("writer_{writer}"));
                let mut n = 0_u64;
                while !ending.load(Ordering::SeqCst) {
                    // Done twice, the insert is a conflict; lost, there is a gap.
                    let batch = Batch::new()
                        .insert(Table::Evidence, &name, &n.to_be_bytes(), vec![1; 200])
                        .put(Table::Uses, &name, b"count", n.to_be_bytes().to_vec());
                    match storage.commit(&batch) {
                        Ok(()) => {
                            n += 1;
                            done.store(n, Ordering::SeqCst);
                        }
                        Err(error) => assert!(error.is_passing(), "writer {writer} at {n}: {error:?}"),
                    }
                }
            });
        }
        for round in 0..kills {
            // There is something to lose in each round.
            let all = || acknowledged.iter().map(|done| done.load(Ordering::SeqCst)).sum::<u64>();
            let (before, until) = (all(), Instant::now() + Duration::from_secs(120));
            while all() < before + 5 && Instant::now() < until {
                std::thread::sleep(Duration::from_millis(1));
            }
            // The moment is what is random here; nothing waits for this pause.
            std::thread::sleep(Duration::from_millis((round * 37) % 100));
            if round % 3 == 2 {
                // Every connection is cut while the server goes on: answers are lost, commits are not.
                let _ = server.sql("postgres", "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE usename = 'doorward_app'");
            } else {
                server.kill();
                server.up();
            }
        }
        std::thread::sleep(Duration::from_millis(300));
        ending.store(true, Ordering::SeqCst);
    });
    let mut all = 0;
    for (writer, done) in acknowledged.iter().enumerate() {
        let (name, done) = (tenant(&format!("writer_{writer}")), done.load(Ordering::SeqCst));
        let rows = storage.scan(Table::Evidence, &name, b"", None, usize::MAX).unwrap();
        let keys: Vec<Vec<u8>> = rows.into_iter().map(|row| row.key).collect();
        let wanted: Vec<Vec<u8>> = (0..done).map(|n| n.to_be_bytes().to_vec()).collect();
        assert!(keys == wanted, "writer {writer}: {done} acknowledged, {} there", keys.len());
        all += done;
    }
    assert!(all > kills * 4, "{all} commits in {kills} rounds");
    println!("{kills} kills, {all} acknowledged commits, none lost, none doubled");
}

#[test]
fn a_server_that_hangs_is_given_up_in_time_and_used_again_when_it_goes_on() {
    let Some(server) = server() else { return };
    let setup = Setup { timeout: Duration::from_secs(3), ..setup(&server, "doorward") };
    let storage = opened(&setup);
    let value = || patiently(|| storage.get(Table::Grants, &TenantName::local(), b"a")).unwrap();
    patiently(|| storage.commit(&put(1)));
    server.hold(true);
    let error = storage.get(Table::Grants, &TenantName::local(), b"a").unwrap_err();
    assert!(matches!(error, crate::Error::Postgres(Error::Late { .. })) && error.is_passing(), "{error:?}");
    // A commit that may have arrived is not given up before it is known.
    std::thread::scope(|threads| {
        let commits = threads.spawn(|| storage.commit(&put(2)));
        std::thread::sleep(setup.timeout * 2);
        server.hold(false);
        match commits.join().unwrap() {
            Ok(()) => assert_eq!(value(), 2_u64.to_be_bytes()),
            Err(error) => assert!(error.is_passing(), "{error:?}"),
        }
    });
    patiently(|| storage.commit(&put(3)));
    assert_eq!(value(), 3_u64.to_be_bytes());
}

/// Tries again while the error passes, as the seconds that a call has here may pass on a machine that does other things.
fn patiently<T>(mut tried: impl FnMut() -> Result<T, crate::Error>) -> T {
    let until = Instant::now() + Duration::from_secs(120);
    loop {
        match tried() {
            Ok(done) => return done,
            Err(error) => assert!(error.is_passing() && Instant::now() < until, "{error:?}"),
        }
    }
}

#[test]
fn an_address_says_how_it_is_spoken_to_and_holds_no_password() {
    let parse = |url: &str| {
        Target::parse(url, None, Arc::new(|_| Ok(None)))
            .map(|target| target.place())
            .map_err(|error| error.to_string())
    };
    assert_eq!(parse("postgres://app@127.0.0.1/doorward").unwrap(), "127.0.0.1:5432/doorward");
    assert_eq!(
        parse("postgres://app@db.example:6000/doorward?sslmode=verify-full").unwrap(),
        "db.example:6000/doorward"
    );
    assert_eq!(
        parse("postgresql://app@/doorward?host=/run/postgresql").unwrap(),
        "/run/postgresql:5432/doorward"
    );
    for (wrong, why) in [
        ("postgres://app:CANARY@db.example/doorward", "a password stands in it"),
        ("postgres://app@db.example/doorward?password=CANARY", "only `sslmode`"),
        ("postgres://app@db.example/doorward?sslmode=prefer", "`sslmode` is"),
        ("postgres://app@db.example/doorward?sslmode=allow", "`sslmode` is"),
        ("postgres://db.example/doorward", "no role"),
        ("postgres://app@db.example", "no database"),
        ("mysql://app@db.example/doorward", "does not begin"),
    ] {
        let said = parse(wrong).unwrap_err();
        assert!(said.contains(why) && !said.contains("CANARY"), "{wrong}: {said}");
    }
}

/// How often the server is killed: 200 with `DOORWARD_ROUNDS=200`.
#[expect(clippy::disallowed_methods, reason = "a test that is asked for more rounds")]
fn rounds() -> u64 {
    std::env::var("DOORWARD_ROUNDS").ok().and_then(|text| text.parse().ok()).unwrap_or(9)
}
