"""Scores and maps that 'efficientad evaluate' wrote, beside what NumPy computes in float64 from the same model file.
    efficientad evaluate --model MODEL --data DIR --mode fast --out OUT/fast      (and precise, plain)
    python3 float64_accuracy.py --model MODEL --data DIR --evaluations OUT/fast OUT/precise OUT/plain --exact FOLDER

The maps in float64 take seconds an image; FOLDER keeps them, so that a run that was stopped goes on and none repeats them.
NumPy should find an optimised BLAS: with the reference BLAS it is minutes an image.

For models with the small or medium network, unpadded, map order `Reference` or `Aligned`, 256 x 256. Prints per evaluation the image
AUROC of both, how many pairs of a good and a defective image change their order, and the largest differences of scores,
in relation to the score and to the range of all scores, and of maps, in relation to the map's own spread (maximum less
minimum) and in the L2 norm.
"""
import argparse
import csv
import json
import pathlib
import struct

import numpy as np
from PIL import Image

MEAN, DEVIATION = (np.array(v).reshape(3, 1, 1) for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))
DECODER_SIZES = (3, 8, 15, 32, 63, 127)


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    facts = {name.removeprefix("efficientad."): value for name, value in header.pop("__metadata__").items()}
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        tensors[name] = np.frombuffer(data[first:end], dtype="<f4").reshape(entry["shape"]).astype(np.float64)
    return facts, tensors


def layers(tensors, prefix):
    """Weights [outputs, inputs, ky, kx] and bias, from input to output."""
    names = [name for name in tensors if name.startswith(prefix) and name.endswith(".weight")]
    names.sort(key=lambda name: (0 if ".enconv" in name else 1, name))
    return [(tensors[name], tensors[name.replace(".weight", ".bias")].reshape(-1, 1, 1)) for name in names]


