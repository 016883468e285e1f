//! One in use, whoever else writes; a failed replacement waits; the grace ends.

use std::sync::Arc;

use store::Embedded;

use super::*;

fn acme() -> TenantName {
    "acme_inc".parse().unwrap()
}

fn at(millis: u64) -> Timestamp {
    Timestamp::from_millis(millis)
}

fn row(provider: &str, seed: u8, status: Status) -> CredentialRow {
    CredentialRow {
        id: CredentialId::new(at(u64::from(seed)), [seed; 10]),
        provider: provider.to_owned(),
        kind: "API_KEY".to_owned(),
        secret: format!("credentials/x/{seed}").parse().unwrap(),
        name: "Key".to_owned(),
        status,
        created: at(1),
        expires: at(1_000_000_000),
        validated: None,
        error: None,
        tried: None,
        facts: BTreeMap::new(),
        metadata: Map::new(),
        by: "owner".parse().unwrap(),
        fingerprint: "00000000".to_owned(),
        ends: None,
        gone: false,
    }
}

fn settle(storage: &Embedded, row: &CredentialRow) -> Settled {
    let tenant = acme();
    Credentials::new(storage, &tenant).settle(row, Plan::Starter, (Unvalidated::Waits, at(10))).unwrap()
}

fn in_use(storage: &Embedded, provider: &str) -> CredentialId {
    Credentials::new(storage, &acme()).in_use().unwrap()[provider].id
}

#[test]
fn a_replacement_that_works_takes_the_place_and_the_one_before_ends_after_the_grace() {
    let storage = Embedded::in_memory().unwrap();
    let (first, second) = (row("OPENAI", 1, Status::Valid), row("OPENAI", 2, Status::Valid));
    assert_eq!(settle(&storage, &first), Settled::InUse);
    assert_eq!(settle(&storage, &second), Settled::Replaced(first.id));
    assert_eq!(in_use(&storage, "OPENAI"), second.id);
    let tenant = acme();
    let credentials = Credentials::new(&storage, &tenant);
    assert!(credentials.round(at(10).after(GRACE - Duration::from_millis(1))).unwrap().0.is_empty());
    let over = credentials.round(at(10).after(GRACE)).unwrap().0;
    assert_eq!(over.iter().map(|row| row.id).collect::<Vec<_>>(), [first.id]);
    credentials.gone(&over[0], at(20)).unwrap();
    assert!(credentials.round(at(10).after(GRACE)).unwrap().0.is_empty(), "once");
}

#[test]
fn a_replacement_that_fails_or_is_not_told_leaves_the_one_that_works_in_use() {
    let storage = Embedded::in_memory().unwrap();
    let first = row("OPENAI", 1, Status::Valid);
    assert_eq!(settle(&storage, &first), Settled::InUse);
    for (seed, status) in [(2, Status::Invalid), (3, Status::Pending)] {
        assert_eq!(settle(&storage, &row("OPENAI", seed, status)), Settled::Beside);
        assert_eq!(in_use(&storage, "OPENAI"), first.id);
    }
    let tenant = acme();
    let credentials = Credentials::new(&storage, &tenant);
    let over: Vec<_> = credentials.round(at(10)).unwrap().0.into_iter().map(|row| row.id).collect();
    assert_eq!(over, [row("OPENAI", 2, Status::Invalid).id], "of those beside, the newest is kept");
    let forced = row("OPENAI", 4, Status::Pending);
    let settled = credentials.settle(&forced, Plan::Starter, (Unvalidated::Replaces, at(10))).unwrap();
    assert_eq!((settled, in_use(&storage, "OPENAI")), (Settled::Replaced(first.id), forced.id));
}

