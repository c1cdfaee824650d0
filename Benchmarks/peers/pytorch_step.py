"""PyTorch as the peer: one training step and one inference of EfficientAD at 256 x 256, as published implementations
compute them.
    python3 pytorch_step.py --threads 2 [--size small medium] [--runs 7] [--minimum-seconds 2] [--output FILE.json]
    python3 pytorch_step.py --threads 2 --size small --what step --serve
    python3 pytorch_step.py --device cuda --precision fp16 --channels-last --graph [--batch 16]

A step: two teacher passes, three student passes with all 768 channels, the autoencoder with dropout, torch.quantile,
four losses, backward, Adam with weight decay; images are on the device. An inference: from preprocessed images in the
host's memory (pinned, for a GPU) through teacher, student and autoencoder to the maps, scaled, combined, resized to
256 x 256 and back on the host. Each run repeats its work until it has taken the minimum time; the result is the median
of the runs' means, with the smallest and the largest beside it.

--serve: one call for each line of the input, answered by a line; "Benchmarks paired-step" takes turns with it.
--precision fp16: half weights and activations at inference, automatic mixed precision with loss scaling in training.
--graph: the work is one captured CUDA graph; the hard loss is then a masked mean, since a captured shape is fixed.
The CUDA variants were written without a GPU at hand: the results folder says where they ran.
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
here = pathlib.Path(__file__).resolve()  # in a bundle the networks lie beside this file
sys.path.insert(0, str(here.parents[2] / "Tests" / "References" if here.parent.name == "peers" else here.parent))
from efficientad_torch import Autoencoder, pdn  # noqa: E402

CHANNELS = 384


def prepared(network, arguments):
    network = network.to(arguments.device)
    return network.to(memory_format=torch.channels_last) if arguments.channels_last else network


def images(arguments, count):
    x = torch.randn(count, arguments.batch, 3, 256, 256, device=arguments.device)
    layout = torch.channels_last if arguments.channels_last else torch.contiguous_format
    return [image.contiguous(memory_format=layout) for image in x]


def statistics_of_teacher(arguments):
    shape = (1, CHANNELS, 1, 1)
    return torch.zeros(shape, device=arguments.device), torch.ones(shape, device=arguments.device)


def captured(work, setup_calls=3):
    """The work as one CUDA graph. It must read and write the same tensors at every call."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(setup_calls):
            work()
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        work()
    return graph.replay


def training_step(size, arguments):
    half = arguments.precision == "fp16"
    teacher = prepared(pdn(size, CHANNELS).eval(), arguments)
    student, autoencoder = prepared(pdn(size, 2 * CHANNELS), arguments), prepared(Autoencoder(), arguments)
    mean, deviation = statistics_of_teacher(arguments)
    parameters = [*student.parameters(), *autoencoder.parameters()]
    options = {"capturable": True} if arguments.graph else {}
    optimizer = torch.optim.Adam(parameters, lr=1e-4, weight_decay=1e-5, **options)
    scaler = torch.cuda.amp.GradScaler(enabled=half)
    image_st, image_ae, penalty = images(arguments, 3)

    def hard_loss(difference):
        threshold = torch.quantile(difference, q=0.999)
        if arguments.graph:
            mask = (difference >= threshold).to(difference.dtype)
            return (difference * mask).sum() / mask.sum()
        return torch.mean(difference[difference >= threshold])

    def step():
        optimizer.zero_grad(set_to_none=not arguments.graph)
        with torch.autocast("cuda", torch.float16, enabled=half):
            with torch.no_grad():
                target_st = (teacher(image_st) - mean) / deviation
            difference = (target_st - student(image_st)[:, :CHANNELS]).float() ** 2
            loss = hard_loss(difference) + torch.mean(student(penalty)[:, :CHANNELS].float() ** 2)
            prediction = autoencoder(image_ae, lambda layer, x: F.dropout(x, 0.2))
            with torch.no_grad():
                target_ae = (teacher(image_ae) - mean) / deviation
            loss = loss + torch.mean((target_ae - prediction).float() ** 2)
            loss = loss + torch.mean((prediction - student(image_ae)[:, CHANNELS:]).float() ** 2)
        scaler.scale(loss).backward()
        scaler.step(optimizer)
        scaler.update()

    return captured(step) if arguments.graph else step


