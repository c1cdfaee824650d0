"""Writes metrics/*.safetensors: metrics of seeded random scores and maps, most of them full of ties. Run with
    python3 metrics.py
Image metrics, the pixel AUROC and the regions come from scikit-learn and scikit-image; PRO and sPRO are computed the
slow way here, one threshold after the other, from their definitions. Written with scikit-learn 1.2.1, scikit-image
0.19.3, numpy 1.24.2 on x86-64.
"""

import json
import pathlib
import struct

import numpy as np
from skimage.measure import label
from sklearn.metrics import precision_recall_curve, roc_auc_score, roc_curve

FOLDER = pathlib.Path(__file__).parent / "metrics"
KINDS = {"uint8": "U8", "float32": "F32", "float64": "F64", "int64": "I64"}
LIMITS = (0.05, 0.3, 1.0)


def save(name, tensors):
    header, data = {}, b""
    # Wide types first, so that every tensor is aligned.
    for key, array in sorted(tensors.items(), key=lambda item: -item[1].dtype.itemsize):
        raw = np.ascontiguousarray(array).tobytes()
        header[key] = {
            "dtype": KINDS[array.dtype.name], "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(raw)]}
        data += raw
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    FOLDER.mkdir(exist_ok=True)
    (FOLDER / name).write_bytes(struct.pack("<Q", len(text)) + text + data)


def images():
    tensors = {}
    for case, (count, levels, seed) in enumerate([(2, 2, 1), (9, 3, 2), (60, 5, 3), (200, 17, 4), (150, 10**6, 5)]):
        random = np.random.default_rng(seed)
        labels = random.integers(0, 2, count).astype(np.uint8)
        labels[:2] = (0, 1)
        scores = (np.floor((random.normal(size=count) + labels) * levels / 4) / levels).astype(np.float32)
        false_positive_rates, true_positive_rates, thresholds = roc_curve(labels, scores, drop_intermediate=False)
        precision, recall, _ = precision_recall_curve(labels, scores)
        f1 = 2 * precision * recall / np.maximum(precision + recall, 1e-30)
        tensors |= {
            f"{case}.scores": scores, f"{case}.labels": labels,
            f"{case}.fpr": false_positive_rates, f"{case}.tpr": true_positive_rates, f"{case}.thresholds": thresholds[1:],
            f"{case}.auroc": np.array([roc_auc_score(labels, scores)]), f"{case}.f1_max": np.array([f1.max()]),
        }
    save("images.safetensors", tensors)


def area_under(rates, overlaps, limit):
    """Trapezoids between a dense list of points, cut by interpolation at the limit."""
    area = 0.0
    for x0, x1, y0, y1 in zip(rates, rates[1:], overlaps, overlaps[1:]):
        if x0 >= limit:
            break
        if x1 > limit:
            y1 = y0 + (y1 - y0) * (limit - x0) / (x1 - x0)
            x1 = limit
        area += (x1 - x0) * (y0 + y1) / 2
    return area / limit


def overlap_areas(maps, regions, marked):
    """regions: (map number, boolean array, saturation area)."""
    thresholds = np.unique(np.concatenate([m.ravel() for m in maps]))[::-1]
    unmarked = sum(int((~mark).sum()) for mark in marked)
    rates, overlaps = [0.0], [0.0]
    for threshold in thresholds:
        called = [m >= threshold for m in maps]
        rates.append(sum(int((c & ~mark).sum()) for c, mark in zip(called, marked)) / unmarked)
        overlaps.append(np.mean([min((called[i] & region).sum() / saturation, 1) for i, region, saturation in regions]))
    return np.array([area_under(rates, overlaps, limit) for limit in LIMITS])


def random_mask(random, height, width, blobs):
    mask = np.zeros((height, width), bool)
    for _ in range(blobs):
        y, x = random.integers(0, height), random.integers(0, width)
        mask[y:y + random.integers(1, 6), x:x + random.integers(1, 6)] = True
    return mask ^ (random.random((height, width)) < 0.03)  # specks and holes


def pixels():
    tensors = {}
    for case, (levels, seed) in enumerate([(4, 11), (40, 12), (10**6, 13)]):
        random = np.random.default_rng(seed)
        maps, marked, regions, sizes = [], [], [], []
        for i in range(7):
            height, width = random.integers(5, 24, 2)
            mask = random_mask(random, height, width, blobs=0 if i < 2 else i)
            if i < 2:
                mask[:] = False
            scores = (np.floor((random.normal(size=mask.shape) + 1.2 * mask) * levels / 4) / levels).astype(np.float32)
            labels = label(mask, connectivity=2)
            regions += [(i, labels == r, int((labels == r).sum())) for r in range(1, labels.max() + 1)]
            maps.append(scores), marked.append(mask), sizes.append((width, height))
        truth = np.concatenate([m.ravel() for m in marked])
        flat = np.concatenate([m.ravel() for m in maps])
        tensors |= {
            f"{case}.sizes": np.array(sizes, np.int64), f"{case}.scores": flat, f"{case}.masks": truth.astype(np.uint8),
            f"{case}.region_count": np.array([len(regions)], np.int64), f"{case}.auroc": np.array([roc_auc_score(truth, flat)]),
            f"{case}.pro": overlap_areas(maps, regions, marked),
        }
    save("pixels.safetensors", tensors)


SATURATION = {10: (0.5, True), 20: (9, False), 30: (1.0, True), 255: (1000, False)}  # as in PixelMetricsTests.cs


def saturated():
    """Several masks per image, which may overlap; a mask is one region however many parts it has."""
    tensors = {}
    for case, (levels, seed) in enumerate([(5, 21), (10**6, 22)]):
        random = np.random.default_rng(seed)
        maps, marked, regions, sizes, masks, mask_counts = [], [], [], [], [], []
        for i in range(8):
            height, width = random.integers(8, 24, 2)
            union = np.zeros((height, width), bool)
            mask_counts.append(0 if i < 3 else i - 2)
            for _ in range(mask_counts[-1]):
                mask = random_mask(random, height, width, blobs=2)
                value = int(random.choice(list(SATURATION)))
                threshold, relative = SATURATION[value]
                area = int(mask.sum())
                regions.append((i, mask, int(threshold * area) if relative else min(threshold, area)))
                masks.append(mask.astype(np.uint8) * value)
                union |= mask
            scores = (np.floor((random.normal(size=union.shape) + 1.2 * union) * levels / 4) / levels).astype(np.float32)
            maps.append(scores), marked.append(union), sizes.append((width, height))
        tensors |= {
            f"{case}.sizes": np.array(sizes, np.int64), f"{case}.scores": np.concatenate([m.ravel() for m in maps]),
            f"{case}.mask_counts": np.array(mask_counts, np.int64), f"{case}.masks": np.concatenate([m.ravel() for m in masks]),
            f"{case}.spro": overlap_areas(maps, regions, marked),
        }
    save("saturated.safetensors", tensors)


def components():
    tensors = {}
    for case, (height, width, density) in enumerate([(1, 1, 1.0), (1, 40, 0.5), (31, 1, 0.5), (40, 37, 0.35), (64, 50, 0.6)]):
        mask = (np.random.default_rng(31 + case).random((height, width)) < density).astype(np.uint8)
        tensors |= {
            f"{case}.size": np.array([width, height], np.int64), f"{case}.mask": mask,
            f"{case}.labels": label(mask, connectivity=2).astype(np.int64),
        }
    save("components.safetensors", tensors)


if __name__ == "__main__":
    images()
    pixels()
    saturated()
    components()
