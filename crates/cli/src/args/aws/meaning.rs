//! From what was typed to what it means: the structs that the flows take.

use super::{
    Add, Aws, Clear, Command, Configure, Copying, Exec, Export, Form, Import, List, Login, Migrate, Proxy,
    Remove, Rotate, Source, Wanted,
};
use crate::args::{Format, Global};
use crate::compat::aws_vault::command::{self as meant, ExportFormat, ImportFrom, Manner, SessionPolicy};
use crate::compat::aws_vault::{World, globals};
use crate::compat::kingpin::{Error, value};
use crate::failure::{Failure, Outcome};

impl Aws {
    /// What was asked for. `everywhere` are the flags of every command of `doorward`.
    ///
    /// # Errors
    /// A mistake of usage, when a flag or a variable has the wrong form, or flags contradict each other.
    pub(crate) fn meaning(self, everywhere: &Global, world: &World<'_>) -> Outcome<meant::Invocation> {
        let Self { stores, command } = self;
        let global = globals(&stores.words(), world).map_err(mistake)?;
        let global = meant::Global {
            manner: Manner::Doorward,
            debug: everywhere.verbose > 0,
            session_backend: stores.session_backend.or(global.session_backend),
            ..global
        };
        let format = everywhere.printing();
        if format == Format::Yaml && matches!(command, Command::Export(_)) {
            return Err(Failure::usage("nothing reads credentials as YAML").hint("`--as` names the forms"));
        }
        Ok(meant::Invocation { global, command: command.meaning(format == Format::Json, world)? })
    }
}

impl Command {
    fn meaning(self, json: bool, world: &World<'_>) -> Outcome<meant::Command> {
        Ok(match self {
            Self::Add(Add { profile, env, no_add_config, mfa_seed }) => {
                meant::Command::Add(meant::Add { profile, env, add_config: !no_add_config, mfa_seed })
            }
            Self::List(List { profiles, sessions, credentials }) => {
                meant::Command::List(meant::List { profiles, sessions, credentials })
            }
            Self::Rotate(Rotate { profile, deactivate, session }) => {
                meant::Command::Rotate(meant::Rotate { profile, session: session.meaning(), deactivate })
            }
            Self::Exec(exec) => meant::Command::Exec(Box::new(exec.meaning(json, world)?)),
            Self::Export(export) => meant::Command::Export(export.meaning(json)?),
            Self::Login(login) => meant::Command::Login(login.meaning(world)?),
            Self::Clear(Clear { profile }) => meant::Command::Clear(meant::Clear { profile }),
            Self::Remove(Remove { profile, force, sessions_only, mfa_seed }) => {
                meant::Command::Remove(meant::Remove { profile, force, sessions_only, mfa_seed })
            }
            Self::MigrateBackend(Migrate { from, to, profile, copying }) => {
                let Copying { dry_run, overwrite, delete_source } = copying;
                let meant = meant::Migrate { from, to, profile, dry_run, overwrite, delete_source };
                meant::Command::MigrateBackend(meant)
            }
            Self::Proxy(Proxy { stop }) => meant::Command::Proxy(meant::Proxy { stop }),
            Self::Import(import) => meant::Command::Import(import.meaning()?),
            Self::Configure(Configure { profile, set, unset }) => {
                if set.is_empty() && unset.is_empty() {
                    return Err(Failure::usage("there is nothing to configure")
                        .hint("say what to write, such as `region=eu-west-1`, or `--unset region`"));
                }
                meant::Command::Configure(meant::Configure { profile, set, unset })
            }
            Self::Version => meant::Command::Version,
            Self::Help(_) => return Err(Failure::usage("the help is no command of a profile")),
        })
    }
}

impl Wanted {
    fn meaning(self) -> meant::Wanted {
        let Self {
            duration,
            no_session,
            region,
            mfa_token,
            no_browser,
            device_code,
            refresh,
            policy,
            policy_file,
            policy_arns,
        } = self;
        meant::Wanted {
            duration: duration.filter(|duration| !duration.is_zero()),
            no_session,
            region,
            mfa_token,
            stdout: false,
            no_browser,
            device_code,
            refresh,
            policy: SessionPolicy { document: policy, file: policy_file, arns: policy_arns },
        }
    }
}

