"""Writes torch/patch_features.safetensors: PatchCore's features of two random stages, in double, the long way: patches cut
out by unfold, the later stage's patches resized, adaptive pooling to 1024 per stage and to 384 in all.
    python3 torch_patch_features.py
Written with PyTorch 1.13, numpy 1.24.2. Case i draws its stages with seed i, streams 0 and 1.
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from counter_random import symmetric
from safetensors_file import write

# channels, height, width of the earlier stage, then of the later one
CASES = [(512, 4, 4, 1024, 2, 2), (128, 3, 5, 256, 2, 3), (8, 2, 1, 300, 1, 1)]


def patches(stage):
    """[1, c, h, w] -> [h * w, c, 3, 3]"""
    return F.unfold(stage, 3, padding=1)[0].T.reshape(-1, stage.shape[1], 3, 3)


def resized(cut, size, target):
    """The patches of a grid of `size`, resized to a grid of `target`: every (channel, row, column) is one small image."""
    maps = cut.reshape(*size, -1).permute(2, 0, 1).unsqueeze(1)
    maps = F.interpolate(maps, size=target, mode="bilinear", align_corners=False)
    return maps[:, 0].permute(1, 2, 0).reshape(-1, *cut.shape[1:])


def features(earlier, later):
    grid = earlier.shape[2:]
    both = [patches(earlier), resized(patches(later), later.shape[2:], grid)]
    pooled = torch.stack([F.adaptive_avg_pool1d(cut.reshape(len(cut), 1, -1), 1024)[:, 0] for cut in both], dim=1)
    pooled = F.adaptive_avg_pool1d(pooled.reshape(len(pooled), 1, -1), 384)[:, 0]
    return pooled.T.reshape(384, *grid)


def main():
    tensors = {"count": np.array([len(CASES)], dtype=np.int64)}
    for i, (c2, h2, w2, c3, h3, w3) in enumerate(CASES):
        earlier, later = (torch.from_numpy(symmetric(i, s, shape)).double()
                          for s, shape in enumerate([(1, c2, h2, w2), (1, c3, h3, w3)]))
        tensors[f"{i}.case"] = np.array(CASES[i], dtype=np.int64)
        tensors[f"{i}.features"] = features(earlier, later).numpy().astype(np.float32)
    write(pathlib.Path(__file__).parent / "torch" / "patch_features.safetensors", tensors,
          {"script": "torch_patch_features.py", "torch": torch.__version__})


if __name__ == "__main__":
    main()
