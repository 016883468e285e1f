//! Names of certificates that a library made, and of bytes that nobody made.

use proptest::prelude::*;
use rcgen::{CertificateParams, DnType, KeyPair, SanType};

use super::*;

fn certificate(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::new(Vec::new()).unwrap();
    params.distinguished_name = rcgen::DistinguishedName::new();
    change(&mut params);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn common_name_and_alternative_names_are_read() {
    let der = certificate(|params| {
        params.distinguished_name.push(DnType::OrganizationName, "Example");
        params.distinguished_name.push(DnType::CommonName, "billing");
        params.subject_alt_names = vec![
            SanType::DnsName("Billing.Example".try_into().unwrap()),
            SanType::URI("spiffe://example/ns/pay/sa/billing".try_into().unwrap()),
            SanType::Rfc822Name("ada@example".try_into().unwrap()),
            SanType::IpAddress("127.0.0.1".parse().unwrap()),
        ];
    });
    let wanted = Names {
        common_name: Some("billing".to_owned()),
        dns_names: vec!["billing.example".to_owned()],
        uris: vec!["spiffe://example/ns/pay/sa/billing".to_owned()],
    };
    assert_eq!(read(&der), Some(wanted));
}

#[test]
fn a_name_that_could_be_read_in_two_ways_is_none() {
    for odd in ["a\0b", " billing", "billing\n", ""] {
        let der = certificate(|params| params.distinguished_name.push(DnType::CommonName, odd));
        assert_eq!(read(&der).unwrap().common_name, None, "{odd:?}");
    }
    assert_eq!(read(&certificate(|_| {})), Some(Names::default()));
    // Two common names.
    let attribute = |text: &[u8]| {
        let value = [&[UTF8, text.len() as u8], text].concat();
        let inner = [&[OBJECT, 3][..], COMMON_NAME, &value].concat();
        let sequence = [&[SEQUENCE, inner.len() as u8], &*inner].concat();
        [&[SET, sequence.len() as u8], &*sequence].concat()
    };
    assert_eq!(common_name(&attribute(b"a")), Some("a".to_owned()));
    assert_eq!(common_name(&[attribute(b"a"), attribute(b"b")].concat()), None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0_usize..400, to in any::<u8>()) {
        let _ = read(&bytes);
        let mut der = certificate(|params| params.distinguished_name.push(DnType::CommonName, "x"));
        let at = at % der.len();
        der[at] = to;
        let _ = read(&der);
        let _ = read(&der[..at]);
    }
}
