//! What every command works with: the profile file, the keyrings, the broker.

use std::path::PathBuf;
use std::sync::Arc;

use aws::file::File;
use aws::mfa::Serving;
use aws::profile::{Overrides, Profile, WebIdentity};
use aws::wire::Aside;
use broker::mint::{self, Shelf, Tools, What, Wish};
use broker::{Answer, Lease, Outbound};
use keyring::{Keyring, Kind};
use model::Inputs;

use super::aside::Outside;
use super::ask::{self, Pages, Terminal};
use super::counter;
use super::getting::Getting;
use super::reach::{reach, wire};
use super::speech::{Wrong, log};
use crate::compat::aws_vault::command::{Global, Wanted};
use crate::compat::{Environment, environment};
use crate::failure::Failure;

/// What every command works with.
pub(crate) struct Desk {
    pub(super) global: Global,
    pub(super) file: File,
    pub(super) keys: Shelf,
    pub(super) sessions: Shelf,
    /// The entries that there were when the keyrings were opened.
    pub(super) entries: Vec<String>,
    /// The entries of the keyring of sessions.
    pub(super) session_entries: Vec<String>,
}

impl Desk {
    /// Reads the profile file and opens the keyrings. Nobody is asked anything yet.
    pub(super) fn open(global: Global) -> Result<Self, Wrong> {
        let file = profile_file(&global)?;
        let (keys, entries) = shelf(global.backend.as_deref(), &global)?;
        let (sessions, session_entries) = match global.session_backend.as_deref() {
            Some(name) => shelf(Some(name), &global)?,
            None => (keys.clone(), entries.clone()),
        };
        let mut desk = Self { global, file, keys, sessions, entries, session_entries };
        desk.list_own()?;
        Ok(desk)
    }

    /// The entries of our own store are listed by the broker, as only a call can open it.
    fn list_own(&mut self) -> Result<(), Wrong> {
        if !self.keys.is_own() && !self.sessions.is_own() {
            return Ok(());
        }
        let answer = self.ask("key.list", Inputs::new(), What::List, self.tools(None)?)?;
        let names = |of: &str| {
            let names = answer.value.get(of).and_then(serde_json::Value::as_array).into_iter().flatten();
            names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
        };
        (self.entries, self.session_entries) = (names("keys"), names("sessions"));
        Ok(())
    }

    /// Whether keys are stored under this name.
    pub(super) fn stored(&self, name: &str) -> bool {
        self.entries.iter().any(|known| known == name)
    }

    /// The profile of this name, after a look whether there is one.
    pub(super) fn known_profile(&self, name: &str, session: &Wanted) -> Result<Profile, Wrong> {
        aws::profile::known(&self.file, &|name| self.stored(name), name)
            .map_err(|error| self.words(&error))?;
        self.profile(name, session)
    }

    /// The same with every path in it as it is from here: a running broker that reads it has another folder than we have.
    fn outward(mut profile: Profile) -> Profile {
        let mut next = Some(&mut profile);
        while let Some(one) = next {
            if let Some(WebIdentity::File(path)) = &mut one.web_identity
                && let Ok(whole) = std::path::absolute(&*path)
                && let Some(text) = whole.to_str()
            {
                text.clone_into(path);
            }
            next = one.source.as_deref_mut();
        }
        profile
    }

    /// The profile of this name, resolved, without a word about what is odd in it.
    pub(super) fn quiet_profile(&self, name: &str, session: &Wanted) -> Result<Profile, Wrong> {
        let overrides = Overrides { region: session.region.clone(), ..Overrides::default() };
        let environment: &Environment<'_> = &environment;
        aws::profile::resolve(&self.file, environment, &overrides, name).map_err(|error| self.words(&error))
    }

