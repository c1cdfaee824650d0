"""The networks of EfficientAD (paper, tables 5 to 7) in PyTorch, for reference values and as the peer in benchmarks."""
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from counter_random import symmetric, uniform

DECODER_SIZES = (3, 8, 15, 32, 63, 127)


def pdn(size, outputs, padded=False):
    """Teacher (384 outputs) or student (768); size is "small" or "medium"."""
    wide, narrow, one = (3, 1, 1) if padded else (0, 0, 0)
    pool = dict(kernel_size=2, stride=2, padding=one, count_include_pad=True)
    width = 128 if size == "small" else 256
    layers = [nn.Conv2d(3, width, 4, padding=wide), nn.ReLU(), nn.AvgPool2d(**pool),
              nn.Conv2d(width, 2 * width, 4, padding=wide), nn.ReLU(), nn.AvgPool2d(**pool)]
    if size == "small":
        layers += [nn.Conv2d(256, 256, 3, padding=narrow), nn.ReLU(), nn.Conv2d(256, outputs, 4)]
    else:
        layers += [nn.Conv2d(512, 512, 1), nn.ReLU(), nn.Conv2d(512, 512, 3, padding=narrow), nn.ReLU(),
                   nn.Conv2d(512, outputs, 4), nn.ReLU(), nn.Conv2d(outputs, outputs, 1)]
    return nn.Sequential(*layers)


class Autoencoder(nn.Module):
    def __init__(self, size=56):
        super().__init__()
        self.size = size
        self.encoder = nn.ModuleList(
            [nn.Conv2d(i, o, 4, stride=2, padding=1) for i, o in ((3, 32), (32, 32), (32, 64), (64, 64), (64, 64))]
            + [nn.Conv2d(64, 64, 8)])
        self.decoder = nn.ModuleList([nn.Conv2d(64, 64, 4, padding=2) for _ in DECODER_SIZES])
        self.last = nn.ModuleList([nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 384, 3, padding=1)])

    def forward(self, x, dropout=None):
        """dropout maps (layer, activations) to dropped activations; None switches it off."""
        for layer in self.encoder[:-1]:
            x = F.relu(layer(x))
        x = self.encoder[-1](x)
        for i, (layer, extent) in enumerate(zip(self.decoder, DECODER_SIZES)):
            x = F.relu(layer(F.interpolate(x, size=extent, mode="bilinear", align_corners=False)))
            if dropout is not None:
                x = dropout(i, x)
        x = F.interpolate(x, size=self.size, mode="bilinear", align_corners=False)
        return self.last[1](F.relu(self.last[0](x)))


def fill(network, seed):
    """Parameter t (weight, bias, weight, ... from input to output) is uniform in +-bound from stream t; the bound of a
    bias is 1 / sqrt(fan_in), that of a weight sqrt(6 / fan_in): rectified activations keep their scale."""
    with torch.no_grad():
        for stream, parameter in enumerate(network.parameters()):
            if parameter.dim() == 4:
                fan_in = parameter[0].numel()
                bound = np.sqrt(6 / fan_in)
            else:
                bound = 1 / np.sqrt(fan_in)
            parameter.copy_(torch.from_numpy(symmetric(seed, stream, tuple(parameter.shape), bound)))
    return network.double()


def image(seed, stream, *shape):
    """Uniform in +-sqrt(3): the variance of a normalised image."""
    return torch.from_numpy(symmetric(seed, stream, shape, np.sqrt(3))).double()


def mask_dropout(seed, first_stream, rate=0.2):
    """Dropout of layer i by stream first_stream + i: value k is dropped where draw k is below the rate."""
    def apply(layer, x):
        kept = uniform(seed, first_stream + layer, x.numel()) >= np.float32(rate)
        return x * torch.from_numpy(kept.reshape(x.shape).astype(np.float64) / (1 - np.float64(np.float32(rate))))
    return apply
