//! Inputs whose text lies elsewhere.

use model::{Call, Inputs, OperationName, Refusal};

use super::Integration;
use super::requests::refused;
use crate::{Operation, Reference};

/// An input that stands for another one.
#[derive(Debug, Clone)]
pub struct Referred {
    /// Its name.
    pub input: String,
    /// The input whose text it leads to.
    pub of: String,
    /// Where that lies.
    pub reference: Reference,
}

impl Integration {
    /// The input of a call whose text has to be fetched before it can be done; `None` where all of them are there.
    #[must_use]
    pub fn referred(&self, call: &Call) -> Option<Referred> {
        let operation = self.operations.get(call.operation())?;
        operation.inputs.iter().find_map(|(input, field)| {
            let (of, text) = (field.stands_for.clone()?, call.inputs().get(input)?);
            let reference = Reference::parse(text).ok()?;
            Some(Referred { input: input.clone(), of, reference })
        })
    }

    /// The inputs of a call with a word about the text in the place of what leads to it: for whoever wants to see the command.
    #[must_use]
    pub fn as_if_read(&self, call: &Call) -> Inputs {
        let mut inputs = call.inputs().clone();
        if let Some(referred) = self.referred(call) {
            inputs.remove(&referred.input);
            inputs
                .insert(referred.of, format!("(the text with the SHA-256 {})", referred.reference.digest()));
        }
        inputs
    }

    /// The inputs of a call with the text in the place of what led to it.
    ///
    /// # Errors
    /// `bad_request` where the text is not what the input may be.
    pub fn with_text(
        &self,
        operation: &OperationName,
        inputs: &Inputs,
        (referred, text): (&Referred, &str),
    ) -> Result<Inputs, Refusal> {
        let field = self.operations.get(operation).and_then(|found| found.inputs.get(&referred.of));
        let field = field.ok_or_else(|| refused(format!("there is no input `{}`", referred.of)))?;
        let mut inputs = inputs.clone();
        inputs.remove(&referred.input);
        inputs.insert(referred.of.clone(), field.accept(&referred.of, text)?);
        Ok(inputs)
    }
}

/// A reference is whole, and there is not also what it stands for.
pub(super) fn check(operation: &Operation, inputs: &Inputs) -> Result<(), Refusal> {
    for (name, field) in &operation.inputs {
        let (Some(of), Some(text)) = (&field.stands_for, inputs.get(name)) else { continue };
        Reference::parse(text).map_err(|why| refused(format!("the input `{name}`: {why}")))?;
        if inputs.contains_key(of) {
            return Err(refused(format!(
                "the input `{name}` says where `{of}` lies, and `{of}` is there too"
            ))
            .hint("leave one of them out"));
        }
    }
    Ok(())
}
