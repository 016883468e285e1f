//! Tests of the module `profile`.

use std::path::Path;

use proptest::prelude::*;

use super::*;

const MFA: &str = "arn:aws:iam::111111111111:mfa/user";
const A: &str = "arn:aws:iam::111111111111:role/A";

fn file(text: &str) -> File {
    File::parse(text.replace("ROLE_A", A).replace("=MFA", &format!("={MFA}")), Path::new("config")).unwrap()
}

fn tried(text: &str, environment: &[(&str, &str)], name: &str) -> Result<Profile, Error> {
    let environment = |name: &str| {
        environment.iter().find(|(variable, _)| *variable == name).map(|(_, value)| (*value).to_owned())
    };
    resolve(&file(text), &environment, &Overrides::default(), name)
}

fn resolved(text: &str, environment: &[(&str, &str)], name: &str) -> Profile {
    tried(text, environment, name).unwrap()
}

fn region(text: &str, environment: &[(&str, &str)], name: &str) -> String {
    resolved(text, environment, name).region.unwrap_or_default()
}

#[test]
fn profiles_are_listed_in_file_order_without_an_empty_default() {
    let text = "[default]\n\n[profile user2]\nregion=us-east-1\n\n[sso-session s]\nsso_start_url=https://x/start\n\n\
        [profile withsource]\nsource_profile=user2\n\n[weird]\na=b\n";
    assert_eq!(names(&file(text)), ["user2", "withsource"]);
    assert_eq!(names(&file("[default]\nregion=us-west-2\noutput=json\n[profile b]\n")), ["default", "b"]);
    assert!(names(&file("[default]\noutput=json\nregion=\n")).is_empty());
}

#[test]
fn the_default_profile_may_be_written_either_way_and_the_longer_one_wins() {
    assert_eq!(names(&file("[profile default]\n")), ["default"]);
    assert_eq!(region("[profile default]\nregion=q1\n", &[], "default"), "q1");
    let both = "[profile default]\nregion=long\n[default]\nregion=short\nmfa_serial=MFA\n";
    assert_eq!(names(&file(both)), ["default"]);
    let profile = resolved(both, &[], "other");
    assert_eq!((profile.region.as_deref(), profile.mfa_serial.as_deref()), (Some("long"), Some(MFA)));
}

#[test]
fn default_in_capitals_is_another_section() {
    let text = "[DEFAULT]\nregion=us-east-1\n[default]\nregion=us-west-2\n";
    assert_eq!(names(&file(text)), ["default"]);
    assert_eq!(region(text, &[], "default"), "us-west-2");
}

#[test]
fn keys_have_no_case_and_names_have() {
    let text = "[profile withMFA]\nREGION=eu-west-3\n";
    assert_eq!(region(text, &[], "withMFA"), "eu-west-3");
    assert!(known(&file(text), &|_| false, "withMFA").is_ok());
    let error = known(&file(text), &|_| false, "withmfa").unwrap_err();
    assert_eq!(
        error.compatible(),
        "profile 'withmfa' not found in ~/.aws/config and no stored credentials exist for it"
    );
    assert!(known(&file(text), &|name| name == "withmfa", "withmfa").is_ok());
}

#[test]
fn a_name_without_a_section_takes_its_settings_from_the_default_profile() {
    assert_eq!(region("[default]\nregion=ap-south-1\n", &[], "creds-only"), "ap-south-1");
}

#[test]
fn the_region_is_the_nearest_of_flag_variables_profile_and_default() {
    let text = "[default]\nregion=r-default\n[profile p]\nregion=r-profile\n[profile q]\n";
    assert_eq!(region(text, &[], "q"), "r-default");
    assert_eq!(region(text, &[], "p"), "r-profile");
    assert_eq!(region(text, &[("AWS_DEFAULT_REGION", "r-def-env"), ("AWS_REGION", "")], "p"), "r-def-env");
    let both = [("AWS_DEFAULT_REGION", "r-def-env"), ("AWS_REGION", "r-env")];
    assert_eq!(region(text, &both, "p"), "r-env");
    let overrides = Overrides { region: Some("r-flag".to_owned()), ..Overrides::default() };
    let profile =
        resolve(&file(text), &|_| Some("r-env".to_owned()).filter(|_| false), &overrides, "p").unwrap();
    assert_eq!(profile.region.as_deref(), Some("r-flag"));
}

