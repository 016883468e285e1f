//! Somebody changes the files of a closed journal.
//!
//! Found means: the journal does not open, or a verification of what it holds fails, or it set bytes aside. Two kinds of change can't
//! be found without a checkpoint that was kept elsewhere, and are not counted: whole frames or segments cut off the very end, which
//! leaves the log as it once was; and forgeries after which every row reads as before, such as another value of a counter where
//! a later frame replaces it.

use std::path::Path;
use std::sync::Arc;

use evidence::{Closed, Ending, Outcome, Wait};
use model::{Code, TenantName};
use store::{Journal, Row, Storage, Table};

use crate::fixture::{Dice, Hand, check, done, folder, intent, open, rounds, run};

/// The files of a journal as frames.
#[derive(Clone, PartialEq)]
struct Files(Vec<(String, Vec<Vec<u8>>)>);

impl Files {
    fn read(folder: &Path) -> Self {
        let mut paths: Vec<_> =
            std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        let file = |path: &std::path::PathBuf| {
            let bytes = std::fs::read(path).unwrap();
            let (mut frames, mut rest) = (Vec::new(), bytes.as_slice());
            while !rest.is_empty() {
                let length = 8 + u32::from_be_bytes(rest[..4].try_into().unwrap()) as usize;
                frames.push(rest[..length].to_vec());
                rest = &rest[length..];
            }
            (path.file_name().unwrap().to_str().unwrap().to_owned(), frames)
        };
        Self(paths.iter().map(file).collect())
    }

    fn raw(&self) -> Raw {
        self.0.iter().map(|(name, frames)| (name.clone(), frames.concat())).collect()
    }

    fn any(&self, dice: &mut Dice) -> (usize, usize) {
        let file = dice.roll(self.0.len());
        (file, dice.roll(self.0[file].1.len()))
    }

    fn frame(&self, (file, nth): (usize, usize)) -> Vec<u8> {
        self.0[file].1[nth].clone()
    }

    /// Numbers all frames anew, makes their lengths and sums right, and names the files after them.
    fn forge(&mut self) {
        let mut number = 0_u64;
        self.0.retain(|(_, frames)| !frames.is_empty());
        for (name, frames) in &mut self.0 {
            *name = format!("{number:020}.journal");
            for frame in frames {
                let length = u32::try_from(frame.len() - 8).unwrap();
                frame[..4].copy_from_slice(&length.to_be_bytes());
                frame[8..16].copy_from_slice(&number.to_be_bytes());
                let sum = crc(&frame[8..]);
                frame[4..8].copy_from_slice(&sum.to_be_bytes());
                number += 1;
            }
        }
    }
}

type Raw = Vec<(String, Vec<u8>)>;

/// CRC-32 as everybody can compute it.
fn crc(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0_u32, |sum, byte| {
        (0..8).fold(
            sum ^ u32::from(*byte),
            |sum, _| if sum & 1 == 1 { sum >> 1 ^ 0xedb8_8320 } else { sum >> 1 },
        )
    })
}

/// A journal with several segments and kinds of records, closed cleanly.
fn home(seed: u64, calls: u64) -> Files {
    let folder = folder();
    let mut dice = Dice(seed * 2 + 1);
    let clock = Hand::new();
    for run_of_the_log in 0..1 + seed % 3 {
        let journal = Arc::new(Journal::with_segments_of(folder.path(), SMALL).unwrap());
        let log = open(&journal, &clock);
        let lane = log.lane();
        run(async {
            for n in 0..calls {
                let tenant: TenantName = ["acme", "local"][dice.roll(2)].parse().unwrap();
                let receipt = lane.intend(intent(&tenant, run_of_the_log * 10_000 + n)).await.unwrap();
                let wait = [Wait::Durable, Wait::Appended][dice.roll(2)];
                match dice.roll(4) {
                    0 => {
                        let stream = lane.settle_head(receipt, done(), wait).await.unwrap();
                        lane.settle_close(stream, Closed::bare(Ending::Done)).await.unwrap();
                    }
                    1 => {
                        let refused =
                            Outcome { code: Some(Code::SecretMissing), ..Outcome::bare(Ending::Failed) };
                        lane.settle(receipt, refused, wait).await.unwrap();
                    }
                    2 => drop(receipt),
                    _ => drop(lane.settle(receipt, done(), wait).await.unwrap()),
                }
                clock.forward(dice.roll(25_000) as u64);
            }
        });
        log.close().unwrap();
    }
    Files::read(folder.path())
}