def inference(size, arguments):
    kind = torch.float16 if arguments.precision == "fp16" else torch.float32
    networks = pdn(size, CHANNELS), pdn(size, 2 * CHANNELS), Autoencoder()
    teacher, student, autoencoder = (prepared(network.eval(), arguments).to(kind) for network in networks)
    mean, deviation = (x.to(kind) for x in statistics_of_teacher(arguments))
    on_gpu = arguments.device == "cuda"
    host = torch.randn(arguments.batch, 3, 256, 256, dtype=kind, pin_memory=on_gpu)
    host_map = torch.empty(arguments.batch, 1, 256, 256, pin_memory=on_gpu)
    image, = images(arguments, 1)
    image = image.to(kind)

    @torch.no_grad()
    def detect():
        image.copy_(host, non_blocking=True)
        features, student_features = (teacher(image) - mean) / deviation, student(image)
        local_map = torch.mean((features - student_features[:, :CHANNELS]) ** 2, dim=1, keepdim=True)
        global_map = torch.mean((autoencoder(image) - student_features[:, CHANNELS:]) ** 2, dim=1, keepdim=True)
        combined = 0.5 * (0.1 * (local_map - 0.3) / 0.7) + 0.5 * (0.1 * (global_map - 0.3) / 0.7)
        host_map.copy_(F.interpolate(F.pad(combined, (4, 4, 4, 4)), (256, 256), mode="bilinear"), non_blocking=True)

    work = captured(detect) if arguments.graph else detect

    def frame():
        work()
        if on_gpu:
            torch.cuda.synchronize()
        return host_map.amax((1, 2, 3))

    return frame


def measure(work, runs, minimum_seconds, wait):
    for _ in range(2):  # PyTorch chooses its kernels and fills its caches
        work()
    wait()
    means = []
    for _ in range(runs):
        start, count = time.perf_counter(), 0
        while count == 0 or time.perf_counter() - start < minimum_seconds:
            work()
            wait()
            count += 1
        means.append(1e3 * (time.perf_counter() - start) / count)
    return {"median_ms": statistics.median(means), "smallest_ms": min(means), "largest_ms": max(means), "runs": runs}


def serve(work, wait):
    for _ in sys.stdin:
        work()
        wait()
        print("done", flush=True)


def processor():
    try:
        lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--threads", type=int, default=0, help="on the CPU; 0 leaves PyTorch's choice")
    parser.add_argument("--batch", type=int, default=1)
    parser.add_argument("--precision", choices=("fp32", "tf32", "fp16"), default="fp32", help="tf32, fp16: CUDA only")
    parser.add_argument("--channels-last", action="store_true")
    parser.add_argument("--graph", action="store_true", help="CUDA only")
    parser.add_argument("--size", nargs="+", choices=("small", "medium"), default=("small", "medium"))
    parser.add_argument("--what", nargs="+", choices=("step", "inference"), default=("step", "inference"))
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--minimum-seconds", type=float, default=2.0)
    parser.add_argument("--serve", action="store_true", help="with one size and one kind of work")
    parser.add_argument("--output", type=pathlib.Path)
    arguments = parser.parse_args()
    on_gpu = arguments.device == "cuda"
    if not on_gpu and (arguments.precision != "fp32" or arguments.graph):
        parser.error("--precision and --graph are for --device cuda")
    if arguments.serve and (len(arguments.size) > 1 or len(arguments.what) > 1):
        parser.error("--serve needs one --size and one --what")
    if arguments.threads > 0:
        torch.set_num_threads(arguments.threads)
    torch.backends.cudnn.benchmark = True
    torch.backends.cudnn.allow_tf32 = torch.backends.cuda.matmul.allow_tf32 = arguments.precision == "tf32"
    torch.manual_seed(0)
    capability = torch.__config__.show().split("CPU capability usage: ")[-1].split()[0]
    result = {"peer": "pytorch", "version": torch.__version__, "processor": torch.cuda.get_device_name() if on_gpu else processor(),
              "precision": arguments.precision, "batch": arguments.batch,
              "channels_last": arguments.channels_last, "graph": arguments.graph, "threads": torch.get_num_threads(), "cpu_capability": capability,
              "mkldnn": torch.backends.mkldnn.is_available(), "results": {}}
    for size in arguments.size:
        for what, prepare in (("step", training_step), ("inference", inference)):
            if what in arguments.what:
                work, wait = prepare(size, arguments), torch.cuda.synchronize if on_gpu else lambda: None
                if arguments.serve:
                    return serve(work, wait)
                figures = measure(work, arguments.runs, arguments.minimum_seconds, wait)
                result["results"][f"{what}_{size}"] = figures
                print(f"{what} {size}: {figures['median_ms']:.1f} ms", file=sys.stderr, flush=True)
    text = json.dumps(result, indent=2)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n")


if __name__ == "__main__":
    main()
