namespace EfficientAD.Data;

/// <summary>A data set's folder is missing, empty, unreadable or not laid out as it should be.</summary>
/// <remarks>The message names the folder or file and says what to do.</remarks>
public sealed class DatasetException : Exception
{
    public DatasetException(string message) : base(message) { }

    public DatasetException(string message, Exception innerException) : base(message, innerException) { }
}
