using EfficientAD.Networks.Folding;
using EfficientAD.Networks.Quantization;
using EfficientAD.Tensors;

namespace EfficientAD.Tests.Networks;

/// <summary>Numbers of 8 bits, and layers rounded to them.</summary>
public class QuantizationTests
{
    /// <summary>All finite e4m3, written here from the format's definition: each stands for itself and has its own
    /// bits.</summary>
    [Fact]
    public void Floats_AreTheirOwnNearest()
    {
        for (int bits = 0; bits < 256; bits++)
        {
            if ((bits & 127) == 127) continue;  // NaN
            int exponent = bits >> 3 & 15, fraction = bits & 7;
            double size = exponent == 0 ? fraction * Math.Pow(2, -9) : (1 + fraction / 8.0) * Math.Pow(2, exponent - 7);
            float value = (float)((bits & 128) != 0 ? -size : size);
            Assert.Equal(value, EightBits.Fp8.RoundWeight(value));
            Assert.Equal(bits, EightBits.Fp8.BitsOfWeight(value));
        }
    }

    [Theory]
    [InlineData("fp8", 1.0624f, 1, 1)]
    [InlineData("fp8", 1.0625f, 1, 1)]             // half way between 1 and 1.125: the even one
    [InlineData("fp8", 1.1875f, 1.25f, 1.25f)]     // half way between 1.125 and 1.25
    [InlineData("fp8", 1000, 448, 448)]
    [InlineData("fp8", -3.3f, 0, -3.25f)]
    [InlineData("fp8", 0.0009f, 0, 0)]             // below half of 2^-9
    [InlineData("int8", 2.5f, 2, 2)]
    [InlineData("int8", 200.6f, 201, 127)]
    [InlineData("int8", 300, 255, 127)]
    [InlineData("int8", -3.3f, 0, -3)]
    [InlineData("int8", -1000, 0, -127)]
    public void Rounding_FindsTheNearestNumber(string format, float value, float activation, float weight)
    {
        EightBits numbers = EightBits.All.Single(candidate => candidate.Name == format);
        Assert.Equal(activation, numbers.RoundActivation(value));
        Assert.Equal(weight, numbers.RoundWeight(value));
    }

    /// <summary>Two inputs, one always at its mean: the weights' rounding does not move the output there.</summary>
    [Fact]
    public void Bias_TakesBackWhatRoundingDoesToMeanInputs()
    {
        var layer = new LayerWeights(new Shape(1, 2, 1, 1), [0.3f, 1], [0.5f]);
        QuantizedLayer quantized = QuantizedLayer.Of(layer, EightBits.Int8, [(4, 0.01f), (7, 0.01f)]);
        LayerWeights rounded = quantized.Unscaled();
        Assert.Equal(38 / 127f, rounded.Weights[0], 1e-6f);  // 0.3 * 127 = 38.1
        Assert.Equal(0.3f * 4 + 7 + 0.5f, rounded.Weights[0] * 4 + rounded.Weights[1] * 7 + rounded.Bias[0], 1e-5f);
    }

    [Fact]
    public void Scales_TurnSumsOfNumbersIntoNumbers()
    {
        var layer = new LayerWeights(new Shape(2, 1, 1, 1), [0.5f, -2], [1, 3]);
        QuantizedLayer quantized = QuantizedLayer.Of(layer, EightBits.Int8, [(0, 0.1f)]);
        Assert.Equal([127, -127], quantized.Weights.ToArray());
        float[] scales = quantized.Scales([0.25f, 0.25f]);
        // 20 steps of 0.1 are 2: 0.5 * 2 + 1 = 2 and -2 * 2 + 3 = -1, in steps of 0.25.
        Assert.Equal(8, scales[0] * 127 * 20 + scales[1], 1e-4f);
        Assert.Equal(-4, scales[2] * -127 * 20 + scales[3], 1e-4f);
    }
}
