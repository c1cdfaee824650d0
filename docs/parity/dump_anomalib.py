"""Writes what anomalib's EfficientAd puts out for an image, for `efficientad compare`.
    python3 dump_anomalib.py --image part.png --model model.ckpt --out layers.npz
The model is a checkpoint or what Engine.export wrote as torch (.pt); anomalib must be installed. torch.load runs what a
pickle says: use only files that you trust (efficientad itself runs nothing). The image is resized as Pillow does it;
anomalib resizes tensors, which differs by rounding.
"""
import argparse

import torch
import torch.nn.functional as F

from layers import normalize, pixels, run, save


def find(module):
    """The model with teacher, student and ae, at whatever depth."""
    for part in module.modules():
        if all(hasattr(part, name) for name in ("teacher", "student", "ae")):
            return part.float().eval()
    raise SystemExit("This is no EfficientAd of anomalib: nothing in it has a teacher, a student and an ae.")


def load(path):
    content = torch.load(path, map_location="cpu", weights_only=False)
    if "state_dict" not in content:
        return find(content["model"])
    from anomalib.models.image.efficient_ad.torch_model import EfficientAdModel

    weights = {name[len("model."):]: value for name, value in content["state_dict"].items() if name.startswith("model.")}
    size = "medium" if "teacher.conv6.weight" in weights else "small"
    choices = content.get("hyper_parameters", {})
    model = EfficientAdModel(teacher_out_channels=384, model_size=size,
                             padding=choices.get("padding", False), pad_maps=choices.get("pad_maps", True))
    model.load_state_dict(weights)
    return find(model)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--image", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--out", default="layers.npz")
    options = parser.parse_args()
    x, model = pixels(options.image), load(options.model)
    # anomalib's networks normalise their input themselves; ours are given it normalised.
    arrays = {"input": normalize(x)}
    teacher, layers = run("teacher", model.teacher, x)
    arrays |= layers
    student, layers = run("student", model.student, x)
    arrays |= layers
    try:
        autoencoder, layers = run("autoencoder", model.ae, x, x.shape[-2:])
    except TypeError:  # before version 1 the decoder knew its size
        autoencoder, layers = run("autoencoder", model.ae, x)
    arrays |= layers
    with torch.no_grad():
        teacher = (teacher - model.mean_std["mean"]) / model.mean_std["std"]
        maps = [((teacher - student[:, :384]) ** 2).mean(1, keepdim=True), ((autoencoder - student[:, 384:]) ** 2).mean(1, keepdim=True)]
        if getattr(model, "pad_maps", True):
            maps = [F.pad(one, (4, 4, 4, 4)) for one in maps]
        local, globally = (F.interpolate(one, size=x.shape[-2:], mode="bilinear") for one in maps)
        arrays |= {"local_map": local, "global_map": globally}
        q = model.quantiles
        combined = (0.05 * (local - q["qa_st"]) / (q["qb_st"] - q["qa_st"])
                    + 0.05 * (globally - q["qa_ae"]) / (q["qb_ae"] - q["qa_ae"]))
        arrays["score"] = combined.max()
    save(options.out, arrays)


if __name__ == "__main__":
    main()