def convolve(x, layer, stride=1, padding=0, relu=False):
    """Matrix products with the patches of some rows at a time, which stay in the cache."""
    weights, bias = layer
    kernel = weights.shape[2]
    x = np.pad(x, ((0, 0), (padding, padding), (padding, padding)))
    patches = np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), (1, 2))[:, ::stride, ::stride]
    patches = patches.transpose(0, 3, 4, 1, 2)  # [inputs, ky, kx, y, x]
    height, width = patches.shape[3:]
    matrix = weights.reshape(len(weights), -1)
    y = np.empty((len(weights), height, width))
    rows = max(1, (1 << 20) // (matrix.shape[1] * width))
    for first in range(0, height, rows):
        some = patches[:, :, :, first:first + rows].reshape(matrix.shape[1], -1)
        y[:, first:first + rows] = (matrix @ some).reshape(len(weights), -1, width)
    y += bias
    return np.maximum(y, 0, out=y) if relu else y


def pool(x):
    height, width = x.shape[1] // 2, x.shape[2] // 2
    return x[:, :2 * height, :2 * width].reshape(len(x), height, 2, width, 2).mean((2, 4))


def pdn(x, network):
    for i, layer in enumerate(network[:-1]):
        x = convolve(x, layer, relu=True)
        if i < 2:
            x = pool(x)
    return convolve(x, network[-1])


def sums(x):
    """Over 3 x 3 places of a plane with a border of one."""
    height, width = x.shape[0] - 2, x.shape[1] - 2
    return sum(x[y:y + height, z:z + width] for y in range(3) for z in range(3))


def taps(source, target, first, step):
    """[target, source]: bilinear weights of samples at first, first + step, ... in pixels' centres; the border repeats."""
    at = np.clip(first + step * np.arange(target), 0, source - 1)
    low = np.minimum(at.astype(int), max(source - 2, 0))
    weights = np.zeros((target, source))
    weights[np.arange(target), low] = 1 - (at - low)
    if source > 1:
        weights[np.arange(target), low + 1] += at - low
    return weights


def resize(x, size):
    """As PyTorch's interpolate, bilinear, align_corners=False."""
    weights = taps(x.shape[-1], size, 0.5 * x.shape[-1] / size - 0.5, x.shape[-1] / size)
    return weights @ x @ weights.T


def autoencoder(x, network):
    for layer in network[:5]:
        x = convolve(x, layer, stride=2, padding=1, relu=True)
    x = convolve(x, network[5])
    for layer, size in zip(network[6:12], DECODER_SIZES):
        x = convolve(resize(x, size), layer, padding=2, relu=True)
    return convolve(convolve(resize(x, 56), network[12], padding=1, relu=True), network[13], padding=1)


def auroc(good, defective):
    order = np.sign(np.subtract.outer(defective, good))
    return float((order + 1).mean() / 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--evaluations", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--exact", type=pathlib.Path, required=True, help="folder for the maps in float64")
    parser.add_argument("--every", type=int, default=1, help="take one image of so many")
    arguments = parser.parse_args()

    fact, tensors = read(arguments.model)
    order = fact["map_order"].lower()
    assert order in ("reference", "aligned") and fact["padding"].lower() == "unpadded", fact
    teacher, student, encoder = (layers(tensors, prefix) for prefix in ("teacher.", "student.", "autoencoder."))
    mean, deviation = (tensors[name].reshape(-1, 1, 1) for name in ("teacher_mean", "teacher_std"))
    low_local, high_local, low_global, high_global = (float(fact[key]) for key in ("qa_st", "qb_st", "qa_ae", "qb_ae"))

    def exact(image):
        pixels = np.array(image.convert("RGB"), dtype=np.float64).transpose(2, 0, 1)
        assert pixels.shape[1:] == (256, 256), pixels.shape
        x = (pixels / 255 - MEAN) / DEVIATION
        target, guess, rebuilt = (pdn(x, teacher) - mean) / deviation, pdn(x, student), autoencoder(x, encoder)
        local = ((target - guess[:384]) ** 2).mean(0)
        other = ((rebuilt - guess[384:]) ** 2).mean(0)
        if "place_weights" in tensors:  # smoothed over 3 x 3 places; at the edges there are fewer
            weighed, around = np.pad(local * tensors["place_weights"][0, 0], 1), np.pad(np.ones_like(local), 1)
            local = sums(weighed) / sums(around)
        combined = (0.05 * (local - low_local) / (high_local - low_local)
                    + 0.05 * (other - low_global) / (high_global - low_global))
        if order == "aligned":  # output (0, 0) sees the patch around pixel 16.5; outputs are 4 pixels apart
            weights = taps(len(combined), 256, (0.5 - 16.5) / 4, 1 / 4)
            return weights @ combined @ weights.T
        return resize(np.pad(combined, 4), 256)

    paths = sorted((arguments.data / "test").glob("*/*.png"))[::arguments.every]
    good = np.array([path.parent.name == "good" for path in paths])
    maps = []
    arguments.exact.mkdir(parents=True, exist_ok=True)
    for path in paths:
        kept = arguments.exact / f"{path.parent.name}-{path.stem}.npy"
        if not kept.exists():
            partial = kept.with_suffix(".partial")
            with open(partial, "wb") as file:
                np.save(file, exact(Image.open(path)))
            partial.rename(kept)
        maps.append(np.load(kept))
    expected = np.array([m.max() for m in maps])
    print(f"{arguments.data.name}: {len(paths)} images; float64: AUROC {auroc(expected[good], expected[~good]):.6f}, "
          f"scores {expected.min():.4g} to {expected.max():.4g}")
    for folder in arguments.evaluations:
        with open(folder / "scores.csv") as file:
            scores = {tuple(pathlib.PurePath(row["path"]).parts[-2:]): float(row["score"]) for row in csv.DictReader(file)}
        actual = np.array([scores[path.parts[-2:]] for path in paths])
        ours = [np.asarray(Image.open(folder / "maps" / path.parent.name / f"{path.stem}.tiff")) for path in paths]
        swaps = np.sum(np.sign(np.subtract.outer(actual[~good], actual[good]))
                       != np.sign(np.subtract.outer(expected[~good], expected[good])))
        score = np.abs(actual - expected)
        relative, ranged = (score / np.abs(expected)).max(), score.max() / (expected.max() - expected.min())
        worst = max(np.abs(a - e).max() / (e.max() - e.min()) for a, e in zip(ours, maps))
        norm = max(np.linalg.norm(a - e) / np.linalg.norm(e) for a, e in zip(ours, maps))
        print(f"{folder.name:>8}: AUROC {auroc(actual[good], actual[~good]):.6f}, {swaps} of {good.sum() * (~good).sum()} "
              f"pairs in another order; scores differ by at most {relative:.2g} of the score, {ranged:.2g} of their "
              f"range; maps by at most {worst:.2g} of a map's range, {norm:.2g} in the L2 norm")


if __name__ == "__main__":
    main()
