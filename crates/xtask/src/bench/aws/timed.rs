//! What one command costs as a whole process: wall time, CPU time, peak memory.

use std::fmt;
use std::path::Path;
use std::time::Instant;

use serde::Serialize;

use super::place::{Place, Profiles, finish};
use super::settings::Settings;
use crate::failure::{Failure, Outcome};
use crate::program::{Program, find};

/// A command that is measured.
pub(super) struct Timed {
    /// How the report calls it.
    pub(super) name: &'static str,
    words: &'static [&'static str],
    profiles: Profiles,
}

/// All of them.
pub(super) const COMMANDS: &[Timed] = &[
    timed("exec PROFILE -- true", &["exec", "alice", "--", "true"]),
    timed("exec of an MFA role", &["exec", "role-a", "--", "true"]),
    timed("export --format json", &["export", "--format", "json", "alice"]),
    timed("list", &["list"]),
    timed("version", &["version"]),
    Timed { profiles: Profiles::Many, ..timed("exec, 1000 profiles", &["exec", "alice", "--", "true"]) },
];

const fn timed(name: &'static str, words: &'static [&'static str]) -> Timed {
    Timed { name, words, profiles: Profiles::Few }
}

/// What a command costs.
#[derive(Debug, Clone, Serialize, PartialEq)]
pub(super) struct Cost {
    /// The shortest, the median and the longest run, in milliseconds.
    pub(super) wall_ms: [f64; 3],
    /// The mean of all processes of a run, in milliseconds.
    pub(super) cpu_ms: f64,
    /// The median of the largest resident set, in MiB; `None` where GNU time is not installed.
    pub(super) peak_mib: Option<f64>,
}

impl fmt::Display for Cost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [least, median, most] = self.wall_ms;
        write!(out, "{least:.1} / {median:.1} / {most:.1} ms, {:.1} ms CPU", self.cpu_ms)?;
        match self.peak_mib {
            Some(mib) => write!(out, ", {mib:.1} MiB"),
            None => Ok(()),
        }
    }
}

/// How often.
pub(super) struct Rounds(usize);

impl Rounds {
    pub(super) fn of(settings: &Settings) -> Self {
        Self(settings.rounds)
    }

    /// Measures a command in all places; the wall times in alternating rounds, so that a busier moment favours nobody.
    pub(super) fn measure(&self, places: &[Place], command: &Timed) -> Outcome<Vec<Cost>> {
        for place in places {
            once(place, command)?;
        }
        let mut walls: Vec<Vec<f64>> = vec![Vec::new(); places.len()];
        for _ in 0..self.0 {
            for (place, wall) in places.iter().zip(&mut walls) {
                let started = Instant::now();
                once(place, command)?;
                wall.push(started.elapsed().as_secs_f64() * 1e3);
            }
        }
        let costs = places.iter().zip(walls).map(|(place, wall)| {
            Ok(Cost {
                wall_ms: spread(wall)?,
                cpu_ms: self.cpu(place, command)?,
                peak_mib: peak(place, command)?,
            })
        });
        costs.collect()
    }

    /// The mean CPU time. The kernel counts exactly and tells in ticks of 10 ms, so many runs are counted together.
    fn cpu(&self, place: &Place, command: &Timed) -> Outcome<f64> {
        let runs = self.0.max(LEAST_FOR_CPU);
        let before = of_children()?;
        for _ in 0..runs {
            once(place, command)?;
        }
        let ticks = of_children()?.saturating_sub(before);
        Ok(ticks as f64 * 1e3 / ticks_per_second()? / runs as f64)
    }
}

fn once(place: &Place, command: &Timed) -> Outcome {
    finish(&mut place.command(command.words, command.profiles), place.label())
}

/// The median of three runs below GNU time, which is small itself: a child counts the memory of whoever started it.
fn peak(place: &Place, command: &Timed) -> Outcome<Option<f64>> {
    let Some(time) = find("time") else { return Ok(None) };
    let mut seen = Vec::new();
    for _ in 0..3 {
        let notes = place.notes();
        let (said, program) = (notes.to_string_lossy(), place.program().to_string_lossy());
        let mut words = vec!["-f", "%M", "-o", &said, &program];
        words.extend(command.words);
        finish(&mut place.inside(&time, &words, command.profiles), place.label())?;
        let text = std::fs::read_to_string(&notes)
            .map_err(|error| Failure::doing("read what `time` said", &error))?;
        let kib = text.trim().parse::<f64>();
        seen.push(kib.map_err(|error| Failure::doing("read the peak of memory", &error))? / 1024.0);
    }
    spread(seen).map(|[_, median, _]| Some(median))
}

/// The least, the median and the most.
fn spread(mut all: Vec<f64>) -> Outcome<[f64; 3]> {
    all.sort_by(f64::total_cmp);
    match (all.first(), all.get(all.len() / 2), all.last()) {
        (Some(least), Some(median), Some(most)) => Ok([*least, *median, *most]),
        _ => Err(Failure::new("nothing was measured")),
    }
}

/// The CPU time of all children that have ended, in clock ticks.
fn of_children() -> Outcome<u64> {
    let stat = std::fs::read_to_string("/proc/self/stat")
        .map_err(|error| Failure::doing("read `/proc/self/stat`", &error))?;
    children_in(&stat).ok_or_else(|| Failure::new("`/proc/self/stat` has another form"))
}

/// The fields `cutime` and `cstime`. The name of the program may hold anything but ends at the last `)`.
fn children_in(stat: &str) -> Option<u64> {
    let (_, fields) = stat.rsplit_once(") ")?;
    let mut fields = fields.split(' ').skip(13);
    let (user, system) = (fields.next()?.parse::<u64>().ok()?, fields.next()?.parse::<u64>().ok()?);
    Some(user + system)
}

fn ticks_per_second() -> Outcome<f64> {
    let text = Program::new(Path::new("."), "getconf", &["CLK_TCK"]).output()?;
    text.trim().parse().map_err(|error| Failure::doing("read the length of a clock tick", &error))
}

const LEAST_FOR_CPU: usize = 50;

#[cfg(test)]
mod tests;
