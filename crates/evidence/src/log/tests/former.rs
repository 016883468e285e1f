//! A home whose checkpoints are of the form before is verified, opened, and goes on in the later form.

use crypto::Digest;
use store::Storage;

use super::*;
use crate::checkpoint::{Beside, Checkpoint, Statement};
use crate::codec::Encoder;
use crate::history::History;
use crate::tree::Compact;
use crate::walk::Stage;
use crate::{note, resume};

/// Writes the checkpoints of a storage as they were written before, with the row that the log went on from.
fn former(storage: &Fake) {
    let key = key();
    let (mut history, mut previous, mut batch) = (History::default(), Digest::default(), Batch::new());
    let origin = crate::Origin::parse("doorward.example").unwrap();
    let rows = storage.scan(Table::Checkpoints, &local(), b"", None, 10_000).unwrap();
    let mut number = 0;
    for row in &rows {
        let checkpoint = Checkpoint::decode(&row.value, &key.public()).unwrap();
        history.take(&checkpoint).unwrap();
        let mut heads = history.all().to_vec();
        heads.sort_by(|one, other| one.tenant.cmp(&other.tenant));
        let mut tree = Compact::default();
        heads.iter().for_each(|head| tree.append(head.hash()));
        let statement = Statement { root: tree.root(), previous, ..checkpoint.statement };
        let note = note::sign(&statement.text(), &origin, &key);
        number = statement.number;
        let whole = Checkpoint { statement, heads: Beside::Whole(heads), note };
        previous = whole.digest();
        batch = batch.put(Table::Checkpoints, &local(), &row.key, whole.encode());
    }
    let mut bytes = Vec::new();
    Encoder(&mut bytes).long(number);
    let mut tenants = storage.tenants(Table::Evidence).unwrap();
    tenants.sort();
    for tenant in tenants {
        let row = storage.get(Table::Meta, &tenant, resume::CHAIN).unwrap().unwrap();
        let chain = resume::Chain::decode(&row).unwrap();
        let mut to = Encoder(&mut bytes);
        to.name(tenant.as_str());
        to.count(chain.nodes.len());
        chain.nodes.iter().for_each(|node| to.fixed(node));
        to.long(chain.open.len() as u64);
        for (seq, id, stage) in &chain.open {
            to.long(*seq);
            to.fixed(&id.to_bytes());
            to.byte(u8::from(*stage == Stage::Streaming));
        }
        batch = batch.delete(Table::Meta, &tenant, resume::CHAIN);
    }
    for row in storage.scan(Table::Meta, &local(), resume::PREFIX, None, 100).unwrap() {
        batch = batch.delete(Table::Meta, &local(), &row.key);
    }
    batch = batch.put(Table::Meta, &local(), resume::former::KEY, bytes);
    storage.inner.commit(&batch).unwrap();
}

#[test]
fn a_home_of_the_form_before_is_verified_and_goes_on_in_the_later_one() {
    // Without the journal, which does not let a checkpoint be written again that has others behind it.
    let (storage, clock) = (Fake::embedded(), clock());
    let log = open(&storage, &clock);
    let lane = log.lane();
    let tenants: Vec<TenantName> = ["zoo", "acme", "local"].map(|name| name.parse().unwrap()).to_vec();
    run(async {
        for n in 0..6 {
            lane.refuse(refused(&tenants[(n % 3) as usize], n)).await.unwrap();
            clock.0.fetch_add(61_000, Ordering::SeqCst);
        }
        let open = lane.intend(intent(&tenants[0], 7)).await.unwrap();
        clock.0.fetch_add(61_000, Ordering::SeqCst);
        lane.refuse(refused(&tenants[1], 8)).await.unwrap();
        // As after a crash: nobody settles it.
        std::mem::forget(open);
    });
    let (copy, before) = (Fake::embedded(), verify(&storage));
    for table in Table::ALL {
        for tenant in storage.tenants(table).unwrap() {
            for row in storage.scan(table, &tenant, b"", None, 10_000).unwrap() {
                copy.inner.commit(&Batch::new().put(table, &tenant, &row.key, row.value)).unwrap();
            }
        }
    }
    former(&copy);
    assert_eq!(verify(&copy), before);
    let exports = |storage: &std::sync::Arc<Fake>| {
        for tenant in &tenants {
            let mut out = Vec::new();
            let reader = Reader::new(storage.clone(), key().public());
            reader.export(tenant, &mut out).unwrap();
            crate::verify_export(&mut out.as_slice(), &key().public()).unwrap();
            let shown = reader.show(tenant, id(8)).unwrap();
            assert!(shown.is_none_or(|shown| shown.verify(&key().public()).is_ok()));
        }
    };
    exports(&copy);
    let again = open(&copy, &clock);
    assert_eq!(again.open_intents(), 0);
    assert!(copy.get(Table::Meta, &local(), resume::former::KEY).unwrap().is_none());
    run(async { again.lane().refuse(refused(&"new".parse().unwrap(), 9)).await.unwrap() });
    again.close().unwrap();
    let after = verify(&copy);
    assert!(after.open.is_empty() && after.unsigned == 0 && after.records == before.records + 3);
    exports(&copy);
    // And once more, from the later form.
    open(&copy, &clock).close().unwrap();
    verify(&copy);
}
