using EfficientAD.Cli.Runs;

namespace EfficientAD.Tests.Cli;

public class AbandonableTests
{
    [Fact]
    public void WorkThatDoesNotLookAtTheToken_IsLeftAlone()
    {
        using var cancellation = new CancellationTokenSource();
        using var gate = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        CancellationToken test = TestContext.Current.CancellationToken;
        Assert.ThrowsAny<OperationCanceledException>(() => Abandonable.Run(
            () =>
            {
                cancellation.Cancel();
                gate.Wait(test);
                end.Set();
                return 0;
            },
            cancellation.Token));
        Assert.False(end.IsSet);  // it still waits
        gate.Set();
        end.Wait(test);
    }

    [Fact]
    public void ResultAndFailure_ArriveAsTheyAre()
    {
        CancellationToken test = TestContext.Current.CancellationToken;
        Assert.Equal(7, Abandonable.Run(() => 7, test));
        Assert.Throws<IOException>(() => Abandonable.Run<int>(() => throw new IOException("full"), test));
    }
}