#[test]
fn what_is_included_beats_the_default_profile_which_ends_the_chain() {
    for key in ["include_profile", "parent_profile"] {
        let text = format!(
            "[default]\nregion=us-west-1\nmfa_serial=MFA\n[profile base]\nregion=eu-central-1\n[profile p]\n{key}=base\n"
        );
        let profile = resolved(&text, &[], "p");
        assert_eq!(
            (profile.region.as_deref(), profile.mfa_serial.as_deref()),
            (Some("eu-central-1"), Some(MFA))
        );
    }
}

#[test]
fn profiles_that_include_one_another_are_named() {
    let error =
        tried("[profile a]\ninclude_profile=b\n[profile b]\ninclude_profile=a\n", &[], "a").unwrap_err();
    assert_eq!(error.to_string(), "profiles include one another: a → b → a");
    assert_eq!(error.compatible(), "Loop detected in config file for profile 'a' (a → b → a)");
}

#[test]
fn profiles_that_are_one_anothers_source_are_named() {
    let text = "[profile x]\nsource_profile=a\n[profile a]\nsource_profile=b\nrole_arn=ROLE_A\n[profile b]\nsource_profile=a\n";
    let error = tried(text, &[], "x").unwrap_err();
    assert_eq!(error.to_string(), "profiles are the source of one another: a → b → a");
}

#[test]
fn a_source_of_a_source_that_comes_back_through_the_default_profile_is_a_cycle() {
    let error = tried("[default]\nsource_profile=a\n[profile a]\nsource_profile=b\n[profile b]\n", &[], "a")
        .unwrap_err();
    assert!(matches!(error, Error::SourceCycle { cycle } if cycle == ["a", "b", "a"]));
}

#[test]
fn a_chain_longer_than_anybody_means_is_refused() {
    let text: String = (0..100).map(|n| format!("[profile p{n}]\nsource_profile=p{}\n", n + 1)).collect();
    assert!(matches!(tried(&text, &[], "p0"), Err(Error::TooLong { .. })));
    let profile = resolved(&text, &[], "p70");
    let json = serde_json::to_string(&profile).unwrap();
    assert_eq!(serde_json::from_str::<Profile>(&json).unwrap(), profile);
}

#[test]
fn a_profile_that_is_its_own_source_has_none() {
    assert_eq!(resolved("[profile p]\nsource_profile=p\n", &[], "p").source, None);
}

#[test]
fn what_the_default_profile_decides_is_inherited_and_warned_of() {
    let text = "[default]\nrole_arn=ROLE_A\nsource_profile=base\nexternal_id=e\n[profile base]\n";
    let profile = resolved(text, &[], "other");
    assert_eq!(profile.role.as_ref().unwrap().arn, A);
    let warnings: Vec<String> = profile.all_warnings().iter().map(ToString::to_string).collect();
    let warned = |profile: &str, key: &str| {
        format!("profile `{profile}`: `{key}` comes from `[default]`; the AWS CLI does not inherit it")
    };
    assert_eq!(
        warnings,
        [warned("other", "source_profile"), warned("other", "role_arn"), warned("base", "role_arn")]
    );
    assert!(resolved(text, &[], "default").warnings.is_empty());
}

#[test]
fn an_empty_value_counts_as_missing() {
    let text = "[profile p]\nmfa_serial=\n[default]\nmfa_serial=MFA\n";
    assert_eq!(resolved(text, &[], "p").mfa_serial.as_deref(), Some(MFA));
}

#[test]
fn a_duration_that_is_no_number_is_the_default_and_a_warning() {
    let profile = resolved("[profile r]\nduration_seconds=abc\n", &[("AWS_MIN_TTL", "5")], "r");
    assert_eq!((profile.durations.role.as_secs(), profile.cache_margin.as_secs()), (3600, 300));
    let keys: Vec<&str> = profile
        .warnings
        .iter()
        .map(|warning| match warning {
            Warning::Duration { key, .. } => key.as_str(),
            other => panic!("{other}"),
        })
        .collect();
    assert_eq!(keys, ["duration_seconds", "AWS_MIN_TTL"]);
}

