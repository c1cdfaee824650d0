"""Writes torch/training.safetensors: training steps of EfficientAD-S as PyTorch computes them in double (minutes).
    python3 torch_training.py
Written with PyTorch 1.13, numpy 1.24.2. 256 x 256, batch 1, the same three images at every step. Weights and images
follow from `fill` and `image` in efficientad_torch.py: seed 1 teacher, 2 student, 3 autoencoder, 4 images (stream 0
image_st, 1 image_ae, 2 penalty). Dropout of step s = 0, 1, ... and layer i: seed 5, the stream of StepDraws.Dropout.
"""
import pathlib

import numpy as np
import torch

from efficientad_torch import Autoencoder, fill, image, mask_dropout, pdn
from safetensors_file import summary, write

STEPS = 5
DROPOUT = 3 << 56  # + 16 s + i: StepDraws' stream
NAMES = ("hard", "penalty", "autoencoder", "student_autoencoder")


def parameter_names(prefix, network):
    return [f"{prefix}.{i // 2}.{('weight', 'bias')[i % 2]}" for i, _ in enumerate(network.parameters())]


def main():
    student, autoencoder = fill(pdn("small", 768), seed=2), fill(Autoencoder(), seed=3)
    image_st, image_ae, penalty = (image(4, stream, 1, 3, 256, 256) for stream in range(3))
    tensors = {}
    with torch.no_grad():
        teacher = fill(pdn("small", 384), seed=1)
        features = teacher(image_st)
        # The statistics are stored, and used, as the float32 numbers that the library will read.
        mean, deviation = features.mean((0, 2, 3)).float(), features.std((0, 2, 3), unbiased=False).float()
        tensors["teacher.mean"], tensors["teacher.deviation"] = mean.numpy(), deviation.numpy()
        mean, deviation = (t.double().reshape(1, -1, 1, 1) for t in (mean, deviation))
        target_st, target_ae = (features - mean) / deviation, (teacher(image_ae) - mean) / deviation

    def losses(step):
        difference = (target_st - student(image_st)[:, :384]) ** 2
        threshold = torch.quantile(difference.detach().reshape(-1), 0.999)
        hard = difference[difference >= threshold].mean()
        prediction = autoencoder(image_ae, mask_dropout(5, DROPOUT + 16 * step))
        return threshold, (
            hard, (student(penalty)[:, :384] ** 2).mean(), ((target_ae - prediction) ** 2).mean(),
            ((prediction - student(image_ae)[:, 384:]) ** 2).mean())

    parameters = [*student.parameters(), *autoencoder.parameters()]
    names = parameter_names("student", student) + parameter_names("autoencoder", autoencoder)
    optimizer = torch.optim.Adam(parameters, lr=1e-4, betas=(0.9, 0.999), eps=1e-8, weight_decay=1e-5)
    history, thresholds = [], []
    for step in range(STEPS):
        threshold, parts = losses(step)
        history.append([part.item() for part in parts])
        thresholds.append(threshold.item())
        print(step, thresholds[-1], dict(zip(NAMES, history[-1])), flush=True)
        optimizer.zero_grad()
        sum(parts).backward()
        if step == 0:
            for name, parameter in zip(names, parameters):
                tensors |= summary(f"gradient.{name}", parameter.grad)
        optimizer.step()
    for name, parameter in zip(names, parameters):
        tensors |= summary(f"parameter.{name}", parameter.detach())
    tensors["losses"], tensors["thresholds"] = np.array(history), np.array(thresholds)
    write(pathlib.Path(__file__).parent / "torch" / "training.safetensors", tensors,
          {"script": "torch_training.py", "torch": torch.__version__, "losses": ",".join(NAMES)})


if __name__ == "__main__":
    main()
