//! A report's canonical file, row by row as it is told: what its manifest says of the bytes.

use super::super::error;
use crate::pb::ErrorReason;
use crate::sheet::canonical::{Digest, Sum};
use crate::sheet::reports::Layout;
use crate::sheet::table::Cell;
use tonic::Status;

/// The file so far.
pub(super) struct File(Digest);

impl File {
    /// With its header alone.
    pub fn new(layout: &Layout) -> Result<Self, Status> {
        Digest::new(&layout.columns).map(Self).map_err(|error| defect(&error))
    }

    /// Takes a row in.
    pub fn row(&mut self, cells: &[Cell]) -> Result<(), Status> {
        self.0.row(cells).map_err(|error| defect(&error))
    }

    /// What it comes to.
    pub fn sum(self) -> Result<Sum, Status> {
        self.0.finish().map_err(|error| defect(&error))
    }

    /// What a report comes to whose rows are all there.
    pub fn of(layout: &Layout, rows: impl IntoIterator<Item = Vec<Cell>>) -> Result<Sum, Status> {
        let mut file = Self::new(layout)?;
        rows.into_iter().try_for_each(|row| file.row(&row))?;
        file.sum()
    }
}

/// Nothing is written anywhere, so only a row that is not as wide as its columns fails.
fn defect(error: &std::io::Error) -> Status {
    tracing::error!(%error, "a row is not as its report's columns");
    error::status(ErrorReason::Internal, "a defect of the server; its log has more")
}
