//! Frames of a server in every way to cut them, and what is none.

use proptest::prelude::*;

use super::*;

/// The data of each message, and the contents of each control frame.
type Said = (Vec<Vec<u8>>, Vec<Vec<u8>>);

/// What a stream says, however it was cut.
fn read(pieces: &[&[u8]]) -> Result<Said, Unframed> {
    let mut frames = Frames::default();
    let (mut messages, mut controls) = (Vec::new(), Vec::new());
    let (mut message, mut control) = (Vec::new(), Vec::new());
    for piece in pieces {
        let mut rest = *piece;
        while let Some(part) = frames.next(rest)? {
            let taken = match part {
                Part::Head(taken) => taken,
                Part::Data(taken) => {
                    message.extend_from_slice(&rest[..taken]);
                    taken
                }
                Part::Control(taken) => {
                    control.extend_from_slice(&rest[..taken]);
                    taken
                }
                Part::MessageEnd => {
                    messages.push(std::mem::take(&mut message));
                    0
                }
                Part::ControlEnd => {
                    controls.push(std::mem::take(&mut control));
                    0
                }
            };
            rest = &rest[taken..];
        }
        assert!(rest.is_empty());
    }
    assert!(frames.is_between());
    Ok((messages, controls))
}

fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![first];
    match payload.len() {
        length @ 0..=125 => frame.push(length as u8),
        length @ 126..=65535 => {
            frame.push(126);
            frame.extend_from_slice(&(length as u16).to_be_bytes());
        }
        length => {
            frame.push(127);
            frame.extend_from_slice(&(length as u64).to_be_bytes());
        }
    }
    frame.extend_from_slice(payload);
    frame
}

#[test]
fn messages_in_pieces_with_control_frames_between_are_read_whole() {
    let stream = [
        frame(0x01, b"he"),
        frame(0x89, b"ping"),
        frame(0x00, b""),
        frame(0x80, b"llo"),
        frame(0x82, &[7; 70_000]),
        frame(0x81, &[b'x'; 126]),
        frame(0x81, b""),
        frame(0x88, &[0x03, 0xE8]),
    ]
    .concat();
    let (messages, controls) = read(&[&stream]).unwrap();
    assert_eq!(messages, [b"hello".to_vec(), vec![7; 70_000], vec![b'x'; 126], Vec::new()]);
    assert_eq!(controls, [b"ping".to_vec(), vec![0x03, 0xE8]]);
}

#[test]
fn what_a_server_may_not_send_is_refused() {
    let long = |first: u8, head: &[u8]| [&[first], head].concat();
    for (what, bytes) in [
        ("masked", vec![0x81, 0x81, 1, 2, 3, 4, 5]),
        ("compressed", frame(0xC1, b"x")),
        ("reserved bit", frame(0x91, b"x")),
        ("reserved opcode", frame(0x83, b"x")),
        ("reserved control", frame(0x8B, b"x")),
        ("control in pieces", frame(0x09, b"x")),
        ("long control", frame(0x89, &[0; 126])),
        ("goes on without a beginning", frame(0x80, b"x")),
        ("message in a message", [frame(0x01, b"x"), frame(0x81, b"y")].concat()),
        ("long way to say 5", long(0x81, &[126, 0, 5])),
        ("longest way to say 126", long(0x81, &[127, 0, 0, 0, 0, 0, 0, 0, 126])),
        ("a negative length", long(0x81, &[127, 0x80, 0, 0, 0, 0, 0, 0, 0])),
    ] {
        assert!(read(&[&bytes]).is_err(), "{what}");
    }
}

proptest! {
    #[test]
    fn however_it_is_cut_it_says_the_same(
        payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 1..6),
        cuts in proptest::collection::vec(any::<u16>(), 0..8),
    ) {
        let stream: Vec<u8> = payloads.iter().flat_map(|payload| frame(0x82, payload)).collect();
        let mut places: Vec<usize> = cuts.iter().map(|cut| usize::from(*cut) % (stream.len() + 1)).collect();
        places.extend([0, stream.len()]);
        places.sort_unstable();
        let pieces: Vec<&[u8]> = places.windows(2).map(|pair| &stream[pair[0]..pair[1]]).collect();
        prop_assert_eq!(read(&pieces).unwrap().0, payloads);
    }

    #[test]
    fn no_bytes_make_it_panic_or_hang(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut frames = Frames::default();
        let mut rest = &bytes[..];
        for _ in 0..2000 {
            match frames.next(rest) {
                Ok(Some(Part::Head(taken) | Part::Data(taken) | Part::Control(taken))) => rest = &rest[taken..],
                Ok(Some(Part::MessageEnd | Part::ControlEnd)) => {}
                Ok(None) => {
                    prop_assert!(rest.is_empty());
                    return Ok(());
                }
                Err(_) => return Ok(()),
            }
        }
        prop_assert!(false, "it went on for ever");
    }
}
