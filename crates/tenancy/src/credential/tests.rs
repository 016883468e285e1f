//! One in use, whoever else writes; a failed replacement waits; the grace ends; what ends late changes nothing that was done since.

use std::sync::Arc;

use serde_json::Map;
use store::Embedded;

use crate::TenantRow;

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

/// A store with the tenant in it.
fn with_acme() -> Embedded {
    let storage = Embedded::in_memory().unwrap();
    put_acme(&storage, None);
    storage
}

fn put_acme(storage: &Embedded, erased: Option<Timestamp>) {
    let row = TenantRow { plan: Plan::Starter, created: at(1), erased };
    storage.commit(&store::put(Batch::new(), &acme(), TenantRow::KEY, &row).unwrap()).unwrap();
}

/// Settled by itself: nobody was asked for long.
const fn now(unvalidated: Unvalidated, millis: u64) -> How {
    How { unvalidated, begun: None, now: Timestamp::from_millis(millis) }
}

fn settle(storage: &Embedded, row: &CredentialRow) -> Settled {
    let tenant = acme();
    Credentials::new(storage, &tenant).settle(row, Plan::Starter, now(Unvalidated::Waits, 10)).unwrap()
}

/// Settled by whoever began when this was in use.
fn end(storage: &Embedded, row: &CredentialRow, begun: Begun) -> Settled {
    let tenant = acme();
    let how = How { begun: Some(begun), ..now(Unvalidated::Waits, 10) };
    Credentials::new(storage, &tenant).settle(row, Plan::Starter, how).unwrap()
}

fn begin(storage: &Embedded) -> Begun {
    Credentials::new(storage, &acme()).begin("OPENAI", Plan::Starter).unwrap().unwrap()
}

fn in_use(storage: &Embedded, provider: &str) -> CredentialId {
    Credentials::new(storage, &acme()).in_use().unwrap()[provider].id
}

#[test]
fn a_replacement_that_works_takes_the_place_and_the_one_before_ends_after_the_grace() {
    let storage = with_acme();
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
    let storage = with_acme();
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
    let settled = credentials.settle(&forced, Plan::Starter, now(Unvalidated::Replaces, 10)).unwrap();
    assert_eq!((settled, in_use(&storage, "OPENAI")), (Settled::Replaced(first.id), forced.id));
}

#[test]
fn a_plan_has_room_for_so_many_providers_also_when_all_come_at_once() {
    let storage = Arc::new(with_acme());
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
    let storage = Arc::new(with_acme());
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
    let storage = with_acme();
    assert_eq!(settle(&storage, &row("OPENAI", 1, Status::Valid)), Settled::InUse);
    let tenant = acme();
    let credentials = Credentials::new(&storage, &tenant);
    let removed = credentials.remove("OPENAI", at(20), &|_| Ok(())).unwrap();
    assert_eq!(removed.len(), 1);
    assert!(credentials.in_use().unwrap().is_empty());
    // As long as nobody says that they are gone, they have to go.
    assert_eq!(credentials.round(at(20)).unwrap().0.len(), 1);
    credentials.gone(&removed[0], at(20)).unwrap();
    assert!(credentials.remove("OPENAI", at(21), &|_| Ok(())).unwrap().is_empty());
}

#[test]
fn one_that_is_over_is_shown_so_whatever_its_provider_said() {
    let row = row("OPENAI", 1, Status::Valid);
    assert_eq!(row.shown(at(999_999_999)), "VALID");
    assert_eq!(row.shown(at(1_000_000_000)), "EXPIRED");
}

