"""Writes a safetensors file: 8 bytes header length, JSON header, raw little-endian data."""
import json
import struct

import numpy as np

from counter_random import symmetric, uniform

NAMES = {"float32": "F32", "float64": "F64", "int64": "I64", "uint8": "U8"}


def write(path, tensors, metadata):
    header, offset, blobs = {"__metadata__": metadata}, 0, []
    for name, value in tensors.items():
        blob = np.ascontiguousarray(value).tobytes()
        header[name] = {"dtype": NAMES[str(value.dtype)], "shape": list(value.shape),
                        "data_offsets": [offset, offset + len(blob)]}
        offset += len(blob)
        blobs.append(blob)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(f"{path}: {len(tensors)} tensors, {8 + len(text) + offset} bytes")


SAMPLES = 128


def summary(name, value):
    """A large tensor in brief: samples at positions floor(u_j * count), u from seed 99 stream 0; its norm; and its
    product with the vector 2 u_i - 1, u from seed 99 stream 1, which an error at any place changes."""
    flat = np.asarray(value, dtype=np.float64).reshape(-1)
    positions = np.floor(uniform(99, 0, SAMPLES).astype(np.float64) * flat.size).astype(np.int64)
    direction = symmetric(99, 1, (flat.size,)).astype(np.float64)
    return {f"{name}.shape": np.array(np.shape(value), dtype=np.int64),
            f"{name}.samples": flat[positions].astype(np.float32),
            f"{name}.norm": np.array([np.linalg.norm(flat)]),
            f"{name}.projection": np.array([flat @ direction])}
