"""Writes torch/operations.safetensors: single operations and their gradients as PyTorch computes them in double.
    python3 torch_operations.py
Written with PyTorch 1.13, numpy 1.24.2. Inputs are not stored: case i of an operation draws them from CounterRandom
with seed i, from the streams that the functions below pass to `draw`.
"""
import pathlib

import numpy as np
import torch
import torch.nn.functional as F

from counter_random import symmetric, uniform
from safetensors_file import write

TENSORS = {}


def draw(seed, stream, *shape, scale=1.0):
    return torch.from_numpy(symmetric(seed, stream, shape, scale)).double().requires_grad_()


def keep(name, value):
    TENSORS[name] = np.asarray(value.detach() if torch.is_tensor(value) else value).astype(np.float32)


def case(name, *numbers):
    TENSORS[name] = np.array(numbers, dtype=np.int64)


def convolution(i, n, ci, h, w, co, kernel, stride, padding, relu):
    fan_in = ci * kernel * kernel
    x, weight = draw(i, 0, n, ci, h, w), draw(i, 1, co, ci, kernel, kernel, scale=1 / np.sqrt(fan_in))
    bias = draw(i, 2, co)
    y = F.conv2d(x, weight, bias, stride, padding)
    assert y.abs().min() > 1e-5, "an output too near the rectifier's kink: take another seed"
    y = F.relu(y) if relu else y
    y.backward(draw(i, 3, *y.shape))
    case(f"convolution.{i}.case", n, ci, h, w, co, kernel, stride, padding, relu)
    keep(f"convolution.{i}.output", y)
    for name, value in dict(input=x, weight=weight, bias=bias).items():
        keep(f"convolution.{i}.{name}_gradient", value.grad)


def average_pool(i, n, c, h, w, padding):
    x = draw(i, 0, n, c, h, w)
    y = F.avg_pool2d(x, 2, 2, padding, count_include_pad=True)
    y.backward(draw(i, 1, *y.shape))
    case(f"average_pool.{i}.case", n, c, h, w, padding)
    keep(f"average_pool.{i}.output", y)
    keep(f"average_pool.{i}.input_gradient", x.grad)


def resize(i, n, c, h, w, to_h, to_w):
    x = draw(i, 0, n, c, h, w)
    y = F.interpolate(x, size=(to_h, to_w), mode="bilinear", align_corners=False)
    y.backward(draw(i, 1, *y.shape))
    case(f"resize.{i}.case", n, c, h, w, to_h, to_w)
    keep(f"resize.{i}.output", y)
    keep(f"resize.{i}.input_gradient", x.grad)


