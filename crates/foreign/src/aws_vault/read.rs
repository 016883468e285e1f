//! From the words of aws-vault to a command.
//!
//! # Invariants
//!
//! - Every name that is asked for here is in the grammar; a test walks all commands and flags.
//! - A prompt driver that is not there is refused before anything is done; a terminal that is not there, when it is to ask.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::command::{
    Add, Clear, Command, Exec, Export, ExportFormat, Global, Invocation, List, Login, Manner, MfaToken,
    Migrate, OnePassword, ProtonPass, Proxy, Remove, Rotate, SessionPolicy, Wanted,
};
use super::grammar::{BACKENDS, GLOBAL, GRAMMAR};
use crate::Environment;
use crate::kingpin::{self, Error, Kind, Parsed, Reading, Saying, value};

/// What reading a command line has to know about the machine. Each is asked only when it is needed.
pub struct World<'a> {
    /// The environment; see [`crate::environment`].
    pub environment: &'a Environment<'a>,
    /// Names of profiles, for completion.
    pub profiles: &'a dyn Fn() -> Vec<String>,
    /// Names of the prompt drivers that can ask here, in order.
    pub prompts: &'a dyn Fn() -> Vec<String>,
}

/// What was asked for.
#[derive(Debug)]
pub enum Asked {
    /// A command.
    Run(Box<Invocation>),
    /// A text of the parser, and status 0.
    Say(Saying),
}

/// Reads the words behind `aws-vault`.
///
/// # Errors
/// With the text of aws-vault; every mistake ends with status 1.
pub fn read(words: &[OsString], world: &World<'_>) -> Result<Asked, Error> {
    let parsed = match kingpin::read(&GRAMMAR, words, world.environment, world.profiles)? {
        Reading::Say(saying) => return Ok(Asked::Say(saying)),
        Reading::Run(parsed) => parsed,
    };
    let global = global(&parsed, world)?;
    let command = command(&parsed)?;
    can_ask(&global, &command, world)?;
    Ok(Asked::Run(Box::new(Invocation { global, command })))
}

/// What holds for every command, of flags in the words of aws-vault, the environment and the defaults: `doorward aws` has
/// the same flags.
///
/// # Errors
/// When a flag or a variable has the wrong form.
pub fn globals(flags: &[String], world: &World<'_>) -> Result<Global, Error> {
    let words: Vec<OsString> = flags.iter().map(OsString::from).chain([OsString::from("version")]).collect();
    match kingpin::read(&GRAMMAR, &words, world.environment, world.profiles)? {
        Reading::Run(parsed) => global(&parsed, world),
        Reading::Say(_) => Err(Error::Plain("the flags could not be read".to_owned())),
    }
}

/// Refuses a server whose questions would go to a terminal that is not there: it would find out long after its start.
fn can_ask(global: &Global, command: &Command, world: &World<'_>) -> Result<(), Error> {
    let Command::Exec(exec) = command else { return Ok(()) };
    let server = match (exec.ec2_server, exec.ecs_server) {
        (true, _) => "ec2-server",
        (_, true) => "ecs-server",
        (false, false) => return Ok(()),
    };
    let named = global.prompt.as_deref() == Some(TERMINAL);
    if named && !(world.prompts)().iter().any(|known| known == TERMINAL) {
        return Err(Error::Plain(format!(
            "exec: Can't use --prompt={TERMINAL} with --{server}. Specify a different prompt driver"
        )));
    }
    Ok(())
}

/// The driver, if it is there. The terminal is a driver everywhere: most commands never have to ask.
fn checked_prompt(name: &str, world: &World<'_>) -> Result<String, Error> {
    if name == "pass" {
        return Err(Error::Plain(
            "--prompt=pass (or AWS_VAULT_PROMPT=pass) has been removed: a second factor that lies beside the first is none. \
             To go on with pass, use --prompt=pass-otp, or add `mfa_process = pass otp <your mfa_serial>` to profiles in \
             your ~/.aws/config file"
                .to_owned(),
        ));
    }
    let mut there = (world.prompts)();
    if !there.iter().any(|known| known == TERMINAL) {
        there.push(TERMINAL.to_owned());
        there.sort();
    }
    if there.iter().any(|known| known == name) {
        return Ok(name.to_owned());
    }
    Err(Error::Value(format!("--prompt value must be one of {}, got '{name}'", there.join(","))))
}

fn backend(name: String) -> Result<String, Error> {
    value::one_of(&name, BACKENDS).map(|()| name)
}

fn global(parsed: &Parsed, world: &World<'_>) -> Result<Global, Error> {
    let text = |name| parsed.text(name).map(str::to_owned);
    let with_default = |name| text(name).unwrap_or_else(|| default_of(name).to_owned());
    let timeout = |name| parsed.duration(name).unwrap_or(Duration::ZERO);
    Ok(Global {
        manner: Manner::AwsVault,
        debug: parsed.switch("debug"),
        backend: text("backend"),
        session_backend: (world.environment)(SESSION_BACKEND).map(backend).transpose()?,
        prompt: parsed.text("prompt").map(|name| checked_prompt(name, world)).transpose()?,
        keychain: with_default("keychain"),
        secret_service_collection: with_default("secret-service-collection"),
        pass_dir: text("pass-dir").map(PathBuf::from),
        pass_cmd: text("pass-cmd").map(PathBuf::from),
        pass_prefix: text("pass-prefix"),
        file_dir: PathBuf::from(with_default("file-dir")),
        op: OnePassword {
            timeout: timeout("op-timeout"),
            vault_id: text("op-vault-id"),
            item_title_prefix: with_default("op-item-title-prefix"),
            item_tag: with_default("op-item-tag"),
            connect_host: text("op-connect-host"),
            desktop_account_id: text("op-desktop-account-id"),
        },
        proton_pass: ProtonPass {
            share_id: text("proton-pass-share-id"),
            item_title_prefix: with_default("proton-pass-item-title-prefix"),
            api_base: text("proton-pass-api-base"),
            timeout: timeout("proton-pass-timeout"),
        },
        biometrics: parsed.switch("biometrics"),
    })
}

