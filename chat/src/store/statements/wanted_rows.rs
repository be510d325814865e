//! The rows of a statement that looks up many keys, in the order of the keys.

use crate::Error;
use crate::store::sql::{FromRow, Row};

/// The row of each of `count` keys; `None` for a key without a row. The column `position` of a row
/// is that of its key.
pub(super) fn rows_in_order<T>(rows: &[Row], count: usize) -> Result<Vec<Option<T>>, Error>
where
    T: FromRow,
{
    let mut found: Vec<Option<T>> = (0..count).map(|_| None).collect();
    for row in rows {
        let position: i64 = row.try_get("position")?;
        let position = usize::try_from(position).map_err(Error::fault)?;
        if let Some(place) = found.get_mut(position) {
            *place = Some(T::from_row(row)?);
        }
    }
    Ok(found)
}