def quantile(i, n, count, levels, nan, q):
    """levels > 0 rounds the values down to multiples of 1 / levels: ties. nan puts a NaN into the last sample."""
    values = uniform(i, 0, n * count).reshape(n, count)
    if levels:
        values = np.floor(values * np.float32(levels)) / np.float32(levels)
    if nan:
        values[-1, count // 2] = np.nan
    case(f"quantile.{i}.case", n, count, levels, nan)
    keep(f"quantile.{i}.q", [q])
    keep(f"quantile.{i}.output", torch.quantile(torch.from_numpy(values).double(), q, dim=1))


def hard_loss(i, n, c, h, w, levels, q):
    teacher, student = draw(i, 0, n, c, h, w).detach(), draw(i, 1, n, c, h, w).detach()
    if levels:
        teacher, student = torch.floor(teacher * levels) / levels, torch.floor(student * levels) / levels
    student.requires_grad_()
    difference = (teacher - student) ** 2
    thresholds = torch.quantile(difference.reshape(n, -1), q, dim=1)
    loss = torch.stack([d[d >= t].mean() for d, t in zip(difference, thresholds)]).mean()
    loss.backward()
    case(f"hard_loss.{i}.case", n, c, h, w, levels)
    for name, value in dict(q=[q], threshold=thresholds, loss=loss.reshape(1), gradient=student.grad).items():
        keep(f"hard_loss.{i}.{name}", value)


def squared_error(i, n, c, h, w, pair):
    a, b = draw(i, 0, n, c, h, w), draw(i, 1, n, c, h, w)
    loss = F.mse_loss(a, b) if pair else (a ** 2).mean()
    loss.backward()
    case(f"squared_error.{i}.case", n, c, h, w, pair)
    keep(f"squared_error.{i}.loss", loss.reshape(1))
    keep(f"squared_error.{i}.a_gradient", a.grad)
    if pair:
        keep(f"squared_error.{i}.b_gradient", b.grad)


def adam(i, count, learning_rate, decay, zero_gradient):
    """Five steps; the gradient of step s = 1 .. 5 is stream s."""
    parameter = draw(i, 0, count)
    optimizer = torch.optim.Adam([parameter], lr=learning_rate, betas=(0.9, 0.999), eps=1e-8, weight_decay=decay)
    case(f"adam.{i}.case", count, zero_gradient)
    TENSORS[f"adam.{i}.settings"] = np.array([learning_rate, decay])
    for step in range(1, 6):
        parameter.grad = torch.zeros(count).double() if zero_gradient else draw(i, step, count, scale=0.01).detach()
        optimizer.step()
        state = optimizer.state[parameter]
        keep(f"adam.{i}.parameter.{step}", parameter)
        keep(f"adam.{i}.first_moment.{step}", state["exp_avg"])
        keep(f"adam.{i}.second_moment.{step}", state["exp_avg_sq"])


CONVOLUTIONS = [
    (1, 1, 1, 1, 1, 1, 1, 0, False),     # smallest
    (2, 3, 9, 7, 5, 3, 1, 1, True),      # nothing divides anything
    (1, 3, 11, 13, 4, 4, 1, 0, True),    # the first layer of the PDN
    (2, 5, 6, 9, 7, 4, 1, 3, True),      # its padded variant
    (1, 3, 10, 14, 6, 4, 2, 1, True),    # the encoder
    (1, 3, 9, 11, 6, 4, 2, 1, False),    # stride 2 that leaves a row and a column over
    (2, 7, 8, 8, 9, 8, 1, 0, False),     # the bottleneck
    (3, 6, 5, 4, 10, 1, 1, 0, True),     # 1 x 1
    (1, 4, 5, 3, 3, 4, 1, 2, True),      # the decoder
    (1, 2, 4, 4, 3, 4, 2, 3, False),     # more padding than image
    (1, 2, 5, 9, 3, 3, 3, 0, False),     # stride beyond the kernel's reach
    (1, 17, 6, 35, 33, 3, 1, 1, True),   # one more than the vector widths
]
POOLS = [
    (1, 1, 2, 2, 0), (1, 1, 1, 1, 1), (2, 3, 5, 7, 0), (2, 3, 5, 7, 1), (1, 2, 4, 6, 1), (1, 5, 9, 4, 0),
    (1, 2, 3, 39, 1)]
RESIZES = [
    (1, 1, 1, 1, 1, 1), (1, 2, 1, 1, 3, 3), (2, 3, 4, 4, 8, 8), (1, 2, 9, 9, 15, 15), (2, 3, 5, 7, 11, 13),
    (1, 2, 33, 33, 63, 63), (1, 1, 64, 64, 28, 28), (1, 2, 5, 7, 5, 7), (1, 2, 12, 7, 3, 20), (1, 1, 6, 2, 1, 1)]
QUANTILES = [
    (1, 1, 0, 0, 0.5), (3, 11, 0, 0, 0.5), (2, 10, 0, 0, 0.999), (2, 1001, 0, 0, 0.9), (1, 20011, 0, 0, 0.999),
    (2, 997, 5, 0, 0.9), (1, 64, 1, 0, 0.5), (2, 50, 0, 1, 0.9), (1, 100, 0, 0, 0.0), (1, 100, 0, 0, 1.0),
    (1, 300007, 0, 0, 0.995)]
HARD_LOSSES = [
    (1, 1, 1, 1, 0, 0.999), (1, 3, 5, 7, 0, 0.9), (2, 4, 9, 9, 0, 0.99), (3, 2, 6, 5, 4, 0.9),
    (1, 16, 12, 11, 0, 0.999), (2, 1, 3, 3, 1, 0.5)]
SQUARED_ERRORS = [(1, 1, 1, 1, True), (2, 3, 5, 7, True), (1, 5, 11, 13, False)]
ADAMS = [(37, 1e-4, 1e-5, False), (19, 1e-2, 0.0, False), (19, 1e-3, 0.0, True), (33, 1e-3, 1e-2, True)]

if __name__ == "__main__":
    for operation, cases in [
            (convolution, CONVOLUTIONS), (average_pool, POOLS), (resize, RESIZES), (quantile, QUANTILES),
            (hard_loss, HARD_LOSSES), (squared_error, SQUARED_ERRORS), (adam, ADAMS)]:
        case(f"{operation.__name__}.count", len(cases))
        for index, numbers in enumerate(cases):
            operation(index, *numbers)
    folder = pathlib.Path(__file__).parent / "torch"
    folder.mkdir(exist_ok=True)
    write(folder / "operations.safetensors", TENSORS, {"script": "torch_operations.py", "torch": torch.__version__})
