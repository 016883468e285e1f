//! Keyrings of this desktop: a real GNOME Keyring, a real `KWallet` and the kernel's keys.

use super::suite::Stage;
use crate::source::tests::rings::Desktop;

pub(super) fn in_the_secret_service() -> Stage {
    let desktop = Desktop::shared();
    let choice = "os-keyring:secret-service";
    Stage::new(desktop.setup(), choice, choice, desktop)
}

pub(super) fn in_a_wallet() -> Stage {
    let desktop = Desktop::shared();
    let choice = "os-keyring:kwallet";
    Stage::new(desktop.setup(), choice, choice, desktop)
}

pub(super) fn in_the_kernel() -> Stage {
    let choice = "os-keyring:keyctl";
    Stage::new(crate::Setup::default(), choice, choice, ())
}
