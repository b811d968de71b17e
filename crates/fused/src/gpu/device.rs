//! A GPU that trainings can run on.

use cubecl::Device;
use cubecl::prelude::*;

use super::buffer::Buffer;
use super::error::GpuError;
use super::kernel::count_iterations;
use super::layout::CubeLimits;

/// Iterations of the loop that finds out whether the device ends long loops.
const LONG_LOOP: u32 = 100_000;

/// The most bytes of shared memory that a cube takes. A multiprocessor of a GPU has several times as much, and runs several
/// cubes at once.
const SHARED_MEMORY: usize = 48 << 10;

/// A GPU that is open, and how long its kernels may run.
#[derive(Clone)]
pub struct Gpu {
    pub(super) client: Client,
    /// Iterations after which it ends the loops of a kernel without a word, if it does.
    pub(super) loop_limit: Option<u64>,
}

impl Gpu {
    /// Opens a GPU, and runs a short kernel on it.
    ///
    /// # Errors
    /// [`GpuError::Device`] if the GPU failed.
    pub fn open(device: &Device) -> Result<Self, GpuError> {
        let client = device.client();
        let loop_limit = loop_limit(&client)?;
        Ok(Self { client, loop_limit })
    }

    /// The name of the GPU.
    pub fn name(&self) -> &str {
        &self.client.properties().identity.name
    }

    /// Checks that the device has so much memory in one piece.
    ///
    /// # Errors
    /// [`GpuError::TooLarge`] if it has less.
    pub(super) fn check_memory(&self, what: &'static str, bytes: u64) -> Result<(), GpuError> {
        let most = self.client.properties().memory.max_page_size;
        match bytes <= most {
            true => Ok(()),
            false => Err(GpuError::TooLarge { what, bytes, most }),
        }
    }

    /// What a cube may use.
    pub(super) fn limits(&self) -> CubeLimits {
        let hardware = &self.client.properties().hardware;
        CubeLimits {
            shared_memory: hardware.max_shared_memory_size.min(SHARED_MEMORY),
            units: hardware.max_units_per_cube as usize,
        }
    }
}

/// Iterations after which the device ends the loops of a kernel without a word, if it does.
///
/// # Errors
/// [`GpuError::Device`] if the device failed.
fn loop_limit(client: &Client) -> Result<Option<u64>, GpuError> {
    let count = Buffer::integers(client, &[0]);
    count_iterations::launch(
        client,
        CubeCount::Static(1, 1, 1),
        CubeDim::new_1d(1),
        count.argument(),
        LONG_LOOP,
    );
    let count: Vec<u32> = count.read(client)?;
    let done = count.first().copied().unwrap_or(0);
    Ok((done < LONG_LOOP).then_some(u64::from(done)))
}
