"""Writes torch/networks.safetensors: outputs of whole networks as PyTorch computes them in double.
    python3 torch_networks.py
Written with PyTorch 1.13, numpy 1.24.2. Weights and inputs follow from `fill` and `image` in efficientad_torch.py: seed
1 for a teacher, 2 for a student, 3 for an autoencoder, 4 (stream 0) for the input, 5 (stream i, layer i) for dropout.
"""
import pathlib

import numpy as np
import torch

from efficientad_torch import Autoencoder, fill, image, mask_dropout, pdn
from safetensors_file import summary, write

# size, outputs, padded, n, h, w
PDNS = [
    ("small", 384, False, 1, 256, 256),
    ("small", 768, False, 1, 33, 33),
    ("small", 768, True, 2, 45, 38),
    ("medium", 384, False, 1, 33, 33),
    ("medium", 768, False, 1, 41, 50),
    ("medium", 384, True, 2, 37, 33),
]
# map size, dropout
AUTOENCODERS = [(56, False), (64, False), (56, True)]


def main():
    tensors = {"pdn.count": np.array([len(PDNS)]), "autoencoder.count": np.array([len(AUTOENCODERS)])}
    with torch.no_grad():
        for i, (size, outputs, padded, n, h, w) in enumerate(PDNS):
            network = fill(pdn(size, outputs, padded), seed=1 if outputs == 384 else 2)
            tensors[f"pdn.{i}.case"] = np.array([size == "medium", outputs, padded, n, h, w], dtype=np.int64)
            tensors |= summary(f"pdn.{i}.output", network(image(4, 0, n, 3, h, w)))
        for i, (size, dropout) in enumerate(AUTOENCODERS):
            network = fill(Autoencoder(size), seed=3)
            tensors[f"autoencoder.{i}.case"] = np.array([size, dropout], dtype=np.int64)
            output = network(image(4, 0, 1, 3, 256, 256), mask_dropout(5, 0) if dropout else None)
            tensors |= summary(f"autoencoder.{i}.output", output)
    for name, value in tensors.items():
        if name.endswith((".shape", ".norm")):
            print(name, value)
    write(pathlib.Path(__file__).parent / "torch" / "networks.safetensors", tensors,
          {"script": "torch_networks.py", "torch": torch.__version__})


if __name__ == "__main__":
    main()
