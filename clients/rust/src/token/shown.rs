//! Caveats in words.

use std::fmt;

use super::caveat::{Caveat, DAYS, Holder, Hours, Value};
use super::{agent, time, ulid};

impl fmt::Display for Caveat {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} {}", self.kind(), self.value)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let clock = |minute: u16| format!("{:02}:{:02}", minute / 60, minute % 60);
        match self {
            Self::List(_, entries) => out.write_str(&entries.join(", ")),
            Self::Access { write } => out.write_str(if *write { "write" } else { "read" }),
            Self::NotBefore(millis) | Self::NotAfter(millis) => out.write_str(&time::shown(*millis)),
            Self::Hours(Hours { days, from, to, zone }) => {
                let on = |(at, name)| (days >> at & 1 == 1).then_some(name);
                let names: Vec<&str> = DAYS.iter().copied().enumerate().filter_map(on).collect();
                write!(out, "{} {}-{} {zone}", names.join(","), clock(*from), clock(*to))
            }
            Self::Cidr(networks) => {
                let texts: Vec<String> = networks.iter().map(ToString::to_string).collect();
                out.write_str(&texts.join(", "))
            }
            Self::Rate { calls, seconds } => write!(out, "{calls} per {seconds}s"),
            Self::Uses(most) => write!(out, "{most}"),
            Self::Purpose(text) => out.write_str(text),
            Self::Holder(Holder { uid, cgroup, key, run }) => {
                let hex = |key: &[u8; 32]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
                let parts = [
                    uid.map(|uid| format!("uid {uid}")),
                    cgroup.as_ref().map(|path| format!("cgroup {path}")),
                    key.as_ref().map(|key| format!("key {}", hex(key))),
                    run.map(|run| format!("run {}", ulid("run_", run))),
                ];
                out.write_str(&parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
            }
            Self::Approval { writes } => out.write_str(if *writes { "of writes" } else { "of all calls" }),
            Self::Reach(reach) => reach.fmt(out),
            Self::Window(window) => window.fmt(out),
            Self::Blackout(spans) => out.write_str(&agent::shown(spans)),
            Self::Inputs(inputs) => {
                let one = |(name, values): (&String, &Vec<String>)| format!("{name}={}", values.join(", "));
                out.write_str(&inputs.iter().map(one).collect::<Vec<_>>().join("; "))
            }
        }
    }
}
