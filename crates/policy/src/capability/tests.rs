//! Tests of the module `capability`.

use crypto::MacKey;
use model::{Code, TenantName};
use proptest::prelude::{ProptestConfig, any, prop};
use proptest::{prop_assert, proptest};

use super::*;
use crate::caveat::Asked;
use crate::tests::{Ask, Dice, caveat, grant_id, narrowing, rounds};
use crate::{Caveat, Error};

mod vectors;

fn root() -> MacKey {
    MacKey::new([9; 32])
}

fn token(caveats: &[&str]) -> Token {
    let caveats: Vec<_> = caveats.iter().map(|json| caveat(json)).collect();
    mint(&root(), &TenantName::local(), grant_id(1), &caveats, narrowing(1)).unwrap()
}

fn text(token: &Token) -> String {
    token.expose(str::to_owned)
}

/// The text of a body, with a checksum that fits.
fn sealed(body: &[u8]) -> String {
    let coded = format!("cap1_{}", crypto::to_base64url(body));
    let sum = crypto::to_base64url(&crypto::checksum(coded.as_bytes()).to_be_bytes());
    format!("{coded}_{sum}")
}

fn body(token: &Token) -> Vec<u8> {
    let text = text(token);
    crypto::from_base64url(&text["cap1_".len()..text.len() - 7]).unwrap()
}

