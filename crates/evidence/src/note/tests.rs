//! Tests of the module `note`.

use super::*;

#[test]
fn a_note_is_read_by_somebody_who_knows_only_the_specification() {
    let key = SigningKey::from_seed([7; 32]).unwrap();
    let origin = Origin::parse("doorward.example/ops").unwrap();
    let note = sign("doorward.example/ops\n3\nroot\n", &origin, &key);
    // An independent reading, from the text of c2sp.org/signed-note.
    let lines: Vec<&str> = note.split('\n').collect();
    assert_eq!(lines.len(), 6);
    assert_eq!((lines[3], lines[5]), ("", ""));
    let words: Vec<&str> = lines[4].split(' ').collect();
    assert_eq!((words[0], words[1], words.len()), ("\u{2014}", "doorward.example/ops", 3));
    let vkey = verifier_key(&origin, &key.public());
    let parts: Vec<&str> = vkey.splitn(3, '+').collect();
    let typed = from_base64(parts[2]).unwrap();
    assert_eq!(typed[0], 1);
    let hash = sha256(&[parts[0].as_bytes(), b"\n", &typed]);
    assert_eq!(to_hex(&hash[..4]), parts[1]);
    let blob = from_base64(words[2]).unwrap();
    assert_eq!(blob[..4], hash[..4]);
    let public = PublicKey::new(typed[1..].try_into().unwrap());
    let _verified = public.verify(b"doorward.example/ops\n3\nroot\n", &blob[4..]).unwrap();
    assert_eq!(open(&note, &public).unwrap().1, "doorward.example/ops");
}

#[test]
fn a_note_that_others_signed_is_read() {
    // The example in the documentation of the first implementation of signed notes.
    let vkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
    let note = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n\n\
                — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";
    let typed = from_base64(vkey.rsplit('+').next().unwrap()).unwrap();
    let key = PublicKey::new(typed[1..].try_into().unwrap());
    assert_eq!(open(note, &key).unwrap().1, "PeterNeumann");
    assert_eq!(verifier_key(&Origin::parse("PeterNeumann").unwrap(), &key), vkey);
}

#[test]
fn a_changed_note_is_refused() {
    let key = SigningKey::from_seed([7; 32]).unwrap();
    let origin = Origin::parse("o").unwrap();
    let note = sign("o\nx\n", &origin, &key);
    assert!(open(&note, &key.public()).is_ok());
    for at in 0..note.len() {
        let mut bytes = note.clone().into_bytes();
        bytes[at] ^= 1;
        if let Ok(changed) = String::from_utf8(bytes) {
            assert!(open(&changed, &key.public()).is_err(), "{changed:?}");
        }
    }
    assert!(open(&format!("{note}{}", "— o AAAA\n"), &key.public()).is_err());
    assert!(open(&note, &SigningKey::from_seed([8; 32]).unwrap().public()).is_err());
}

#[test]
fn an_origin_is_one_word() {
    for wrong in ["", "a b", "a+b", "a\nb", &"x".repeat(256)] {
        assert!(Origin::parse(wrong).is_err());
    }
}
