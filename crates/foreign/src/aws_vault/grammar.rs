//! The command line of aws-vault, as data: every command, alias, flag, variable and default.
//!
//! Flags that are hidden there are hidden here. What a flag means is said in [`super::command`].

use crate::kingpin::{Arg, Command, Flag, Grammar, Hint};

/// The whole command line.
pub static GRAMMAR: Grammar = Grammar {
    name: "aws-vault",
    about: "A vault for securely storing and accessing AWS credentials in development environments.",
    version: env!("CARGO_PKG_VERSION"),
    flags: GLOBAL,
    commands: COMMANDS,
};

/// Where keys and sessions may be stored, by the names that `--backend` takes.
pub const BACKENDS: &[&str] = &[
    "doorward",
    "wincred",
    "winhello",
    "keychain",
    "secret-service",
    "kwallet",
    "keyctl",
    "pass",
    "passage",
    "file",
    "op-connect",
    "op",
    "op-service-account",
    "op-desktop",
    "proton-pass",
];

/// The forms of `export`.
pub const FORMATS: &[&str] = &["env", "export-env", "json", "ini"];

/// Flags of every command.
pub static GLOBAL: &[Flag] = &[
    Flag::switch("debug", "Show debugging output"),
    Flag::one_of("backend", "Secret backend to use", BACKENDS).env(&["AWS_VAULT_BACKEND"]),
    Flag::text("prompt", "Prompt driver to use for MFA codes").env(&["AWS_VAULT_PROMPT"]),
    Flag::text("keychain", "Name of the macOS keychain to use, made if it is not there")
        .default("aws-vault")
        .env(&["AWS_VAULT_KEYCHAIN_NAME"]),
    Flag::text(
        "secret-service-collection",
        "Name of the secret-service collection to use, made if it is not there",
    )
    .default("awsvault")
    .env(&["AWS_VAULT_SECRET_SERVICE_COLLECTION_NAME"]),
    Flag::text("pass-dir", "Folder of the pass or passage store").env(&["AWS_VAULT_PASS_PASSWORD_STORE_DIR"]),
    Flag::text("pass-cmd", "Name of the pass or passage program").env(&["AWS_VAULT_PASS_CMD"]),
    Flag::text("pass-prefix", "What the paths of items in pass begin with").env(&["AWS_VAULT_PASS_PREFIX"]),
    Flag::text("file-dir", "Folder of the \"file\" store")
        .default("~/.awsvault/keys/")
        .env(&["AWS_VAULT_FILE_DIR"]),
    Flag::duration("op-timeout", "Longest time for one call to 1Password")
        .default("15s")
        .env(&["AWS_VAULT_OP_TIMEOUT"]),
    Flag::text("op-vault-id", "UUID of the 1Password vault").env(&["AWS_VAULT_OP_VAULT_ID", "OP_VAULT_ID"]),
    Flag::text("op-item-title-prefix", "What titles of 1Password items begin with")
        .default("aws-vault")
        .env(&["AWS_VAULT_OP_ITEM_TITLE_PREFIX"]),
    Flag::text("op-item-tag", "Tag of 1Password items").default("aws-vault").env(&["AWS_VAULT_OP_ITEM_TAG"]),
    Flag::text("op-connect-host", "Address of the 1Password Connect server")
        .env(&["AWS_VAULT_OP_CONNECT_HOST", "OP_CONNECT_HOST"]),
    Flag::text("op-desktop-account-id", "Name or UUID of the account of the 1Password desktop application")
        .env(&["AWS_VAULT_OP_DESKTOP_ACCOUNT_ID", "OP_DESKTOP_ACCOUNT_ID"]),
    Flag::text("proton-pass-share-id", "Share id of the Proton Pass vault")
        .env(&["AWS_VAULT_PROTON_PASS_SHARE_ID"]),
    Flag::text("proton-pass-item-title-prefix", "What titles of Proton Pass items begin with")
        .default("aws-vault")
        .env(&["AWS_VAULT_PROTON_PASS_ITEM_TITLE_PREFIX"]),
    Flag::text("proton-pass-api-base", "Base address of Proton's API")
        .env(&["AWS_VAULT_PROTON_PASS_API_BASE", "PROTON_PASS_API_BASE"]),
    Flag::duration("proton-pass-timeout", "Longest time for one call to Proton Pass")
        .default("30s")
        .env(&["AWS_VAULT_PROTON_PASS_TIMEOUT"]),
    Flag::switch("biometrics", "Use biometric authentication if supported").env(&["AWS_VAULT_BIOMETRICS"]),
];

