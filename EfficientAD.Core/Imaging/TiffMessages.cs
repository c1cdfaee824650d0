using System.Globalization;
using BitMiracle.LibTiff.Classic;

namespace EfficientAD.Imaging;

/// <summary>Keeps LibTiff's last error for the exception's message; warnings are dropped.</summary>
internal sealed class TiffMessages : TiffErrorHandler
{
    /// <summary>The last error on this thread.</summary>
    [field: ThreadStatic]
    public static string? Last { get; set; }

    /// <summary>The last error in brackets, or nothing.</summary>
    public static string Reason => Last is null ? "" : $" ({Last.TrimEnd('.')})";

    public override void ErrorHandler(Tiff tif, string method, string format, params object[] args) =>
        Last = string.Format(CultureInfo.InvariantCulture, format, args);

    public override void ErrorHandlerExt(
        Tiff tif, object clientData, string method, string format, params object[] args)
    {
    }

    public override void WarningHandler(Tiff tif, string method, string format, params object[] args) { }

    public override void WarningHandlerExt(
        Tiff tif, object clientData, string method, string format, params object[] args)
    {
    }
}
