"""The library's CounterRandom (Philox 4x32, 10 rounds) in numpy, so that inputs and weights need not be stored."""
import numpy as np


def uniform(seed, stream, count):
    """Draws 0 .. count - 1 of a stream, uniform in [0, 1), multiples of 2^-24."""
    block = np.arange((count + 3) // 4, dtype=np.uint64)
    low, shift = np.uint64(0xFFFFFFFF), np.uint64(32)
    a, b = block & low, block >> shift
    c, d = (np.full_like(block, word) for word in (stream & 0xFFFFFFFF, stream >> 32))
    key0, key1 = seed & 0xFFFFFFFF, seed >> 32
    for _ in range(10):
        product0, product1 = np.uint64(0xD2511F53) * a, np.uint64(0xCD9E8D57) * c
        a, b = (product1 >> shift) ^ b ^ np.uint64(key0), product1 & low
        c, d = (product0 >> shift) ^ d ^ np.uint64(key1), product0 & low
        key0, key1 = (key0 + 0x9E3779B9) & 0xFFFFFFFF, (key1 + 0xBB67AE85) & 0xFFFFFFFF
    words = np.stack([a, b, c, d], axis=1).reshape(-1)[:count]
    return (words >> np.uint64(8)).astype(np.float32) * np.float32(2.0 ** -24)


def symmetric(seed, stream, shape, scale=1.0):
    """scale * (2 u - 1): 2 u - 1 is exact in float32, so the product is rounded once, on either side alike."""
    u = uniform(seed, stream, int(np.prod(shape)))
    return (np.float32(scale) * (np.float32(2) * u - np.float32(1))).reshape(shape)
