// What the fused kernels keep to themselves, as launches of their own between half-precision maps in global memory: for
// the plan with fusions switched off. One thread for 8 channels (16 bytes); memory bound.
//
// image     planes [3, h, w] float, normalised  ->  [h, pitch, 4]: the bytes they were made of over 256, then 1; zeros
//                                                   behind the width; one sample
// widen     image [pixels of rows, pitch, 4]    ->  [.., w, 8], zeros behind the fourth channel
// pool      input [n, h, w, c]                  ->  [n, h / 2, w / 2, c]: means of 2 x 2
// resize    input [n, in_h, in_w, c]            ->  output, row_pitch pixels from row to row: bilinear, as
//                                                   resize_bilinear.cu does it
// squares   a, b [pixels, a_pitch or b_pitch]   ->  sums [pixels] float: of (a - b)^2 over c channels; a warp each
// sums      parts [parts, count]                ->  map [count]: their sum over `channels`

#include "common.cuh"
#include "reduction.cuh"
#include "resize_bilinear.cuh"
#include "tensor_core.cuh"

struct Eight { float values[8]; };

__device__ __forceinline__ Eight load_eight(const half_bits* from) {
    const uint4 bits = *(const uint4*)from;
    const unsigned words[4] = {bits.x, bits.y, bits.z, bits.w};
    Eight eight;
    #pragma unroll
    for (int i = 0; i < 8; i++) eight.values[i] = to_float((half_bits)(words[i / 2] >> 16 * (i % 2)));
    return eight;
}

__device__ __forceinline__ void store_eight(const Eight& eight, half_bits* to) {
    unsigned words[4];
    #pragma unroll
    for (int i = 0; i < 4; i++) words[i] = pack_halves(eight.values[2 * i], eight.values[2 * i + 1]);
    *(uint4*)to = make_uint4(words[0], words[1], words[2], words[3]);
}

extern "C" __global__ void half_image(
    const float* __restrict__ planes, int h, int w, int pitch, half_bits* __restrict__ image) {
    const int i = global_thread_index(), x = i % pitch, y = i / pitch, plane = h * w;
    if (y >= h) return;
    const float* from = planes + y * w + x;
    uint2 channels = {0, 0};
    if (x < w) {
        const float red = rintf((from[0] * 0.229f + 0.485f) * 255.0f);
        const float green = rintf((from[plane] * 0.224f + 0.456f) * 255.0f);
        const float blue = rintf((from[2 * plane] * 0.225f + 0.406f) * 255.0f);
        channels = {pack_halves(red / 256, green / 256), pack_halves(blue / 256, 1.0f)};
    }
    *(uint2*)(image + 4ll * i) = channels;
}

extern "C" __global__ void half_widen(
    const half_bits* __restrict__ image, int rows, int pitch, int w, half_bits* __restrict__ output) {
    const long long i = global_thread_index();
    if (i >= (long long)rows * w) return;
    const uint2 pixel = *(const uint2*)(image + (i / w * pitch + i % w) * 4);
    *(uint4*)(output + i * 8) = make_uint4(pixel.x, pixel.y, 0, 0);
}

extern "C" __global__ void half_pool(
    const half_bits* __restrict__ input, int n, int h, int w, int c, half_bits* __restrict__ output) {
    const int out_h = h / 2, out_w = w / 2, chunks = c / 8;
    const long long i = global_thread_index();
    if (i >= (long long)n * out_h * out_w * chunks) return;
    const int chunk = i % chunks, x = i / chunks % out_w, y = i / chunks / out_w % out_h;
    const long long sample = i / chunks / out_w / out_h;
    const half_bits* from = input + ((sample * h + 2 * y) * w + 2 * x) * c + chunk * 8;
    const Eight a = load_eight(from), b = load_eight(from + c);
    const Eight d = load_eight(from + (long long)w * c), e = load_eight(from + (long long)w * c + c);
    Eight mean;
    #pragma unroll
    for (int k = 0; k < 8; k++)
        mean.values[k] = ((a.values[k] + b.values[k]) + (d.values[k] + e.values[k])) * 0.25f;
    store_eight(mean, output + i * 8);
}

extern "C" __global__ void half_resize(
    const half_bits* __restrict__ input, int n, int in_h, int in_w, int c, int out_h, int out_w, int row_pitch,
    int sample_pitch, half_bits* __restrict__ output) {
    const int chunks = c / 8;
    const long long i = global_thread_index();
    if (i >= (long long)n * out_h * out_w * chunks) return;
    const int chunk = i % chunks, x = i / chunks % out_w, y = i / chunks / out_w % out_h;
    const long long sample = i / chunks / out_w / out_h;
    const Tap row = tap(y, in_h, (float)in_h / out_h, -0.5f), column = tap(x, in_w, (float)in_w / out_w, -0.5f);
    const half_bits* low = input + (sample * in_h + row.low) * in_w * c + chunk * 8;
    const half_bits* high = input + (sample * in_h + row.high) * in_w * c + chunk * 8;
    const Eight a = load_eight(low + column.low * c), b = load_eight(low + column.high * c);
    const Eight d = load_eight(high + column.low * c), e = load_eight(high + column.high * c);
    Eight value;
    #pragma unroll
    for (int k = 0; k < 8; k++) {
        const float upper = (1 - column.fraction) * a.values[k] + column.fraction * b.values[k];
        const float lower = (1 - column.fraction) * d.values[k] + column.fraction * e.values[k];
        value.values[k] = (1 - row.fraction) * upper + row.fraction * lower;
    }
    store_eight(value, output + (sample * sample_pitch + (long long)y * row_pitch + x) * c + chunk * 8);
}

extern "C" __global__ void half_squares(
    const half_bits* __restrict__ a, int a_pitch, const half_bits* __restrict__ b, int b_pitch, int pixels, int c,
    float* __restrict__ sums) {
    const long long pixel = global_thread_index() / 32;
    if (pixel >= pixels) return;
    float sum = 0;
    for (int channel = threadIdx.x % 32 * 8; channel < c; channel += 256) {
        const Eight first = load_eight(a + pixel * a_pitch + channel);
        const Eight second = load_eight(b + pixel * b_pitch + channel);
        #pragma unroll
        for (int k = 0; k < 8; k++) {
            const float difference = first.values[k] - second.values[k];
            sum += difference * difference;
        }
    }
    sum = warp_sum(sum);
    if (threadIdx.x % 32 == 0) sums[pixel] = sum;
}

extern "C" __global__ void half_sums(
    const float* __restrict__ sums, int parts, int count, int channels, float* __restrict__ map) {
    const long long i = global_thread_index();
    if (i >= count) return;
    float sum = 0;
    for (int part = 0; part < parts; part++) sum += sums[(long long)part * count + i];
    map[i] = sum / channels;
}
