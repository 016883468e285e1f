//! `[approvals]`: how many people approve, places outside where people answer approvals, and who they are there.

use std::collections::BTreeMap;
use std::num::NonZeroU8;
use std::sync::Arc;

use broker::answering::{Answering, Linear, Slack};
use model::{IntegrationName, PrincipalName, SecretRef};
use policy::MOST_APPROVERS;
use serde::Deserialize;

use crate::failure::{Failure, Outcome};

/// As it is written.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Written {
    approvers: Option<u8>,
    slack: Option<WrittenSlack>,
    linear: Option<WrittenLinear>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSlack {
    channel: String,
    team: Option<String>,
    integration: Option<String>,
    signing_secret: Option<String>,
    people: BTreeMap<String, String>,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenLinear {
    team: String,
    integration: Option<String>,
    people: BTreeMap<String, String>,
}

/// Where people answer.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Approvals {
    pub(crate) answering: Answering,
    /// Where the secret is that Slack signs with.
    signing: Option<SecretRef>,
}

impl Written {
    /// What a broker is told.
    pub(super) fn read(self) -> Outcome<Approvals> {
        let Self { approvers, slack, linear } = self;
        let (mut answering, mut signing) = (Answering::default(), None);
        if let Some(people) = approvers {
            let known = NonZeroU8::new(people).filter(|people| people.get() <= MOST_APPROVERS);
            let wrong =
                || Failure::usage(format!("`approvals.approvers` is 1 to {MOST_APPROVERS}, not {people}"));
            answering.approvers = Some(known.ok_or_else(wrong)?);
        }
        if let Some(WrittenSlack { channel, team, integration, signing_secret, people }) = slack {
            let known = |text: &str, first: &[char]| {
                text.starts_with(first) && text.chars().all(|c| c.is_ascii_uppercase() || c.is_ascii_digit())
            };
            if !known(&channel, &['C', 'G']) {
                let message = format!("`approvals.slack.channel`: `{channel}` is no id of a channel");
                return Err(Failure::usage(message)
                    .hint("such as `C0123456789`: in Slack it stands below the details of a channel"));
            }
            let written = signing_secret.as_deref().unwrap_or(SIGNING);
            // What was written is not repeated: it may be the secret itself.
            let wrong = |_| {
                Failure::usage(
                    "`approvals.slack.signing_secret` is a reference, such as `store:slack/signing`",
                )
            };
            signing = Some(written.parse().map_err(wrong)?);
            answering.slack = Some(Slack {
                integration: integration_of("slack", integration)?,
                signed: SIGNED.parse()?,
                channel,
                team,
                people: people_of("slack", people)?,
            });
        }
        if let Some(WrittenLinear { team, integration, people }) = linear {
            let integration = integration_of("linear", integration)?;
            answering.linear = Some(Linear { integration, team, people: people_of("linear", people)? });
        }
        Ok(Approvals { answering, signing })
    }
}

impl Approvals {
    /// The integration that checks what Slack signs. It forwards nothing: no policy permits anything at it.
    pub(crate) fn written(&self) -> Option<catalog::Written> {
        let signing = self.signing.as_ref()?;
        let text = format!(
            "name: {SIGNED}
title: Answers from Slack
docs: https://docs.slack.dev/interactivity/handling-user-interaction
base_url: https://slack.com
secrets:
  signing: {{title: Signing secret of the Slack app, default: \"{signing}\"}}
auth: []
limits: {{connect: 5s, head: 30s, total: 1m, idle: 30s}}
incoming:
  - {{scheme: slack_signature, secret: signing}}
operations:
  answer: {{title: Answer a question, access: write, risk: high, match: {{method: POST, path: /answer}}}}
"
        );
        let name = SIGNED.parse().ok()?;
        Some(catalog::Written {
            name,
            text: text.into(),
            file: Arc::from("the setting `approvals.slack`"),
            line: 1,
        })
    }
}

fn integration_of(usual: &str, written: Option<String>) -> Outcome<IntegrationName> {
    let name = written.unwrap_or_else(|| usual.to_owned());
    name.parse().map_err(|error| Failure::usage(format!("`approvals.{usual}.integration`: {error}")))
}

fn people_of(place: &str, people: BTreeMap<String, String>) -> Outcome<BTreeMap<String, PrincipalName>> {
    let one = |(id, name): (String, String)| {
        let wrong = |error| Failure::usage(format!("`approvals.{place}.people.{id}`: {error}"));
        let name = name.parse().map_err(wrong)?;
        Ok((id, name))
    };
    people.into_iter().map(one).collect()
}

/// The integration that checks signatures.
const SIGNED: &str = "slack-approvals";
/// Where the signing secret usually is.
const SIGNING: &str = "store:slack/signing";
