//! The sections that one profile is made of, nearest first: its own, those it includes, `[default]`.

use crate::file::{DEFAULT, File, Section};

use super::setting::{INCLUDE, PARENT};
use super::{Error, Warning};

/// The sections that one profile is made of, nearest first.
pub(super) struct Layers<'f> {
    layers: Vec<Layer<'f>>,
    /// What was not there.
    pub(super) warnings: Vec<Warning>,
}

struct Layer<'f> {
    section: Option<Section<'f>>,
    /// Whether this is `[default]`, which nobody named.
    fallback: bool,
}

/// A value and where it is from.
#[derive(Clone, Copy)]
pub(super) struct Found<'f> {
    pub(super) value: &'f str,
    /// The number of its layer; a lower one is nearer.
    pub(super) depth: usize,
    /// Whether it is from `[default]`, which nobody named.
    pub(super) fallback: bool,
}

impl<'f> Layers<'f> {
    /// Follows `include_profile` (or `parent_profile`) from the profile `name`; the last one falls back to `[default]`. A
    /// profile that is not there is an empty one.
    pub(super) fn of(file: &'f File, name: &str) -> Result<Self, Error> {
        let mut layers = Self { layers: Vec::new(), warnings: Vec::new() };
        let mut seen: Vec<String> = Vec::new();
        let (mut next, mut fallback) = (name.to_owned(), false);
        loop {
            if let Some(start) = seen.iter().position(|before| *before == next) {
                let cycle = seen.into_iter().skip(start).chain([next]).collect();
                return Err(Error::IncludeCycle { cycle });
            }
            let section = file.section(&next);
            if let (None, Some(last), false) = (&section, seen.last(), fallback) {
                layers.warnings.push(Warning::NoInclude { profile: last.clone(), include: next.clone() });
            }
            let included =
                section.as_ref().and_then(|section| section.get(INCLUDE).or_else(|| section.get(PARENT)));
            layers.layers.push(Layer { section: section.clone(), fallback });
            seen.push(next);
            match included {
                Some(included) => (next, fallback) = (included.to_owned(), false),
                None if seen.iter().any(|before| before == DEFAULT) => return Ok(layers),
                None => (next, fallback) = (DEFAULT.to_owned(), true),
            }
        }
    }

    /// The nearest value of a key, and where it is from.
    pub(super) fn find(&self, key: &str) -> Option<Found<'f>> {
        self.layers.iter().enumerate().find_map(|(depth, layer)| {
            let value = layer.section.as_ref()?.get(key)?;
            Some(Found { value, depth, fallback: layer.fallback })
        })
    }

    /// The nearest value of a key.
    pub(super) fn get(&self, key: &str) -> Option<&'f str> {
        self.find(key).map(|found| found.value)
    }

    /// The nearest value of a key, as it is kept.
    pub(super) fn own(&self, key: &str) -> Option<String> {
        self.get(key).map(str::to_owned)
    }
}