type Rows = Vec<(Table, TenantName, Row)>;

/// Opens and verifies. Gives what it holds; nothing where something was found.
fn opened(raw: &Raw) -> Option<Rows> {
    let folder = folder();
    for (name, bytes) in raw {
        #[expect(clippy::disallowed_methods, reason = "a test makes files that may be damaged")]
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let journal = Journal::with_segments_of(folder.path(), SMALL).ok()?;
    check(&journal).ok()?;
    if !journal.set_aside().is_empty() {
        return None;
    }
    let mut rows = Vec::new();
    for table in [Table::Evidence, Table::Checkpoints, Table::Uses] {
        for tenant in journal.tenants(table).unwrap() {
            for row in journal.scan(table, &tenant, b"", None, usize::MAX).unwrap() {
                rows.push((table, tenant.clone(), row));
            }
        }
    }
    Some(rows)
}

/// One change by somebody who does not know the format.
fn damage(clean: &Files, other: &Files, dice: &mut Dice) -> Raw {
    let mut files = clean.clone();
    let (at, to) = (files.any(dice), files.any(dice));
    match dice.roll(5) {
        0 => {
            let (one, two) = (files.frame(at), files.frame(to));
            files.0[at.0].1[at.1] = two;
            files.0[to.0].1[to.1] = one;
        }
        1 => {
            let frame = files.frame(at);
            files.0[to.0].1.insert(to.1, frame);
        }
        2 => files.0[at.0].1[at.1] = other.frame(other.any(dice)),
        3 => drop(files.0[at.0].1.remove(at.1)),
        _ => return damage_bytes(files.raw(), other, dice),
    }
    files.raw()
}

fn damage_bytes(mut raw: Raw, other: &Files, dice: &mut Dice) -> Raw {
    let (at, to) = (dice.roll(raw.len()), dice.roll(raw.len()));
    let byte = dice.roll(raw[at].1.len());
    match dice.roll(8) {
        0 => raw[at].1[byte] ^= 1 << dice.roll(8),
        1 => {
            let end = (byte + 1 + dice.roll(60)).min(raw[at].1.len());
            drop(raw[at].1.drain(byte..end));
        }
        2 => raw[at].1.insert(byte, u8::try_from(dice.roll(256)).unwrap()),
        3 => raw[at].1.truncate(byte),
        4 => drop(raw.remove(at)),
        5 => {
            let bytes = raw[at].1.clone();
            raw[at].1 = std::mem::replace(&mut raw[to].1, bytes);
        }
        6 => {
            let name = match dice.roll(3) {
                0 => format!("{}.journal", dice.roll(200)),
                1 => format!("{:020}.journal", dice.roll(200)),
                _ => "zzz.journal".to_owned(),
            };
            let bytes = raw[at].1.clone();
            raw.retain(|(known, _)| *known != name);
            raw.push((name, bytes));
        }
        _ => raw[at].1 = other.raw()[dice.roll(other.0.len())].1.clone(),
    }
    raw
}

/// One change by somebody who knows the format, but has no key.
fn forgery(clean: &Files, other: &Files, dice: &mut Dice) -> Files {
    let mut files = clean.clone();
    let (at, to) = (files.any(dice), files.any(dice));
    match dice.roll(10) {
        0 => {
            let (one, two) = (files.frame(at), files.frame(to));
            files.0[at.0].1[at.1] = two;
            files.0[to.0].1[to.1] = one;
        }
        1 => {
            let frame = files.frame(at);
            files.0[to.0].1.insert(to.1, frame);
        }
        2 => files.0[at.0].1[at.1] = other.frame(other.any(dice)),
        3 => drop(files.0[at.0].1.remove(at.1)),
        4 => files.0[to.0].1.insert(to.1, other.frame(other.any(dice))),
        5 | 6 => {
            let frame = &mut files.0[at.0].1[at.1];
            let byte = 16 + dice.roll(frame.len() - 16);
            frame[byte] ^= 1 << dice.roll(8);
        }
        7 => {
            let frame = &mut files.0[at.0].1[at.1];
            frame.truncate(17 + dice.roll(frame.len() - 16));
        }
        8 => {
            let file = files.0[at.0].clone();
            files.0.insert(to.0, file);
        }
        _ => {
            // The other journal from some place on, behind the beginning of this one.
            files.0.truncate(1 + at.0);
            let place = 1 + at.1.min(files.0[at.0].1.len() - 1);
            files.0[at.0].1.truncate(place);
            files.0.extend(other.0.iter().skip(dice.roll(other.0.len())).cloned());
        }
    }
    files.forge();
    files
}

/// Whether it is the journal with nothing but whole frames cut off its end.
fn is_cut(clean: &Files, raw: &Raw) -> bool {
    let mut left = raw.iter();
    let mut ended = false;
    for (name, frames) in &clean.0 {
        let Some((known, bytes)) = left.next() else { return true };
        let mut borders = (0..=frames.len()).map(|count| frames[..count].concat());
        if ended || known != name || !borders.any(|border| border == *bytes) {
            return false;
        }
        ended = bytes.len() < frames.concat().len();
    }
    left.next().is_none()
}

/// Whether the rows are the clean ones, but for evidence and checkpoints missing at the end.
fn is_earlier(clean: &Rows, rows: &Rows) -> bool {
    let of = |rows: &Rows, table: Table, name: &TenantName| -> Rows {
        rows.iter().filter(|(one, tenant, _)| *one == table && tenant == name).cloned().collect()
    };
    let names: Vec<TenantName> = rows.iter().map(|(_, tenant, _)| tenant.clone()).collect();
    names.iter().all(|name| {
        let (mine, theirs) = (of(rows, Table::Evidence, name), of(clean, Table::Evidence, name));
        theirs.starts_with(&mine)
    })
}

mod torture_tamper {
    use super::*;

    #[test]
    fn every_change_of_the_evidence_files_is_found() {
        let (clean, other) = (home(1, 30), home(2, 20));
        assert!(clean.0.len() > 3 && other.0.len() > 3);
        let rows = opened(&clean.raw()).unwrap();
        let mut dice = Dice(0x2545_f491_4f6c_dd1d);
        let (mut changed, mut uncounted) = (0_u64, 0_u64);
        for round in 0..rounds(1_000) {
            let (mut raw, forged) = match dice.roll(2) {
                0 => (damage(&clean, &other, &mut dice), false),
                _ => (forgery(&clean, &other, &mut dice).raw(), true),
            };
            raw.sort();
            if raw == clean.raw() {
                continue;
            }
            changed += 1;
            let Some(found) = opened(&raw) else { continue };
            // Nothing was found: only what the header of this file says may be so.
            let may_be = is_cut(&clean, &raw) || (forged && is_earlier(&rows, &found));
            uncounted += 1;
            assert!(may_be, "round {round}, {}", if forged { "forged" } else { "damaged" });
        }
        assert!(changed >= rounds(1_000) * 8 / 10 && uncounted * 5 < changed, "{uncounted} of {changed}");
    }
}

#[test]
fn a_whole_other_journal_behind_a_part_of_this_one_is_found() {
    let (clean, other) = (home(1, 10), home(2, 10));
    for parts in 1..clean.0.len() {
        let mut files = clean.clone();
        files.0.truncate(parts);
        files.0.extend(other.0.iter().cloned());
        files.forge();
        assert!(opened(&files.raw()).is_none(), "{parts} segments of this one");
    }
}

#[test]
fn clean_files_give_no_alarm() {
    let mut dice = Dice(0x1234_5678_9abc_def1);
    for seed in 0..200 {
        let calls = dice.roll(if seed % 20 == 0 { 120 } else { 12 }) as u64;
        assert!(opened(&home(seed, calls).raw()).is_some(), "seed {seed}");
    }
}

const SMALL: u64 = 3_000;
