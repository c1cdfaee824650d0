"""Writes published/*: weight files as PyTorch writes them, in the layouts of nelson1425/EfficientAD and anomalib, and what
the networks in them compute.
    python3 published_weights.py
Written with PyTorch 1.13, numpy 1.24.2. The networks have their real sizes; their parameters are overlapping views of
one storage of a few thousand numbers, which torch.save keeps as such, so that the files stay small. Of the ONNX model
the large weights are cut out; the tests put them back from the checkpoint, which holds the same.
"""
import collections
import enum
import io
import pathlib
import struct
import sys
import types
import warnings

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from counter_random import symmetric, uniform
from efficientad_torch import DECODER_SIZES, image
from safetensors_file import summary, write

FOLDER = pathlib.Path(__file__).parent / "published"
AMPLITUDE = 0.06          # activations neither vanish nor explode over any of the layers
STRIDES = (1, 3, 37, 11)  # of weights: all different, so that a mix-up changes the values


# The classes, under the names by which the files refer to them.

class SmallPatchDescriptionNetwork(nn.Module):
    def __init__(self, outputs):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(3, 128, 4), nn.Conv2d(128, 256, 4)
        self.conv3, self.conv4 = nn.Conv2d(256, 256, 3), nn.Conv2d(256, outputs, 4)
        self.avgpool1, self.avgpool2 = nn.AvgPool2d(2, 2), nn.AvgPool2d(2, 2)

    def forward(self, x):
        x = self.avgpool1(F.relu(self.conv1(normalized(x))))
        x = self.avgpool2(F.relu(self.conv2(x)))
        return self.conv4(F.relu(self.conv3(x)))


class Encoder(nn.Module):
    def __init__(self):
        super().__init__()
        for i, (inputs, outputs) in enumerate(((3, 32), (32, 32), (32, 64), (64, 64), (64, 64)), start=1):
            setattr(self, f"enconv{i}", nn.Conv2d(inputs, outputs, 4, stride=2, padding=1))
        self.enconv6 = nn.Conv2d(64, 64, 8)

    def forward(self, x):
        for i in range(1, 6):
            x = F.relu(getattr(self, f"enconv{i}")(x))
        return self.enconv6(x)


class Decoder(nn.Module):
    def __init__(self):
        super().__init__()
        for i in range(1, 7):
            setattr(self, f"deconv{i}", nn.Conv2d(64, 64, 4, padding=2))
        self.deconv7, self.deconv8 = nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 384, 3, padding=1)

    def forward(self, x):
        for i, size in enumerate(DECODER_SIZES, start=1):
            x = F.relu(getattr(self, f"deconv{i}")(F.interpolate(x, size=(size, size), mode="bilinear")))
        x = F.interpolate(x, size=(56, 56), mode="bilinear")
        return self.deconv8(F.relu(self.deconv7(x)))


class AutoEncoder(nn.Module):
    def __init__(self):
        super().__init__()
        self.encoder, self.decoder = Encoder(), Decoder()

    def forward(self, x):
        return self.decoder(self.encoder(normalized(x)))


class EfficientAdModel(nn.Module):
    def __init__(self):
        super().__init__()
        self.pad_maps = True
        self.teacher, self.student = SmallPatchDescriptionNetwork(384), SmallPatchDescriptionNetwork(768)
        self.ae = AutoEncoder()
        zeros = torch.zeros(1, 384, 1, 1)
        self.mean_std = nn.ParameterDict({"mean": zeros, "std": zeros.clone()})
        self.quantiles = nn.ParameterDict({name: torch.tensor(0.0) for name in ("qa_st", "qb_st", "qa_ae", "qb_ae")})

    def maps(self, x):
        teacher = (self.teacher(x) - self.mean_std["mean"]) / self.mean_std["std"]
        student = self.student(x)
        local = (teacher - student[:, :384]).pow(2).mean(1, keepdim=True)
        globally = (self.ae(x) - student[:, 384:]).pow(2).mean(1, keepdim=True)
        return [F.interpolate(F.pad(m, (4, 4, 4, 4)), size=(256, 256), mode="bilinear") for m in (local, globally)]

    def forward(self, x):
        local, globally = self.maps(x)
        q = self.quantiles
        local = 0.1 * (local - q["qa_st"]) / (q["qb_st"] - q["qa_st"])
        globally = 0.1 * (globally - q["qa_ae"]) / (q["qb_ae"] - q["qa_ae"])
        combined = 0.5 * local + 0.5 * globally
        return combined, torch.amax(combined, dim=(-2, -1))