#[test]
fn other_steps_go_with_the_rows_or_neither_is_there_and_are_made_anew_for_each_attempt() {
    let storage = with_acme();
    let (tenant, first) = (acme(), row("OPENAI", 1, Status::Pending));
    let credentials = Credentials::new(&storage, &tenant);
    let how = now(Unvalidated::Replaces, 10);
    let made = std::cell::Cell::new(0);
    // Somebody else takes another provider into use behind the first look, so that the first attempt meets another row.
    let steps = |_: Option<&CredentialRow>| {
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
    let there = |_: Option<&CredentialRow>| {
        Ok(Batch::new().insert(Table::Versions, &tenant, b"bytes", b"other".to_vec()))
    };
    let refusal = credentials.settle_with(&second, Plan::Starter, how, &there).unwrap_err();
    assert_eq!(refusal.code, Code::Conflict);
    assert!(!credentials.in_use().unwrap().contains_key("DEEPSEEK"));
    assert!(credentials.all().unwrap().iter().all(|row| row.id != second.id));

    // Where the plan has no room, nothing is written at all.
    assert_eq!(settle(&storage, &row("AZURE", 3, Status::Valid)), Settled::InUse);
    let never =
        |_: Option<&CredentialRow>| Ok(Batch::new().put(Table::Versions, &tenant, b"never", Vec::new()));
    let full = credentials.settle_with(&second, Plan::Starter, how, &never).unwrap();
    assert!(matches!(full, Settled::NoRoom(3)), "{full:?}");
    assert_eq!(storage.get(Table::Versions, &tenant, b"never").unwrap(), None);
}

#[test]
fn a_tenant_is_in_the_list_of_looks_for_as_long_as_it_has_something_to_look_after_and_once() {
    let storage = with_acme();
    let (tenant, house) = (acme(), TenantName::local());
    let due = |row: &CredentialRow| Some(row.tried.unwrap_or(row.created).after(Duration::from_secs(60)));
    let agenda = Agenda { house: &house, due: &due };
    let credentials = Credentials::new(&storage, &tenant).with_agenda(agenda);
    let settle = |row: &CredentialRow, millis| {
        let _ = credentials.settle(row, Plan::Starter, now(Unvalidated::Waits, millis)).unwrap();
    };
    let listed = |until| {
        let looks = looks(&storage, &house, until, 9).unwrap();
        assert!(looks.iter().all(|look| look.tenant == tenant));
        looks.into_iter().map(|look| look.at).collect::<Vec<_>>()
    };
    let far = at(u64::MAX >> 1);
    let first = row("OPENAI", 1, Status::Valid);
    settle(&first, 10);
    assert_eq!(listed(far), [at(60_001)]);
    assert!(listed(at(60_000)).is_empty(), "what is not due yet is not read");
    // Looked at and not validated: again after a while.
    credentials.looked(Some(at(60_001)), at(70_000), Duration::from_secs(5)).unwrap();
    assert_eq!(listed(far), [at(75_000)]);
    // Validated, and another provider: the earliest counts.
    let tried = |row: &mut CredentialRow| {
        row.tried = Some(at(80_000));
        Ok::<(), Refusal>(())
    };
    assert!(credentials.revise(first.id, at(80_000), &tried).unwrap().is_some());
    assert_eq!(listed(far), [at(140_000)]);
    settle(&row("GEMINI", 2, Status::Pending), 80_000);
    assert_eq!(listed(far), [at(60_001)]);
    let before = &looks(&storage, &house, far, 9).unwrap()[0];
    put_off(&storage, &house, before, at(90_000)).unwrap();
    assert_eq!(listed(far), [at(90_000)]);
    credentials.looked(Some(at(90_000)), at(90_000), Duration::from_secs(5)).unwrap();
    assert_eq!(listed(far), [at(95_000)]);
    for provider in ["OPENAI", "GEMINI"] {
        for row in credentials.remove(provider, at(91_000), &|_| Ok(())).unwrap() {
            assert!(!listed(at(91_000)).is_empty(), "bytes that have to go are looked for");
            credentials.gone(&row, at(91_000)).unwrap();
        }
    }
    credentials.looked(Some(listed(far)[0]), at(92_000), Duration::from_secs(5)).unwrap();
    assert!(listed(far).is_empty(), "nothing is left to look after");
}

#[test]
fn a_tenant_whose_provider_is_never_asked_is_looked_at_once_a_day() {
    let storage = with_acme();
    let (tenant, house) = (acme(), TenantName::local());
    let never = |_: &CredentialRow| None;
    let credentials = Credentials::new(&storage, &tenant).with_agenda(Agenda { house: &house, due: &never });
    let _ = credentials
        .settle(&row("OCI", 1, Status::Pending), Plan::Starter, now(Unvalidated::Waits, 10))
        .unwrap();
    let looks = looks(&storage, &house, at(u64::MAX >> 1), 9).unwrap();
    assert_eq!(looks.iter().map(|look| look.at).collect::<Vec<_>>(), [at(86_400_010)]);
}

/// What a provider said.
fn says(status: Status) -> impl Fn(&mut CredentialRow) -> Result<(), Refusal> {
    move |row| {
        (row.status, row.tried) = (status, Some(at(30)));
        Ok(())
    }
}

#[test]
fn what_a_provider_says_late_changes_nothing_of_one_that_was_replaced_or_deleted_meanwhile() {
    for said in [Status::Valid, Status::Invalid, Status::Pending] {
        let storage = with_acme();
        let (first, second) = (row("OPENAI", 1, Status::Valid), row("OPENAI", 2, Status::Valid));
        let (tenant, first_there) = (acme(), settle(&storage, &first));
        assert_eq!(first_there, Settled::InUse);
        let credentials = Credentials::new(&storage, &tenant);
        assert_eq!(settle(&storage, &second), Settled::Replaced(first.id));
        let rows = credentials.all().unwrap();
        assert_eq!(credentials.revise(first.id, at(30), &says(said)).unwrap(), None, "{said:?}");
        assert_eq!((in_use(&storage, "OPENAI"), credentials.all().unwrap()), (second.id, rows));

        // Also between the moment that it is out of use and the one when its bytes are gone.
        let removed = credentials.remove("OPENAI", at(40), &|_| Ok(())).unwrap();
        assert_eq!(credentials.revise(second.id, at(41), &says(said)).unwrap(), None, "{said:?}");
        removed.iter().for_each(|row| credentials.gone(row, at(42)).unwrap());
        assert_eq!(credentials.revise(second.id, at(43), &says(said)).unwrap(), None, "{said:?}");
        assert!(credentials.in_use().unwrap().is_empty(), "{said:?}");
        assert!(credentials.all().unwrap().iter().all(|row| row.gone && row.ends.is_some()), "{said:?}");
    }
}

#[test]
fn what_was_changed_while_a_row_was_looked_at_stays_changed() {
    let storage = with_acme();
    let (tenant, only) = (acme(), row("OPENAI", 1, Status::Pending));
    assert_eq!(settle(&storage, &only), Settled::InUse);
    let credentials = Credentials::new(&storage, &tenant);
    let named = |row: &mut CredentialRow| {
        "renamed".clone_into(&mut row.name);
        Ok::<(), Refusal>(())
    };
    // Somebody gives it another name between the look at the row and the writing of it.
    let once = std::cell::Cell::new(false);
    let tried = |row: &mut CredentialRow| {
        if !once.replace(true) {
            assert!(credentials.revise(only.id, at(20), &named).unwrap().is_some());
        }
        says(Status::Valid)(row)
    };
    let revised = credentials.revise(only.id, at(30), &tried).unwrap().unwrap();
    let known = &credentials.in_use().unwrap()["OPENAI"];
    assert_eq!((known.name.as_str(), known.status), ("renamed", Status::Valid));
    assert_eq!((&revised.row, revised.replaced), (known, None));
    // Bytes that are gone are noted in the row as it is now.
    credentials.gone(&only, at(40)).unwrap();
    let gone = &credentials.all().unwrap()[0];
    assert_eq!((gone.name.as_str(), gone.gone, gone.ends), ("renamed", true, Some(at(40))));
}

#[test]
fn one_that_waited_takes_the_place_for_which_it_waited_when_it_works() {
    let storage = with_acme();
    let (first, waits) = (row("OPENAI", 1, Status::Valid), row("OPENAI", 3, Status::Pending));
    assert_eq!((settle(&storage, &first), settle(&storage, &waits)), (Settled::InUse, Settled::Beside));
    // Begun before the one that waits, settled after it.
    assert_eq!(settle(&storage, &row("OPENAI", 2, Status::Pending)), Settled::Beside);
    let tenant = acme();
    let credentials = Credentials::new(&storage, &tenant);
    let revised = credentials.revise(waits.id, at(30), &says(Status::Invalid)).unwrap().unwrap();
    assert_eq!((revised.replaced, in_use(&storage, "OPENAI")), (None, first.id));
    let revised = credentials.revise(waits.id, at(30), &says(Status::Valid)).unwrap().unwrap();
    assert_eq!((revised.replaced, in_use(&storage, "OPENAI")), (Some(first.id), waits.id));
    let ends: Vec<_> = credentials.all().unwrap().into_iter().map(|row| row.ends).collect();
    assert_eq!(ends, [Some(at(30).after(GRACE)), Some(at(30)), None], "nothing else waits any more");
}

#[test]
fn of_two_set_ups_the_one_that_began_later_is_in_use_whichever_provider_is_quicker() {
    for before in [None, Some(row("OPENAI", 1, Status::Valid))] {
        let storage = with_acme();
        if let Some(before) = &before {
            assert_eq!(settle(&storage, before), Settled::InUse);
        }
        let (older, newer) = (row("OPENAI", 2, Status::Valid), row("OPENAI", 3, Status::Valid));
        let begun = begin(&storage);
        let placed = before.as_ref().map_or(Settled::InUse, |before| Settled::Replaced(before.id));
        assert_eq!(end(&storage, &newer, begin(&storage)), placed);
        let rows = Credentials::new(&storage, &acme()).all().unwrap();
        assert_eq!(end(&storage, &older, begun), Settled::Outrun(Some(newer.id)));
        assert_eq!(Credentials::new(&storage, &acme()).all().unwrap(), rows, "nothing was written");

        let storage = with_acme();
        let begun = begin(&storage);
        assert_eq!(end(&storage, &older, begun), Settled::InUse);
        assert_eq!(end(&storage, &newer, begun), Settled::Replaced(older.id));
    }
}

#[test]
fn a_set_up_does_not_bring_back_what_was_deleted_while_it_went_on_and_a_clock_that_goes_back_refuses_none() {
    let storage = with_acme();
    assert_eq!(settle(&storage, &row("OPENAI", 5, Status::Valid)), Settled::InUse);
    let begun = begin(&storage);
    let tenant = acme();
    let credentials = Credentials::new(&storage, &tenant);
    assert_eq!(credentials.remove("OPENAI", at(20), &|_| Ok(())).unwrap().len(), 1);
    assert_eq!(end(&storage, &row("OPENAI", 6, Status::Valid), begun), Settled::Outrun(None));
    assert!(credentials.in_use().unwrap().is_empty());
    assert_eq!(settle(&storage, &row("OPENAI", 7, Status::Valid)), Settled::InUse);
    // Its id says that it is older, and it began when the other one was there already.
    let early = row("OPENAI", 2, Status::Valid);
    assert_eq!(end(&storage, &early, begin(&storage)), Settled::Replaced(row("OPENAI", 7, Status::Valid).id));
}

#[test]
fn nothing_is_written_for_a_tenant_that_was_erased_also_not_when_that_happens_in_between() {
    let storage = with_acme();
    let (tenant, house, first) = (acme(), TenantName::local(), row("OPENAI", 1, Status::Valid));
    let due = |_: &CredentialRow| None;
    let credentials = Credentials::new(&storage, &tenant).with_agenda(Agenda { house: &house, due: &due });
    assert_eq!(settle(&storage, &row("GEMINI", 9, Status::Valid)), Settled::InUse);
    let erase = |_: Option<&CredentialRow>| {
        put_acme(&storage, Some(at(15)));
        let rows = storage.scan(Table::Credentials, &acme(), b"", None, 10).unwrap();
        let gone =
            rows.iter().fold(Batch::new(), |batch, row| batch.delete(Table::Credentials, &acme(), &row.key));
        storage.commit(&gone).unwrap();
        Ok(Batch::new())
    };
    let refusal =
        credentials.settle_with(&first, Plan::Starter, now(Unvalidated::Waits, 20), &erase).unwrap_err();
    assert_eq!(refusal.code, Code::NotFound, "{refusal:?}");
    let refusal = credentials.settle(&first, Plan::Starter, now(Unvalidated::Waits, 20)).unwrap_err();
    assert_eq!(refusal.code, Code::NotFound, "{refusal:?}");
    credentials.looked(Some(at(3)), at(20), Duration::from_secs(5)).unwrap();
    assert!(storage.scan(Table::Credentials, &tenant, b"", None, 10).unwrap().is_empty());
    let nobody = "nobody_inc".parse().unwrap();
    let refusal =
        Credentials::new(&storage, &nobody).settle(&first, Plan::Starter, now(Unvalidated::Waits, 20));
    assert_eq!(refusal.unwrap_err().code, Code::NotFound);
}