fn command(parsed: &Parsed) -> Result<Command, Error> {
    Ok(match parsed.command.name {
        "add" => Command::Add(Add {
            profile: needed_profile(parsed)?,
            env: parsed.switch("env"),
            add_config: parsed.switch("add-config"),
            mfa_seed: false,
        }),
        "remove" => Command::Remove(Remove {
            profile: needed_profile(parsed)?,
            force: parsed.switch("force"),
            sessions_only: parsed.switch("sessions-only"),
            mfa_seed: false,
        }),
        "migrate-backend" => Command::MigrateBackend(Migrate {
            from: needed_flag(parsed, "from")?,
            to: needed_flag(parsed, "to")?,
            profile: parsed.text("profile").map(str::to_owned),
            dry_run: parsed.switch("dry-run"),
            overwrite: parsed.switch("overwrite"),
            delete_source: parsed.switch("delete-source"),
        }),
        "list" => Command::List(List {
            profiles: parsed.switch("profiles"),
            sessions: parsed.switch("sessions"),
            credentials: parsed.switch("credentials"),
        }),
        "rotate" => {
            let (profile, session) = (profile(parsed)?, session(parsed));
            Command::Rotate(Rotate { profile, session, deactivate: false })
        }
        "exec" => Command::Exec(Box::new(exec(parsed)?)),
        "export" => Command::Export(Export {
            profile: profile(parsed)?,
            session: Wanted { stdout: parsed.switch("stdout"), ..session(parsed) },
            format: needed_flag(parsed, "format").and_then(|name| {
                ExportFormat::named(&name).ok_or_else(|| Error::Value(format!("`{name}` is no format")))
            })?,
        }),
        "clear" => Command::Clear(Clear { profile: profile(parsed)? }),
        "login" => Command::Login(Login {
            profile: profile(parsed)?,
            session: session(parsed),
            path: parsed.text("path").map(str::to_owned),
            stdout: parsed.switch("stdout"),
            auto_logout: parsed.switch("auto-logout"),
        }),
        "proxy" => Command::Proxy(Proxy { stop: parsed.switch("stop") }),
        "version" => Command::Version,
        other => return Err(Error::NoCommand(other.to_owned())),
    })
}

fn exec(parsed: &Parsed) -> Result<Exec, Error> {
    let command = parsed.arg("cmd").map(OsStr::to_owned);
    Ok(Exec {
        profile: profile(parsed)?,
        command: command.into_iter().chain(parsed.rest("args").iter().cloned()).collect(),
        session: Wanted { stdout: parsed.switch("stdout"), ..session(parsed) },
        json: parsed.switch("json"),
        ecs_server: parsed.switch("ecs-server") || parsed.switch("server"),
        ec2_server: parsed.switch("ec2-server"),
        lazy: parsed.switch("lazy"),
        profile_env: parsed.switch("profile-env"),
        listen: None,
        // Its SDKs and scripts speak version 1; who wants it off starts `doorward aws exec`.
        imdsv1: true,
    })
}

fn session(parsed: &Parsed) -> Wanted {
    Wanted {
        duration: parsed.duration("duration").filter(|duration| !duration.is_zero()),
        no_session: parsed.switch("no-session"),
        region: parsed.text("region").map(str::to_owned),
        mfa_token: parsed.text("mfa-token").map(|typed| Arc::new(MfaToken::new(typed.to_owned()))),
        stdout: false,
        no_browser: false,
        device_code: false,
        refresh: false,
        policy: SessionPolicy::default(),
    }
}

fn profile(parsed: &Parsed) -> Result<Option<String>, Error> {
    let Some(name) = parsed.arg("profile") else { return Ok(None) };
    match name.to_str() {
        Some(name) => Ok(Some(name.to_owned())),
        None => Err(Error::Value("argument 'profile' is not UTF-8 text".to_owned())),
    }
}

fn needed_profile(parsed: &Parsed) -> Result<String, Error> {
    profile(parsed)?.ok_or(Error::RequiredArg("profile"))
}

fn needed_flag(parsed: &Parsed, name: &str) -> Result<String, Error> {
    let value = parsed.text(name).map(str::to_owned);
    value.ok_or_else(|| Error::RequiredFlags(format!("'--{name}'")))
}

/// The default of a flag with a text, for where an empty one was typed.
fn default_of(name: &str) -> &'static str {
    let mut flags = GLOBAL.iter().filter(|flag| flag.kind == Kind::Text);
    flags.find(|flag| flag.long == name).and_then(|flag| flag.default).unwrap_or_default()
}

/// The driver that asks on the terminal.
const TERMINAL: &str = "terminal";

/// Sessions may be stored elsewhere than keys. aws-vault has no words for it, so a variable says it.
const SESSION_BACKEND: &str = "AWS_VAULT_SESSION_BACKEND";

#[cfg(test)]
mod tests;
