"""Pillow's bilinear resize to 256 x 256, one thread: the peer of "Benchmarks resize", line by line."""

import time

import numpy
import PIL
from PIL import Image

SECONDS = 0.4

print(f"Pillow {PIL.__version__}")
random = numpy.random.default_rng(1)
for mode in "RGB", "L":
    for width, height in (256, 256), (1024, 1024), (2448, 2048):
        shape = (height, width, 3) if mode == "RGB" else (height, width)
        image = Image.fromarray(random.integers(0, 256, shape, dtype=numpy.uint8), mode)
        times = []
        first = time.perf_counter()
        while time.perf_counter() - first < SECONDS:
            start = time.perf_counter()
            image.resize((256, 256), Image.BILINEAR)
            times.append(1000 * (time.perf_counter() - start))
        times.sort()
        print(f"{mode} {width} x {height} -> 256 x 256: median {times[len(times) // 2]:.3f} ms, least {times[0]:.3f}")
