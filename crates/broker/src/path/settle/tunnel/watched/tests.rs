//! However an upstream cuts what it says, the credential is never passed on, and everything else is, at once.

use memory::Secret;

use super::*;

const CREDENTIAL: &[u8] = b"xoxb-CANARY-0123456789-abcdef";

fn watched() -> Watched {
    let mask = Mask::new(&Secret::new(CREDENTIAL.to_vec()).unwrap()).unwrap();
    Watched::new(Some(&Arc::new(mask)))
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    assert!(payload.len() < 126);
    [&[first, payload.len() as u8], payload].concat()
}

/// What is passed on of these pieces, up to where the line is cut.
fn pass(pieces: &[&[u8]]) -> (Vec<u8>, Result<(), Unsound>) {
    let (mut watched, mut out) = (watched(), Vec::new());
    for piece in pieces {
        match watched.push(piece) {
            Ok(sound) => out.extend_from_slice(&sound),
            Err(Unsound) => return (out, Err(Unsound)),
        }
    }
    (out, Ok(()))
}

#[test]
fn a_message_that_has_come_whole_waits_for_nothing() {
    let mut watched = watched();
    for said in [&b"hello"[..], b"xoxb-", b"x", b"", &CREDENTIAL[..10]] {
        let frame = frame(0x81, said);
        assert_eq!(watched.push(&frame).unwrap(), frame);
        assert!(watched.is_between());
    }
    assert_eq!(watched.push(&frame(0x89, b"ping")).unwrap(), frame(0x89, b"ping"));
}

#[test]
fn wherever_it_is_cut_no_byte_of_the_credential_is_passed_on() {
    let payload = [b"said: ", CREDENTIAL, b" and more"].concat();
    let stream = [frame(0x81, b"before"), frame(0x81, &payload)].concat();
    let secret_at = stream.len() - payload.len() + 6;
    for cut in 0..=stream.len() {
        let (one, two) = stream.split_at(cut);
        let (out, end) = pass(&[one, two]);
        assert_eq!(end, Err(Unsound), "{cut}");
        assert!(out.len() <= secret_at && stream.starts_with(&out), "{cut}: {out:?}");
    }
    let bytes: Vec<&[u8]> = stream.chunks(1).collect();
    let (out, end) = pass(&bytes);
    assert_eq!(end, Err(Unsound));
    assert!(out.len() <= secret_at, "{out:?}");
}

#[test]
fn a_message_in_fragments_is_looked_through_as_one_message() {
    for cut in 1..CREDENTIAL.len() {
        let (one, two) = CREDENTIAL.split_at(cut);
        let stream = [frame(0x01, one), frame(0x89, b"hi"), frame(0x80, two)].concat();
        let (out, end) = pass(&[&stream]);
        assert_eq!(end, Err(Unsound), "{cut}");
        assert!(out.is_empty());
        let pieces: Vec<&[u8]> = stream.chunks(3).collect();
        let (out, end) = pass(&pieces);
        assert_eq!((out.len() <= 2, end), (true, Err(Unsound)), "{cut}: {out:?}");
    }
}

#[test]
fn a_control_frame_is_looked_through_as_well() {
    assert_eq!(pass(&[&frame(0x8A, CREDENTIAL)]), (Vec::new(), Err(Unsound)));
    let said = frame(0x8A, CREDENTIAL);
    let (out, end) = pass(&[&said[..10], &said[10..]]);
    assert_eq!((&*out, end), (&said[..2], Err(Unsound)));
}

#[test]
fn fragments_that_are_not_it_arrive_whole_and_in_order() {
    let stream = [
        frame(0x01, b"xoxb-CANARY"),
        frame(0x89, b"ping"),
        frame(0x00, b"-is-another"),
        frame(0x80, b"-one"),
        frame(0x82, &[0, 1, 2, 3]),
    ]
    .concat();
    for size in 1..=stream.len() {
        let pieces: Vec<&[u8]> = stream.chunks(size).collect();
        assert_eq!(pass(&pieces), (stream.clone(), Ok(())), "{size}");
    }
}

#[test]
fn what_is_no_frame_is_not_passed_on() {
    for bytes in [&b"\x81\x85\x01\x02\x03\x04"[..], b"\xC1\x01x", b"HTTP/1.1 200 OK\r\n\r\n"] {
        assert_eq!(pass(&[bytes]), (Vec::new(), Err(Unsound)));
    }
}

#[test]
fn without_a_credential_frames_pass_as_they_come() {
    let mut watched = Watched::new(None);
    let stream = frame(0x01, b"half a message");
    assert_eq!(watched.push(&stream[..5]).unwrap(), stream[..5]);
    assert_eq!(watched.push(&stream[5..]).unwrap(), stream[5..]);
}

#[test]
fn what_came_whole_before_the_credential_is_passed_on_and_a_frame_can_stand_behind_it() {
    let (one, two) = (frame(0x81, b"hi"), frame(0x81, CREDENTIAL));
    let mut together = watched();
    assert_eq!(together.push(&[&*one, &two].concat()), Err(Unsound));
    assert_eq!((together.innocent(), together.is_between()), (Bytes::from(one.clone()), true));
    let mut apart = watched();
    assert_eq!(apart.push(&one).unwrap(), one);
    assert_eq!(apart.push(&two), Err(Unsound));
    assert_eq!((apart.innocent(), apart.is_between()), (Bytes::new(), true));
    let mut begun = watched();
    assert_eq!(begun.push(&two[..10]).unwrap(), two[..2]);
    assert_eq!(begun.push(&two[10..]), Err(Unsound));
    assert_eq!((begun.innocent(), begun.is_between()), (Bytes::new(), false));
    let mut inside = watched();
    let pieces =
        [frame(0x01, &CREDENTIAL[..9]), frame(0x89, b"ping"), frame(0x80, &CREDENTIAL[9..])].concat();
    assert_eq!(inside.push(&pieces), Err(Unsound));
    assert_eq!((inside.innocent(), inside.is_between()), (Bytes::new(), true));
}
