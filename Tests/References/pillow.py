"""Writes pillow/*.safetensors: what Pillow makes of seeded noise images. Run with Pillow, numpy and PyTorch installed:
    python3 pillow.py
Written with Pillow 9.4.0, numpy 1.24.2, PyTorch 1.13 on x86-64.
"""

import hashlib
import io
import pathlib

import numpy as np
import PIL
import torch
from PIL import Image, ImageEnhance

from safetensors_file import write

FOLDER = pathlib.Path(__file__).parent / "pillow"
LARGE = 40_000  # of a larger result only the SHA-256 is kept


def noise(height, width, channels, seed):
    """Byte i is the top byte of a hash of seed + i; NoiseImage.cs draws the same."""
    x = np.arange(height * width * channels, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(seed)
    x = (x ^ (x >> np.uint32(15))) * np.uint32(0x2C1B3C6D)
    x = (x ^ (x >> np.uint32(12))) * np.uint32(0x297A2D39)
    pixels = (x >> np.uint32(24)).astype(np.uint8).reshape(height, width, channels)
    return Image.fromarray(pixels if channels == 3 else pixels[:, :, 0])


def save(name, tensors):
    FOLDER.mkdir(exist_ok=True)
    versions = f"Pillow {PIL.__version__}, numpy {np.__version__}, PyTorch {torch.__version__}"
    write(FOLDER / name, tensors, {"source": versions})


def pixels_or_hash(image):
    raw = image.tobytes()
    if len(raw) > LARGE:
        return np.frombuffer(hashlib.sha256(raw).digest(), dtype=np.uint8)
    return np.frombuffer(raw, dtype=np.uint8)


def resize():
    tensors = {}
    for channels, sh, sw, th, tw in [
        (3, 900, 900, 256, 256), (3, 700, 1024, 256, 256), (3, 33, 33, 256, 256), (3, 37, 53, 29, 41),
        (3, 29, 41, 37, 53), (3, 64, 64, 64, 64), (3, 64, 50, 64, 25), (3, 50, 64, 25, 64), (3, 1, 1, 5, 7),
        (3, 1, 97, 3, 10), (3, 97, 1, 10, 3),
        (3, 83, 61, 1, 1), (3, 2, 3, 3, 2), (3, 11, 3001, 9, 7), (1, 900, 900, 256, 256), (1, 37, 53, 29, 41),
        (1, 1, 97, 3, 10),
    ]:
        image = noise(sh, sw, channels, seed=sh * 31 + sw)
        tensors[f"{channels}_{sh}x{sw}_{th}x{tw}"] = pixels_or_hash(image.resize((tw, th), Image.BILINEAR))
    save("resize.safetensors", tensors)


def colour():
    tensors = {}
    kinds = {"Brightness": ImageEnhance.Brightness, "Contrast": ImageEnhance.Contrast, "Saturation": ImageEnhance.Color}
    for channels in (3, 1):
        image = noise(23, 31, channels, seed=7)
        for kind, enhancer in kinds.items():
            for factor in ("0.8", "0.93", "1", "1.07", "1.2", "0", "2.5", "-0.5"):
                enhanced = enhancer(image).enhance(float(factor))
                tensors[f"{channels}_{kind}_{factor}"] = np.frombuffer(enhanced.tobytes(), np.uint8)
        tensors[f"{channels}_Grey_1"] = np.frombuffer(image.convert("L").tobytes(), np.uint8)
    save("colour.safetensors", tensors)


def preprocess():
    """Colour, resize, torchvision's center_crop, then ToTensor's and Normalize's float32 arithmetic."""
    tensors = {}
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    deviation = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    image = noise(61, 45, 3, seed=11)
    for kind, rh, rw, h, w in [
        ("None", 32, 32, 32, 32), ("Contrast", 32, 33, 25, 28), ("Grey", 48, 40, 24, 21),
        ("Saturation", 70, 31, 64, 31),
    ]:
        changed = {
            "None": lambda: image,
            "Contrast": lambda: ImageEnhance.Contrast(image).enhance(1.125),
            "Saturation": lambda: ImageEnhance.Color(image).enhance(0.875),
            "Grey": lambda: image.convert("L").convert("RGB"),
        }[kind]()
        resized = np.array(changed.resize((rw, rh), Image.BILINEAR))
        top, left = int(round((rh - h) / 2.0)), int(round((rw - w) / 2.0))
        x = torch.from_numpy(resized[top:top + h, left:left + w]).permute(2, 0, 1).to(torch.float32).div(255)
        tensors[f"{kind}_{rh}x{rw}_{h}x{w}"] = x.sub(mean).div(deviation).numpy()
    save("preprocess.safetensors", tensors)


def files():
    """Small files of every kind that Pillow writes, each with the RGB pixels that Pillow reads from it."""
    y, x = np.mgrid[0:13, 0:19]
    smooth = np.stack([x * 12 + y, 200 - x * 4 + y * 4, (x * y) % 97 * 2], axis=-1).astype(np.uint8)
    rgb = Image.fromarray(smooth)
    alpha = Image.fromarray((x * 13).astype(np.uint8))
    rgba = rgb.copy()
    rgba.putalpha(alpha)
    grey16 = Image.fromarray((x * 3449 + y * 257).astype(np.uint16))
    images = {
        "rgb": rgb, "grey": rgb.convert("L"), "bilevel": rgb.convert("1"), "palette": rgb.quantize(200),
        "palette16": rgb.quantize(16), "rgba": rgba, "greyalpha": rgba.convert("LA"), "grey16": grey16,
    }
    tensors = {}

    def add(name, kind, **options):
        file = io.BytesIO()
        image = images[name.split("-")[0]]
        image.save(file, kind, **options)
        extension = {"PNG": "png", "JPEG": "jpg", "TIFF": "tif", "BMP": "bmp", "PPM": "pnm"}[kind]
        read = Image.open(io.BytesIO(file.getvalue()))
        if image is grey16:  # Pillow's own conversion clips; 8 bits are round(v / 257)
            values = np.array(read).astype(np.int64)
            read = Image.fromarray(((2 * values + 257) // 514).astype(np.uint8))
        tensors[f"{name}.{extension}"] = np.frombuffer(file.getvalue(), np.uint8)
        tensors[f"{name}.{extension}.pixels"] = np.frombuffer(read.convert("RGB").tobytes(), np.uint8)

    for name in images:
        add(name, "PNG")
        add(name + "-raw", "TIFF", compression="raw")
    for name in ("rgb", "grey", "grey16", "palette", "rgba"):
        add(name + "-lzw", "TIFF", compression="tiff_lzw")
        add(name + "-deflate", "TIFF", compression="tiff_adobe_deflate")
        add(name + "-packbits", "TIFF", compression="packbits")
    for name in ("rgb", "grey", "bilevel", "palette", "palette16", "rgba"):
        add(name, "BMP")
    for name in ("rgb", "grey"):
        add(name, "PPM")
        add(name, "JPEG", quality=95, subsampling=0)
        add(name + "-progressive", "JPEG", quality=95, subsampling=0, progressive=True)
    gentle = np.stack([x * 12, 200 - x * 4 + y * 4, x * 6 + y * 6], axis=-1)
    images["gentle"] = Image.fromarray(gentle.astype(np.uint8))
    add("gentle-subsampled", "JPEG", quality=90, subsampling=2, comment=b"a comment",
        exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    save("files.safetensors", tensors)


if __name__ == "__main__":
    resize()
    colour()
    preprocess()
    files()