    /// The profile of this name, resolved.
    pub(super) fn profile(&self, name: &str, session: &Wanted) -> Result<Profile, Wrong> {
        let overrides = Overrides {
            region: session.region.clone(),
            duration: session.duration,
            policy: policy(session)?,
            policy_arns: session.policy.arns.clone(),
        };
        let environment: &Environment<'_> = &environment;
        let profile = aws::profile::resolve(&self.file, environment, &overrides, name);
        let profile = profile.map_err(|error| self.words(&error))?;
        for warning in profile.all_warnings() {
            super::speech::say(&format!("warning: {warning}"));
        }
        Ok(Self::outward(profile))
    }

    fn words(&self, error: &aws::profile::Error) -> Wrong {
        let message = if self.global.compatible() { error.compatible() } else { error.to_string() };
        // Scripts compare these lines of aws-vault, and expect none behind them.
        Wrong::new(message).maybe_hint(error.hint().filter(|_| !self.global.compatible()))
    }

    /// What a call is done with.
    pub(super) fn tools(&self, profile: Option<&Profile>) -> Result<Tools, Wrong> {
        let file_dir = self.global.file_dir.clone();
        let words = move |error: &keyring::Error| compatible(error, &file_dir);
        let reach = reach(profile);
        Ok(Tools {
            keys: self.keys.clone(),
            sessions: self.sessions.clone(),
            other: None,
            seeds: self.seeds(),
            wire: Arc::new(wire(&reach)?),
            reach,
            words: self.global.compatible().then(|| Arc::new(words) as Arc<mint::Words>),
        })
    }

    /// Whether stored seeds may make codes: not where somebody said who else asks.
    fn seeds(&self) -> mint::Seeds {
        match self.global.prompt.as_deref() {
            None | Some("totp") => mint::Seeds::Use,
            Some(_) => mint::Seeds::Leave,
        }
    }

    /// Asks the broker for an operation that needs credentials, and gets what they lack.
    pub(super) fn get(
        &self,
        (operation, inputs): (&str, Inputs),
        profile: &Profile,
        (session, serving): (&Wanted, Serving),
        what: impl Fn() -> What,
    ) -> Result<Outbound, Wrong> {
        let prompts = ask::prompts(&self.global, session, serving);
        let browser = Pages {
            printed: session.stdout,
            no_browser: session.no_browser,
            comes_back: !self.global.compatible() && !session.device_code && !session.stdout,
            command: profile.login_command.clone(),
        };
        let mut tools = self.tools(Some(profile))?;
        let reach = tools.reach.clone();
        let outside = Arc::new(Outside::of(profile)?);
        tools.wire = Arc::new(wire(&reach)?.aside(Arc::clone(&outside) as Arc<dyn Aside>));
        let asking = Arc::clone(&tools.wire);
        let getting = Getting {
            profile,
            prompts: &*prompts,
            browser: &browser,
            reach: &reach,
            wire: &asking,
            outside: &outside,
        };
        if session.mfa_token.is_some() {
            tools.seeds = mint::Seeds::Leave;
        }
        getting.until(|given| {
            let wish = Wish { what: what(), tools: tools.clone(), given };
            counter::call(operation, inputs.clone(), wish)
        })
    }

    /// Asks the broker for an operation that needs none.
    pub(super) fn ask(
        &self,
        operation: &str,
        inputs: Inputs,
        what: What,
        tools: Tools,
    ) -> Result<Answer, Failure> {
        match counter::call(operation, inputs, Wish { what, tools, given: Arc::default() })? {
            Outbound::Answer(answer) | Outbound::Lease(answer, _) => Ok(answer),
            Outbound::Reply(..) => Err(Failure::new("the broker gave a reply instead of an answer")),
        }
    }
}

/// Tools of a call that needs no keyring.
pub(crate) fn bare_tools() -> Result<Tools, Wrong> {
    let (keys, sessions) = (Shelf::own(), Shelf::own());
    let reach = reach(None);
    let wire = Arc::new(wire(&reach)?);
    Ok(Tools { keys, sessions, other: None, seeds: mint::Seeds::Leave, wire, reach, words: None })
}

/// The lease of an answer.
pub(crate) fn lease(outbound: Outbound) -> Result<Box<Lease>, Wrong> {
    match outbound {
        Outbound::Lease(answer, lease) => {
            log(|| format!("evidence {}", answer.evidence));
            Ok(lease)
        }
        Outbound::Answer(_) | Outbound::Reply(..) => Err(Wrong::new("the broker gave no credentials")),
    }
}

