//! One integration of ours, while it is put together.

use catalog::Error;
use model::{IntegrationName, SecretRef};
use serde_json::{Value, json};

use crate::secret::{Place, place};
use crate::translate::{Keep, Options};

/// What plugins add to.
pub(crate) struct Draft<'a> {
    file: &'a str,
    name: IntegrationName,
    secrets: Vec<(String, SecretRef)>,
    pub(crate) auth: Vec<Value>,
    pub(crate) incoming: Vec<Value>,
    pub(crate) notes: Vec<String>,
    pub(crate) literals: usize,
    pub(crate) options: Options,
    keep: &'a mut Keep<'a>,
}

impl<'a> Draft<'a> {
    pub(crate) fn new(
        file: &'a str,
        name: IntegrationName,
        options: &Options,
        keep: &'a mut Keep<'a>,
    ) -> Self {
        Self {
            file,
            name,
            secrets: Vec::new(),
            auth: Vec::new(),
            incoming: Vec::new(),
            notes: Vec::new(),
            literals: 0,
            options: *options,
            keep,
        }
    }

    /// The field of a secret reference as it is written; the same reference has the same field.
    pub(crate) fn field(&mut self, wanted: &str, written: &str, line: u64) -> Result<String, Error> {
        let wrong = |problem: String| Error::Invalid { file: self.file.to_owned(), line, problem };
        let reference = match place(written).map_err(wrong)? {
            Place::At(reference) => {
                // A key of a file of lines.
                if reference.scheme() == "file" && reference.as_str().contains('#') {
                    self.notes.push(format!(
                        "the key of a file in line {line}: quotes around its value are taken off here, and are a part of it there"
                    ));
                }
                reference
            }
            Place::Literal(secret) => {
                let hint = format!("{}/{wanted}", self.name);
                let kept = (self.keep)(&hint, &secret).map_err(wrong)?;
                self.literals += 1;
                self.notes.push(format!(
                    "a secret stands in the file itself, in line {line}: whoever can read the file has it"
                ));
                kept
            }
        };
        self.keep_reference(wanted, reference)
    }

    fn keep_reference(&mut self, wanted: &str, reference: SecretRef) -> Result<String, Error> {
        if let Some((field, _)) = self.secrets.iter().find(|(_, known)| *known == reference) {
            return Ok(field.clone());
        }
        let taken = |name: &str| self.secrets.iter().any(|(known, _)| known == name);
        let field = (1_u32..)
            .map(|number| if number == 1 { wanted.to_owned() } else { format!("{wanted}_{number}") })
            .find(|name| !taken(name))
            .unwrap_or_default();
        self.secrets.push((field.clone(), reference));
        Ok(field)
    }

    /// The fields of several secrets, any of which will do.
    pub(crate) fn fields(
        &mut self,
        wanted: &str,
        (written, line): &(Vec<&str>, u64),
    ) -> Result<Vec<String>, Error> {
        let mut fields: Vec<String> = Vec::new();
        for one in written {
            let field = self.field(wanted, one, *line)?;
            if !fields.contains(&field) {
                fields.push(field);
            }
        }
        Ok(fields)
    }

    /// The key `secrets`.
    pub(crate) fn secrets(&self) -> Value {
        let pairs = self.secrets.iter().map(|(field, place)| (field.clone(), json!(place.as_str())));
        Value::Object(pairs.collect())
    }
}

/// One field alone, several as a list.
pub(crate) fn one_or_more(fields: &[String]) -> Value {
    match fields {
        [one] => json!(one),
        several => json!(several),
    }
}