/// The commands.
pub static COMMANDS: &[Command] = &[
    command("help", "Show help.", &[], &[Arg::rest("command", "Show help on command.").hint(Hint::Commands)]),
    command(
        "add",
        "Add credentials to the secure keystore.",
        &[
            Flag::switch(
                "env",
                "Read the credentials from the environment (AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY)",
            ),
            Flag::switch("add-config", "Add a section to the config file if there is none").default("true"),
        ],
        &[NEEDED_PROFILE],
    ),
    Command {
        aliases: &["rm"],
        ..command(
            "remove",
            "Remove credentials from the secure keystore.",
            &[
                Flag::switch("force", "Do not ask").short('f'),
                Flag::switch("sessions-only", "Remove the sessions only, keep the credentials")
                    .short('s')
                    .hidden(),
            ],
            &[NEEDED_PROFILE],
        )
    },
    command(
        "migrate-backend",
        "Copy long-term credentials from one backend to another.",
        &[
            Flag::one_of("from", "Backend to read from", BACKENDS).required(),
            Flag::one_of("to", "Backend to write to", BACKENDS).required(),
            Flag::text("profile", "Migrate this profile only"),
            Flag::switch("dry-run", "Say what would be done, and do nothing"),
            Flag::switch("overwrite", "Overwrite what is in the destination already"),
            Flag::switch("delete-source", "Delete each entry from the source after it was verified"),
        ],
        &[],
    ),
    Command {
        aliases: &["ls"],
        ..command(
            "list",
            "List profiles, along with their credentials and sessions.",
            &[
                Flag::switch("profiles", "Show only the profile names"),
                Flag::switch("sessions", "Show only the session names"),
                Flag::switch("credentials", "Show only the profiles with stored credentials"),
            ],
            &[],
        )
    },
    command("rotate", "Rotate credentials.", &[NO_SESSION], &[PROFILE]),
    command("exec", "Execute a command with AWS credentials.", EXEC, EXEC_ARGS),
    command("export", "Export AWS credentials.", EXPORT, &[PROFILE]),
    command("clear", "Clear temporary credentials from the secure keystore.", &[], &[PROFILE]),
    command("login", "Generate a login link for the AWS console.", LOGIN, &[PROFILE.env("AWS_PROFILE")]),
    Command {
        aliases: &["server"],
        hidden: true,
        ..command(
            "proxy",
            "Start a proxy for the ec2 instance role server locally.",
            &[Flag::switch("stop", "Stop the proxy")],
            &[],
        )
    },
    command("version", "Show the version.", &[], &[]),
];

static EXEC: &[Flag] = &[
    DURATION.env(&["AWS_VAULT_DURATION"]),
    NO_SESSION,
    REGION,
    MFA_TOKEN,
    Flag::switch("json", "Output credentials in JSON that credential_process can use").short('j').hidden(),
    Flag::switch("server", "Alias for --ecs-server").short('s'),
    Flag::switch("ec2-server", "Run an EC2 metadata server in the background for credentials"),
    Flag::switch(
        "ecs-server",
        "Run an ECS credential server in the background for credentials (the SDK must support \
         AWS_CONTAINER_CREDENTIALS_FULL_URI)",
    ),
    Flag::switch("lazy", "With --ecs-server, get credentials at the first request"),
    STDOUT.env(&["AWS_VAULT_STDOUT"]),
    Flag::switch("profile-env", "Set AWS_PROFILE for the command instead of credentials")
        .env(&["AWS_VAULT_PROFILE_ENV"]),
];

static EXEC_ARGS: &[Arg] = &[
    PROFILE.env("AWS_PROFILE"),
    Arg::optional("cmd", "Command to execute, defaults to $SHELL"),
    Arg::rest("args", "Command arguments"),
];

static EXPORT: &[Flag] = &[
    DURATION,
    NO_SESSION,
    REGION,
    MFA_TOKEN,
    Flag::one_of("format", "Format of the output", FORMATS).default("env"),
    STDOUT,
];

static LOGIN: &[Flag] = &[
    DURATION,
    NO_SESSION,
    MFA_TOKEN,
    REGION,
    Flag::text("path", "The AWS service to open, such as ec2"),
    Flag::switch("stdout", "Print the login address instead of opening it").short('s'),
    Flag::switch("auto-logout", "Sign out of the session that is open before")
        .short('a')
        .env(&["AWS_VAULT_AUTO_LOGOUT"]),
];

const DURATION: Flag =
    Flag::duration("duration", "Duration of the temporary or assume-role session. Defaults to 1h").short('d');
const NO_SESSION: Flag =
    Flag::switch("no-session", "Skip creating an STS session with GetSessionToken").short('n');
const REGION: Flag = Flag::text("region", "The AWS region");
const MFA_TOKEN: Flag = Flag::text("mfa-token", "The MFA code to use").short('t');
const STDOUT: Flag = Flag::switch("stdout", "Print the address of the SSO page without opening the browser");
const PROFILE: Arg = Arg::optional("profile", "Name of the profile").hint(Hint::Names);
const NEEDED_PROFILE: Arg = Arg::required("profile", "Name of the profile").hint(Hint::Names);

const fn command(
    name: &'static str,
    about: &'static str,
    flags: &'static [Flag],
    args: &'static [Arg],
) -> Command {
    Command { name, aliases: &[], about, hidden: false, flags, args }
}

#[cfg(test)]
mod tests;
