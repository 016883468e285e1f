//! Programs that mean no good, and some that do, run in every sandbox that works on this machine.

mod hostile;
mod plain;
mod stage;
