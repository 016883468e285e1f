//! Tables of addresses and notations, and properties over all of them.

use proptest::prelude::{ProptestConfig, any, prop_assert, proptest};

use super::*;

fn upstream(text: &str) -> Authority {
    text.parse().unwrap()
}

fn table(host: &str, addresses: &[&str]) -> Names {
    let addresses = addresses.iter().map(|ip| ip.parse().unwrap()).collect();
    Names::Table(Arc::new(BTreeMap::from([(host.into(), addresses)])))
}

const PUBLIC: &[&str] = &["1.1.1.1", "8.8.8.8", "172.15.0.1", "172.32.0.1", "100.63.0.1", "100.128.0.1"];
const PUBLIC_V6: &[&str] = &["2606:4700::1111", "2a00:1450::1", "64:ff9b::101:101", "2001:4860::8888"];
const PRIVATE: &[&str] = &[
    "127.0.0.1",
    "127.255.255.254",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "::1",
    "fc00::1",
    "fd12:3456::1",
];
const NEVER: &[&str] = &[
    "0.0.0.0",
    "0.1.2.3",
    "100.64.0.1",
    "100.100.100.200",
    "169.254.0.1",
    "169.254.169.254",
    "169.254.170.2",
    "168.63.129.16",
    "192.0.0.1",
    "192.0.0.192",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "198.18.0.1",
    "198.19.255.255",
    "224.0.0.1",
    "239.1.1.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "::ffff:0:7f00:1",
    "64:ff9b::7f00:1",
    "64:ff9b::a9fe:a9fe",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:2::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "2002:a9fe:a9fe::1",
    "3fff::1",
    "5f00::1",
    "fd00:ec2::254",
    "fd20:ce::254",
    "fe80::1",
    "febf::1",
    "fec0::1",
    "ff02::1",
    "4000::1",
];

#[test]
fn public_addresses_are_dialled_over_https_only() {
    for ip in PUBLIC.iter().chain(PUBLIC_V6) {
        let ip: IpAddr = ip.parse().unwrap();
        for private in [Private::Refused, Private::Allowed] {
            assert!(address(&upstream("https://a.example"), ip, private).is_ok(), "{ip}");
            assert_eq!(address(&upstream("http://a.example"), ip, private), Err(Forbidden::Plain), "{ip}");
        }
    }
}

#[test]
fn private_addresses_are_dialled_only_where_that_is_allowed() {
    for ip in PRIVATE {
        let ip: IpAddr = ip.parse().unwrap();
        for upstream in [upstream("https://a.example"), upstream("http://a.example:81")] {
            assert_eq!(address(&upstream, ip, Private::Refused), Err(Forbidden::Private(ip)));
            assert!(address(&upstream, ip, Private::Allowed).is_ok(), "{ip}");
        }
    }
}

#[test]
fn metadata_and_reserved_addresses_are_never_dialled() {
    for ip in NEVER {
        let ip: IpAddr = ip.parse().unwrap();
        for private in [Private::Refused, Private::Allowed] {
            for upstream in [upstream("https://a.example"), upstream("http://a.example")] {
                let answer = address(&upstream, ip, private);
                assert!(matches!(answer, Err(Forbidden::Never(..))), "{ip}: {answer:?}");
            }
        }
    }
}

