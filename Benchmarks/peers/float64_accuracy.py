"""Scores and maps that 'efficientad evaluate' wrote, beside what PyTorch computes in float64 from the same model file.
    efficientad evaluate --model MODEL --data DIR --mode fast --out OUT/fast      (and precise, plain)
    python3 pytorch_accuracy.py --model MODEL --data DIR --evaluations OUT/fast OUT/precise OUT/plain

For models with the small or medium network, unpadded, map order `Reference` or `Aligned`, 256 x 256. Prints per evaluation the image
AUROC of both, how many pairs of a good and a defective image change their order, and the largest differences of scores
and of maps; a map's difference is in relation to the map's own spread (maximum less minimum).
"""
import argparse
import csv
import json
import pathlib
import struct
import sys

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image

sys.dont_write_bytecode = True
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "Tests" / "References"))
from efficientad_torch import Autoencoder, pdn  # noqa: E402

MEAN, DEVIATION = (torch.tensor(v).view(1, 3, 1, 1).double() for v in ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))


def read(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
        data = file.read()
    facts = header.pop("__metadata__")
    tensors = {}
    for name, entry in header.items():
        first, end = entry["data_offsets"]
        values = np.frombuffer(data[first:end], dtype="<f4").reshape(entry["shape"])
        tensors[name] = torch.from_numpy(values.astype(np.float64))
    return facts, tensors


def load(network, tensors, prefix):
    """Layers come in the same order in both."""
    names = [name for name in tensors if name.startswith(prefix) and name.endswith(".weight")]
    convolutions = [module for module in network.modules() if isinstance(module, torch.nn.Conv2d)]
    assert len(names) == len(convolutions), (prefix, names)
    order = sorted(names, key=lambda name: (0 if ".enconv" in name else 1, name))
    for name, layer in zip(order, convolutions):
        layer.weight.data, layer.bias.data = tensors[name], tensors[name.replace(".weight", ".bias")].reshape(-1)
    return network.double().eval()


def auroc(good, defective):
    order = np.sign(np.subtract.outer(defective, good))
    return float((order + 1).mean() / 2)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", required=True)
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--evaluations", type=pathlib.Path, nargs="+", required=True)
    parser.add_argument("--every", type=int, default=1, help="take one image of so many")
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)

    facts, tensors = read(arguments.model)
    fact = {name.removeprefix("efficientad."): value for name, value in facts.items()}
    order = fact["map_order"].lower()
    assert order in ("reference", "aligned") and fact["padding"].lower() == "unpadded", fact
    size = fact["network"].lower()
    teacher = load(pdn(size, 384), tensors, "teacher.")
    student = load(pdn(size, 768), tensors, "student.")
    autoencoder = load(Autoencoder(), tensors, "autoencoder.")
    mean, deviation = (tensors[name].view(1, -1, 1, 1) for name in ("teacher_mean", "teacher_std"))
    low_local, high_local, low_global, high_global = (float(fact[key]) for key in ("qa_st", "qb_st", "qa_ae", "qb_ae"))

    def exact(image):
        pixels = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)[None].double()
        assert pixels.shape[2:] == (256, 256), pixels.shape
        x = (pixels / 255 - MEAN) / DEVIATION
        target, guess, rebuilt = (teacher(x) - mean) / deviation, student(x), autoencoder(x)
        local = ((target - guess[:, :384]) ** 2).mean(1, keepdim=True)
        other = ((rebuilt - guess[:, 384:]) ** 2).mean(1, keepdim=True)
        combined = (0.05 * (local - low_local) / (high_local - low_local)
                    + 0.05 * (other - low_global) / (high_global - low_global))
        if order == "aligned":  # output (0, 0) sees the patch around pixel 16.5; outputs are 4 pixels apart
            combined = combined[0, 0].numpy()
            at = np.clip((np.arange(256) + 0.5 - 16.5) / 4, 0, combined.shape[0] - 1)
            low = np.minimum(at.astype(int), combined.shape[0] - 2)
            weights = np.zeros((256, combined.shape[0]))
            weights[np.arange(256), low], weights[np.arange(256), low + 1] = 1 - (at - low), at - low
            return weights @ combined @ weights.T
        return F.interpolate(F.pad(combined, [4] * 4), size=256, mode="bilinear", align_corners=False)[0, 0].numpy()

    paths = sorted((arguments.data / "test").glob("*/*.png"))[::arguments.every]
    good = np.array([path.parent.name == "good" for path in paths])
    with torch.no_grad():
        maps = [exact(Image.open(path)) for path in paths]
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
        score = np.abs(actual - expected) / (expected.max() - expected.min())
        worst = max(np.abs(a - e).max() / (e.max() - e.min()) for a, e in zip(ours, maps))
        norm = max(np.linalg.norm(a - e) / np.linalg.norm(e) for a, e in zip(ours, maps))
        print(f"{folder.name:>8}: AUROC {auroc(actual[good], actual[~good]):.6f}, {swaps} of {good.sum() * (~good).sum()} "
              f"pairs in another order; scores differ by at most {score.max():.2g} of their range; maps by at most "
              f"{worst:.2g} of a map's range, {norm:.2g} in the L2 norm")


if __name__ == "__main__":
    main()
