"""Writes what the networks of nelson1425/EfficientAD put out for an image, for `efficientad compare`.
    python3 dump_reference.py --image part.png --out layers.npz [--teacher teacher_final.pth] [--student student_final.pth]
        [--autoencoder autoencoder_final.pth]
Give whole modules, as its script saves them. Of the published teachers, which are state dicts, the network is built
here. torch.load runs what a pickle says: use only files that you trust (efficientad itself runs nothing).
"""
import argparse

import torch
from torch import nn

from layers import normalize, pixels, run, save


def teacher_of(weights):
    """The patch description network that a state dict belongs to, by the places of its layers."""
    medium = "10.weight" in weights
    width = weights["0.weight"].shape[0]
    layers = [nn.Conv2d(3, width, 4), nn.ReLU(), nn.AvgPool2d(2, 2), nn.Conv2d(width, 2 * width, 4), nn.ReLU(), nn.AvgPool2d(2, 2)]
    if medium:
        layers += [nn.Conv2d(512, 512, 1), nn.ReLU(), nn.Conv2d(512, 512, 3), nn.ReLU(), nn.Conv2d(512, 384, 4), nn.ReLU(), nn.Conv2d(384, 384, 1)]
    else:
        layers += [nn.Conv2d(256, 256, 3), nn.ReLU(), nn.Conv2d(256, 384, 4)]
    network = nn.Sequential(*layers)
    network.load_state_dict(weights)
    return network


def load(path):
    try:
        content = torch.load(path, map_location="cpu", weights_only=False)
    except TypeError:  # before PyTorch 1.13 there was no such choice
        content = torch.load(path, map_location="cpu")
    return content.float() if isinstance(content, nn.Module) else teacher_of(content)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", required=True)
    parser.add_argument("--out", default="layers.npz")
    roles = ("teacher", "student", "autoencoder")
    for role in roles:
        parser.add_argument(f"--{role}")
    options = parser.parse_args()
    x = normalize(pixels(options.image))
    arrays = {"input": x}
    for role in roles:
        path = getattr(options, role)
        if path is not None:
            arrays |= run(role, load(path), x)[1]
    save(options.out, arrays)


if __name__ == "__main__":
    main()
