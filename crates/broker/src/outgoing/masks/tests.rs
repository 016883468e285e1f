//! Masks that are joined once.

use super::*;
use memory::Secret;

fn mask(text: &str) -> Arc<Mask> {
    Arc::new(Mask::new(&Secret::new(text.as_bytes().to_vec()).unwrap()).unwrap())
}

fn of(name: &str) -> Of {
    (TenantName::local(), name.parse().unwrap())
}

#[test]
fn the_same_masks_are_joined_once_whatever_their_order() {
    let masks = Masks::default();
    let (one, other) = (mask("canary-number-one"), mask("canary-number-two"));
    let first = masks.joined(of("slack"), vec![Arc::clone(&one), Arc::clone(&other)]).unwrap();
    let second = masks.joined(of("slack"), vec![Arc::clone(&other), Arc::clone(&one)]).unwrap();
    assert!(Arc::ptr_eq(&first, &second));
    assert_eq!(first.text(b"canary-number-one canary-number-two").unwrap().hits, 2);
    // Another version of one of them is another mask.
    let third = masks.joined(of("slack"), vec![one, mask("canary-number-three")]).unwrap();
    assert!(!Arc::ptr_eq(&first, &third));
    masks.clear();
    assert!(masks.all().is_empty());
}

#[test]
fn one_alone_is_itself() {
    let (masks, one) = (Masks::default(), mask("canary-number-one"));
    let joined = masks.joined(of("slack"), vec![Arc::clone(&one), Arc::clone(&one)]).unwrap();
    assert!(Arc::ptr_eq(&joined, &one));
}
