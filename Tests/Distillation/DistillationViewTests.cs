using EfficientAD.Distillation;
using EfficientAD.Imaging;
using EfficientAD.Tensors;
using EfficientAD.Tests.Imaging;

namespace EfficientAD.Tests.Distillation;

public class DistillationViewTests
{
    [Theory, InlineData(384, 288), InlineData(5, 500), InlineData(1, 1)]
    public void Views_LieInsideTheImage(int width, int height)
    {
        DistillationView[] views = [.. Enumerable.Range(0, 500).Select(
            i => DistillationView.Draw(new CounterRandom(1, (ulong)i), width, height, 128))];
        Assert.All(views, view =>
        {
            Assert.InRange(view.Width, 1, width - view.Left);
            Assert.InRange(view.Height, 1, height - view.Top);
            Assert.True(view is { Left: >= 0, Top: >= 0 });
        });
        Assert.InRange(views.Count(view => view.Mirrored), 200, 300);
        Assert.InRange(views.Count(view => view.Grey), 25, 80);
    }

    [Fact]
    public void MirroredViews_AreMirrored()
    {
        var image = new RgbImage(2, 1, [1, 2, 3, 4, 5, 6]);
        var view = new DistillationView(0, 0, 2, 1, Mirrored: true, Grey: false);
        Assert.Equal([4, 5, 6, 1, 2, 3], view.Render(image, 2).Pixels[..6]);
    }

    [Fact]
    public void GreyViews_AreGrey()
    {
        RgbImage image = NaturalPicture(40);
        RgbImage grey = new DistillationView(3, 4, 20, 20, false, Grey: true).Render(image, 16);
        Assert.All(grey.Pixels.Chunk(3), pixel => Assert.Single(pixel.Distinct()));
    }

    private static RgbImage NaturalPicture(int size) => EfficientAD.Training.NaturalTexture.Render(1, 0, size);
}
