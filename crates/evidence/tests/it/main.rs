//! The log on a real journal: changed files, killed processes, full disks, folders that go away.

#[cfg(test)]
mod away;
#[cfg(test)]
mod files;
#[cfg(test)]
mod fixture;
#[cfg(test)]
mod full;
#[cfg(test)]
mod kill;
