//! What callers show as it is: static texts, passwords, a segment of the path.

use catalog::incoming::{Form, Key, Shown};
use percent_encoding::percent_decode_str;
use secrets::{Checking, Matched, Mismatch};

use super::{Accepted, Asking, Came, No, presented};

impl Asking<'_> {
    /// Asks every secret, so that the time does not tell which one fits, and gives the first that does. One that can't be had
    /// refuses where no other fits.
    pub(super) async fn any<'k>(
        &self,
        keys: &'k [Key],
        fits: impl Fn(&Checking, &Key) -> Result<Matched, Mismatch>,
    ) -> Result<&'k Key, No> {
        let (mut found, mut trouble) = (None, None);
        for key in keys {
            match self.checking(&key.secret).await {
                Ok(checking) => {
                    if fits(&checking, key).is_ok() && found.is_none() {
                        found = Some(key);
                    }
                }
                Err(no) => trouble = Some(no),
            }
        }
        found.ok_or_else(|| trouble.unwrap_or(No::Wrong("no secret fits")))
    }

    pub(super) async fn token(&self, shown: &Shown, came: &Came<'_>) -> Result<Accepted, No> {
        let text = presented(&shown.place, came.headers)?;
        let key = self.any(&shown.keys, |checking, key| same(checking, key, text)).await?;
        Ok(Accepted { id: key.id.clone(), spent: vec![shown.place.header.clone()], ..Accepted::default() })
    }

    pub(super) async fn basic(&self, shown: &Shown, came: &Came<'_>) -> Result<Accepted, No> {
        let wrong = || No::Wrong("the header has another form");
        let written = str::from_utf8(presented(&shown.place, came.headers)?).map_err(|_| wrong())?;
        let pair = zeroize::Zeroizing::new(crypto::from_base64(written.trim()).map_err(|_| wrong())?);
        let colon = pair.iter().position(|byte| *byte == b':').ok_or_else(wrong)?;
        let (user, password) = pair.split_at_checked(colon).ok_or_else(wrong)?;
        let password = password.get(1..).unwrap_or_default();
        let user = str::from_utf8(user).map_err(|_| wrong())?;
        if user.is_empty() || password.is_empty() || user.chars().any(char::is_control) {
            return Err(wrong());
        }
        let fits = |checking: &Checking, key: &Key| match &key.user {
            // Checked whatever the name is, so that the time does not tell which names there are.
            Some(wanted) => same(checking, key, password).and_then(|matched| {
                crypto::same(wanted.as_bytes(), user.as_bytes()).map(|_| matched).map_err(|_| Mismatch)
            }),
            None => same(checking, key, &pair),
        };
        let key = self.any(&shown.keys, fits).await?;
        let id = key.id.clone().unwrap_or_else(|| user.to_owned());
        Ok(Accepted { id: Some(id), spent: vec![shown.place.header.clone()], ..Accepted::default() })
    }

    pub(super) async fn url_path(&self, keys: &[Key], came: &Came<'_>) -> Result<Accepted, No> {
        let last = came.target.segments().last().unwrap_or_default();
        if last.is_empty() {
            return Err(No::Wrong("the path has no last segment"));
        }
        let last = zeroize::Zeroizing::new(percent_decode_str(last).collect::<Vec<u8>>());
        let key = self.any(keys, |checking, key| same(checking, key, &last)).await?;
        Ok(Accepted { id: key.id.clone(), cut: true, ..Accepted::default() })
    }
}

fn same(checking: &Checking, key: &Key, text: &[u8]) -> Result<Matched, Mismatch> {
    match key.form {
        Form::Plain => checking.is(text),
        Form::Imprint => checking.is_of_imprint(text),
    }
}
