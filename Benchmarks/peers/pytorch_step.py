"""PyTorch as the peer: one training step and one inference of EfficientAD at 256 x 256, batch 1, on the CPU, as
published implementations compute them.
    python3 pytorch_step.py --threads 2 [--size small medium] [--runs 7] [--minimum-seconds 2] [--output FILE.json]

A step: two teacher passes, three student passes with all 768 channels, the autoencoder with dropout, torch.quantile,
four losses, backward, Adam with weight decay. An inference: teacher, student and autoencoder on one image, both maps
scaled, combined and resized to 256 x 256. Inputs are on the host and preprocessed. Each run repeats its work until it
has taken the minimum time; the result is the median of the runs' means, with the smallest and the largest beside it.
"""
import argparse
import json
import pathlib
import platform
import statistics
import sys
import time

import torch
import torch.nn.functional as F

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "References"))
from efficientad_torch import Autoencoder, pdn  # noqa: E402

CHANNELS = 384


def training_step(size):
    teacher, student, autoencoder = pdn(size, CHANNELS).eval(), pdn(size, 2 * CHANNELS), Autoencoder()
    mean, deviation = torch.zeros(1, CHANNELS, 1, 1), torch.ones(1, CHANNELS, 1, 1)
    parameters = [*student.parameters(), *autoencoder.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=1e-4, weight_decay=1e-5)
    image_st, image_ae, penalty = torch.randn(3, 1, 3, 256, 256)

    def step():
        with torch.no_grad():
            target_st = (teacher(image_st) - mean) / deviation
        difference = (target_st - student(image_st)[:, :CHANNELS]) ** 2
        threshold = torch.quantile(difference, q=0.999)
        loss = torch.mean(difference[difference >= threshold]) + torch.mean(student(penalty)[:, :CHANNELS] ** 2)
        prediction = autoencoder(image_ae, lambda layer, x: F.dropout(x, 0.2))
        with torch.no_grad():
            target_ae = (teacher(image_ae) - mean) / deviation
        loss = loss + torch.mean((target_ae - prediction) ** 2)
        loss = loss + torch.mean((prediction - student(image_ae)[:, CHANNELS:]) ** 2)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return step


def inference(size):
    teacher, student, autoencoder = (n.eval() for n in (pdn(size, CHANNELS), pdn(size, 2 * CHANNELS), Autoencoder()))
    mean, deviation = torch.zeros(1, CHANNELS, 1, 1), torch.ones(1, CHANNELS, 1, 1)
    image = torch.randn(1, 3, 256, 256)

    @torch.no_grad()
    def detect():
        features, student_features = (teacher(image) - mean) / deviation, student(image)
        local_map = torch.mean((features - student_features[:, :CHANNELS]) ** 2, dim=1, keepdim=True)
        global_map = torch.mean((autoencoder(image) - student_features[:, CHANNELS:]) ** 2, dim=1, keepdim=True)
        combined = 0.5 * (0.1 * (local_map - 0.3) / 0.7) + 0.5 * (0.1 * (global_map - 0.3) / 0.7)
        return F.interpolate(F.pad(combined, (4, 4, 4, 4)), (256, 256), mode="bilinear").max().item()

    return detect


def measure(work, runs, minimum_seconds):
    for _ in range(2):  # PyTorch chooses its kernels and fills its caches
        work()
    means = []
    for _ in range(runs):
        start, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - start < minimum_seconds:
            work()
            count += 1
        means.append(1e3 * (time.perf_counter() - start) / count)
    return {"median_ms": statistics.median(means), "smallest_ms": min(means), "largest_ms": max(means), "runs": runs}


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--size", nargs="+", choices=("small", "medium"), default=("small", "medium"))
    parser.add_argument("--what", nargs="+", choices=("step", "inference"), default=("step", "inference"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--minimum-seconds", type=float, default=2.0)
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    capability = torch.__config__.show().split("CPU capability usage: ")[-1].split()[0]
    result = {"peer": "pytorch", "version": torch.__version__, "processor": processor(),
              "threads": torch.get_num_threads(), "cpu_capability": capability,
              "mkldnn": torch.backends.mkldnn.is_available(), "results": {}}
    for size in arguments.size:
        for what, prepare in (("step", training_step), ("inference", inference)):
            if what in arguments.what:
                figures = measure(prepare(size), arguments.runs, arguments.minimum_seconds)
                result["results"][f"{what}_{size}"] = figures
                print(f"{what} {size}: {figures['median_ms']:.1f} ms", file=sys.stderr, flush=True)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
