// A training step's inputs out of images that lie on the device: each view is one image, its colours changed,
// squash-resized, its centre cut out, and normalised with ImageNet's mean and standard deviation. The bits are those of
// preprocess.cu.
//
// views [n]  ->  each view's output [3, height, width]
//
// Which image and which change a view has this time stands in device memory, so that a captured graph draws anew at
// every launch. How a block resizes: preprocess_tile.cuh. Grid: x, y, view.

#include "preprocess_tile.cuh"

// As the host lays it out.
struct View {
    Frame frame;
    Filter columns, rows;
    float* output;
    const unsigned long long* luma_sum;  // of all its pixels, by preprocess_luma
    int frame_width, frame_height, height, width, adjustment;
    float factor;
};

extern "C" __global__ void __launch_bounds__(TileWidth * TileHeight, 2) training_views(const View* __restrict__ views) {
    const View& view = views[blockIdx.z];
    const int x = blockIdx.x * TileWidth + threadIdx.x, y = blockIdx.y * TileHeight + threadIdx.y;
    // Another view may be larger.
    if (blockIdx.x * TileWidth >= view.width || blockIdx.y * TileHeight >= view.height) return;

    const int adjustment = view.adjustment;
    const float factor = view.factor;
    const int base = adjustment == contrast ? mean_luma(*view.luma_sum, view.frame_width, view.frame_height) : 0;
    const Pixel p = resize_tile(
        view.frame, view.columns, view.rows, view.width, view.height,
        [=](Pixel pixel) { return adjust(pixel, adjustment, factor, base); });
    if (x >= view.width || y >= view.height) return;
    const long long plane = (long long)view.height * view.width, pixel = (long long)y * view.width + x;
    view.output[pixel] = ((float)p.red / 255.0f - 0.485f) / 0.229f;
    view.output[plane + pixel] = ((float)p.green / 255.0f - 0.456f) / 0.224f;
    view.output[2 * plane + pixel] = ((float)p.blue / 255.0f - 0.406f) / 0.225f;
}
