//! Who is the owner.

use model::RunId;

use super::*;

fn caller(uid: u32) -> Holder {
    Holder { uid: Some(uid), gid: Some(7), ..Holder::default() }
}

#[test]
fn the_owner_and_root_are_let_in_and_nobody_else() {
    assert!(Owner::proven(&caller(1000), 1000).is_ok());
    assert!(Owner::proven(&caller(0), 1000).is_ok());
    assert_eq!(Owner::proven(&caller(1001), 1000).unwrap_err().code, Code::Denied);
    assert_eq!(Owner::proven(&caller(7), 1000).unwrap_err().code, Code::Denied);
    assert_eq!(Owner::proven(&Holder::default(), 0).unwrap_err().code, Code::Denied);
}

#[test]
fn what_belongs_to_a_run_or_is_in_another_container_is_not_the_owner() {
    let run = Holder { run: Some(RunId::from_bytes([1; 16])), ..caller(1000) };
    let elsewhere = Holder { sight: Sight::ForeignProcesses, ..caller(1000) };
    let root_elsewhere = Holder { sight: Sight::ForeignUsers, ..caller(0) };
    for other in [run, elsewhere, root_elsewhere] {
        assert_eq!(Owner::proven(&other, 1000).unwrap_err().code, Code::Denied, "{other:?}");
        assert_eq!(Owner::alone(&other, 1000).unwrap_err().code, Code::Denied, "{other:?}");
    }
}

#[test]
fn what_a_keyring_holds_is_for_its_user_and_not_for_root() {
    assert!(Owner::alone(&caller(1000), 1000).is_ok());
    assert_eq!(Owner::alone(&caller(0), 1000).unwrap_err().code, Code::Denied);
    assert_eq!(Owner::alone(&caller(1001), 1000).unwrap_err().code, Code::Denied);
    assert_eq!(Owner::alone(&Holder::default(), 0).unwrap_err().code, Code::Denied);
}
