//! Devices by name: the one file that knows which backends exist and which of them this build has.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;

/// A device that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeviceError {
    /// No such device.
    #[error("there is no device `{name}`; there are {}", names())]
    Unknown {
        /// The name as given.
        name: String,
    },
    /// The device exists, but this build leaves it out.
    #[error("this build has no `{name}`: build with `--features {name}`")]
    NotCompiled {
        /// The device, which is also the feature that adds it.
        name: String,
    },
    /// The device is compiled in, but this machine cannot run it.
    #[error("`{name}` cannot be used on this machine: {reason}")]
    Unavailable {
        /// The device.
        name: String,
        /// The message of the driver.
        reason: String,
    },
    /// `remote` has no address, or an index is not a number.
    #[error("`{given}` is not a device: write {expected}")]
    Malformed {
        /// The text as given.
        given: String,
        /// The form that is understood.
        expected: &'static str,
    },
}

/// The default device: measured the fastest CPU device on most of the lab's networks.
pub const DEFAULT: &str = "flex";

/// A device that some build of the lab can use: one row of [`DEVICES`].
#[derive(Debug)]
pub struct DeviceEntry {
    /// The name that `--device` takes.
    pub name: &'static str,
    /// The cargo feature that adds it; none if it is in every build.
    pub feature: Option<&'static str>,
    /// The hardware that it computes on, for lists.
    pub help: &'static str,
    /// Whether it is the processor itself, computing operation by operation in its caches.
    is_processor: bool,
    has_f64: bool,
    /// Opens it; none if this build leaves it out.
    open: Option<Open>,
}

/// Opens a device by its index, if one was written, or its address; the error is the driver's.
type Open = fn(index: Option<usize>, address: &str) -> Result<Device, String>;

/// `open` if the cargo feature is in this build, else none.
macro_rules! if_built {
    ($feature:meta, $open:expr) => {{
        #[cfg($feature)]
        let open: Option<Open> = Some($open);
        #[cfg(not($feature))]
        let open: Option<Open> = None;
        open
    }};
}

/// Every device that some build of the lab can use.
///
/// A device is one row here and one cargo feature of the workspace.
pub static DEVICES: [DeviceEntry; 9] = [
    DeviceEntry {
        name: "flex",
        feature: None,
        help: "CPU, Burn's own kernels; the default; in every build",
        is_processor: true,
        has_f64: true,
        open: Some(|_, _| Ok(host())),
    },
    DeviceEntry {
        name: "ndarray",
        feature: Some("ndarray"),
        help: "CPU, on the ndarray crate; Burn deprecates it in 0.22 and drops it in 0.23",
        is_processor: true,
        has_f64: true,
        open: if_built!(feature = "ndarray", |_, _| {
            #[allow(deprecated)] // asked for by name, and its help says that Burn deprecates it
            let device = Device::ndarray();
            Ok(device)
        }),
    },
    DeviceEntry {
        name: "wgpu",
        feature: Some("wgpu"),
        help: "GPU through Vulkan, Metal or DirectX 12, whichever is there",
        is_processor: false,
        has_f64: false,
        open: if_built!(feature = "wgpu", |index, _| {
            wgpu(index, burn::tensor::wgpu::WgpuBackend::Auto)
        }),
    },
    DeviceEntry {
        name: "vulkan",
        feature: Some("vulkan"),
        help: "GPU through Vulkan, kernels compiled to SPIR-V",
        is_processor: false,
        has_f64: false,
        open: if_built!(feature = "vulkan", |index, _| {
            wgpu(index, burn::tensor::wgpu::WgpuBackend::Vulkan)
        }),
    },
    DeviceEntry {
        name: "metal",
        feature: Some("metal"),
        help: "Apple GPUs, kernels compiled to MSL",
        is_processor: false,
        has_f64: false,
        open: if_built!(feature = "metal", |index, _| {
            wgpu(index, burn::tensor::wgpu::WgpuBackend::Metal)
        }),
    },
    DeviceEntry {
        name: "cuda",
        feature: Some("cuda"),
        help: "NVIDIA GPUs",
        is_processor: false,
        has_f64: true,
        open: if_built!(feature = "cuda", |index, _| {
            Ok(Device::cuda(index.unwrap_or(0)))
        }),
    },
    DeviceEntry {
        name: "rocm",
        feature: Some("rocm"),
        help: "AMD GPUs",
        is_processor: false,
        has_f64: true,
        open: if_built!(feature = "rocm", |index, _| {
            Ok(Device::rocm(index.unwrap_or(0)))
        }),
    },
    DeviceEntry {
        name: "cpu",
        feature: Some("cpu"),
        help: "CPU, through Burn's LLVM compiler",
        is_processor: false,
        has_f64: true,
        open: if_built!(feature = "cpu", |_, _| Ok(Device::cpu())),
    },
    DeviceEntry {
        name: REMOTE,
        feature: Some("remote"),
        help: "a device of another machine: --device remote=ADDRESS",
        is_processor: false,
        has_f64: false,
        open: if_built!(feature = "remote", |_, address| remote(address)),
    },
];

