//! A plan as somebody wrote it, in YAML or JSON. Every structure refuses unknown keys.
//!
//! A playbook is a plan with `parameters`; `${name}` stands for the value of one in any text, and `$${` for `${`. They are filled in
//! after the file was parsed, so a value can never become a key, a step or a list.

use std::collections::BTreeMap;
use std::num::NonZeroU8;

use model::{Code, Refusal, parse_duration};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// What it does, in one line.
    pub(crate) summary: String,
    /// Why.
    #[serde(default)]
    pub(crate) intent: Option<String>,
    /// What set it off.
    #[serde(default)]
    pub(crate) trigger: Trigger,
    /// What whoever approves should know: service, environment, ticket.
    #[serde(default)]
    pub(crate) context: BTreeMap<String, Text>,
    /// What has to be filled in.
    #[serde(default)]
    pub(crate) parameters: BTreeMap<String, Parameter>,
    /// What happens when a step fails.
    #[serde(default)]
    pub(crate) on_failure: OnFailure,
    /// How many different people have to approve it; the settings may ask for more.
    #[serde(default)]
    pub(crate) approvers: Option<NonZeroU8>,
    /// The steps, in order.
    pub(crate) steps: Vec<StepEntry>,
}

/// What set a plan off.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Trigger {
    #[default]
    Manual,
    Alert,
    Webhook,
    Scheduled,
}

/// What happens when a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum OnFailure {
    /// Nothing more is done.
    #[default]
    Stop,
    /// What was done is undone in reverse, as far as the steps say how.
    Rollback,
}

/// Whether a step changes something, or looks whether it worked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    #[default]
    Act,
    Verify,
}

/// A parameter of a playbook.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Parameter {
    /// What it is, for people; nothing reads it.
    #[serde(default, rename = "about")]
    _about: Option<String>,
    /// Its value where none is given; without one it has to be given.
    #[serde(default)]
    pub(crate) default: Option<Text>,
    /// The only values that it may have.
    #[serde(default)]
    pub(crate) values: Vec<Text>,
}

/// One step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepEntry {
    pub(crate) id: String,
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, Text>,
    #[serde(default)]
    pub(crate) stage: Stage,
    /// What its own answer has to say.
    #[serde(default)]
    pub(crate) expect: Expect,
    /// Reads that have to hold before it is done.
    #[serde(default)]
    pub(crate) preconditions: Vec<CheckEntry>,
    /// Reads that have to hold behind it.
    #[serde(default)]
    pub(crate) verify: Vec<CheckEntry>,
    /// What undoes it.
    #[serde(default)]
    pub(crate) rollback: Option<ActionEntry>,
}

/// A read, with what its answer has to say.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CheckEntry {
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, Text>,
    #[serde(default)]
    pub(crate) expect: Expect,
}

/// What undoes a step.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActionEntry {
    pub(crate) operation: String,
    #[serde(default)]
    pub(crate) inputs: BTreeMap<String, Text>,
}

/// What an answer has to say. Without anything, it has to be one of success.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Expect {
    /// The status of HTTP.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) status: Option<u16>,
    /// The exit status of a program.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) exit: Option<i64>,
    /// A text in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) contains: Option<String>,
    /// Values in its JSON, by dotted path; `*` stands for any value that is there.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) json: BTreeMap<String, Text>,
    /// For how long it is asked again until it says so, such as `2m`; of reads only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) within: Option<String>,
}

/// A value as text: numbers and yes or no are written as they are read, lists as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "String")]
pub(crate) struct Text(pub(crate) String);

impl TryFrom<Value> for Text {
    type Error = &'static str;

    fn try_from(value: Value) -> Result<Self, Self::Error> {
        match value {
            Value::String(text) => Ok(Self(text)),
            Value::Number(number) => Ok(Self(number.to_string())),
            Value::Bool(yes) => Ok(Self(yes.to_string())),
            Value::Array(list) => Ok(Self(Value::Array(list).to_string())),
            Value::Null | Value::Object(_) => Err("expected a text, a number, yes or no, or a list"),
        }
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        text.0
    }
}

