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
# The end of what a command tells, and how long it took.
timed() {
  local began=$EPOCHREALTIME told
  told=$("$@" 2>&1)
  local code=$?
  tail -n 12 <<<"$told"
  awk -v a="$began" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.2f s\n", b - a }'
  return "$code"
}

{ nvidia-smi -L || echo "nvidia-smi finds no GPU: the times are those of whatever device $device takes"; } 2>&1
lscpu | grep -E '^(Model name|CPU\(s\)|Flags)' || true
step cargo build --release -p emberlab --features "$features"
emberlab=target/release/emberlab

# The kernels against a reference on the processor, and by themselves.
step cargo test --release -p emberlab-fused --features "$device" gpu::
step cargo bench -p emberlab-fused --features "$device" --bench gpu -- "${1:-1}"

# Whole comparisons of 1024 networks and of 10 000: training, metrics of every epoch, run folders, the data of the report.
artifacts=$(mktemp -d)
lab() { "$emberlab" --artifacts "$artifacts" "$@"; }
for seeds in 64 625; do
  step timed lab compare benches/stack.toml --device "$device" --stack 1024 --baselines none \
    --set "seeds=$seeds" --set "name=stack$seeds"
done

# One network alone: its step by each engine on every device of this build, on one thread of the processor.
for config in iris digits_binary moons; do
  step lab devices --bench "configs/train/$config.toml"
done

# Where the data are at hand: a step of the convolutional network and of two large ones, an epoch of the first beside all
# cores of the processor, and its accuracy after six.
if [ -n "${EMBERLAB_DATA_DIR:-}" ]; then
  for config in mnist_convnet mnist_batchnorm mnist_mlp; do
    step lab devices --bench "configs/train/$config.toml"
  done
  convnet=(train configs/train/mnist_convnet.toml --dashboard quiet)
  step timed lab "${convnet[@]}" --device "$device" --run gpu --set training.num_epochs=1
  step timed lab "${convnet[@]}" --device flex --threads "$(nproc)" --run cpu --set training.num_epochs=1
  step timed lab "${convnet[@]}" --device "$device" --run six --set training.num_epochs=6
fi
rm -rf "$artifacts"
exit "$failed"