/// What the evidence says an operation is about.
pub(super) fn inputs(profile: &Profile) -> Inputs {
    let mut inputs = Inputs::from([("profile".to_owned(), named(&profile.name))]);
    if let Some(role) = &profile.role {
        inputs.insert("role".to_owned(), role.arn.clone());
    }
    if let Some(account) = profile.sso.as_ref().and_then(|sso| sso.account_id.clone()) {
        inputs.insert("account".to_owned(), account);
    }
    if let Some(region) = &profile.region {
        inputs.insert("region".to_owned(), region.clone());
    }
    inputs
}

/// The input of an operation on a profile that was not resolved.
pub(super) fn input(profile: &str) -> Inputs {
    Inputs::from([("profile".to_owned(), named(profile))])
}

/// A profile's name as a resource may be called: without white space.
pub(super) fn named(profile: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const SPACES: &AsciiSet = &CONTROLS.add(b' ').add(b'%');
    utf8_percent_encode(profile, SPACES).to_string()
}

/// The names of all profiles, in the order of the file.
pub(super) fn profile_names() -> Result<Vec<String>, aws::file::Error> {
    let file = File::load(&config_path())?;
    Ok(aws::profile::names(&file).into_iter().map(ToOwned::to_owned).collect())
}

/// Reads the profile file.
pub(super) fn profile_file(global: &Global) -> Result<File, Wrong> {
    File::load(&config_path()).map_err(|error| {
        let message = if global.compatible() { error.compatible() } else { error.to_string() };
        Wrong(Failure { message, ..Failure::of(&error) }).maybe_hint(error.hint())
    })
}

/// `AWS_CONFIG_FILE`, else `~/.aws/config`.
pub(super) fn config_path() -> PathBuf {
    let chosen = environment("AWS_CONFIG_FILE").map(PathBuf::from);
    chosen.unwrap_or_else(|| home().join(".aws").join("config"))
}

/// The folder of the person.
pub(super) fn home() -> PathBuf {
    environment("HOME").map_or_else(|| PathBuf::from("/"), PathBuf::from)
}

/// Opens the keyring that was named, or the first that can be used, and says which of its kind it is.
fn opened(name: Option<&str>, global: &Global) -> Result<(Box<dyn Keyring>, String), Wrong> {
    let settings = &settings(global);
    if global.biometrics && !cfg!(target_os = "macos") {
        return Err(Wrong::new("a fingerprint can't be asked for here: `--biometrics` is Touch ID of macOS")
            .hint("leave `--biometrics` away and unset `AWS_VAULT_BIOMETRICS`"));
    }
    let keyring = match name {
        // Another keyring that happens to be usable would not ask for the finger.
        None if global.biometrics => {
            keyring::open(Kind::Keychain, settings).map_err(|error| unusable(&error, global))
        }
        Some(name) => {
            let kind: Kind =
                name.parse().map_err(|error: keyring::UnknownKind| Wrong::new(error.to_string()))?;
            keyring::open(kind, settings).map_err(|error| unusable(&error, global))
        }
        None => keyring::first_usable(settings)
            .map(|(_, keyring)| keyring)
            .map_err(|error| unusable(&error, global)),
    }?;
    let place = settings.place(keyring.kind());
    Ok((keyring, place))
}

/// Opens a keyring by its name, for a migration.
pub(super) fn other(name: &str, global: &Global) -> Result<Shelf, Wrong> {
    match name.parse() {
        Ok(Kind::Doorward) => Ok(Shelf::own()),
        _ => opened(Some(name), global).map(|(keyring, place)| Shelf::here(keyring).at(&place)),
    }
}

/// The name of the keyring that is used where none is named.
pub(super) fn first_name(global: &Global) -> Result<String, Wrong> {
    let (kind, _) = keyring::first_usable(&settings(global)).map_err(|error| unusable(&error, global))?;
    Ok(kind.name().to_owned())
}