class PostProcessor(nn.Module):
    def __init__(self, threshold, low, high):
        super().__init__()
        values = dict(_image_threshold=threshold, _pixel_threshold=0.9 * threshold, image_min=low, image_max=high,
                      pixel_min=1.1 * low, pixel_max=1.1 * high)
        for name, value in values.items():
            self.register_buffer(name, torch.tensor(float(value)))

    def forward(self, prediction):
        anomaly_map, score = prediction
        score = (score - self._image_threshold) / (self.image_max - self.image_min) + 0.5
        anomaly_map = (anomaly_map - self._pixel_threshold) / (self.pixel_max - self.pixel_min) + 0.5
        return score.clamp(0, 1), anomaly_map.clamp(0, 1)


class Resize(nn.Module):
    def __init__(self):
        super().__init__()
        self.size, self.max_size, self.antialias = [256, 256], None, True


class Compose(nn.Module):
    def __init__(self):
        super().__init__()
        self.transforms = [Resize()]


class PreProcessor(nn.Module):
    def __init__(self):
        super().__init__()
        self.transform = Compose()


class EfficientAd(nn.Module):
    def __init__(self, model, post_processor):
        super().__init__()
        self.pre_processor, self.model, self.post_processor = PreProcessor(), model, post_processor
        self.model_size = EfficientAdModelSize.S
        self.callbacks = [self.post_processor]

    def forward(self, x):
        return self.post_processor(self.model(x))


class InferenceModel(nn.Module):
    def __init__(self, model):
        super().__init__()
        self.model, self.transform = model, Compose()


class AttributeDict(dict):
    pass


class EfficientAdModelSize(str, enum.Enum):
    M, S = "medium", "small"


def place(module, *classes):
    parent = None
    for depth in range(1, len(module.split(".")) + 1):
        name = ".".join(module.split(".")[:depth])
        sys.modules.setdefault(name, types.ModuleType(name))
    for one in classes:
        one.__module__ = module
        setattr(sys.modules[module], one.__name__, one)


place("anomalib.models.image.efficient_ad.torch_model", SmallPatchDescriptionNetwork, Encoder, Decoder, AutoEncoder,
      EfficientAdModel, EfficientAdModelSize)
place("anomalib.models.image.efficient_ad.lightning_model", EfficientAd)
place("anomalib.post_processing.one_class", PostProcessor)
place("anomalib.pre_processing.pre_processor", PreProcessor)
place("anomalib.deploy.export", InferenceModel)
place("torchvision.transforms.v2._container", Compose)
place("torchvision.transforms.v2._geometry", Resize)
place("lightning.fabric.utilities.data", AttributeDict)


def normalized(x):
    mean, deviation = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    return (x - mean[None, :, None, None].to(x.dtype)) / deviation[None, :, None, None].to(x.dtype)


def share(network, seed):
    """Parameter t becomes a view of one storage: weights with STRIDES from value t on, biases contiguous."""
    views = []
    for t, parameter in enumerate(network.parameters()):
        strides = STRIDES if parameter.dim() == 4 else (1,)
        views.append((parameter, t, tuple(parameter.shape), strides))
    count = 1 + max(t + sum((n - 1) * s for n, s in zip(shape, strides)) for _, t, shape, strides in views)
    storage = torch.from_numpy(symmetric(seed, 0, (count,), AMPLITUDE))
    for parameter, t, shape, strides in views:
        parameter.data = torch.as_strided(storage, shape, strides, t)
    return network


def sequential_pdn(source):
    layers = [nn.Sequential(source.conv1, nn.ReLU(inplace=True), nn.AvgPool2d(2, 2), source.conv2, nn.ReLU(inplace=True),
                            nn.AvgPool2d(2, 2), source.conv3, nn.ReLU(inplace=True), source.conv4)]
    return layers[0]