#[test]
fn a_variable_that_can_not_be_read_is_said_once_for_a_whole_chain() {
    let text = "[profile p]\n[profile r]\nrole_arn=R\nduration_seconds=900\nsource_profile=p\n";
    let profile = resolved(text, &[("AWS_ASSUME_ROLE_TTL", "soon")], "r");
    assert_eq!(profile.durations.role.as_secs(), 900);
    let said: Vec<String> = profile.all_warnings().iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        ["the variable `AWS_ASSUME_ROLE_TTL` is `soon`, which is no duration; it is passed over"]
    );
}

#[test]
fn durations_come_from_their_variables() {
    let set = [
        ("AWS_ASSUME_ROLE_TTL", "45m"),
        ("AWS_SESSION_TOKEN_TTL", "1.5h"),
        ("AWS_CHAINED_SESSION_TOKEN_TTL", "2h"),
        ("AWS_FEDERATION_TOKEN_TTL", "3h"),
        ("AWS_MIN_TTL", "60s"),
    ];
    let profile = resolved("[profile p]\nduration_seconds=7200\n", &set, "p");
    let durations = profile.durations;
    let all = [
        durations.role,
        durations.session,
        durations.chained_session,
        durations.federation,
        profile.cache_margin,
    ];
    assert_eq!(all.map(|one| one.as_secs()), [2700, 5400, 7200, 10_800, 60]);
    assert!(durations.session_chosen);
    let plain = resolved("[profile p]\n", &[], "p").durations;
    let all = [plain.role, plain.session, plain.chained_session, plain.federation];
    assert_eq!(all.map(|one| one.as_secs()), [3600, 3600, 28_800, 3600]);
}

#[test]
fn variables_for_a_role_hold_for_the_named_profile_only() {
    let text = "[profile base]\n[profile interim]\nsession_tags=tag1=value1\ntransitive_session_tags=tag2\n\
        source_profile=base\nrole_arn=ROLE_A\nrole_session_name=int\n\
        [profile target]\nsession_tags=tagA=valueA\ntransitive_session_tags=tagB\nsource_profile=interim\nrole_arn=ROLE_A\n";
    let set = [
        ("AWS_SESSION_TAGS", " tagI = valI"),
        ("AWS_TRANSITIVE_TAGS", " tagII"),
        ("AWS_SOURCE_IDENTITY", "si"),
        ("AWS_ROLE_SESSION_NAME", "env-name"),
    ];
    let profile = resolved(text, &set, "target");
    let role = profile.role.as_ref().unwrap();
    assert_eq!(role.tags, BTreeMap::from([("tagI".to_owned(), "valI".to_owned())]));
    assert_eq!(role.transitive_tags, ["tagII"]);
    assert_eq!(
        (role.source_identity.as_deref(), role.session_name.as_deref()),
        (Some("si"), Some("env-name"))
    );
    let below = profile.source.as_ref().unwrap().role.as_ref().unwrap();
    assert_eq!(below.tags, BTreeMap::from([("tag1".to_owned(), "value1".to_owned())]));
    assert_eq!((below.source_identity.as_deref(), below.session_name.as_deref()), (None, Some("int")));
}

#[test]
fn a_role_from_the_environment_is_a_warning() {
    let profile = resolved("[profile src]\n[profile p]\nsource_profile=src\n", &[("AWS_ROLE_ARN", A)], "p");
    assert!(matches!(profile.warnings.as_slice(), [Warning::FromEnvironment { .. }]));
    assert_eq!(profile.source.unwrap().role, None);
}

#[test]
fn malformed_tags_are_refused_also_a_comma_at_the_end() {
    let error = tried("[profile r]\nrole_arn=ROLE_A\nsession_tags=tag1=value1,\n", &[], "r").unwrap_err();
    assert_eq!(
        error.compatible(),
        "Failed to parse session_tags profile setting: session tags string must be <key1>=<value1>,[<key2>=<value2>[,...]]"
    );
    let error = tried("[profile r]\nrole_arn=ROLE_A\n", &[("AWS_SESSION_TAGS", "x")], "r").unwrap_err();
    assert_eq!(error.to_string(), "profile `r`: could not read `AWS_SESSION_TAGS` as `key=value,key=value`");
}

