//! The members of the family: one conformance suite for all of them, and what is special about each.
//!
//! Real programs stand behind `file`, `pass`, `keyctl`, `secret-service` and `kwallet`; the others are tested against
//! stand-ins in `tests/fakes`, which keep to what their vendors document and write down what they were given. A program that
//! isn't installed fails its tests and says which package has it.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod start;
#[cfg(test)]
#[macro_use]
mod suite;

#[cfg(test)]
mod choice;
#[cfg(test)]
mod connect;
#[cfg(test)]
#[cfg(not(target_os = "linux"))]
mod elsewhere;
#[cfg(test)]
mod file;
#[cfg(test)]
mod keychain;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod keyctl;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod kwallet;
#[cfg(test)]
mod op;
#[cfg(test)]
mod pass;
#[cfg(test)]
mod passage;
#[cfg(test)]
mod proton_pass;
#[cfg(test)]
#[cfg(target_os = "linux")]
mod secret_service;
#[cfg(test)]
mod wincred;