#[test]
fn a_plan_has_room_for_so_many_providers_also_when_all_come_at_once() {
    let storage = Arc::new(Embedded::in_memory().unwrap());
    let threads: Vec<_> = (0..8_u8)
        .map(|seed| {
            let storage = Arc::clone(&storage);
            std::thread::spawn(move || settle(&storage, &row(&format!("P{seed}"), seed, Status::Valid)))
        })
        .collect();
    let settled: Vec<Settled> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(settled.iter().filter(|settled| **settled == Settled::InUse).count(), 3, "{settled:?}");
    assert_eq!(settled.iter().filter(|settled| **settled == Settled::NoRoom(3)).count(), 5, "{settled:?}");
    let known = Credentials::new(&*storage, &acme()).in_use().unwrap();
    let again =
        CredentialRow { id: row("x", 99, Status::Valid).id, ..known.values().next().unwrap().clone() };
    let replaced = matches!(settle(&storage, &again), Settled::Replaced(_));
    assert!(replaced, "one that it has already may be replaced");
}

#[test]
fn many_that_are_set_up_at_once_leave_one_in_use() {
    let storage = Arc::new(Embedded::in_memory().unwrap());
    let threads: Vec<_> = (0..8_u8)
        .map(|seed| {
            let storage = Arc::clone(&storage);
            std::thread::spawn(move || settle(&storage, &row("OPENAI", seed, Status::Valid)))
        })
        .collect();
    let settled: Vec<Settled> = threads.into_iter().map(|thread| thread.join().unwrap()).collect();
    assert_eq!(settled.iter().filter(|settled| **settled == Settled::InUse).count(), 1, "{settled:?}");
    let tenant = acme();
    let credentials = Credentials::new(&*storage, &tenant);
    assert_eq!((credentials.all().unwrap().len(), credentials.in_use().unwrap().len()), (8, 1));
}

#[test]
fn what_is_removed_is_out_of_use_and_its_bytes_have_to_go_once() {
    let storage = Embedded::in_memory().unwrap();
    assert_eq!(settle(&storage, &row("OPENAI", 1, Status::Valid)), Settled::InUse);
    let tenant = acme();
    let credentials = Credentials::new(&storage, &tenant);
    let removed = credentials.remove("OPENAI", at(20)).unwrap();
    assert_eq!(removed.len(), 1);
    assert!(credentials.in_use().unwrap().is_empty());
    // As long as nobody says that they are gone, they have to go.
    assert_eq!(credentials.round(at(20)).unwrap().0.len(), 1);
    credentials.gone(&removed[0], at(20)).unwrap();
    assert!(credentials.remove("OPENAI", at(21)).unwrap().is_empty());
}

#[test]
fn one_that_is_over_is_shown_so_whatever_its_provider_said() {
    let row = row("OPENAI", 1, Status::Valid);
    assert_eq!(row.shown(at(999_999_999)), "VALID");
    assert_eq!(row.shown(at(1_000_000_000)), "EXPIRED");
}

#[test]
fn other_steps_go_with_the_rows_or_neither_is_there_and_are_made_anew_for_each_attempt() {
    let storage = Embedded::in_memory().unwrap();
    let (tenant, first) = (acme(), row("OPENAI", 1, Status::Pending));
    let credentials = Credentials::new(&storage, &tenant);
    let how = (Unvalidated::Replaces, at(10));
    let made = std::cell::Cell::new(0);
    // Somebody else takes another provider into use behind the first look, so that the first attempt meets another row.
    let steps = || {
        made.set(made.get() + 1);
        if made.get() == 1 {
            assert_eq!(settle(&storage, &row("GEMINI", 9, Status::Valid)), Settled::InUse);
        }
        Ok(Batch::new().insert(Table::Versions, &tenant, b"bytes", b"sealed".to_vec()))
    };
    assert_eq!(credentials.settle_with(&first, Plan::Starter, how, &steps).unwrap(), Settled::InUse);
    assert_eq!(made.get(), 2);
    assert_eq!(in_use(&storage, "OPENAI"), first.id);
    assert_eq!(storage.get(Table::Versions, &tenant, b"bytes").unwrap().unwrap(), b"sealed");

    // Bytes that can't be kept are no credential.
    let second = row("DEEPSEEK", 2, Status::Pending);
    let there = || Ok(Batch::new().insert(Table::Versions, &tenant, b"bytes", b"other".to_vec()));
    let refusal = credentials.settle_with(&second, Plan::Starter, how, &there).unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    assert!(!credentials.in_use().unwrap().contains_key("DEEPSEEK"));
    assert!(credentials.all().unwrap().iter().all(|row| row.id != second.id));

    // Where the plan has no room, nothing is written at all.
    assert_eq!(settle(&storage, &row("AZURE", 3, Status::Valid)), Settled::InUse);
    let never = || Ok(Batch::new().put(Table::Versions, &tenant, b"never", Vec::new()));
    let full = credentials.settle_with(&second, Plan::Starter, how, &never).unwrap();
    assert!(matches!(full, Settled::NoRoom(3)), "{full:?}");
    assert_eq!(storage.get(Table::Versions, &tenant, b"never").unwrap(), None);
}

