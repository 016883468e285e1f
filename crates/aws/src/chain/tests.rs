//! Tests of the module `chain`.

use std::path::Path;

use proptest::prelude::*;

use super::*;
use crate::file::File;
use crate::profile::{self, Overrides};

const USER: &str = "arn:aws:iam::111111111111:mfa/user";
const A: &str = "arn:aws:iam::111111111111:role/A";
const B: &str = "arn:aws:iam::222222222222:role/B";

/// A profile file, the names with stored keys, and what is asked for.
struct Case {
    config: String,
    stored: Vec<&'static str>,
    environment: Vec<(&'static str, String)>,
    overrides: Overrides,
    want: Want,
}

fn case(config: &str, stored: &[&'static str]) -> Case {
    let config = config.replace("USER", USER).replace("ROLE_A", A).replace("ROLE_B", B);
    let (overrides, want) = (Overrides::default(), Want::default());
    Case { config, stored: stored.to_vec(), environment: Vec::new(), overrides, want }
}

impl Case {
    fn lasting(mut self, text: &str) -> Self {
        self.overrides.duration = profile::parse_duration(text);
        self
    }

    fn with(mut self, variable: &'static str, value: &str) -> Self {
        self.environment.push((variable, value.to_owned()));
        self
    }

    fn no_session(mut self) -> Self {
        self.want.no_session = true;
        self
    }

    fn wanting(mut self, want: Want) -> Self {
        self.want = want;
        self
    }

    fn planned(&self, name: &str) -> Result<Plan, Error> {
        let file = File::parse(self.config.as_str(), Path::new("config")).unwrap();
        let environment = |name: &str| {
            self.environment.iter().find(|(variable, _)| *variable == name).map(|(_, value)| value.clone())
        };
        let profile = profile::resolve(&file, &environment, &self.overrides, name).unwrap();
        plan(&profile, &|name| self.stored.contains(&name), &self.want)
    }

    fn plan(&self, name: &str) -> Plan {
        self.planned(name).unwrap()
    }

    /// The calls in short: `session 3600 user`, `role A 3600 -`.
    fn calls(&self, name: &str) -> Vec<String> {
        self.plan(name).steps.iter().map(shown).collect()
    }
}

fn shown(step: &Step) -> String {
    let code = step.mfa().map_or("-", |mfa| mfa.serial.rsplit('/').next().unwrap());
    match step {
        Step::SessionToken { duration, .. } => format!("session {} {code}", duration.as_secs()),
        Step::AssumeRole { role, .. } => {
            let name = role.role.arn.rsplit('/').next().unwrap();
            format!("role {name} {} {code}", role.duration.as_secs())
        }
    }
}

/// The names under which results may be kept, without their end.
fn kept(plan: &Plan) -> Vec<String> {
    let keys = plan.base.key().into_iter().chain(plan.steps.iter().filter_map(Step::key));
    keys.map(|key| format!("{} {} {}", key.kind, key.profile, key.mfa.rsplit('/').next().unwrap())).collect()
}

const AS_AWS_VAULT: Want =
    Want { no_session: false, temporary_keys: false, purpose: Purpose::Exec, caching: Caching::WithMfa };

const MFA_BOTH: &str = "[profile src]\nmfa_serial=USER\n[profile r]\nsource_profile=src\nrole_arn=ROLE_A\nmfa_serial=USER\n\
    [profile r2]\nsource_profile=src\nrole_arn=ROLE_B\nmfa_serial=USER\n";
const NO_MFA: &str = "[profile src]\n\n[profile r]\nsource_profile=src\nrole_arn=ROLE_A\n";
const ROLE_ROLE: &str = "[profile source]\nrole_arn=ROLE_A\nmfa_serial=USER\n\
    [profile target]\nsource_profile=source\nrole_arn=ROLE_B\nmfa_serial=USER\n";
const SSO: &str = "[profile s]\nsso_start_url=https://x.example/start\nsso_region=us-east-1\nsso_account_id=111122223333\n\
    sso_role_name=RO\n[profile r]\nsource_profile=s\nrole_arn=ROLE_A\nmfa_serial=USER\n";

#[test]
fn a_profile_without_a_role_gets_a_session_of_an_hour() {
    let case = case("[profile p]\n", &["p"]);
    assert_eq!(case.calls("p"), ["session 3600 -"]);
    assert_eq!(kept(&case.plan("p")), ["sts.GetSessionToken p "]);
    assert_eq!(case.plan("p").gives, Gives::Lease);
}

#[test]
fn without_a_session_the_stored_keys_come_out_and_the_plan_says_so() {
    let plan = case("[profile p]\nmfa_serial=USER\n", &["p"]).no_session().plan("p");
    assert_eq!((plan.steps.len(), plan.gives), (0, Gives::StoredKeys));
}

#[test]
fn one_mfa_device_on_source_and_role_is_asked_once_for_a_session_of_eight_hours() {
    let case = case(MFA_BOTH, &["src"]).wanting(AS_AWS_VAULT);
    assert_eq!(case.calls("r"), ["session 28800 user", "role A 3600 -"]);
    assert_eq!(kept(&case.plan("r")), ["sts.GetSessionToken src user"]);
    assert_eq!(case.plan("r").devices().count(), 1);
    assert_eq!(
        case.plan("r").steps[0].key(),
        case.plan("r2").steps[0].key(),
        "shared by all roles of the source"
    );
}

#[test]
fn a_session_made_for_a_role_serves_its_source_as_well() {
    let case = case(MFA_BOTH, &["src"]);
    assert_eq!(case.plan("r").steps[0].key(), case.plan("src").key());
}

#[test]
fn an_mfa_device_on_the_role_only_goes_with_the_role() {
    let case = case(&MFA_BOTH.replacen("mfa_serial=USER", "", 1), &["src"]).wanting(AS_AWS_VAULT);
    assert_eq!(case.calls("r"), ["role A 3600 user"]);
    assert_eq!(kept(&case.plan("r")), ["sts.AssumeRole r user"]);
}

#[test]
fn different_devices_share_no_session() {
    let case = case(&MFA_BOTH.replacen("USER", "arn:aws:iam::111111111111:mfa/other", 1), &["src"]);
    assert_eq!(case.calls("r"), ["role A 3600 user"]);
}

#[test]
fn a_device_on_the_source_only_is_not_asked() {
    let config = "[profile src]\nmfa_serial=USER\n[profile r]\nsource_profile=src\nrole_arn=ROLE_A\n";
    assert_eq!(case(config, &["src"]).calls("r"), ["role A 3600 -"]);
}

#[test]
fn a_single_long_role_is_assumed_with_the_keys_at_its_full_length() {
    let case = case(MFA_BOTH, &["src"]).lasting("12h");
    assert_eq!(case.calls("r"), ["role A 43200 user"]);
    assert!(case.plan("r").notes.is_empty());
}

#[test]
fn the_command_line_and_a_variable_beat_the_duration_in_the_file() {
    let config = format!("{NO_MFA}duration_seconds=7200\n");
    assert_eq!(case(&config, &["src"]).calls("r"), ["role A 7200 -"]);
    assert_eq!(case(&config, &["src"]).with("AWS_ASSUME_ROLE_TTL", "45m").calls("r"), ["role A 2700 -"]);
    let both = case(&config, &["src"]).with("AWS_ASSUME_ROLE_TTL", "45m").lasting("30m");
    assert_eq!(both.calls("r"), ["role A 1800 -"]);
}

#[test]
fn the_command_line_sets_the_length_of_the_shared_session_as_well() {
    assert_eq!(case(MFA_BOTH, &["src"]).lasting("30m").calls("r"), ["session 1800 user", "role A 1800 -"]);
}

#[test]
fn without_a_session_the_code_goes_with_the_role_which_is_cached() {
    let case = case(MFA_BOTH, &["src"]).wanting(AS_AWS_VAULT).no_session();
    assert_eq!(case.calls("r"), ["role A 3600 user"]);
    assert_eq!(kept(&case.plan("r")), ["sts.AssumeRole r user"]);
}

#[test]
fn a_role_on_a_profile_with_its_own_keys_needs_no_session() {
    let case = case("[profile target]\nrole_arn=ROLE_A\nmfa_serial=USER\n", &["target"]);
    assert_eq!(case.calls("target"), ["role A 3600 user"]);
}

#[test]
fn a_chain_of_roles_begins_with_one_session_and_asks_once() {
    let case = case(ROLE_ROLE, &["source"]).wanting(AS_AWS_VAULT);
    assert_eq!(case.calls("target"), ["session 28800 user", "role A 3600 -", "role B 3600 -"]);
    assert_eq!(kept(&case.plan("target")), ["sts.GetSessionToken source user"]);
}

#[test]
fn the_roles_of_a_chain_are_capped_to_an_hour_and_the_plan_says_so() {
    let case = case(ROLE_ROLE, &["source"]).lasting("12h");
    assert_eq!(case.calls("target"), ["session 43200 user", "role A 3600 -", "role B 3600 -"]);
    let notes: Vec<String> = case.plan("target").notes.iter().map(ToString::to_string).collect();
    assert_eq!(
        notes,
        [
            "the role of profile `source` lasts 1h0m0s instead of 12h0m0s: AWS allows no more for a role that is assumed \
             with a session",
            "the role of profile `target` lasts 1h0m0s instead of 12h0m0s: AWS allows no more for a role that is assumed \
             with another role",
        ]
    );
}

#[test]
fn a_device_from_the_default_profile_covers_the_whole_chain() {
    let config = "[default]\nmfa_serial=USER\n[profile source]\nduration_seconds=7200\n\
        [profile admin]\nrole_arn=ROLE_A\nsource_profile=source\nrole_session_name=user\nduration_seconds=7200\n\
        [profile target]\nrole_arn=ROLE_B\nrole_session_name=user\nsource_profile=admin\nduration_seconds=7200\n";
    let case = case(config, &["source"]);
    assert_eq!(case.calls("target"), ["session 28800 user", "role A 3600 -", "role B 3600 -"]);
}

#[test]
fn a_role_behind_an_alias_keeps_its_full_length() {
    let config = "[profile source]\nmfa_serial=USER\n[profile alias]\nsource_profile=source\nmfa_serial=USER\n\
        [profile target]\nsource_profile=alias\nmfa_serial=USER\nrole_arn=ROLE_A\n";
    assert_eq!(case(config, &["source"]).lasting("12h").calls("target"), ["role A 43200 user"]);
    assert_eq!(case(config, &["source"]).calls("target"), ["session 28800 user", "role A 3600 -"]);
}

#[test]
fn a_profile_between_two_roles_changes_nothing() {
    let config = "[profile source]\nmfa_serial=USER\n[profile admin]\nsource_profile=source\nmfa_serial=USER\nrole_arn=ROLE_A\n\
        [profile between]\nsource_profile=admin\nregion=us-east-1\n\
        [profile target]\nsource_profile=between\nmfa_serial=USER\nrole_arn=ROLE_B\n";
    let case = case(config, &["source"]).lasting("12h");
    assert_eq!(case.calls("target"), ["session 43200 user", "role A 3600 -", "role B 3600 -"]);
}

#[test]
fn a_profile_without_a_role_gets_the_role_of_its_source() {
    let config =
        "[profile source]\nrole_arn=ROLE_A\nmfa_serial=USER\n[profile target]\nsource_profile=source\n";
    assert_eq!(case(config, &["source"]).calls("target"), ["role A 3600 user"]);
}

#[test]
fn without_mfa_the_first_role_keeps_its_length_and_the_second_is_capped() {
    let config = "[profile src]\n[profile a]\nsource_profile=src\nrole_arn=ROLE_A\n[profile b]\nsource_profile=a\nrole_arn=ROLE_B\n";
    assert_eq!(case(config, &["src"]).lasting("4h").calls("b"), ["role A 14400 -", "role B 3600 -"]);
}

#[test]
fn without_a_session_a_chain_sends_the_code_with_the_first_role_only() {
    let config = format!(
        "[profile j]\nmfa_serial=USER\n{}",
        ROLE_ROLE.replacen("role_arn", "source_profile=j\nrole_arn", 1)
    );
    assert_eq!(case(&config, &["j"]).no_session().calls("target"), ["role A 3600 user", "role B 3600 -"]);
}

#[test]
fn every_profile_inherits_the_role_of_the_default_profile() {
    let config = "[default]\nrole_arn=ROLE_A\nsource_profile=base\n[profile base]\n[profile other]\n";
    let case = case(config, &["base"]).wanting(AS_AWS_VAULT);
    assert_eq!(case.calls("base"), ["role A 3600 -"]);
    assert_eq!(case.calls("other"), ["role A 3600 -", "role A 3600 -"]);
    assert!(kept(&case.plan("other")).is_empty(), "one call per run");
}

#[test]
fn every_role_is_cached_unless_aws_vault_is_to_be_followed() {
    assert_eq!(kept(&case(NO_MFA, &["src"]).plan("r")), ["sts.AssumeRole r "]);
    assert!(kept(&case(NO_MFA, &["src"]).wanting(AS_AWS_VAULT).plan("r")).is_empty());
}

#[test]
fn another_role_in_the_environment_is_another_key() {
    let config = "[profile src]\n[profile r]\nsource_profile=src\nmfa_serial=USER\n";
    let one = case(config, &["src"]).with("AWS_ROLE_ARN", A).plan("r");
    let other = case(config, &["src"]).with("AWS_ROLE_ARN", B).plan("r");
    assert_eq!(one.steps.iter().map(shown).collect::<Vec<_>>(), ["role A 3600 user"]);
    assert_ne!(one.key(), other.key());
}

#[test]
fn a_chosen_length_is_another_key_but_no_choice_takes_any_session() {
    let plain = case("[profile p]\n", &["p"]).plan("p");
    assert_ne!(plain.key(), case("[profile p]\n", &["p"]).lasting("8h").plan("p").key());
    let other = case("[profile p]\n", &["p"]).with("AWS_REGION", "eu-west-1").plan("p");
    assert_eq!(plain.key(), other.key(), "a session holds in every region of its partition");
    let china = case("[profile p]\n", &["p"]).with("AWS_REGION", "cn-north-1").plan("p");
    assert_ne!(plain.key(), china.key());
}

#[test]
fn each_thing_that_decides_the_credentials_changes_the_key() {
    let plain = case(NO_MFA, &["src"]).plan("r");
    for line in [
        "role_session_name=n",
        "external_id=e",
        "session_tags=a=b",
        "transitive_session_tags=a",
        "source_identity=i",
        "duration_seconds=900",
        "endpoint_url=http://127.0.0.1:1",
        "sts_regional_endpoints=legacy",
        "use_fips_endpoint=true",
        "policy={}",
        "policy_arns=arn:aws:iam::aws:policy/ReadOnlyAccess",
    ] {
        let other = case(&format!("{NO_MFA}{line}\n"), &["src"]).plan("r");
        assert_ne!(plain.key().unwrap().fingerprint, other.key().unwrap().fingerprint, "{line}");
    }
    assert_ne!(plain.key(), plain.clone().bound_to("AKIACANARY0000000001").key());
    let bound = |id| plain.clone().bound_to(id);
    assert_ne!(bound("AKIACANARY0000000001").key(), bound("AKIACANARY0000000002").key());
}

#[test]
fn a_role_over_sso_is_capped_and_asks_for_no_code() {
    let plan = case(SSO, &[]).lasting("2h").plan("r");
    assert!(matches!(&plan.base, Base::Sso { profile, .. } if profile == "s"));
    assert_eq!(plan.steps.iter().map(shown).collect::<Vec<_>>(), ["role A 3600 -"]);
    assert!(matches!(plan.notes.as_slice(), [Note::Capped { .. }, Note::NoMfa { below: Below::Sso, .. }]));
    assert_eq!(kept(&plan), ["sso.GetRoleCredentials s start", "sts.AssumeRole r "]);
}

#[test]
fn another_account_or_permission_set_is_another_key() {
    let plain = case(SSO, &[]).plan("s");
    assert_ne!(plain.key(), case(&SSO.replace("111122223333", "444455556666"), &[]).plan("s").key());
    assert_ne!(plain.key(), case(&SSO.replace("RO\n", "Admin\n"), &[]).plan("s").key());
}

#[test]
fn an_sso_profile_without_an_account_says_what_is_missing() {
    let error = case(&SSO.replace("sso_account_id=111122223333\n", ""), &[]).planned("s").unwrap_err();
    assert_eq!(error.to_string(), "profile `s` has an SSO start URL, but no `sso_account_id`");
}

#[test]
fn a_role_next_to_sso_is_ignored_and_the_plan_says_so() {
    let plan = case(&SSO.replacen("[profile s]\n", "[profile s]\nrole_arn=ROLE_B\n", 1), &[]).plan("s");
    assert!(plan.steps.is_empty());
    assert!(matches!(plan.notes.as_slice(), [Note::RoleIgnored { .. }]));
}

#[test]
fn a_web_identity_is_exchanged_for_the_role_of_its_profile() {
    let config = "[profile w]\nrole_arn=ROLE_A\nweb_identity_token_file=/t\nweb_identity_token_process=no\nrole_session_name=n\n";
    let plan = case(config, &[]).plan("w");
    let Base::WebIdentity { role, token, .. } = &plan.base else { panic!("{:?}", plan.base) };
    assert_eq!((role.role.arn.as_str(), role.duration.as_secs()), (A, 3600));
    assert_eq!(*token, WebIdentity::File("/t".to_owned()));
    assert_eq!(kept(&plan), ["sts.AssumeRoleWithWebIdentity w "]);
    let error = case("[profile w]\nweb_identity_token_file=/t\n", &[]).planned("w").unwrap_err();
    assert_eq!(error.to_string(), "profile `w` has a web identity token, but no `role_arn`");
}

#[test]
fn a_role_over_a_program_signs_with_what_it_prints() {
    let config = "[profile base]\ncredential_process=cat cp.json\nregion=eu-west-1\n\
        [profile r]\nsource_profile=base\ninclude_profile=base\nrole_arn=ROLE_A\n";
    let case = case(config, &[]);
    assert!(matches!(case.plan("r").base, Base::Process { profile, .. } if profile == "base"));
    assert_eq!(case.calls("r"), ["role A 3600 -"]);
    assert_eq!(kept(&case.plan("base")), ["credential_process base "]);
    let Step::AssumeRole { role, .. } = &case.lasting("4h").plan("r").steps[0].clone() else { panic!() };
    assert_eq!((role.duration.as_secs(), role.wanted.as_secs()), (3600, 14400));
}

#[test]
fn stored_keys_come_before_every_other_source() {
    let config = format!("[profile c]\ncredential_process=exit 4\n{SSO}");
    assert_eq!(case(&config, &["c"]).calls("c"), ["session 3600 -"]);
    assert_eq!(case(&config, &["s"]).calls("s"), ["session 3600 -"]);
    assert_eq!(case(&config, &["r"]).calls("r"), ["role A 3600 user"]);
}

#[test]
fn a_chain_that_ends_nowhere_names_its_last_profile() {
    let error = case(NO_MFA, &[]).planned("r").unwrap_err();
    assert_eq!(error.compatible(), "profile src: credentials missing");
}

#[test]
fn stored_keys_do_not_come_out_because_devices_differ() {
    let config = "[profile src]\nmfa_serial=USER\n[profile alias]\nsource_profile=src\n";
    let plan = case(config, &["src"]).plan("alias");
    assert_eq!(plan.steps.iter().map(shown).collect::<Vec<_>>(), ["session 28800 user"]);
    assert!(matches!(plan.notes.as_slice(), [Note::KeysKept { .. }]));
    assert_eq!(plan.gives, Gives::Lease);
}

#[test]
fn a_login_signs_with_the_keys_of_the_named_profile() {
    let login = Want { purpose: Purpose::Login, ..Want::default() };
    let plan = case("[profile p]\nmfa_serial=USER\n", &["p"]).wanting(login).plan("p");
    assert_eq!((plan.steps.len(), plan.gives), (0, Gives::StoredKeys));
    assert_eq!(case(MFA_BOTH, &["src"]).wanting(login).calls("r"), ["session 28800 user", "role A 3600 -"]);
}

#[test]
fn a_rotation_uses_no_cache_and_finds_the_keys_along_the_sources() {
    let rotate = Want { purpose: Purpose::Rotate, ..Want::default() };
    assert!(kept(&case(MFA_BOTH, &["src"]).wanting(rotate).plan("r")).is_empty());
    let file = File::parse(NO_MFA, Path::new("config")).unwrap();
    let profile = profile::resolve(&file, &|_| None, &Overrides::default(), "r").unwrap();
    assert_eq!(master(&profile, &|name| name == "src").unwrap().name, "src");
    assert_eq!(master(&profile, &|_| false).unwrap_err().compatible(), "No master credentials found");
}

#[test]
fn temporary_stored_keys_make_no_session_and_no_code() {
    let want = Want { temporary_keys: true, ..Want::default() };
    assert!(case("[profile p]\n", &["p"]).wanting(want).calls("p").is_empty());
    assert_eq!(case(MFA_BOTH, &["src"]).wanting(want).lasting("2h").calls("r"), ["role A 3600 -"]);
}

#[test]
fn a_policy_that_nothing_would_narrow_is_refused() {
    let case = |config: &str| case(&format!("{config}policy={{}}\n"), &["p", "src"]);
    assert!(matches!(case("[profile p]\n").planned("p"), Err(Error::Policy { .. })));
    let Step::AssumeRole { role, .. } = &case(NO_MFA).plan("r").steps[0].clone() else { panic!() };
    assert_eq!(role.policy.as_deref(), Some("{}"));
    let login = Want { purpose: Purpose::Login, ..Want::default() };
    assert!(case("[profile p]\n").wanting(login).planned("p").is_ok());
}

#[test]
fn an_endpoint_is_looked_for_with_what_the_profile_says_of_the_service() {
    let config = "[profile p]\nregion=eu-west-1\nservices=s\nuse_fips_endpoint=true\nsts_regional_endpoints=legacy\n\
        [services s]\nsso_oidc=\n  endpoint_url=http://oidc\n";
    let plan = case(config, &["p"]).plan("p");
    let Step::SessionToken { at, .. } = &plan.steps[0] else { panic!() };
    let oidc = at.locator(Service::Oidc, Some("us-east-1"));
    assert_eq!((oidc.custom, oidc.region, oidc.fips), (Some("http://oidc"), Some("us-east-1"), true));
    let sts = at.locator(Service::Sts, None);
    assert_eq!((sts.custom, sts.region, sts.sts), (None, Some("eu-west-1"), StsEndpoints::Legacy));
}

/// Four profiles, each the source of the next, with or without role and one of two devices.
fn chains() -> impl Strategy<Value = String> {
    prop::collection::vec((any::<bool>(), 0_usize..3, any::<bool>()), 4).prop_map(|profiles| {
        let mut text = String::new();
        for (number, (role, device, long)) in profiles.into_iter().enumerate() {
            text.push_str(&format!("[profile p{number}]\n"));
            if number > 0 {
                text.push_str(&format!("source_profile=p{}\n", number - 1));
            }
            text.push_str(if role { "role_arn=ROLE_A\n" } else { "" });
            text.push_str(["", "mfa_serial=USER\n", "mfa_serial=other\n"][device]);
            text.push_str(if long { "duration_seconds=7200\n" } else { "" });
        }
        text
    })
}

proptest! {
    #[test]
    fn a_code_is_asked_for_once_and_keys_come_out_only_when_asked_for(
        text in chains(),
        target in 0_usize..4,
        base in prop::sample::select(vec!["p0", "p1"]),
        no_session: bool,
        every: bool,
    ) {
        let caching = if every { Caching::Every } else { Caching::WithMfa };
        let want = Want { no_session, caching, ..Want::default() };
        let Ok(plan) = case(&text, &[base]).wanting(want).planned(&format!("p{target}")) else { return Ok(()) };
        prop_assert!(plan.devices().count() <= 1);
        prop_assert!(plan.gives == Gives::Lease || no_session);
        let roles = plan.steps.iter().filter(|step| matches!(step, Step::AssumeRole { .. }));
        prop_assert!(roles.skip(1).all(|step| step.mfa().is_none()));
    }
}
