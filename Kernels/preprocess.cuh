// A camera's pixels, and the fixed-point sums of a resize as Pillow does it.
#pragma once

constexpr int fraction_bits = 22;

struct Pixel { int red, green, blue; };

// A pixel has 1, 3 or 4 bytes; red and blue are its bytes `red` and `blue`, green the second one (grey: all the first).
__device__ __forceinline__ Pixel load(const unsigned char* pixel, int pixel_bytes, int red, int blue) {
    return {pixel[red], pixel[pixel_bytes == 1 ? 0 : 1], pixel[blue]};
}

__device__ __forceinline__ unsigned to_byte(unsigned sum) { return min(sum >> fraction_bits, 255u); }