#[test]
fn a_token_says_what_it_was_made_of_and_verifies() {
    let token = token(&[r#"{"operations": ["slack/chat.*"]}"#, r#"{"uses": 3}"#]);
    let child = token.narrow(&[caveat(r#"{"uses": 2}"#)], narrowing(2)).unwrap();
    let read = Token::parse(&text(&child)).unwrap();
    let described = read.describe();
    assert_eq!((described.tenant.as_str(), described.grant), ("local", grant_id(1)));
    assert_eq!(described.blocks.len(), 2);
    assert_eq!(described.blocks[1].caveats, vec![caveat(r#"{"uses": 2}"#)]);
    let verified = verify(&read, &root()).unwrap();
    assert_eq!(verified.narrowings().collect::<Vec<_>>(), vec![narrowing(1), narrowing(2)]);
    assert_eq!(read.fingerprint(), child.fingerprint());
    assert_ne!(read.fingerprint(), token.fingerprint());
}

#[test]
fn another_key_or_a_changed_bit_is_refused() {
    let token = token(&[r#"{"uses": 3}"#]);
    let denial = verify(&token, &MacKey::new([8; 32])).unwrap_err();
    assert_eq!(denial.code(), Code::Unauthenticated);
    let good = body(&token);
    for bit in 0..good.len() * 8 {
        let mut changed = good.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let accepted = Token::parse(&sealed(&changed)).is_ok_and(|token| verify(&token, &root()).is_ok());
        assert!(!accepted, "bit {bit}");
    }
}

#[test]
fn a_block_cannot_be_cut_off_or_taken_to_another_token() {
    let parent = token(&[]);
    let child = parent.narrow(&[caveat(r#"{"uses": 1}"#)], narrowing(2)).unwrap();
    let (outer, inner) = (body(&parent), body(&child));
    // The parent's blocks with the child's tag: what a holder of the child alone could try.
    let mut cut = outer[..outer.len() - 32].to_vec();
    cut.extend_from_slice(&inner[inner.len() - 32..]);
    let cut = Token::parse(&sealed(&cut)).unwrap();
    assert_eq!(verify(&cut, &root()).unwrap_err().code(), Code::Unauthenticated);
    let other = mint(&root(), &TenantName::local(), grant_id(2), &[], narrowing(1)).unwrap();
    let mut moved = body(&other);
    let tag = moved.len() - 32;
    moved.splice(tag.., inner[outer.len() - 32..].iter().copied());
    let moved = Token::parse(&sealed(&moved)).unwrap();
    assert_eq!(verify(&moved, &root()).unwrap_err().code(), Code::Unauthenticated);
}

#[test]
fn a_mistyped_token_is_told_from_a_forged_one() {
    let good = text(&token(&[]));
    let mut typo = good.clone().into_bytes();
    typo[20] = if typo[20] == b'A' { b'B' } else { b'A' };
    assert_eq!(Token::parse(std::str::from_utf8(&typo).unwrap()).err(), Some(Error::Mistyped));
    assert_eq!(Token::parse(&good[..good.len() - 1]).err(), Some(Error::Mistyped));
    for bad in [
        "",
        "cap1_",
        "cap2_AAAA_AAAAAA",
        "cap1__AAAAAA",
        &format!(" {good}"),
        &format!("{good}="),
        &format!("{good}\n"),
    ] {
        assert!(Token::parse(bad).is_err(), "{bad:?}");
    }
}

#[test]
fn a_tenant_or_count_that_is_not_canonical_is_refused() {
    let good = body(&token(&[r#"{"uses": 3}"#]));
    let mut upper = good.clone();
    upper[1] = b'L';
    assert!(matches!(Token::parse(&sealed(&upper)), Err(Error::Invalid(_))));
    let mut longer = good.clone();
    longer.insert(good.len() - 32, 0);
    assert!(Token::parse(&sealed(&longer)).is_err());
    let mut unknown = good;
    let kind = 1 + 5 + 16 + 2 + 16 + 1;
    unknown[kind] = 99;
    assert_eq!(Token::parse(&sealed(&unknown)).err(), Some(Error::UnknownCaveat(99)));
}

#[test]
fn sizes_are_limited() {
    let parent = token(&[]);
    let long = "x".repeat(500);
    let texts: Vec<String> = (0..30).map(|n| format!("\"{long}{n}\"")).collect();
    let fat = caveat(&format!(r#"{{"environment": [{}]}}"#, texts.join(",")));
    assert!(matches!(parent.narrow(&[fat], narrowing(2)), Err(Error::TooLarge(_))));
    let many: Vec<_> = (0..65).map(|n| caveat(&format!(r#"{{"uses": {}}}"#, 100 - n))).collect();
    assert!(matches!(parent.narrow(&many, narrowing(2)), Err(Error::TooLarge(_))));
    let mut chain = parent;
    for number in 2..=32 {
        chain = chain.narrow(&[], narrowing(number)).unwrap();
    }
    assert!(verify(&chain, &root()).is_ok());
    assert!(matches!(chain.narrow(&[], narrowing(33)), Err(Error::TooLarge(_))));
    assert!(matches!(Token::parse(&"c".repeat(9000)), Err(Error::TooLarge(_))));
}

#[test]
fn a_narrowing_id_comes_once() {
    assert!(token(&[]).narrow(&[], narrowing(1)).is_err());
}

#[test]
fn a_narrowing_cannot_be_wider_than_its_parent() {
    let parent = token(&[r#"{"operations": ["slack/chat.post"]}"#]);
    let error = parent.narrow(&[caveat(r#"{"operations": ["slack/chat.*"]}"#)], narrowing(2)).err().unwrap();
    assert_eq!(error.to_string(), "`slack/chat.*` is wider than the grant it comes from");
    assert!(error.hint().is_some());
    let middle = parent.narrow(&[caveat(r#"{"uses": 2}"#)], narrowing(2)).unwrap();
    assert!(matches!(middle.narrow(&[caveat(r#"{"uses": 3}"#)], narrowing(3)), Err(Error::Wider(_))));
}

#[test]
fn caveats_in_another_order_make_the_same_token() {
    let one = token(&[r#"{"uses": 3}"#, r#"{"access": "read"}"#, r#"{"uses": 3}"#]);
    let other = token(&[r#"{"access": "read"}"#, r#"{"uses": 3}"#]);
    assert_eq!(text(&one), text(&other));
}

/// Whether a token's caveats alone allow what is asked.
fn allows(token: &Token, ask: &Ask) -> bool {
    let (caller, call) = (ask.caller("ada", model::Proof::Kernel), ask.call());
    let asked = Asked { caller: &caller, call: &call, now: ask.now() };
    let verified = verify(token, &root()).unwrap();
    verified.caveats().all(|(_, caveat)| caveat.check(&asked).is_ok())
}

#[test]
fn a_narrowed_capability_never_allows_more() {
    let (mut allowed, mut refused) = (0_u64, 0_u64);
    for seed in 0..rounds() {
        let mut dice = Dice::new(seed + 31);
        let first: Vec<Caveat> = (0..dice.roll(2)).map(|_| dice.caveat()).collect();
        let mut chain = vec![mint(&root(), &TenantName::local(), grant_id(1), &first, narrowing(1)).unwrap()];
        for number in 2..2 + dice.roll(4) {
            let more: Vec<Caveat> = (0..1 + dice.roll(2)).map(|_| dice.caveat()).collect();
            let parent = chain.last().unwrap();
            match parent.narrow(&more, narrowing(u8::try_from(number).unwrap())) {
                Ok(child) => chain.push(Token::parse(&text(&child)).unwrap()),
                Err(Error::Wider(_)) => refused += 1,
                Err(other) => panic!("seed {seed}: {other}"),
            }
        }
        for _ in 0..4 {
            let ask = dice.ask();
            let answers: Vec<bool> = chain.iter().map(|token| allows(token, &ask)).collect();
            allowed += u64::from(answers.len() > 1 && answers.iter().all(|answer| *answer));
            assert!(
                answers.is_sorted_by(|parent, child| parent >= child),
                "seed {seed}: {answers:?} {ask:?}"
            );
        }
    }
    assert!(allowed > rounds() / 50 && refused > rounds() / 50, "{allowed} allowed, {refused} refused");
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn no_text_makes_the_parser_panic(text in ".{0,200}") {
        let _ = Token::parse(&text);
        let _ = Token::parse(&format!("cap1_{text}"));
    }

    #[test]
    fn no_body_makes_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        if let Ok(token) = Token::parse(&sealed(&bytes)) {
            prop_assert!(verify(&token, &root()).is_err());
        }
    }

    #[test]
    fn what_is_read_from_a_changed_token_is_written_the_same_way(
        seed in any::<u64>(),
        at in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let mut dice = Dice::new(seed);
        let caveats: Vec<_> = (0..1 + dice.roll(3)).map(|_| dice.caveat()).collect();
        let token = mint(&root(), &TenantName::local(), grant_id(1), &caveats, narrowing(1)).unwrap();
        let mut changed = body(&token);
        let at = at.index(changed.len());
        changed[at] = byte;
        if let Ok(read) = Token::parse(&sealed(&changed)) {
            // Minting from what was read gives the same signed bytes: there is no second encoding.
            let described = read.describe();
            let block = described.blocks[0].clone();
            let again = mint(&root(), &described.tenant, described.grant, &block.caveats, block.narrowing).unwrap();
            let (old, new) = (body(&read), body(&again));
            prop_assert!(described.blocks.len() > 1 || old[..old.len() - 32] == new[..new.len() - 32]);
        }
    }
}
