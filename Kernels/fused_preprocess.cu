// Frames to the networks' inputs in half precision, one launch for all frames and both networks: squash-resize with the
// bits of preprocess.cu, then bytes over 256, which half holds exactly; mean and deviation are in the next weights.
//
// images [n, height, stride], 8 bits  ->  per target  output [n, out_h, pitch, 4] half: red, green, blue, 1 inside
//
// How a block resizes: preprocess_tile.cuh. Columns from out_w on are zeros. Grid: x, y, target x sample.

#include "preprocess_tile.cuh"
#include "tensor_core.cuh"

// As the host lays it out: eight-byte words, then four numbers.
struct Target {
    Filter columns, rows;
    half_bits* output;
    int height, width, pitch, unused;
};

extern "C" __global__ void __launch_bounds__(TileWidth * TileHeight) fused_preprocess(
    const unsigned char* __restrict__ images, long long image_bytes, int stride, int pixel_bytes, int red, int blue,
    int samples, const Target* __restrict__ targets) {
    const Target& target = targets[blockIdx.z / samples];
    const int sample = blockIdx.z % samples;
    const int x = blockIdx.x * TileWidth + threadIdx.x, y = blockIdx.y * TileHeight + threadIdx.y;
    // The other target may be larger.
    if (blockIdx.x * TileWidth >= target.pitch || blockIdx.y * TileHeight >= target.height) return;

    const Frame frame = {images + sample * image_bytes, stride, pixel_bytes, red, blue};
    const Pixel p = resize_tile(
        frame, target.columns, target.rows, target.width, target.height, [](Pixel pixel) { return pixel; });
    if (x >= target.pitch || y >= target.height) return;
    constexpr float scale = 1 / 256.0f;
    constexpr unsigned one = 0x3C00;
    uint2 channels = {pack_halves(p.red * scale, p.green * scale), to_half(p.blue * scale) | one << 16};
    if (x >= target.width) channels = {0, 0};
    const long long pixel = ((long long)sample * target.height + y) * target.pitch + x;
    *(uint2*)(target.output + pixel * 4) = channels;
}