/// A keyring and the names of its entries; those of our own store are listed later.
fn shelf(name: Option<&str>, global: &Global) -> Result<(Shelf, Vec<String>), Wrong> {
    if name.is_some_and(|name| name.parse() == Ok(Kind::Doorward)) {
        return Ok((Shelf::own(), Vec::new()));
    }
    let (keyring, place) = opened(name, global)?;
    let names = keyring.names().map_err(|error| unusable(&error, global))?;
    Ok((Shelf::here(keyring).at(&place), names))
}

fn unusable(error: &keyring::Error, global: &Global) -> Wrong {
    let message = compatible(error, &global.file_dir).filter(|_| global.compatible());
    let wrong = match message {
        Some(message) => Wrong::new(message),
        None => Wrong(Failure::of(error)),
    };
    wrong.maybe_hint(error.hint())
}

/// The words of aws-vault for what a keyring says, where it has some.
fn compatible(error: &keyring::Error, file_dir: &std::path::Path) -> Option<String> {
    match error {
        keyring::Error::Locked { kind: Kind::File, .. } => {
            Some("aes.KeyUnwrap(): integrity check failed.".to_owned())
        }
        keyring::Error::NotFound { kind: Kind::File, name } => {
            let folder = match file_dir.strip_prefix("~") {
                Ok(rest) => home().join(rest),
                Err(_) => file_dir.to_owned(),
            };
            let path = folder.join(name.replace('%', "%25").replace('/', "%2F"));
            Some(format!("remove {}: no such file or directory", path.display()))
        }
        _ => None,
    }
}

/// Where the keyrings are, by flags and environment.
fn settings(global: &Global) -> keyring::Settings {
    let mut settings = keyring::Settings::new(home(), Arc::new(Terminal));
    settings.keychain.name.clone_from(&global.keychain);
    if global.biometrics {
        settings.keychain.unlock = keyring::Unlock::Biometrics;
    }
    settings.bus.address = environment("DBUS_SESSION_BUS_ADDRESS");
    settings.bus.runtime = environment("XDG_RUNTIME_DIR").map(PathBuf::from);
    settings.secret_service.collection.clone_from(&global.secret_service_collection);
    settings.kwallet.disabled = environment("DISABLE_KWALLET").as_deref() == Some("1");
    settings.pass.command.clone_from(&global.pass_cmd);
    settings.pass.folder.clone_from(&global.pass_dir);
    settings.pass.prefix = global.pass_prefix.clone().unwrap_or_default();
    settings.pass.password_store = environment("PASSWORD_STORE_DIR").map(PathBuf::from);
    settings.pass.passage_store = environment("PASSAGE_DIR").map(PathBuf::from);
    settings.file.folder = Some(global.file_dir.clone());
    settings.op.vault.clone_from(&global.op.vault_id);
    settings.op.title_prefix.clone_from(&global.op.item_title_prefix);
    settings.op.tag.clone_from(&global.op.item_tag);
    settings.op.timeout = global.op.timeout;
    settings.op.host.clone_from(&global.op.connect_host);
    settings.op.account.clone_from(&global.op.desktop_account_id);
    settings.proton_pass.share.clone_from(&global.proton_pass.share_id);
    settings.proton_pass.title_prefix.clone_from(&global.proton_pass.item_title_prefix);
    settings.proton_pass.api_base.clone_from(&global.proton_pass.api_base);
    settings.proton_pass.timeout = global.proton_pass.timeout;
    settings.programs.path = environment("PATH").unwrap_or_default().into();
    settings
}

/// The session policy that was given on the command line.
fn policy(session: &Wanted) -> Result<Option<String>, Wrong> {
    match (&session.policy.document, &session.policy.file) {
        (Some(document), _) => Ok(Some(document.clone())),
        (None, Some(path)) => std::fs::read_to_string(path).map(Some).map_err(|error| {
            Wrong(Failure::doing(format!("could not read the policy in `{}`", path.display()), &error))
        }),
        (None, None) => Ok(None),
    }
}
