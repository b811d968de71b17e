#!/bin/sh
# Checks the fused kernels on this machine's GPU and times them, in less than five minutes besides the build:
#
#   benches/gpu.sh [SECONDS]
#
# SECONDS is the duration of one measurement, 1 by default. FEATURES chooses the runtime: wgpu by default, vulkan, metal.
set -eu
cd "$(dirname "$0")/.."
features=${FEATURES:-wgpu}
{ nvidia-smi -L || echo "nvidia-smi finds no GPU: the times are those of whatever device wgpu takes"; } 2>&1
lscpu | grep -E '^(Model name|Flags)' || true
cargo test --release -p emberlab-fused --features "$features" gpu::
cargo bench -p emberlab-fused --features "$features" --bench gpu -- "${1:-1}"
