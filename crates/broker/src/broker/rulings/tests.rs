//! Tests of the module `rulings`.

use store::Embedded;

use super::*;

fn house() -> MacKey {
    MacKey::new([9; 32])
}

fn kept(storage: &Arc<dyn Storage>) -> Kept {
    let kept = Kept::new(Arc::clone(storage), TenantName::local());
    kept.unlock(Some(&house()));
    kept
}

fn storage() -> (tempfile::TempDir, Arc<dyn Storage>) {
    let folder = tempfile::tempdir().unwrap();
    let storage = Embedded::open(&folder.path().join("home.db")).unwrap();
    (folder, Arc::new(storage))
}

#[test]
fn what_was_kept_is_found_under_its_question_only() {
    let (_folder, storage) = storage();
    kept(&storage).keep(&[1; 32], b"ruling");
    assert_eq!(kept(&storage).find(&[1; 32]).as_deref(), Some(&b"ruling"[..]));
    assert_eq!(kept(&storage).find(&[2; 32]), None);
}

#[test]
fn a_ruling_that_somebody_else_wrote_is_not_believed() {
    let (_folder, storage) = storage();
    kept(&storage).keep(&[1; 32], b"ruling");
    let row = storage.get(Table::Meta, &TenantName::local(), &Kept::row(&[1; 32])).unwrap().unwrap();
    // Moved to another question, and changed.
    let mut changed = row.clone();
    *changed.last_mut().unwrap() ^= 1;
    let batch = Batch::new().put(Table::Meta, &TenantName::local(), &Kept::row(&[2; 32]), row).put(
        Table::Meta,
        &TenantName::local(),
        &Kept::row(&[3; 32]),
        changed,
    );
    storage.commit(&batch).unwrap();
    assert_eq!(kept(&storage).find(&[2; 32]), None);
    assert_eq!(kept(&storage).find(&[3; 32]), None);
}

#[test]
fn without_a_key_nothing_is_found_or_kept() {
    let (_folder, storage) = storage();
    kept(&storage).keep(&[1; 32], b"ruling");
    let locked = kept(&storage);
    locked.unlock(None);
    assert_eq!(locked.find(&[1; 32]), None);
    locked.keep(&[4; 32], b"ruling");
    assert_eq!(kept(&storage).find(&[4; 32]), None);
}

#[test]
fn old_rulings_go_when_there_are_many() {
    let (_folder, storage) = storage();
    let kept = kept(&storage);
    for number in 0..=u16::try_from(MOST).unwrap() {
        let mut question = [0; 32];
        question[..2].copy_from_slice(&number.to_be_bytes());
        kept.keep(&question, b"r");
    }
    assert_eq!(storage.scan(Table::Meta, &TenantName::local(), PREFIX, None, MOST).unwrap().len(), 1);
}