def sequential_autoencoder(source):
    layers = []
    for i in range(1, 7):
        layers += [getattr(source.encoder, f"enconv{i}"), nn.ReLU(inplace=True)]
    layers.pop()
    for i, size in enumerate(DECODER_SIZES, start=1):
        layers += [nn.Upsample(size=size, mode="bilinear"), getattr(source.decoder, f"deconv{i}"), nn.ReLU(inplace=True),
                   nn.Dropout(0.2)]
    layers += [nn.Upsample(size=56, mode="bilinear"), source.decoder.deconv7, nn.ReLU(inplace=True),
               source.decoder.deconv8]
    return nn.Sequential(*layers)


def medium_teacher():
    return share(nn.Sequential(nn.Conv2d(3, 256, 4), nn.ReLU(), nn.AvgPool2d(2, 2), nn.Conv2d(256, 512, 4), nn.ReLU(),
                               nn.AvgPool2d(2, 2), nn.Conv2d(512, 512, 1), nn.ReLU(), nn.Conv2d(512, 512, 3), nn.ReLU(),
                               nn.Conv2d(512, 384, 4), nn.ReLU(), nn.Conv2d(384, 384, 1)), seed=12)


def picture(index):
    """8-bit noise, 256 x 256 x 3, as the tests draw it."""
    return np.floor(uniform(13, index, 256 * 256 * 3) * np.float32(256)).astype(np.uint8).reshape(256, 256, 3)


def as_input(pixels):
    return torch.from_numpy(pixels).permute(2, 0, 1)[None].double() / 255


def layer_outputs(network, x):
    """Every convolution's output, rectified unless it is the last of an encoder or network."""
    outputs, hooks = {}, []
    names = [name for name, module in network.named_modules() if isinstance(module, nn.Conv2d)]
    for name, module in network.named_modules():
        if isinstance(module, nn.Conv2d):
            linear = name == names[-1] or name.endswith("enconv6")
            hooks.append(module.register_forward_hook(
                lambda _, __, y, name=name, linear=linear:
                outputs.__setitem__(name.split(".")[-1], y.clone() if linear else F.relu(y))))
    network(x)
    for hook in hooks:
        hook.remove()
    return outputs


def without_source(*_):
    return ["# left out"], 0, "left out"


def checkpoint(model, whole):
    """What Lightning writes: weights among much else."""
    state = collections.OrderedDict((name, value.detach()) for name, value in whole.state_dict().items())
    state._metadata = getattr(whole.state_dict(), "_metadata", None)
    moments = {i: {"step": torch.tensor(7.0), "exp_avg": torch.zeros(1), "exp_avg_sq": torch.zeros(1)} for i in range(2)}
    return {
        "epoch": 0, "global_step": 70000, "pytorch-lightning_version": "2.4.0", "state_dict": state,
        "loops": {"fit_loop": {"state_dict": {}, "epoch_progress": {"total": {"ready": 1, "completed": 0}}}},
        "callbacks": {"ModelCheckpoint{'monitor': None}": {"best_model_score": None, "dirpath": "results", "kth_value": torch.tensor(0.5)}},
        "optimizer_states": [{"state": moments, "param_groups": [{"lr": 1e-4, "betas": (0.9, 0.999), "params": [0, 1]}]}],
        "lr_schedulers": [{"step_size": 66500, "gamma": 0.1, "_last_lr": [1e-4]}],
        "hparams_name": "kwargs",
        "hyper_parameters": AttributeDict(teacher_out_channels=384, model_size=EfficientAdModelSize.S, padding=False,
                                          pad_maps=True, lr=1e-4, imagenet_dir=pathlib.PurePosixPath("datasets")),
    }


