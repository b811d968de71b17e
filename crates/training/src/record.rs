//! Networks as Burn records.

use burn::module::Module;
use burn::store::{ModuleRecord, RecordError};
use burn::tensor::Bytes;
use emberlab_models::Network;

use crate::error::TrainingError;

/// A network as a Burn record.
///
/// # Errors
/// [`TrainingError::Read`] if the weights cannot be read from the device.
pub fn network_bytes(network: &Network) -> Result<Bytes, TrainingError> {
    let record = network.clone().into_record();
    record.into_bytes().map_err(unreadable)
}

/// The error of a device or a record whose numbers cannot be read.
pub(crate) fn unreadable(error: impl std::fmt::Display) -> TrainingError {
    TrainingError::Read(error.to_string())
}

/// A network with the weights of a Burn record.
///
/// # Errors
/// [`RecordError`] if the bytes are no record, or one of another network.
pub fn load_network(network: Network, bytes: &[u8]) -> Result<Network, RecordError> {
    let bytes = Bytes::from_bytes_vec(bytes.to_vec());
    ModuleRecord::from_bytes(bytes).and_then(|record| network.try_load_record(record))
}
