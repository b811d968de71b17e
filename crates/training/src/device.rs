//! Names of devices turned into devices: the one file that knows which backends are compiled in.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, PoisonError};

use burn::tensor::Device;

/// A device that cannot be used.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeviceError {
    /// No such device.
    #[error("there is no device `{name}`; there are {}", NAMES.join(", "))]
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
        /// What the driver said.
        reason: String,
    },
    /// `remote` without an address, or an index that is no number.
    #[error("`{given}` is not a device: write {expected}")]
    Malformed {
        /// The text as given.
        given: String,
        /// The form that is understood.
        expected: &'static str,
    },
}

/// Every device that some build of the lab can use.
pub const NAMES: [&str; 9] = [
    "flex", "ndarray", "wgpu", "vulkan", "metal", "cuda", "rocm", "cpu", "remote",
];

/// What is used when no device is named: measured the fastest CPU device on most of the lab's networks.
pub const DEFAULT: &str = "flex";

/// One line of `emberlab devices`.
#[derive(Debug, Clone)]
pub struct DeviceInfo {
    /// The name that `--device` takes.
    pub name: &'static str,
    /// Whether this build has it.
    pub is_compiled: bool,
    /// Hardware found for it, or why there is none; empty for devices that are not compiled in.
    pub adapters: Vec<String>,
    /// What it is for.
    pub purpose: &'static str,
}

fn purpose(name: &str) -> &'static str {
    match name {
        "flex" => "CPU, Burn's own kernels; the default; always there",
        "ndarray" => "CPU, on the ndarray crate; Burn deprecates it in 0.22 and drops it in 0.23",
        "wgpu" => "GPU through Vulkan, Metal or DirectX 12, whichever is there",
        "vulkan" => "GPU through Vulkan, kernels compiled to SPIR-V",
        "metal" => "Apple GPUs, kernels compiled to MSL",
        "cuda" => "NVIDIA GPUs",
        "rocm" => "AMD GPUs",
        "cpu" => "CPU, through Burn's LLVM compiler",
        _ => "a device of another machine: --device remote=ADDRESS",
    }
}

fn is_compiled(name: &str) -> bool {
    match name {
        "flex" => true,
        "ndarray" => cfg!(feature = "ndarray"),
        "wgpu" => cfg!(feature = "wgpu"),
        "vulkan" => cfg!(feature = "vulkan"),
        "metal" => cfg!(feature = "metal"),
        "cuda" => cfg!(feature = "cuda"),
        "rocm" => cfg!(feature = "rocm"),
        "cpu" => cfg!(feature = "cpu"),
        "remote" => cfg!(feature = "remote"),
        _ => false,
    }
}

/// Every device, compiled in or not, with the hardware found for it.
pub fn list() -> Vec<DeviceInfo> {
    NAMES
        .into_iter()
        .map(|name| DeviceInfo {
            name,
            is_compiled: is_compiled(name),
            adapters: if is_compiled(name) {
                adapters(name)
            } else {
                Vec::new()
            },
            purpose: purpose(name),
        })
        .collect()
}

/// The devices of this build, in the order of [`NAMES`], `remote` left out.
pub fn compiled() -> Vec<&'static str> {
    let local = |name: &&str| is_compiled(name) && *name != "remote";
    NAMES.into_iter().filter(local).collect()
}

/// Whether a device is the processor itself, computing operation by operation in its caches.
pub fn is_processor(name: &str) -> bool {
    matches!(name, "flex" | "ndarray")
}

/// Whether a device computes with 64-bit floats.
pub fn supports_f64(name: &str) -> bool {
    matches!(name, "flex" | "ndarray" | "cuda" | "rocm" | "cpu")
}

fn adapters(name: &str) -> Vec<String> {
    match name {
        "flex" | "ndarray" => {
            let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
            vec![format!("{cores} cores")]
        }
        "remote" => Vec::new(),
        _ => match open(name) {
            Ok(device) => vec![identity(&device)],
            Err(error) => vec![error.to_string()],
        },
    }
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
    let (name, address) = match given.split_once('=') {
        Some((name, address)) => (name, Some(address)),
        None => (given, None),
    };
    let (name, index) = match name.split_once(':') {
        Some((name, index)) => {
            let index = index.parse::<usize>().map_err(|_| DeviceError::Malformed {
                given: given.to_string(),
                expected: "an index after the colon, such as `cuda:0`",
            })?;
            (name, Some(index))
        }
        None => (name, None),
    };
    if !NAMES.contains(&name) {
        return Err(DeviceError::Unknown {
            name: name.to_string(),
        });
    }
    if !is_compiled(name) {
        return Err(DeviceError::NotCompiled {
            name: name.to_string(),
        });
    }
    if (name == "remote") != address.is_some() || (name == "remote" && index.is_some()) {
        return Err(DeviceError::Malformed {
            given: given.to_string(),
            expected: "`remote=ADDRESS`; other devices take no address",
        });
    }
    // Burn's drivers panic where there is no hardware; that must not reach a user.
    quietly(|| construct(name, index, address)).unwrap_or_else(|reason| {
        Err(DeviceError::Unavailable {
            name: name.to_string(),
            reason,
        })
    })
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

#[allow(unused_variables)] // index and address serve only devices that may be left out
fn construct(
    name: &str,
    index: Option<usize>,
    address: Option<&str>,
) -> Result<Device, DeviceError> {
    #[cfg(any(feature = "wgpu", feature = "remote"))]
    let unavailable = |reason: String| DeviceError::Unavailable {
        name: name.to_string(),
        reason,
    };
    match name {
        "flex" => Ok(Device::flex()),
        #[cfg(feature = "ndarray")]
        #[allow(deprecated)]
        // asked for by name; `emberlab devices` says that Burn deprecates it
        "ndarray" => Ok(Device::ndarray()),
        #[cfg(feature = "wgpu")]
        "wgpu" => wgpu(index, burn::tensor::wgpu::WgpuBackend::Auto).map_err(unavailable),
        #[cfg(feature = "vulkan")]
        "vulkan" => wgpu(index, burn::tensor::wgpu::WgpuBackend::Vulkan).map_err(unavailable),
        #[cfg(feature = "metal")]
        "metal" => wgpu(index, burn::tensor::wgpu::WgpuBackend::Metal).map_err(unavailable),
        #[cfg(feature = "cuda")]
        "cuda" => Ok(Device::cuda(index.unwrap_or(0))),
        #[cfg(feature = "rocm")]
        "rocm" => Ok(Device::rocm(index.unwrap_or(0))),
        #[cfg(feature = "cpu")]
        "cpu" => Ok(Device::cpu()),
        #[cfg(feature = "remote")]
        "remote" => remote(address.unwrap_or_default()).map_err(unavailable),
        _ => Err(DeviceError::NotCompiled {
            name: name.to_string(),
        }),
    }
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
        let missing = NAMES.into_iter().find(|name| !is_compiled(name));
        let error = open(missing.expect("no build has every device")).expect_err("left out");
        assert!(
            error.to_string().contains("--features"),
            "unhelpful: {error}"
        );
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