/// The one device that is found by an address instead of an index.
const REMOTE: &str = "remote";

impl DeviceEntry {
    /// The entry of a device as `--device` takes it, with or without index or address.
    fn named(given: &str) -> Option<&'static Self> {
        let name = given.split(['=', ':']).next();
        DEVICES.iter().find(|entry| name == Some(entry.name))
    }

    /// Whether this build has it.
    pub fn is_compiled(&self) -> bool {
        self.open.is_some()
    }

    /// The hardware found for it, or why there is none; `None` for `remote` and for devices that this build leaves
    /// out.
    pub fn hardware(&self) -> Option<String> {
        if !self.is_compiled() || self.name == REMOTE {
            return None;
        }
        if self.is_processor {
            let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
            return Some(format!("{cores} cores"));
        }
        Some(match open(self.name) {
            Ok(device) => identity(&device),
            Err(error) => error.to_string(),
        })
    }
}

/// The names of all devices, as a sentence lists them.
fn names() -> String {
    DEVICES.each_ref().map(|entry| entry.name).join(", ")
}

/// The devices of this build, in the order of [`DEVICES`], without `remote`.
pub fn compiled() -> Vec<&'static str> {
    let local = DEVICES
        .iter()
        .filter(|entry| entry.is_compiled() && entry.name != REMOTE);
    local.map(|entry| entry.name).collect()
}

/// The devices of this build that are the processor itself, in the order of [`DEVICES`].
pub fn processors() -> Vec<&'static str> {
    let processors = DEVICES
        .iter()
        .filter(|entry| entry.is_compiled() && entry.is_processor);
    processors.map(|entry| entry.name).collect()
}

/// The device whose tensors lie in the host's memory, where fused kernels train. It is in every build.
pub fn host() -> Device {
    Device::flex()
}

/// Whether a device is the processor itself, computing operation by operation in its caches.
pub fn is_processor(given: &str) -> bool {
    DeviceEntry::named(given).is_some_and(|entry| entry.is_processor)
}

/// Whether a device computes with 64-bit floats.
pub fn supports_f64(given: &str) -> bool {
    DeviceEntry::named(given).is_some_and(|entry| entry.has_f64)
}

#[cfg(any(feature = "wgpu", feature = "cuda", feature = "rocm", feature = "cpu"))]
fn identity(device: &Device) -> String {
    quietly(|| device.identity())
        .ok()
        .flatten()
        .map_or_else(|| "found".to_string(), |identity| identity.name)
}

#[cfg(not(any(feature = "wgpu", feature = "cuda", feature = "rocm", feature = "cpu")))]
fn identity(_: &Device) -> String {
    "found".to_string()
}

/// The device called `name`, checked to work: `flex`, `wgpu`, `cuda:1`, `remote=ADDRESS`.
///
/// Each device is opened once in a process; later calls give the same one.
///
/// # Errors
/// [`DeviceError`] if the name is unknown, not compiled in, or if the machine has no such hardware.
pub fn open(name: &str) -> Result<Device, DeviceError> {
    static OPENED: Mutex<Option<HashMap<String, Device>>> = Mutex::new(None);
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = opened.get_or_insert_default();
    if let Some(device) = opened.get(name) {
        return Ok(device.clone());
    }
    let device = open_new(name)?;
    opened.insert(name.to_string(), device.clone());
    Ok(device)
}

fn open_new(given: &str) -> Result<Device, DeviceError> {
    let malformed = |expected| DeviceError::Malformed {
        given: given.to_string(),
        expected,
    };
    let (name, address) = match given.split_once('=') {
        Some((name, address)) => (name, Some(address)),
        None => (given, None),
    };
    let (name, index) = match name.split_once(':') {
        Some((name, index)) => {
            let index = index.parse::<usize>().ok();
            let expected = "an index after the colon, such as `cuda:0`";
            (name, Some(index.ok_or_else(|| malformed(expected))?))
        }
        None => (name, None),
    };
    let name = name.to_string();
    let Some(entry) = DeviceEntry::named(&name) else {
        return Err(DeviceError::Unknown { name });
    };
    let Some(open) = entry.open else {
        return Err(DeviceError::NotCompiled { name });
    };
    let is_remote = entry.name == REMOTE;
    if is_remote != address.is_some() || (is_remote && index.is_some()) {
        return Err(malformed("`remote=ADDRESS`; other devices take no address"));
    }
    // Burn's drivers panic where there is no hardware; that must not reach a user.
    quietly(|| open(index, address.unwrap_or_default()))
        .flatten()
        .map_err(|reason| DeviceError::Unavailable { name, reason })
}

