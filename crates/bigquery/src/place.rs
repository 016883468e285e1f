//! Where the table is: `bigquery://PROJECT/DATASET[/TABLE][?location=EU]`.

use std::fmt;

use model::SecretRef;

use crate::Error;

/// Where the table is, and how it is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    project: String,
    dataset: String,
    table: String,
    location: Option<String>,
    endpoint: String,
    pub(crate) key: Option<SecretRef>,
}

impl Place {
    /// Reads an address. `endpoint` is another address of the API than Google's own, `key` names the key file of a service account.
    ///
    /// # Errors
    /// What is wrong with it; nothing is asked.
    pub fn parse(url: &str, endpoint: Option<String>, key: Option<SecretRef>) -> Result<Self, Error> {
        let rest =
            url.strip_prefix("bigquery://").ok_or(Error::Address("it does not begin with `bigquery://`"))?;
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let mut parts = path.split('/');
        let (project, dataset) = (parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        let table = parts.next().unwrap_or(TABLE);
        if parts.next().is_some() {
            return Err(Error::Address(
                "it is not `bigquery://PROJECT/DATASET` or `bigquery://PROJECT/DATASET/TABLE`",
            ));
        }
        // They stand in statements between backticks and in paths: nothing else than names may be in them.
        if !is_project(project) {
            return Err(Error::Address(
                "its project is none: letters, digits, `-`, and `:` and `.` of a domain",
            ));
        }
        if !(is_name(dataset) && is_name(table)) {
            return Err(Error::Address("dataset and table are named with letters, digits and `_`"));
        }
        let location = match query.map(|query| query.split_once('=')) {
            None => None,
            Some(Some(("location", place))) if is_location(place) => Some(place.to_owned()),
            Some(_) => {
                return Err(Error::Address(
                    "behind `?` only `location=` is understood, such as `location=EU`",
                ));
            }
        };
        let endpoint = endpoint.unwrap_or_else(|| GOOGLE.to_owned());
        let (project, dataset, table) = (project.to_owned(), dataset.to_owned(), table.to_owned());
        Ok(Self { project, dataset, table, location, endpoint, key })
    }

    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub(crate) fn location(&self) -> Option<&str> {
        self.location.as_deref()
    }

    pub(crate) fn dataset(&self) -> &str {
        &self.dataset
    }

    pub(crate) fn table(&self) -> &str {
        &self.table
    }

    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// The path of the project in the API.
    pub(crate) fn path(&self) -> String {
        format!("/bigquery/v2/projects/{}", self.project)
    }

    /// The table as it stands in a statement.
    pub(crate) fn quoted(&self) -> String {
        format!("`{}.{}.{}`", self.project, self.dataset, self.table)
    }
}

/// The table by its name, which is what a home remembers.
impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.project, self.dataset, self.table)
    }
}

fn is_project(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-.:".contains(&byte);
    (1..=100).contains(&text.len()) && text.bytes().all(plain) && !text.contains("..")
}

fn is_name(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    (1..=200).contains(&text.len()) && text.bytes().all(plain)
}

fn is_location(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=40).contains(&text.len()) && text.bytes().all(plain)
}

const GOOGLE: &str = "https://bigquery.googleapis.com";
/// What the table is called where nobody says otherwise.
const TABLE: &str = "org_integration_credentials";
