//! Records of webchat alone.

use crate::{Failure, Options};

pub async fn take(_options: &Options) -> Result<(), Failure> {
    Ok(())
}