def strip_onnx(model, largest):
    """The ONNX file without the raw_data (field 9) of initialisers of more than `largest` bytes."""
    def varint(data, at):
        value = shift = 0
        while True:
            value |= (data[at] & 0x7F) << shift
            shift, at = shift + 7, at + 1
            if data[at - 1] < 0x80:
                return value, at

    def encode(value):
        out = b""
        while value >= 0x80:
            out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
        return out + bytes([value])

    def fields(data):
        at = 0
        while at < len(data):
            begin = at
            tag, at = varint(data, at)
            if tag & 7 == 2:
                length, at = varint(data, at)
                yield tag >> 3, data[at:at + length], data[begin:at + length]
                at += length
            else:
                at = varint(data, at)[1] if tag & 7 == 0 else at + (8 if tag & 7 == 1 else 4)
                yield tag >> 3, None, data[begin:at]

    def field(number, content):
        return encode(number << 3 | 2) + encode(len(content)) + content

    def tensor(data):
        return b"".join(raw for number, content, raw in fields(data) if number != 9 or len(content) <= largest)

    def graph(data):
        return b"".join(field(5, tensor(content)) if number == 5 else raw for number, content, raw in fields(data))

    return b"".join(field(7, graph(content)) if number == 7 else raw for number, content, raw in fields(model))


