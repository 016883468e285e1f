//! The table: what is written into it, in one statement for all rows of an act, and what stands in it.

use std::collections::BTreeSet;

use secrets::Setup;
use serde_json::json;

use crate::row::{BYTES, STRUCT, Write, struct_type};
use crate::schema;
use crate::talk::{Cells, Statement, Talk, text, texts};
use crate::{Error, Place};

/// The table of credentials in BigQuery.
pub struct Remote {
    talk: Talk,
    merge: String,
}

/// A row as it stands in the table, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) id: String,
    pub(crate) provider: String,
    pub(crate) active: bool,
    /// SHA-256 of its bytes, in hex digits.
    pub(crate) digest: String,
    /// `updated_at` in microseconds; 0 where nothing stands there.
    pub(crate) revision: u64,
    pub(crate) name: Option<String>,
    pub(crate) kind: String,
    pub(crate) status: String,
    pub(crate) validated: Option<u64>,
    pub(crate) error: Option<String>,
    pub(crate) created: Option<u64>,
    pub(crate) expires: Option<u64>,
    pub(crate) ends: Option<u64>,
}

/// Which rows of a tenant are looked at.
#[derive(Debug, Clone)]
pub(crate) enum Which<'a> {
    All,
    /// Those of these credentials, and those that are active for these providers.
    Of {
        ids: BTreeSet<&'a str>,
        active: BTreeSet<&'a str>,
    },
}

impl Remote {
    /// The table at a place. Nothing is asked yet.
    #[must_use]
    pub fn new(place: Place, setup: &Setup) -> Self {
        let merge = merge(&place);
        Self { talk: Talk::new(place, setup), merge }
    }

    /// Where it is.
    #[must_use]
    pub const fn place(&self) -> &Place {
        self.talk.place()
    }

    /// Sees that the table is there with every column, makes what is missing, and gives the columns that were added. Blocks.
    ///
    /// # Errors
    /// [`Error::Column`] where a column has another type; when BigQuery can't be asked, or our account may not do it.
    pub fn prepare(&self) -> Result<Vec<&'static str>, Error> {
        schema::prepare(&self.talk)
    }

    /// The columns that the table lacks, none where it is whole; `None` where there is no table. Changes nothing.
    ///
    /// # Errors
    /// As [`Self::prepare`].
    pub fn missing(&self) -> Result<Option<Vec<&'static str>>, Error> {
        let place = self.place();
        let path = format!("/datasets/{}/tables/{}", place.dataset(), place.table());
        let Some(found) = self.talk.find("look for its table", &path)? else { return Ok(None) };
        let missing = schema::missing(&self.talk, &found)?;
        Ok(Some(missing.into_iter().map(|(name, _)| name).collect()))
    }

    /// Writes rows of a tenant. A row that was written with a later revision is left as it is. Another row that is active for a provider of
    /// which one of these is, goes out of use: in the table as in the store there is one.
    pub(crate) fn write(&self, tenant: &str, rows: &[Write], revision: u64) -> Result<(), Error> {
        let values: Vec<_> = rows.iter().map(|row| row.value(tenant, revision)).collect();
        let rows_given = json!({
            "name": "rows", "parameterType": struct_type(), "parameterValue": { "arrayValues": values },
        });
        let active = rows.iter().filter(|row| row.facts.active).map(|row| row.facts.provider.as_str());
        let parameters = vec![rows_given, text("org", tenant), texts("active", active)];
        self.talk.carry_out(Statement { what: "write a credential", text: &self.merge, parameters }).map(drop)
    }

    /// Rows of a tenant, newest first for each provider.
    pub(crate) fn seen(&self, tenant: &str, which: &Which<'_>) -> Result<Vec<Seen>, Error> {
        let mut parameters = vec![text("org", tenant)];
        let narrowed = match which {
            Which::All => "",
            Which::Of { ids, active } => {
                parameters.push(texts("ids", ids.iter().copied()));
                parameters.push(texts("active", active.iter().copied()));
                " AND (credential_id IN UNNEST(@ids) OR (is_active AND provider IN UNNEST(@active)))"
            }
        };
        let statement = format!(
            "SELECT {SEEN} FROM {} WHERE org_slug = @org{narrowed} ORDER BY provider, created_at DESC, credential_id",
            self.place().quoted()
        );
        let rows =
            self.talk.carry_out(Statement { what: "show credentials", text: &statement, parameters })?;
        rows.into_iter().map(Seen::read).collect()
    }

    /// The bytes in every row of this credential: one, or none, or more where somebody put some there.
    pub(crate) fn bytes(&self, tenant: &str, id: &str) -> Result<Vec<Vec<u8>>, Error> {
        let statement = format!(
            "SELECT TO_BASE64({BYTES}) AS sealed FROM {} WHERE org_slug = @org AND credential_id = @id",
            self.place().quoted()
        );
        let parameters = vec![text("org", tenant), text("id", id)];
        let rows =
            self.talk.carry_out(Statement { what: "read a credential", text: &statement, parameters })?;
        let bytes = rows.into_iter().filter_map(|mut cells| cells.pop().flatten());
        let wrong = |_| Error::Answer("holds bytes that are not base 64");
        bytes.map(|text| crypto::from_base64(&text).map_err(wrong)).collect()
    }
}

