"""Draws scaling.svg from the lines that "Benchmarks scaling" printed into scaling.txt: python3 plot.py FOLDER."""

import pathlib
import re
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "efficientad"  # the same bytes every time
from matplotlib import pyplot  # noqa: E402

LINE = re.compile(r"(?P<size>\w+) (?P<mode>\w+), (?P<side>\d+) x \d+, (?P<threads>\d+) threads: (?P<ms>[\d.]+) ms, "
                  r"(?P<work>[\d.]+) G multiply-adds, (?P<rate>\d+) GFLOP/s")

folder = pathlib.Path(sys.argv[1])
series = {}
for line in (folder / "scaling.txt").read_text().splitlines():
    found = LINE.match(line)
    if found and found["size"] == "Small" and found["mode"] == "Fast":
        series.setdefault(int(found["threads"]), []).append((int(found["side"]), float(found["ms"]), float(found["rate"])))

figure, (time, rate) = pyplot.subplots(1, 2, figsize=(9, 3.4), layout="constrained")
for threads, points in sorted(series.items()):
    sides, milliseconds, rates = zip(*sorted(points))
    label = f"{threads} thread{'s' if threads > 1 else ''}"
    time.plot(sides, milliseconds, marker="o", label=label)
    rate.plot(sides, rates, marker="o", label=label)
time.set(xscale="log", yscale="log", xlabel="side of the input, pixels", ylabel="ms per image", title="EfficientAD-S, fast")
rate.set(xscale="log", ylim=(0, None), xlabel="side of the input, pixels", ylabel="effective GFLOP/s")
for axes in time, rate:
    ticks = sorted({side for points in series.values() for side, *_ in points})
    axes.set_xticks(ticks, [str(tick) for tick in ticks])
    axes.minorticks_off()
    axes.grid(alpha=0.3)
    axes.legend(frameon=False)
figure.savefig(folder / "scaling.svg", metadata={"Date": None})
