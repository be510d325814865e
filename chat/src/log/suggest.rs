//! Suggests free names to those whose names are taken.

use protocol::Refusal;

use crate::Error;
use crate::log::command::WriteRequest;
use crate::log::decide::Outcome;
use crate::room::name_claims;
use crate::store::LogTransaction;

/// Completes the refusals of taken names by names that are free after the batch.
pub(crate) fn suggest_names<'a>(
    tx: &mut dyn LogTransaction,
    requests: impl Iterator<Item = &'a WriteRequest>,
    outcomes: &mut [Outcome],
) -> Result<(), Error> {
    for (request, outcome) in requests.zip(outcomes) {
        if let Err(Refusal::NameTaken { free, .. }) = outcome {
            tx.flush()?;
            *free = name_claims::suggest_free_name(
                tx,
                request.room,
                request.author,
                &request.username,
            )?;
        }
    }
    Ok(())
}
