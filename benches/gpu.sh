#!/usr/bin/env bash
# Checks the fused kernels on this machine's GPU and times them, in about five minutes besides the build:
#
#   benches/gpu.sh [SECONDS]
#
# SECONDS is the duration of one measurement, 1 by default. FEATURES chooses the runtime: wgpu by default, vulkan, metal; "wgpu,autotune"
# adds Burn's autotuning for the networks that fused kernels do not cover.
# A check that fails does not keep the times from being measured; the script then ends with exit code 1.
set -u
cd "$(dirname "$0")/.."
features=${FEATURES:-wgpu}
device=${features%%,*}
failed=0
step() {
  echo "+ $*"
  "$@" || failed=1
}

{ nvidia-smi -L || echo "nvidia-smi finds no GPU: the times are those of whatever device $device takes"; } 2>&1
lscpu | grep -E '^(Model name|CPU\(s\)|Flags)' || true
step cargo build --release -p emberlab --features "$features"
emberlab=target/release/emberlab

# The kernels against a reference on the processor, and by themselves.
step cargo test --release -p emberlab-fused --features "$device" gpu::
step cargo bench -p emberlab-fused --features "$device" --bench gpu -- "${1:-1}"

# A whole comparison of 1024 networks: training, metrics of every epoch, run folders, the data of the report.
artifacts=$(mktemp -d)
step bash -c "time '$emberlab' --artifacts '$artifacts' compare benches/stack.toml --device $device --stack 1024 --baselines none >'$artifacts/told'"
tail -n 20 "$artifacts/told"

# Where the data are at hand, a step of the convolutional network and of two large ones, by each engine that has them.
if [ -n "${EMBERLAB_DATA_DIR:-}" ]; then
  for config in mnist_convnet mnist_batchnorm mnist_mlp; do
    step "$emberlab" devices --bench "configs/train/$config.toml"
  done
fi
rm -rf "$artifacts"
exit "$failed"