impl Seen {
    fn read(cells: Cells) -> Result<Self, Error> {
        let wrong = || Error::Answer("has other columns than were asked for");
        let mut cells = cells.into_iter();
        let mut next = || cells.next().ok_or_else(wrong);
        let number = |cell: Option<String>| cell.map(|text| text.parse().map_err(|_| wrong())).transpose();
        Ok(Self {
            id: next()?.ok_or_else(wrong)?,
            provider: next()?.unwrap_or_default(),
            active: next()?.as_deref() == Some("true"),
            digest: next()?.unwrap_or_default().to_ascii_lowercase(),
            revision: number(next()?)?.unwrap_or_default(),
            name: next()?,
            kind: next()?.unwrap_or_default(),
            status: next()?.unwrap_or_default(),
            validated: number(next()?)?,
            error: next()?,
            created: number(next()?)?,
            expires: number(next()?)?,
            ends: number(next()?)?,
        })
    }
}

/// The statement that writes rows. What is not a name of ours in it is a parameter.
fn merge(place: &Place) -> String {
    let names = STRUCT.map(|(name, ..)| name).join(", ");
    let source = STRUCT.map(|(name, _, made)| format!("{made} AS {name}")).join(", ");
    let set = STRUCT.iter().skip(2).map(|(name, ..)| match *name {
        BYTES => format!("{BYTES} = IFNULL(S.{BYTES}, T.{BYTES})"),
        name => format!("{name} = S.{name}"),
    });
    let set: Vec<String> = set.collect();
    let values = STRUCT.map(|(name, ..)| match name {
        BYTES => format!("IFNULL(S.{BYTES}, b'')"),
        name => format!("S.{name}"),
    });
    format!(
        "MERGE {} T USING (SELECT {source} FROM UNNEST(@rows) AS r) S \
         ON T.credential_id = S.credential_id AND T.org_slug = S.org_slug \
         WHEN MATCHED AND (T.updated_at IS NULL OR T.updated_at < S.updated_at) THEN UPDATE SET {} \
         WHEN NOT MATCHED BY TARGET THEN INSERT ({names}) VALUES ({}) \
         WHEN NOT MATCHED BY SOURCE AND T.org_slug = @org AND T.is_active AND T.provider IN UNNEST(@active) \
         THEN UPDATE SET is_active = FALSE",
        place.quoted(),
        set.join(", "),
        values.join(", ")
    )
}

const SEEN: &str = "credential_id, provider, CAST(is_active AS STRING) AS active, \
                    TO_HEX(SHA256(encrypted_credential)) AS digest, UNIX_MICROS(updated_at) AS revision, credential_name, \
                    credential_type, validation_status, UNIX_MICROS(last_validated_at) AS validated, last_error, \
                    UNIX_MICROS(created_at) AS created, UNIX_MICROS(expires_at) AS expires, \
                    UNIX_MICROS(deactivation_scheduled_at) AS ends";