#[test]
fn the_device_in_the_environment_holds_for_the_whole_chain() {
    let text = "[profile a]\nmfa_serial=x\n[profile b]\nsource_profile=a\n";
    let profile = resolved(text, &[("AWS_MFA_SERIAL", MFA)], "b");
    assert_eq!(profile.line().map(|one| one.mfa_serial.as_deref()).collect::<Vec<_>>(), [Some(MFA); 2]);
}

#[test]
fn the_program_for_codes_is_inherited_from_the_source_and_the_device_is_not() {
    let text = "[profile foo]\nmfa_process=echo 424242\nmfa_serial=MFA\n[profile bar]\nsource_profile=foo\n\
        [profile own]\nsource_profile=foo\nmfa_process=echo 1\n";
    let bar = resolved(text, &[], "bar");
    assert_eq!((bar.mfa_process.as_deref(), bar.mfa_serial), (Some("echo 424242"), None));
    assert_eq!(resolved(text, &[], "own").mfa_process.as_deref(), Some("echo 1"));
}

#[test]
fn a_session_section_beats_what_the_profile_says_inline() {
    let text = "[profile s]\nsso_session=x\nsso_start_url=https://inline/start\nsso_region=zz\nsso_account_id=1\n\
        sso_role_name=RO\nregion=moon-1\n[sso-session x]\nsso_start_url=https://x/start#/\nsso_region=us-east-1\n\
        sso_registration_scopes=sso:account:access, other\n";
    let profile = resolved(text, &[], "s");
    let sso = profile.sso.unwrap();
    assert_eq!((sso.start_url.as_str(), sso.region.as_deref()), ("https://x/start#/", Some("us-east-1")));
    assert_eq!((sso.session.as_deref(), sso.account_id.as_deref()), (Some("x"), Some("1")));
    assert_eq!((sso.scopes.len(), profile.region.as_deref()), (2, Some("moon-1")));
}

#[test]
fn what_the_profile_says_inline_beats_a_session_that_only_the_default_profile_names() {
    let text = "[default]\nsso_session=x\n[sso-session x]\nsso_start_url=https://x/start\n\
        [profile p]\nsso_start_url=https://inline/start\n";
    assert_eq!(resolved(text, &[], "p").sso.unwrap().start_url, "https://inline/start");
}

#[test]
fn a_session_section_that_is_not_there_is_a_warning() {
    let profile = resolved("[profile p]\nsso_session=gone\nsso_start_url=https://inline/start\n", &[], "p");
    assert_eq!(profile.sso.unwrap().start_url, "https://inline/start");
    assert_eq!(profile.warnings[0].to_string(), "profile `p`: there is no `[sso-session gone]`");
}

#[test]
fn an_endpoint_is_the_nearest_of_four() {
    let text = "[profile p]\nendpoint_url=http://p\nservices=s\n[services s]\nsts =\n  endpoint_url = http://section ; c\nsso=\n";
    let of = |set: &[(&str, &str)]| resolved(text, set, "p").endpoints;
    assert_eq!((of(&[]).of("sts"), of(&[]).of("iam")), (Some("http://section"), Some("http://p")));
    let everywhere = of(&[("AWS_ENDPOINT_URL", "http://e")]);
    assert_eq!((everywhere.of("sts"), everywhere.all.as_deref()), (Some("http://e"), Some("http://e")));
    let both = of(&[("AWS_ENDPOINT_URL", "http://e"), ("AWS_ENDPOINT_URL_SSO_OIDC", "http://oidc")]);
    assert_eq!((both.of("sso_oidc"), both.of("sso")), (Some("http://oidc"), Some("http://e")));
    let ignored = of(&[("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", "true")]);
    assert_eq!((ignored.of("sts"), ignored.of("iam")), (None, None));
}

#[test]
fn switches_and_bundles_come_from_variable_or_file() {
    let text = "[profile p]\nuse_fips_endpoint=true\nca_bundle=/ca.pem\nsts_regional_endpoints=legacy\n";
    let endpoints = resolved(text, &[], "p").endpoints;
    assert!(endpoints.fips && !endpoints.dual_stack);
    assert_eq!(
        (endpoints.ca_bundle.as_deref(), endpoints.sts_regional),
        (Some("/ca.pem"), StsRegional::Legacy)
    );
    let set = [("AWS_USE_FIPS_ENDPOINT", "FALSE"), ("AWS_STS_REGIONAL_ENDPOINTS", "odd")];
    let profile = resolved(text, &set, "p");
    assert_eq!((profile.endpoints.fips, profile.endpoints.sts_regional), (false, StsRegional::Regional));
    assert!(matches!(profile.warnings.as_slice(), [Warning::Choice { .. }]));
    assert!(matches!(tried("[profile p]\nuse_fips_endpoint=yes\n", &[], "p"), Err(Error::Switch { .. })));
}

