#!/usr/bin/env bash
# Runs on a machine with an NVIDIA GPU and nothing of ours installed, inside the folder that "build.ps1 gpu-bundle" made:
# what the machine is, the tests on the GPU, our timings, and PyTorch's beside them where it is installed.
#
#   ./run-gpu-tests.sh [RESULTS]      the default is ./results; exit code 1 if a test failed
#
# RESULTS then belongs under Benchmarks/results/<card>/, with the commit that the bundle was made from.
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
results=$(mkdir -p "${1:-$here/results}" && cd "${1:-$here/results}" && pwd)
cd "$here"
export LD_LIBRARY_PATH="$here${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
# cuDNN and cuBLASLt as Python wheels brought them.
EFFICIENTAD_CUDA_LIBRARIES=$(python3 -c 'import site; print(":".join(site.getsitepackages()))' 2> /dev/null)
export EFFICIENTAD_CUDA_LIBRARIES
chmod +x efficientad EfficientAD.Tests Benchmarks

{
    date -u +%FT%TZ
    cat commit.txt
    nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.sm,clocks.max.mem,power.limit --format=csv
    uname -sr
    grep -m 1 'model name' /proc/cpuinfo
} > "$results/machine.txt" 2>&1
./efficientad devices --json > "$results/devices.json" 2> "$results/devices.log"

status=0
# Tests that need a GPU; then the simulator's, which ask the GPU for every result too.
timeout 300 ./EfficientAD.Tests -trait Gpu=needed > "$results/gpu-tests.txt" 2>&1 || status=1
timeout 120 ./EfficientAD.Tests -namespace EfficientAD.Tests.PtxSimulator.Instructions \
    > "$results/instruction-tests.txt" 2>&1 || status=1
tail -n 3 "$results/gpu-tests.txt" "$results/instruction-tests.txt"

# The whole way, as a user goes it: render, train, evaluate, report. The pictures are in demo/report.
timeout 240 ./efficientad demo --device cuda --minutes 1 --out "$results/demo" > "$results/demo.log" 2>&1 || status=1
tar -C "$results" -czf "$results/demo-report.tgz" demo/report 2> /dev/null

# Timings: ours, the peer, ours again, so that a change of clocks between them shows.
timeout 200 ./Benchmarks cuda > "$results/efficientad.txt" 2>&1
timeout 60 ./efficientad bench --device cuda --model "$results/demo/conveyor.safetensors" --frames 2000 --json \
    > "$results/latency.json" 2> "$results/latency.log"
if python3 -c 'import torch, sys; sys.exit(not torch.cuda.is_available())' 2> /dev/null; then
    for form in "--precision fp32" "--precision tf32" "--precision fp16 --channels-last" \
        "--precision fp16 --channels-last --graph"; do
        name=$(tr -dc 'a-z0-9' <<< "$form")
        # shellcheck disable=SC2086  # the form is several words
        timeout 120 python3 pytorch_step.py --device cuda $form --runs 5 --minimum-seconds 1 \
            --output "$results/pytorch-$name.json" > /dev/null 2> "$results/pytorch-$name.log"
    done
fi
timeout 200 ./Benchmarks cuda >> "$results/efficientad.txt" 2>&1
exit "$status"