def main():
    FOLDER.mkdir(exist_ok=True)
    torch.serialization.get_source_lines_and_file = without_source
    torch.set_grad_enabled(False)
    warnings.simplefilter("ignore")
    model = EfficientAdModel().eval()
    for part, seed in ((model.teacher, 9), (model.student, 10), (model.ae, 11)):
        share(part, seed)
    tensors = {}

    # What the networks compute.
    x = image(4, 0, 1, 3, 33, 33)
    for name in ("teacher", "student"):
        network = sequential_pdn(getattr(model, name)).double()
        for layer, output in layer_outputs(network, x).items():
            number = {"0": 1, "3": 2, "6": 3, "8": 4}[layer]
            tensors |= summary(f"{name}.conv{number}", output)
        network.float()
    wide = sequential_autoencoder(model.ae).eval().double()
    places = [0, 2, 4, 6, 8, 10, 12, 16, 20, 24, 28, 32, 36, 38]
    outputs = layer_outputs(wide, image(4, 0, 1, 3, 256, 256))
    for index, layer in enumerate(places):
        name = f"enconv{index + 1}" if index < 6 else f"deconv{index - 5}"
        # Numbered layers don't say which one is linear; the bottleneck is.
        value = wide[:11](image(4, 0, 1, 3, 256, 256)) if layer == 10 else outputs[str(layer)]
        tensors |= summary(f"autoencoder.{name}", value)
    wide.float()
    medium = medium_teacher()
    for i, (layer, output) in enumerate(layer_outputs(medium.double(), x).items(), start=1):
        tensors |= summary(f"medium.conv{i}", output)
    medium = medium_teacher()
    share(model.teacher, 9), share(model.student, 10), share(model.ae, 11)

    # nelson1425/EfficientAD: a teacher's state dict, students and autoencoders as whole modules; both formats.
    torch.save(sequential_pdn(model.teacher).state_dict(), FOLDER / "teacher_small.pth")
    torch.save(medium.state_dict(), FOLDER / "teacher_medium.pth", _use_new_zipfile_serialization=False)
    torch.save(sequential_pdn(model.student).eval(), FOLDER / "student_final.pth")
    torch.save(sequential_autoencoder(model.ae).eval(), FOLDER / "autoencoder_final.pth", _use_new_zipfile_serialization=False)

    # What its script finds out about them on ten images: the split, the teacher's statistics, the quantiles.
    pictures = [as_input(picture(i)) for i in range(10)]
    order = torch.randperm(10, generator=torch.Generator().manual_seed(42)).tolist()
    tensors["reference.order"] = np.array(order, dtype=np.int64)
    big = torch.randperm(1000, generator=torch.Generator().manual_seed(42)).numpy()
    tensors["reference.order_of_1000"] = big.astype(np.int64)
    double = EfficientAdModel().eval()
    for part, seed in ((double.teacher, 9), (double.student, 10), (double.ae, 11)):
        share(part, seed)
    double = double.double()
    features = [double.teacher(pictures[i]) for i in sorted(order[:9])]
    mean = torch.stack([f.mean(dim=[0, 2, 3]) for f in features]).mean(0)[None, :, None, None]
    deviation = torch.stack([((f - mean) ** 2).mean(dim=[0, 2, 3]) for f in features]).mean(0)[None, :, None, None].sqrt()
    tensors["reference.mean"], tensors["reference.deviation"] = mean.flatten().float().numpy(), deviation.flatten().float().numpy()
    held_back = pictures[order[9]]
    student = double.student(held_back)
    local = (((double.teacher(held_back) - mean) / deviation - student[:, :384]) ** 2).mean(1)
    globally = ((double.ae(held_back) - student[:, 384:]) ** 2).mean(1)
    tensors["reference.quantiles"] = np.array([torch.quantile(m, q).item() for m in (local, globally) for q in (0.9, 0.995)])

    # anomalib: the same networks, calibrated on the held-back image.
    model.mean_std.update({"mean": mean.float(), "std": deviation.float()})
    double.mean_std.update({"mean": mean.float().double(), "std": deviation.float().double()})
    quantiles = {name: torch.quantile(m, q).float() for (m, name, q) in zip(
        [m for m in double.maps(held_back) for _ in range(2)], ("qa_st", "qb_st", "qa_ae", "qb_ae"), (0.9, 0.995) * 2)}
    model.quantiles.update(quantiles)
    double.quantiles.update({name: value.double() for name, value in quantiles.items()})
    combined, score = double(pictures[3])
    tensors |= summary("anomalib.map", combined)
    tensors["anomalib.score"] = score.flatten().numpy()
    tensors["anomalib.quantiles"] = np.array([value.item() for value in quantiles.values()])
    threshold, low, high = 0.8 * score.item(), -0.25, 1.5 * score.item()
    tensors["anomalib.threshold"] = np.array([np.float32(threshold), np.float32(low), np.float32(high)], dtype=np.float64)
    whole = EfficientAd(model, PostProcessor(threshold, low, high)).eval()
    torch.save(checkpoint(model, whole), FOLDER / "anomalib_2.ckpt")
    torch.save({"model": whole}, FOLDER / "anomalib_2.pt")
    metadata = {"task": "segmentation", "image_threshold": threshold, "pixel_threshold": 0.5 * threshold,
                "pred_scores.min": low, "pred_scores.max": high}
    torch.save({"model": InferenceModel(model), "metadata": metadata}, FOLDER / "anomalib_1.pt",
               _use_new_zipfile_serialization=False)

    # anomalib's pretrained teacher, each layer in another type.
    halves = collections.OrderedDict()
    for (name, value), kind in zip(model.teacher.state_dict().items(), 2 * (torch.float16, torch.bfloat16, torch.float64, torch.float32)):
        halves[name] = share_as(value, kind)
    torch.save(halves, FOLDER / "pretrained_teacher_small.pth")

    stream = io.BytesIO()
    torch.onnx.export(whole, (torch.zeros(1, 3, 256, 256),), stream, opset_version=14, input_names=["input"],
                      output_names=["pred_score", "anomaly_map"], dynamic_axes={"input": {0: "batch_size"}})
    (FOLDER / "anomalib_2.onnx").write_bytes(strip_onnx(stream.getvalue(), largest=2048))

    values = symmetric(14, 0, (2, 3, 4), 2.0)
    np.savez(FOLDER / "arrays.npz", single=values, double=values.astype(np.float64), half=values.astype(np.float16),
             fortran=np.asfortranarray(values), big_endian=values.astype(">f4"), scalar=np.float32(1.5))
    np.savez_compressed(FOLDER / "compressed.npz", single=np.zeros(1000, dtype=np.float32))
    write(FOLDER / "published.safetensors", tensors, {"script": "published_weights.py", "torch": torch.__version__})
    for path in sorted(FOLDER.iterdir()):
        print(path.name, path.stat().st_size)


def share_as(value, kind):
    """The same view of a storage of another type."""
    flat = torch.as_strided(value, (value.storage().size(),), (1,), 0).to(kind)
    return torch.as_strided(flat, value.shape, value.stride(), value.storage_offset())


if __name__ == "__main__":
    main()
