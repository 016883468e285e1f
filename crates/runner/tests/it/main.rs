//! Programs that mean no good, and some that do, run in every sandbox that works on this machine.

#[cfg(test)]
mod hostile;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod stage;
