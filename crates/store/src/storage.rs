//! The trait of a storage, its tables and batches.

use model::TenantName;

use crate::Error;

/// A table. Each holds rows of bytes under a tenant and a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Table {
    /// Facts about the home: format, key provider, public keys.
    Meta,
    /// Wrapped data keys and keys of the house.
    Keys,
    /// Secrets: names, states, versions.
    Secrets,
    /// Ciphertexts of secrets, one row a version.
    Versions,
    /// Grants.
    Grants,
    /// Uses of grants and narrowings, counted with their intents.
    Uses,
    /// Revoked grants and narrowings.
    Revocations,
    /// Policies.
    Policies,
    /// Approvals.
    Approvals,
    /// Evidence leaves, a group a row.
    Evidence,
    /// Signed checkpoints.
    Checkpoints,
    /// Tenants: what is known of each.
    Tenants,
    /// Keys for the API of tenants: hashes and what they may do.
    ApiKeys,
    /// Credentials that tenants keep for providers: what they are, and which one of a provider is in use. No bytes of them.
    Credentials,
}

impl Table {
    /// Every table.
    pub const ALL: [Self; 14] = [
        Self::Meta,
        Self::Keys,
        Self::Secrets,
        Self::Versions,
        Self::Grants,
        Self::Uses,
        Self::Revocations,
        Self::Policies,
        Self::Approvals,
        Self::Evidence,
        Self::Checkpoints,
        Self::Tenants,
        Self::ApiKeys,
        Self::Credentials,
    ];

    /// The table's name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Keys => "keys",
            Self::Secrets => "secrets",
            Self::Versions => "versions",
            Self::Grants => "grants",
            Self::Uses => "uses",
            Self::Revocations => "revocations",
            Self::Policies => "policies",
            Self::Approvals => "approvals",
            Self::Evidence => "evidence",
            Self::Checkpoints => "checkpoints",
            Self::Tenants => "tenants",
            Self::ApiKeys => "api_keys",
            Self::Credentials => "credentials",
        }
    }
}

/// One row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key; rows of a tenant sort by its bytes.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
}

/// One step of a batch.
#[derive(Debug, Clone)]
pub enum Step {
    /// Writes a row, whatever was there.
    Put(Table, TenantName, Row),
    /// Writes a row that must not be there yet.
    Insert(Table, TenantName, Row),
    /// Writes a row whose value must be the first one still.
    Swap(Table, TenantName, Vec<u8>, Row),
    /// Removes a row, if it is there.
    Delete(Table, TenantName, Vec<u8>),
}

/// Steps that are committed together or not at all.
#[derive(Debug, Clone, Default)]
pub struct Batch {
    steps: Vec<Step>,
}

impl Batch {
    /// An empty batch.
    #[must_use]
    pub const fn new() -> Self {
        Self { steps: Vec::new() }
    }

    /// Adds [`Step::Put`].
    #[must_use]
    pub fn put(mut self, table: Table, tenant: &TenantName, key: &[u8], value: Vec<u8>) -> Self {
        self.push(Step::Put(table, tenant.clone(), Row { key: key.to_vec(), value }));
        self
    }

    /// Adds [`Step::Insert`].
    #[must_use]
    pub fn insert(mut self, table: Table, tenant: &TenantName, key: &[u8], value: Vec<u8>) -> Self {
        self.push(Step::Insert(table, tenant.clone(), Row { key: key.to_vec(), value }));
        self
    }

    /// Adds [`Step::Swap`].
    #[must_use]
    pub fn swap(mut self, table: Table, tenant: &TenantName, old: Vec<u8>, row: Row) -> Self {
        self.push(Step::Swap(table, tenant.clone(), old, row));
        self
    }

    /// Adds [`Step::Delete`].
    #[must_use]
    pub fn delete(mut self, table: Table, tenant: &TenantName, key: &[u8]) -> Self {
        self.push(Step::Delete(table, tenant.clone(), key.to_vec()));
        self
    }

    /// Adds a step.
    pub fn push(&mut self, step: Step) {
        self.steps.push(step);
    }

    /// The steps in order.
    #[must_use]
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// Whether there is nothing to do.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.steps.is_empty()
    }
}

/// A place for rows. Calls block; they are made from the evidence thread and from blocking threads, never from a door's
/// runtime.
pub trait Storage: Send + Sync {
    /// The value of one row.
    ///
    /// # Errors
    /// When the storage can't be read.
    fn get(&self, table: Table, tenant: &TenantName, key: &[u8]) -> Result<Option<Vec<u8>>, Error>;

    /// At most `limit` rows of a tenant whose key begins with `prefix` and is greater than `after`, sorted by key.
    ///
    /// # Errors
    /// When the storage can't be read.
    fn scan(
        &self,
        table: Table,
        tenant: &TenantName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<Row>, Error>;

    /// The row with the greatest key of a tenant.
    ///
    /// # Errors
    /// When the storage can't be read.
    fn last(&self, table: Table, tenant: &TenantName) -> Result<Option<Row>, Error>;

    /// The tenants that have rows in a table.
    ///
    /// # Errors
    /// When the storage can't be read.
    fn tenants(&self, table: Table) -> Result<Vec<TenantName>, Error>;

    /// Makes a batch durable, whole or not at all.
    ///
    /// # Errors
    /// [`Error::Conflict`] when an [`Step::Insert`] or [`Step::Swap`] met another row; else what kept it from the disk.
    fn commit(&self, batch: &Batch) -> Result<(), Error>;
}