impl Exec {
    fn meaning(self, json: bool, world: &World<'_>) -> Outcome<meant::Exec> {
        let Self { profile, ecs_server, ec2_server, lazy, listen, imdsv1, profile_env, command, session } =
            self;
        if (listen.is_some() || lazy) && !(ecs_server || ec2_server) {
            let flag = if lazy { "--lazy" } else { "--listen" };
            return Err(Failure::usage(format!("`{flag}` is for a server"))
                .hint("add `--ecs-server` or `--ec2-server`"));
        }
        if imdsv1 && !ec2_server {
            return Err(Failure::usage("`--imdsv1` is for the EC2 server").hint("add `--ec2-server`"));
        }
        let session = session.meaning();
        let from_variable = match session.duration {
            Some(duration) => Some(duration),
            None => variable(world, "AWS_VAULT_DURATION", value::duration)?,
        };
        Ok(meant::Exec {
            profile: profile.or_else(|| (world.environment)("AWS_PROFILE")),
            command,
            session: meant::Wanted {
                duration: from_variable.filter(|duration| !duration.is_zero()),
                stdout: switched(world, "AWS_VAULT_STDOUT")?,
                ..session
            },
            json,
            ecs_server,
            ec2_server,
            lazy,
            profile_env: profile_env || switched(world, "AWS_VAULT_PROFILE_ENV")?,
            listen,
            imdsv1,
        })
    }
}

impl Export {
    fn meaning(self, json: bool) -> Outcome<meant::Export> {
        let Self { profile, form, session } = self;
        let format = match (form, json) {
            (None | Some(Form::Json), true) | (Some(Form::Json), false) => ExportFormat::Json,
            (None | Some(Form::Env), false) => ExportFormat::Env,
            (Some(Form::ExportEnv), false) => ExportFormat::ExportEnv,
            (Some(Form::Ini), false) => ExportFormat::Ini,
            (Some(Form::Env | Form::ExportEnv | Form::Ini), true) => {
                return Err(Failure::usage("`--json` and `--as` say different forms"));
            }
        };
        Ok(meant::Export { profile, session: session.meaning(), format })
    }
}

impl Login {
    fn meaning(self, world: &World<'_>) -> Outcome<meant::Login> {
        let Self { profile, path, stdout, auto_logout, session } = self;
        Ok(meant::Login {
            profile: profile.or_else(|| (world.environment)("AWS_PROFILE")),
            session: session.meaning(),
            path,
            stdout,
            auto_logout: auto_logout || switched(world, "AWS_VAULT_AUTO_LOGOUT")?,
        })
    }
}

impl Import {
    fn meaning(self) -> Outcome<meant::Import> {
        let Self { from, path, to, profiles, copying } = self;
        let Copying { dry_run, overwrite, delete_source } = copying;
        let from = match (from, path) {
            (Source::AwsVault, None) => ImportFrom::AwsVault,
            (Source::AwsVault, Some(_)) => {
                return Err(Failure::usage("the keyring of aws-vault is no file")
                    .hint("`--backend` says which keyring; `--file-dir` where its files are"));
            }
            (Source::CredentialsFile, path) => ImportFrom::CredentialsFile(path),
            (Source::Csv, Some(path)) => ImportFrom::Csv(path),
            (Source::Csv, None) => {
                return Err(Failure::usage("which CSV file is meant").hint("`doorward aws import csv FILE`"));
            }
        };
        if to.is_some() && from != ImportFrom::AwsVault {
            return Err(Failure::usage("`--to` is for the keyring of aws-vault")
                .hint("keys from a file go where `--backend` says"));
        }
        Ok(meant::Import { from, to, profiles, overwrite, dry_run, delete_source })
    }
}

fn switched(world: &World<'_>, name: &str) -> Outcome<bool> {
    Ok(variable(world, name, value::switch)?.unwrap_or(false))
}

/// A variable that is set and not empty, read.
fn variable<T>(world: &World<'_>, name: &str, read: fn(&str) -> Result<T, Error>) -> Outcome<Option<T>> {
    let Some(text) = (world.environment)(name).filter(|text| !text.is_empty()) else { return Ok(None) };
    let read = read(&text).map_err(|error| Failure::usage(format!("`{name}` can't be read: {error}")));
    read.map(Some)
}

#[expect(clippy::needless_pass_by_value, reason = "`map_err` gives it away")]
fn mistake(error: Error) -> Failure {
    Failure::usage(error.to_string())
}