/// Runs `f` without printing its panic, which becomes the error.
fn quietly<T>(f: impl FnOnce() -> T) -> Result<T, String> {
    let hook = std::panic::take_hook();
    std::panic::set_hook(Box::new(|_| {}));
    let result = catch_unwind(AssertUnwindSafe(f));
    std::panic::set_hook(hook);
    result.map_err(|panic| panic_message(&*panic))
}

/// The text of a panic.
pub(crate) fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| s.to_string());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "unknown reason".to_string())
}

/// The best adapter, or the discrete GPU with `index`.
#[cfg(feature = "wgpu")]
fn wgpu(index: Option<usize>, api: burn::tensor::wgpu::WgpuBackend) -> Result<Device, String> {
    use burn::tensor::DeviceKind;
    let kind = index.map_or(DeviceKind::DefaultDevice, DeviceKind::DiscreteGpu);
    Device::wgpu_options()
        .device_kind(kind)
        .graphics_api(api)
        .init()
        .map_err(|error| error.to_string())
}

#[cfg(feature = "remote")]
fn remote(address: &str) -> Result<Device, String> {
    let host = burn::tensor::remote::RemoteHost::websocket(address);
    Device::remote_options(&host)
        .init()
        .map_err(|error| error.to_string())
}

/// A device as fused kernels use it; none for a device that is no GPU of this process. Each GPU is opened once in a
/// process.
///
/// # Errors
/// [`GpuError`](emberlab_fused::gpu::GpuError) if the GPU failed.
#[cfg(feature = "gpu")]
pub(crate) fn gpu(
    device: &Device,
) -> Result<Option<emberlab_fused::gpu::Gpu>, emberlab_fused::gpu::GpuError> {
    use emberlab_fused::gpu;
    static OPENED: Mutex<Option<HashMap<gpu::Device, gpu::Gpu>>> = Mutex::new(None);
    let Some(device) = emberlab_kernels::gpu_of(device) else {
        return Ok(None);
    };
    let mut opened = OPENED.lock().unwrap_or_else(PoisonError::into_inner);
    let opened = opened.get_or_insert_default();
    if let Some(gpu) = opened.get(&device) {
        return Ok(Some(gpu.clone()));
    }
    let gpu = gpu::Gpu::open(&device)?;
    opened.insert(device, gpu.clone());
    Ok(Some(gpu))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flex_is_always_there_and_the_default() {
        assert!(open(DEFAULT).is_ok());
        assert_eq!(compiled()[0], "flex");
    }

    #[test]
    fn a_device_that_is_left_out_names_its_feature() {
        let missing = DEVICES.iter().find(|entry| !entry.is_compiled());
        let missing = missing.expect("no build has every device");
        let error = open(missing.name).expect_err("left out");
        assert!(
            error.to_string().contains("--features"),
            "unhelpful: {error}"
        );
    }

    #[test]
    fn a_device_is_named_by_the_feature_that_adds_it() {
        for entry in &DEVICES {
            let feature = entry.feature.unwrap_or(DEFAULT);
            assert_eq!(feature, entry.name);
        }
    }

    #[test]
    fn an_index_changes_no_property_of_a_device() {
        assert!(supports_f64("cuda:1") && supports_f64("flex") && !supports_f64("wgpu:0"));
        assert!(is_processor("ndarray") && !is_processor("cpu") && !is_processor("gpu"));
    }

    #[test]
    fn the_kernels_and_this_list_agree_on_the_processors() {
        for name in compiled() {
            // A device that this machine does not have is none of its processors.
            let found = open(name).is_ok_and(|device| emberlab_kernels::is_processor(&device));
            assert_eq!(found, is_processor(name), "{name}");
            assert_eq!(processors().contains(&name), found, "{name}");
        }
        assert!(emberlab_kernels::is_processor(&host()));
    }

    #[test]
    fn wrong_names_are_refused() {
        assert!(matches!(open("gpu"), Err(DeviceError::Unknown { .. })));
        assert!(matches!(open("flex:x"), Err(DeviceError::Malformed { .. })));
        assert!(matches!(
            open("flex=host"),
            Err(DeviceError::Malformed { .. })
        ));
    }
}
