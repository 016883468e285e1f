//! Why the table could not be read or written. Nothing that BigQuery answered is repeated but words of its own list of reasons.

use secrets::Trouble;

/// An error of this crate.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The address is none.
    #[error("this is no address of a table in BigQuery: {0}")]
    Address(&'static str),
    /// Nobody answered, or there is no token.
    #[error(transparent)]
    Trouble(#[from] Trouble),
    /// BigQuery says no, or not now.
    #[error("BigQuery did not {what}: {said}")]
    Refused {
        /// What was attempted.
        what: &'static str,
        /// The reason, in our words.
        said: &'static str,
        /// Whether it may be otherwise in a moment.
        passing: bool,
    },
    /// A statement was not done in time.
    #[error("BigQuery did not {0} in time; what came of it is found out before anything else is written")]
    Late(&'static str),
    /// An answer that the API does not describe.
    #[error("the answer of BigQuery {0}")]
    Answer(&'static str),
    /// A column of the table is of another type.
    #[error("the column `{column}` of `{table}` is {found}, and {wanted} is needed")]
    Column {
        /// The column.
        column: &'static str,
        /// The table.
        table: String,
        /// What it is.
        found: String,
        /// What it has to be.
        wanted: &'static str,
    },
    /// What stands in the table is not what was written.
    #[error("the row `{id}` of `{table}` {what}")]
    Other {
        /// The credential.
        id: String,
        /// The table.
        table: String,
        /// What is the matter with it.
        what: &'static str,
    },
    /// The home keeps credentials in another table.
    #[error("this home keeps credentials in the table `{kept}` of BigQuery, and its settings {said}")]
    Elsewhere {
        /// Where they are.
        kept: String,
        /// What the settings say.
        said: String,
    },
    /// A batch that can't be done in two places.
    #[error("credentials that tenants keep are {0}")]
    Unfit(&'static str),
}

impl Error {
    /// Whether it may go by itself.
    #[must_use]
    pub fn is_passing(&self) -> bool {
        match self {
            Self::Trouble(trouble) => trouble.is_passing(),
            Self::Refused { passing, .. } => *passing,
            Self::Late(_) => true,
            _ => false,
        }
    }

    /// What to do about it.
    #[must_use]
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Address(_) => {
                Some("`url = \"bigquery://PROJECT/DATASET?location=EU\"` below `[store.credentials]`")
            }
            Self::Trouble(trouble) => trouble.hint(),
            Self::Refused { passing: true, .. } | Self::Late(_) => Some(
                "nothing was changed for callers; repeat it in a moment, or see the quotas of the project",
            ),
            Self::Refused { .. } => Some(
                "the account needs `roles/bigquery.dataEditor` on the dataset and `roles/bigquery.jobUser` on the project",
            ),
            Self::Column { .. } => {
                Some("nothing is retyped here: name another table in the address, or make the column anew")
            }
            Self::Other { .. } => {
                Some("`doorward integration debug TENANT` compares the table with the store")
            }
            Self::Elsewhere { .. } => Some("say where it is below `[store.credentials]` in `settings.toml`"),
            Self::Unfit(_) => Some("`doorward integration setup` puts another one in its place"),
            Self::Answer(_) => None,
        }
    }
}

impl From<Error> for store::Error {
    fn from(error: Error) -> Self {
        let (hint, passing) = (error.hint(), error.is_passing());
        Self::Outside(store::Outside { text: error.to_string(), hint, passing })
    }
}
