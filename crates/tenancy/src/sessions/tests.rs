//! Codes are spent once, sessions end, and half of one is none.

use super::*;

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + seconds * 1_000)
}

fn of(principal: &str, now: Timestamp) -> SignedIn {
    let id = SessionId::new(now, [7; 10]);
    SignedIn::new(id, (TenantName::local(), principal.parse().unwrap()), How::Link, now)
}

#[test]
fn a_code_opens_one_session_once_and_not_for_long() {
    let sessions = Sessions::default();
    let code = sessions.code(of("ada", at(0)), at(0)).unwrap();
    assert_eq!(sessions.waiting(code.as_bytes(), at(1)).unwrap().principal.as_str(), "ada");
    let _ = sessions.spend(code.as_bytes(), at(2)).unwrap();
    assert_eq!(sessions.spend(code.as_bytes(), at(2)).unwrap_err().code, Code::Unauthenticated);
    let late = sessions.code(of("ada", at(0)), at(0)).unwrap();
    assert!(sessions.waiting(late.as_bytes(), at(119)).is_ok());
    assert!(sessions.waiting(late.as_bytes(), at(120)).is_err());
    assert!(sessions.spend(late.as_bytes(), at(120)).is_err());
}

#[test]
fn half_a_session_is_none() {
    let sessions = Sessions::default();
    let (token, other) =
        (sessions.open(of("ada", at(0)), at(0)).unwrap(), sessions.open(of("ada", at(0)), at(0)).unwrap());
    let ((cookie, word), (_, strange)) = (halves(&token).unwrap(), halves(&other).unwrap());
    assert!(cookie.len() > 43 && word.len() == 43 && word != strange);
    assert!(sessions.find(joined(cookie, word).as_bytes(), at(1)).is_ok());
    for half in [joined(cookie, strange), joined(cookie, ""), joined(cookie, cookie)] {
        assert!(sessions.find(half.as_bytes(), at(1)).is_err());
    }
    assert!(sessions.find(cookie.as_bytes(), at(1)).is_err());
}

#[test]
fn a_session_ends_when_nothing_is_asked_and_after_its_time_in_any_case() {
    let sessions = Sessions::default();
    let token = sessions.open(of("ada", at(0)), at(0)).unwrap();
    let idle = IDLE.as_secs();
    assert!(sessions.find(token.as_bytes(), at(idle - 1)).is_ok());
    assert!(sessions.find(token.as_bytes(), at(2 * idle - 2)).is_ok(), "it was used meanwhile");
    assert!(sessions.find(token.as_bytes(), at(3 * idle)).is_err());
    let token = sessions.open(of("ada", at(0)), at(0)).unwrap();
    for minute in 0..8 * 60 {
        assert!(sessions.find(token.as_bytes(), at(minute * 60)).is_ok(), "{minute}");
    }
    assert!(sessions.find(token.as_bytes(), at(LIVES.as_secs())).is_err());
}

#[test]
fn a_change_of_roles_ends_what_the_principal_has_and_nobody_elses() {
    let sessions = Sessions::default();
    let ada = sessions.open(of("ada", at(0)), at(0)).unwrap();
    let eve = sessions.open(of("eve", at(0)), at(0)).unwrap();
    let code = sessions.code(of("ada", at(0)), at(0)).unwrap();
    sessions.end_of(&TenantName::local(), &"ada".parse().unwrap());
    assert!(sessions.find(ada.as_bytes(), at(1)).is_err());
    assert!(sessions.waiting(code.as_bytes(), at(1)).is_err());
    assert!(sessions.find(eve.as_bytes(), at(1)).is_ok());
}

#[test]
fn who_opens_too_many_loses_the_own_oldest() {
    let sessions = Sessions::default();
    let eve = sessions.open(of("eve", at(0)), at(0)).unwrap();
    let all: Vec<_> = (1..=40).map(|at_| sessions.open(of("ada", at(at_)), at(at_)).unwrap()).collect();
    assert!(sessions.find(all[0].as_bytes(), at(50)).is_err());
    assert!(sessions.find(all[39].as_bytes(), at(50)).is_ok());
    assert!(sessions.find(eve.as_bytes(), at(50)).is_ok());
}