#[tokio::test]
async fn odd_notations_of_addresses_are_refused_before_anything_resolves_them() {
    for host in [
        "0x7f.1",
        "0x7f000001",
        "2130706433",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "017700000001",
        "127.0.0.01",
        "127.0.0.0x1",
        "0",
        "0x",
        "1.2.3.4.5",
        "256.1.1.1",
        "a.1",
        "4294967295",
    ] {
        let named = table(host, &["1.1.1.1"]);
        let answer = check(&upstream(&format!("https://{host}")), Private::Allowed, &named).await;
        assert!(
            matches!(answer, Err(Error::Address { reason: Forbidden::Notation, .. })),
            "{host}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn literal_addresses_are_checked_like_any_other() {
    let forbidden =
        ["https://127.0.0.1", "https://[::1]", "https://[::ffff:1.1.1.1]", "https://169.254.169.254"];
    for text in forbidden {
        let answer = check(&upstream(text), Private::Refused, &Names::System).await;
        assert!(matches!(answer, Err(Error::Address { .. })), "{text}: {answer:?}");
    }
    let found = check(&upstream("https://1.1.1.1:444"), Private::Refused, &Names::System).await.unwrap();
    assert_eq!(found.first().unwrap().socket(), "1.1.1.1:444".parse().unwrap());
}

#[tokio::test]
async fn one_forbidden_address_refuses_the_whole_name() {
    let names = table("a.example", &["1.1.1.1", "10.0.0.1"]);
    let answer = check(&upstream("https://a.example"), Private::Refused, &names).await;
    assert!(matches!(answer, Err(Error::Address { reason: Forbidden::Private(_), .. })), "{answer:?}");
    let names = table("a.example", &["1.1.1.1", "169.254.169.254"]);
    let answer = check(&upstream("https://a.example"), Private::Allowed, &names).await;
    assert!(matches!(answer, Err(Error::Address { reason: Forbidden::Never(..), .. })), "{answer:?}");
}

#[tokio::test]
async fn a_name_without_address_is_unreachable_and_plain_http_is_not_even_looked_up() {
    let names = table("a.example", &[]);
    let answer = check(&upstream("https://a.example"), Private::Allowed, &names).await;
    assert!(matches!(answer, Err(Error::Unreachable { .. })), "{answer:?}");
    let answer = check(&upstream("http://a.example"), Private::Refused, &names).await;
    assert!(matches!(answer, Err(Error::Address { reason: Forbidden::Plain, .. })), "{answer:?}");
}

#[tokio::test]
async fn localhost_is_refused_unless_allowed() {
    let answer = check(&upstream("https://localhost"), Private::Refused, &Names::System).await;
    assert!(matches!(answer, Err(Error::Address { .. })), "{answer:?}");
    assert!(check(&upstream("http://localhost"), Private::Allowed, &Names::System).await.is_ok());
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2000) })]

    #[test]
    fn nothing_that_the_standard_library_calls_special_is_public(bits in any::<u32>()) {
        let ip = Ipv4Addr::from_bits(bits);
        let special = ip.is_loopback() || ip.is_private() || ip.is_link_local() || ip.is_multicast()
            || ip.is_broadcast() || ip.is_documentation() || ip.is_unspecified();
        prop_assert!(!special || class_v4(ip) != Class::Public);
    }

    #[test]
    fn an_ipv4_address_in_disguise_is_never_more_than_it_is_itself(bits in any::<u32>(), tail in any::<u64>()) {
        let ip = Ipv4Addr::from_bits(bits);
        let [a, b, c, d] = ip.octets().map(u16::from);
        let (high, low) = (a << 8 | b, c << 8 | d);
        let tail = u16::try_from(tail & 0xffff).unwrap();
        let disguises = [
            ip.to_ipv6_mapped(),
            Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low),
            Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, tail),
            Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low),
            Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low),
        ];
        for disguise in disguises {
            prop_assert!(class_v6(disguise) != Class::Private || disguise == Ipv6Addr::LOCALHOST);
            prop_assert!(class_v6(disguise) != Class::Public || class_v4(ip) == Class::Public, "{disguise}");
        }
    }

    #[test]
    fn a_host_of_digits_and_dots_is_four_decimal_numbers_or_refused(host in "[0-9x.]{1,20}") {
        if let Ok(authority) = format!("https://{host}").parse::<Authority>() {
            let numeric = authority.host().rsplit('.').next().is_some_and(|last| last.bytes().all(|b| b.is_ascii_digit()));
            let answer = as_address(authority.host());
            prop_assert!(!numeric || answer == Err(Forbidden::Notation) || matches!(answer, Ok(Some(_))));
        }
    }
}
