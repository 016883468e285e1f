//! Endpoints of every service in every partition.

use super::*;

fn url(service: Service, region: &str) -> String {
    let locator = Locator { region: Some(region), ..Locator::default() };
    Endpoint::locate(service, &locator).unwrap().url()
}

#[test]
fn each_region_has_its_own_endpoints() {
    for (region, sts) in [
        ("eu-central-1", "https://sts.eu-central-1.amazonaws.com"),
        ("mx-central-1", "https://sts.mx-central-1.amazonaws.com"),
        ("cn-north-1", "https://sts.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "https://sts.us-gov-west-1.amazonaws.com"),
        ("eusc-de-east-1", "https://sts.eusc-de-east-1.amazonaws.eu"),
        ("us-iso-east-1", "https://sts.us-iso-east-1.c2s.ic.gov"),
        ("us-isob-east-1", "https://sts.us-isob-east-1.sc2s.sgov.gov"),
        ("eu-isoe-west-1", "https://sts.eu-isoe-west-1.cloud.adc-e.uk"),
        ("us-isof-south-1", "https://sts.us-isof-south-1.csp.hci.ic.gov"),
        ("aws-global", "https://sts.amazonaws.com"),
    ] {
        assert_eq!(url(Service::Sts, region), sts);
    }
    assert_eq!(url(Service::Sso, "eu-west-1"), "https://portal.sso.eu-west-1.amazonaws.com");
    assert_eq!(url(Service::Oidc, "cn-north-1"), "https://oidc.cn-north-1.amazonaws.com.cn");
}

#[test]
fn iam_is_one_place_for_a_partition_and_signed_for_its_region() {
    for (region, host, signed) in [
        ("ap-south-1", "https://iam.amazonaws.com", "us-east-1"),
        ("cn-northwest-1", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"),
        ("us-gov-east-1", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"),
        ("eusc-de-east-1", "https://iam.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1"),
        ("us-iso-west-1", "https://iam.us-iso-east-1.c2s.ic.gov", "us-iso-east-1"),
    ] {
        let locator = Locator { region: Some(region), ..Locator::default() };
        let endpoint = Endpoint::locate(Service::Iam, &locator).unwrap();
        assert_eq!((endpoint.url().as_str(), endpoint.region()), (host, signed));
    }
}

#[test]
fn the_sixteen_old_regions_share_one_sts_when_that_is_asked_for() {
    let legacy = |region| {
        let locator = Locator { region: Some(region), sts: StsEndpoints::Legacy, ..Locator::default() };
        let endpoint = Endpoint::locate(Service::Sts, &locator).unwrap();
        (endpoint.url(), endpoint.region().to_owned())
    };
    assert_eq!(LEGACY.len(), 16);
    for region in LEGACY {
        assert_eq!(legacy(region), ("https://sts.amazonaws.com".to_owned(), "us-east-1".to_owned()));
    }
    assert_eq!(legacy("eu-south-1").0, "https://sts.eu-south-1.amazonaws.com");
    assert_eq!(legacy("cn-north-1").0, "https://sts.cn-north-1.amazonaws.com.cn");
}

#[test]
fn validated_and_dual_stack_hosts_are_asked_for_by_name() {
    let of = |service, region, fips, dual_stack| {
        let locator = Locator { region: Some(region), fips, dual_stack, ..Locator::default() };
        Endpoint::locate(service, &locator).unwrap().url()
    };
    assert_eq!(of(Service::Sts, "us-east-1", true, false), "https://sts-fips.us-east-1.amazonaws.com");
    assert_eq!(of(Service::Sts, "us-gov-west-1", true, false), "https://sts.us-gov-west-1.amazonaws.com");
    assert_eq!(of(Service::Sso, "us-east-1", true, false), "https://portal.sso-fips.us-east-1.amazonaws.com");
    assert_eq!(of(Service::Oidc, "us-gov-west-1", true, false), "https://oidc.us-gov-west-1.amazonaws.com");
    assert_eq!(of(Service::Oidc, "us-east-1", false, true), "https://oidc.us-east-1.api.aws");
    assert_eq!(of(Service::Sts, "us-east-1", true, true), "https://sts-fips.us-east-1.api.aws");
    assert_eq!(of(Service::Iam, "us-east-1", true, false), "https://iam-fips.amazonaws.com");
    let legacy =
        Locator { region: Some("us-east-1"), sts: StsEndpoints::Legacy, fips: true, ..Locator::default() };
    let endpoint = Endpoint::locate(Service::Sts, &legacy).unwrap();
    assert_eq!(endpoint.url(), "https://sts-fips.us-east-1.amazonaws.com");
}

#[test]
fn an_address_of_ones_own_comes_before_all_and_needs_no_region() {
    let custom = |custom, region| {
        Endpoint::locate(Service::Iam, &Locator { region, custom: Some(custom), ..Locator::default() })
    };
    let endpoint = custom("http://LOCALHOST:4566/", Some("eu-west-1")).unwrap();
    assert_eq!((endpoint.url().as_str(), endpoint.region()), ("http://localhost:4566", "eu-west-1"));
    assert!(endpoint.is_plain());
    assert_eq!(custom("https://aws.corp/prefix/", None).unwrap().url(), "https://aws.corp/prefix");
    assert_eq!(custom("https://[::1]:8443", None).unwrap().url(), "https://[::1]:8443");
    for bad in
        ["localhost:4566", "ftp://h", "https://h?x=1", "https://h/a?x", "https://a b", "https://h/../x", ""]
    {
        assert!(Endpoint::at(bad, "").is_err(), "{bad}");
    }
    let told = Endpoint::at("https://user:CANARY@h", "").unwrap_err().to_string();
    assert!(!told.contains("CANARY"), "{told}");
}

#[test]
fn without_region_and_address_there_is_no_endpoint() {
    let error = Endpoint::locate(Service::Sts, &Locator::default()).unwrap_err();
    assert_eq!(error.to_string(), "no region is set for STS");
    assert!(error.hint().is_some());
    for bad in ["eu central", "eu.evil.test/", "-x", "EU-WEST-1"] {
        let locator = Locator { region: Some(bad), ..Locator::default() };
        assert!(matches!(Endpoint::locate(Service::Sts, &locator), Err(Error::Endpoint { .. })), "{bad}");
    }
}