#[test]
fn a_policy_on_the_command_line_holds_for_the_named_profile() {
    let overrides = Overrides { policy: Some("{}".to_owned()), ..Overrides::default() };
    let file = file("[profile a]\n[profile b]\nsource_profile=a\npolicy_arns=x, y\n");
    let profile = resolve(&file, &|_| None, &overrides, "b").unwrap();
    assert_eq!((profile.policy.as_deref(), profile.policy_arns.len()), (Some("{}"), 2));
    assert_eq!(profile.source.unwrap().policy, None);
}

#[test]
fn durations_read_as_go_reads_them_and_more() {
    let seconds = |text: &str| parse_duration(text).map(|duration| duration.as_secs_f64());
    for (text, expected) in
        [("1h30m", 5400.0), ("1.5h", 5400.0), (".5s", 0.5), ("250ms", 0.25), ("1w", 604_800.0), ("0", 0.0)]
    {
        assert_eq!(seconds(text), Some(expected), "{text}");
    }
    for text in
        ["", "5", "h", "-1h", "1h30", "1x", ".s", "1.2.3s", "99999999999999999999h", "999999999999999999w"]
    {
        assert_eq!(seconds(text), None, "{text}");
    }
    assert_eq!(
        [0, 59, 61, 3600, 90_061].map(|s| show_duration(Duration::from_secs(s))),
        ["0s", "59s", "1m1s", "1h0m0s", "25h1m1s"]
    );
}

proptest! {
    #[test]
    fn resolving_never_panics(
        lines in prop::collection::vec((0_usize..setting::KNOWN.len(), 0_usize..6, "[a-z=,. ]{0,6}"), 0..40),
    ) {
        let mut text = String::new();
        for (key, profile, value) in lines {
            let value = if setting::KNOWN[key].ends_with("_profile") { format!("p{profile}") } else { value };
            text.push_str(&format!("[profile p{profile}]\n{} = {value}\n", setting::KNOWN[key]));
        }
        let _ = tried(&text, &[], "p1");
    }

    #[test]
    fn a_duration_never_panics(text in "[0-9.]{0,24}[a-zµ]{0,2}[0-9.+-]{0,3}[a-z]{0,2}") {
        let _ = parse_duration(&text);
    }
}

#[test]
fn what_is_nearer_than_a_credential_source_comes_before_it() {
    let default = "[default]\nrole_arn=ROLE_A\ncredential_source=Environment\nsso_session=s\n\
        [sso-session s]\nsso_start_url=https://x/start\nsso_region=r\n";
    let machine = |own: &str| {
        let text = format!("[profile p]\n{own}\n{default}");
        resolved(&text, &[], "p").credential_source.is_some()
    };
    for own in [
        "sso_start_url=https://y/start",
        "sso_session=s",
        "sso_account_id=333333333333",
        "sso_role_name=ReadOnly",
        "web_identity_token_file=/token",
        "web_identity_token_process=cat /token",
        "credential_process=cat /keys",
    ] {
        assert!(!machine(own), "{own}");
        assert!(machine(&format!("{own}\ncredential_source=Environment")), "{own}, of one section");
        let farther = format!("include_profile=i\n[profile i]\n{own}");
        assert!(!machine(&farther), "{own}, included");
        let nearer = format!("credential_source=Environment\n{farther}");
        assert!(machine(&nearer), "{own}, farther away");
    }
    assert!(machine("region=r") && machine("role_arn=ROLE_A"));
}

#[test]
fn a_source_profile_behind_a_credential_source_that_does_not_hold_does_not_hold_either() {
    let text = "[profile p]\ncredential_process=cat /keys\ninclude_profile=i\n[profile i]\n\
        credential_source=Environment\n[default]\nsource_profile=q\n[profile q]\n";
    let profile = resolved(text, &[], "p");
    assert!(profile.source.is_none() && profile.credential_source.is_none());
}
