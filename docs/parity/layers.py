"""What both dump scripts share: run networks, keep the output of every convolution, write it as .npz."""
import numpy as np
import torch
from torch import nn

ENCODER_LAYERS, DECODER_LAYERS = 6, 8


def pixels(path, size=256):
    """The networks' input as torchvision's transforms make it: Pillow's bilinear resize, /255. [1, 3, size, size]"""
    from PIL import Image

    image = Image.open(path).convert("RGB").resize((size, size), Image.BILINEAR)
    return torch.from_numpy(np.asarray(image).copy()).permute(2, 0, 1)[None].float() / 255


def normalize(x):
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[None, :, None, None]) / deviation[None, :, None, None]


def names(role, convolutions):
    """How efficientad compare calls the convolutions of a network, in the order in which they run."""
    if role != "autoencoder":
        return [f"{role}.conv{i + 1}" for i in range(convolutions)]
    if convolutions != ENCODER_LAYERS + DECODER_LAYERS:
        raise SystemExit(f"An autoencoder has {ENCODER_LAYERS + DECODER_LAYERS} convolutions; this one has {convolutions}.")
    return ([f"{role}.enconv{i + 1}" for i in range(ENCODER_LAYERS)]
            + [f"{role}.deconv{i + 1}" for i in range(DECODER_LAYERS)])


def run(role, network, *inputs):
    """The network's output, and the output of each convolution: rectified, but for the last one and the bottleneck."""
    order = []
    hooks = [module.register_forward_hook(lambda _, __, y: order.append(y.detach().clone()))
             for module in network.modules() if isinstance(module, nn.Conv2d)]
    network.eval()
    with torch.no_grad():
        output = network(*inputs)
    for hook in hooks:
        hook.remove()
    layers = dict(zip(names(role, len(order)), order))
    linear = (list(layers)[-1], f"{role}.enconv{ENCODER_LAYERS}")
    return output, {name: y if name in linear else torch.relu(y) for name, y in layers.items()}


def save(path, arrays):
    """Uncompressed: efficientad reads the arrays where they lie."""
    np.savez(path, **{name: value.detach().cpu().float().numpy() for name, value in arrays.items()})
    print(f"{path}: {len(arrays)} arrays. Now: efficientad compare --model MODEL --dump {path}")