#[test]
fn a_tenant_is_in_the_list_of_looks_for_as_long_as_it_has_something_to_look_after_and_once() {
    let storage = Embedded::in_memory().unwrap();
    let (tenant, house) = (acme(), TenantName::local());
    let due = |row: &CredentialRow| Some(row.tried.unwrap_or(row.created).after(Duration::from_secs(60)));
    let agenda = Agenda { house: &house, due: &due };
    let credentials = Credentials::new(&storage, &tenant).with_agenda(agenda);
    let settle = |row: &CredentialRow, now| {
        let how = (Unvalidated::Waits, now);
        let _ = credentials.settle(row, Plan::Starter, how).unwrap();
    };
    let listed = |until| {
        let looks = looks(&storage, &house, until, 9).unwrap();
        assert!(looks.iter().all(|look| look.tenant == tenant));
        looks.into_iter().map(|look| look.at).collect::<Vec<_>>()
    };
    let far = at(u64::MAX >> 1);
    let first = row("OPENAI", 1, Status::Valid);
    settle(&first, at(10));
    assert_eq!(listed(far), [at(60_001)]);
    assert!(listed(at(60_000)).is_empty(), "what is not due yet is not read");
    // Looked at and not validated: again after a while.
    credentials.looked(Some(at(60_001)), at(70_000), Duration::from_secs(5)).unwrap();
    assert_eq!(listed(far), [at(75_000)]);
    // Validated, and another provider: the earliest counts.
    settle(&CredentialRow { tried: Some(at(80_000)), ..first }, at(80_000));
    assert_eq!(listed(far), [at(140_000)]);
    settle(&row("GEMINI", 2, Status::Pending), at(80_000));
    assert_eq!(listed(far), [at(60_001)]);
    let before = &looks(&storage, &house, far, 9).unwrap()[0];
    put_off(&storage, &house, before, at(90_000)).unwrap();
    assert_eq!(listed(far), [at(90_000)]);
    credentials.looked(Some(at(90_000)), at(90_000), Duration::from_secs(5)).unwrap();
    assert_eq!(listed(far), [at(95_000)]);
    for provider in ["OPENAI", "GEMINI"] {
        for row in credentials.remove(provider, at(91_000)).unwrap() {
            assert!(!listed(at(91_000)).is_empty(), "bytes that have to go are looked for");
            credentials.gone(&row, at(91_000)).unwrap();
        }
    }
    credentials.looked(Some(listed(far)[0]), at(92_000), Duration::from_secs(5)).unwrap();
    assert!(listed(far).is_empty(), "nothing is left to look after");
}

#[test]
fn a_tenant_whose_provider_is_never_asked_is_looked_at_once_a_day() {
    let storage = Embedded::in_memory().unwrap();
    let (tenant, house) = (acme(), TenantName::local());
    let never = |_: &CredentialRow| None;
    let credentials = Credentials::new(&storage, &tenant).with_agenda(Agenda { house: &house, due: &never });
    let _ = credentials
        .settle(&row("OCI", 1, Status::Pending), Plan::Starter, (Unvalidated::Waits, at(10)))
        .unwrap();
    let looks = looks(&storage, &house, at(u64::MAX >> 1), 9).unwrap();
    assert_eq!(looks.iter().map(|look| look.at).collect::<Vec<_>>(), [at(86_400_010)]);
}