impl File {
    /// Reads a file that is called `name` in messages.
    ///
    /// # Errors
    /// `bad_request` with file and line.
    pub(crate) fn read(text: &str, name: &str) -> Result<Self, Refusal> {
        // The hint of that reader speaks of files of integrations.
        catalog::yaml::read(text, name)
            .map_err(|error| crate::broker::refused(&error, Code::BadRequest, Some(FORM)))
    }
}

/// Fills in the parameters.
///
/// # Errors
/// `bad_request` for a parameter that is missing, unknown, or has another value than it may have.
pub(crate) fn filled(mut file: File, given: &BTreeMap<String, String>) -> Result<File, Refusal> {
    let wrong = |message: String| Refusal::new(Code::BadRequest, message);
    if let Some(unknown) = given.keys().find(|name| !file.parameters.contains_key(*name)) {
        let known: Vec<&str> = file.parameters.keys().map(String::as_str).collect();
        let hint = format!("it has {}", if known.is_empty() { "none".to_owned() } else { known.join(", ") });
        return Err(wrong(format!("the plan has no parameter `{unknown}`")).hint(hint));
    }
    let mut values = BTreeMap::new();
    for (name, parameter) in &file.parameters {
        let value = given.get(name).cloned().or_else(|| parameter.default.clone().map(|text| text.0));
        let value = value.ok_or_else(|| {
            wrong(format!("the parameter `{name}` is missing")).hint(format!("`--param {name}=VALUE`"))
        })?;
        if !parameter.values.is_empty() && !parameter.values.iter().any(|one| one.0 == value) {
            let allowed: Vec<&str> = parameter.values.iter().map(|one| one.0.as_str()).collect();
            return Err(wrong(format!("the parameter `{name}` is one of {}", allowed.join(", "))));
        }
        values.insert(name.clone(), value);
    }
    let mut fill = |text: &mut String| {
        *text = replaced(text, &values)?;
        Ok(())
    };
    fill(&mut file.summary)?;
    file.intent.iter_mut().try_for_each(&mut fill)?;
    file.context.values_mut().try_for_each(|text| fill(&mut text.0))?;
    for step in &mut file.steps {
        step.inputs.values_mut().try_for_each(|text| fill(&mut text.0))?;
        expected(&mut step.expect, &mut fill)?;
        for check in step.preconditions.iter_mut().chain(&mut step.verify) {
            check.inputs.values_mut().try_for_each(|text| fill(&mut text.0))?;
            expected(&mut check.expect, &mut fill)?;
        }
        if let Some(rollback) = &mut step.rollback {
            rollback.inputs.values_mut().try_for_each(|text| fill(&mut text.0))?;
        }
    }
    file.parameters.clear();
    Ok(file)
}

fn expected(
    expect: &mut Expect,
    fill: &mut impl FnMut(&mut String) -> Result<(), Refusal>,
) -> Result<(), Refusal> {
    expect.contains.iter_mut().try_for_each(&mut *fill)?;
    expect.json.values_mut().try_for_each(|text| fill(&mut text.0))?;
    match &expect.within {
        Some(within) => parse_duration(within)
            .map(|_| ())
            .map_err(|error| Refusal::new(Code::BadRequest, format!("`within: {within}` is none: {error}"))),
        None => Ok(()),
    }
}

fn replaced(text: &str, values: &BTreeMap<String, String>) -> Result<String, Refusal> {
    let wrong = |message: String| Refusal::new(Code::BadRequest, message);
    let (mut out, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once("${") {
        if let Some(kept) = before.strip_suffix('$') {
            out.push_str(kept);
            out.push_str("${");
            rest = after;
            continue;
        }
        let (name, behind) = after
            .split_once('}')
            .ok_or_else(|| wrong("`${` has no `}` behind it".to_owned()).hint("`$${` stands for `${`"))?;
        let value = values.get(name).ok_or_else(|| {
            wrong(format!("`${{{name}}}` names no parameter of the plan")).hint("`$${` stands for `${`")
        })?;
        out.push_str(before);
        out.push_str(value);
        rest = behind;
    }
    out.push_str(rest);
    Ok(out)
}

const FORM: &str = "the guide on plans shows what a plan holds";
