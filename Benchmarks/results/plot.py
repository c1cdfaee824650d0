"""python3 plot.py FOLDER: scaling.svg from the lines that "Benchmarks scaling" printed into scaling.txt, and benchmarks.svg
from the reports of BenchmarkDotNet, *-report-github.md. What is not there is not drawn."""

import pathlib
import re
import sys

import matplotlib

matplotlib.use("svg")
matplotlib.rcParams["svg.hashsalt"] = "efficientad"  # the same bytes every time
from matplotlib import pyplot  # noqa: E402

LINE = re.compile(r"(?P<size>\w+) (?P<mode>\w+), (?P<side>\d+) x \d+, (?P<threads>\d+) threads: (?P<ms>[\d.]+) ms, "
                  r"(?P<work>[\d.]+) G multiply-adds, (?P<rate>\d+) GFLOP/s")

UNITS = {"s": 1e3, "ms": 1, "\u03bcs": 1e-3, "\u00b5s": 1e-3, "us": 1e-3, "ns": 1e-6}
FIGURES = ("Mean", "Error", "StdDev", "Median")


def draw_scaling(folder):
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


def milliseconds(text):
    value, unit = text.replace(",", "").split()
    return float(value) * UNITS[unit]


def rows_of(report):
    """One (label, mean, deviation) a benchmark, in ms; those that failed are left out."""
    lines = [line for line in report.read_text(encoding="utf-8").splitlines() if line.startswith("|")]
    cells = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in lines]
    head, rows = cells[0], [dict(zip(cells[0], row)) for row in cells[2:]]
    shared = {name for name in head if len({row[name] for row in rows}) == 1}
    names = [name for name in head if name not in FIGURES and name not in shared]
    for row in rows:
        if row["Mean"] not in ("NA", ""):
            label = ", ".join(f"threads: {row[name]}" if name == "Threads" else row[name] for name in names)
            yield label, milliseconds(row["Mean"]), milliseconds(row["StdDev"])


def draw_reports(folder):
    reports = {path.name.split("-report")[0]: list(rows_of(path)) for path in sorted(folder.glob("*-report-github.md"))}
    reports = {name: rows for name, rows in reports.items() if rows}
    if not reports:
        return
    counts = [len(rows) + 2 for rows in reports.values()]
    figure, panels = pyplot.subplots(
        len(reports), 1, figsize=(8, 0.22 * sum(counts)), height_ratios=counts, layout="constrained", squeeze=False)
    for axes, (name, rows) in zip(panels[:, 0], reports.items()):
        labels, means, deviations = zip(*reversed(rows))
        bars = axes.barh(labels, means, xerr=deviations, height=0.7)
        axes.bar_label(bars, [f"{mean:,.0f}" if mean >= 1000 else f"{mean:.3g}" for mean in means], padding=4, fontsize=7)
        axes.set_title(f"{name.removesuffix('Benchmarks')}: ms, mean and standard deviation", fontsize=9)
        axes.set_xlim(0, 1.15 * max(mean + deviation for _, mean, deviation in rows))
        axes.tick_params(labelsize=7)
        axes.grid(axis="x", alpha=0.3)
    figure.savefig(folder / "benchmarks.svg", metadata={"Date": None})


folder = pathlib.Path(sys.argv[1])
if (folder / "scaling.txt").exists():
    draw_scaling(folder)
draw_reports(folder)
