// A camera's pixels, changes of their colours, and the fixed-point sums of a resize as Pillow does it.
#pragma once

constexpr int fraction_bits = 22;

struct Pixel { int red, green, blue; };

// A pixel has 1, 3 or 4 bytes; red and blue are its bytes `red` and `blue`, green the second one (grey: all the first).
__device__ __forceinline__ Pixel load(const unsigned char* pixel, int pixel_bytes, int red, int blue) {
    return {pixel[red], pixel[pixel_bytes == 1 ? 0 : 1], pixel[blue]};
}

__device__ __forceinline__ unsigned to_byte(unsigned sum) { return min(sum >> fraction_bits, 255u); }

enum Adjustment { none, brightness, contrast, saturation, grey };  // as ColourAdjustmentKind

// ITU-R 601 in 16-bit fixed point, rounded.
__device__ __forceinline__ int luma_of(Pixel p) {
    return (p.red * 19595 + p.green * 38470 + p.blue * 7471 + 0x8000) >> 16;
}

// A product and a sum, each rounded, never fused: as Pillow's builds for x86-64 compute it.
__device__ __forceinline__ int move(int base, int sample, float factor) {
    const float moved = __fadd_rn((float)base, __fmul_rn((float)(sample - base), factor));
    return (int)fminf(fmaxf(moved, 0), 255);
}

__device__ __forceinline__ Pixel adjust(Pixel p, int adjustment, float factor, int mean_luma) {
    if (adjustment == none) return p;
    const int luma = luma_of(p);
    if (adjustment == grey) return {luma, luma, luma};
    const int base = adjustment == saturation ? luma : mean_luma;
    return {move(base, p.red, factor), move(base, p.green, factor), move(base, p.blue, factor)};
}

// The mean luma of an image, as Pillow rounds it.
__device__ __forceinline__ int mean_luma(unsigned long long sum, int width, int height) {
    return (int)((double)sum / ((double)width * height) + 0.5);
}
