using System.Globalization;
using System.Text;

namespace EfficientAD.Cli.Reports;

/// <summary>Closed lines around the pixels above a level (marching squares), as the path data of SVG.</summary>
/// <remarks>Coordinates are pixels; the centre of the first one is (0.5, 0.5). Between two centres the place of the
/// line is interpolated; what lies outside the image counts as below the level. Pixels above it that touch by a corner
/// are joined.</remarks>
internal sealed class Contours
{
    private readonly int _width, _height;
    private readonly Func<int, double> _value;
    private readonly double _level;
    private readonly Dictionary<long, long> _next = [];  // from one crossed edge of the grid to the next on the line

    private Contours(int width, int height, Func<int, double> value, double level) =>
        (_width, _height, _value, _level) = (width, height, value, level);

    /// <param name="value">The value of pixel (x, y), given y * width + x.</param>
    /// <returns>Empty if no pixel is above the level.</returns>
    public static string Trace(int width, int height, Func<int, double> value, double level)
    {
        var contours = new Contours(width, height, value, level);
        for (int y = -1; y < height; y++)
            for (int x = -1; x < width; x++)
                contours.LinkCell(x, y);
        return contours.ToPath();
    }

    private bool IsAbove(int x, int y) =>
        x >= 0 && y >= 0 && x < _width && y < _height && _value(y * _width + x) > _level;

    /// <summary>The cell between four pixel centres, of which (x, y) is the upper left. Clockwise, a line runs from
    /// each edge where the values fall below the level to the next where they rise above it.</summary>
    private void LinkCell(int x, int y)
    {
        Span<bool> above = [IsAbove(x, y), IsAbove(x + 1, y), IsAbove(x + 1, y + 1), IsAbove(x, y + 1)];
        if (above[0] == above[1] && above[1] == above[2] && above[2] == above[3]) return;
        Span<long> edges = [Edge(x, y, false), Edge(x + 1, y, true), Edge(x, y + 1, false), Edge(x, y, true)];
        for (int i = 0; i < 4; i++)
        {
            if (!above[i] || above[(i + 1) % 4]) continue;
            int j = i + 1;
            while (above[j % 4] || !above[(j + 1) % 4]) j++;
            _next[edges[i]] = edges[j % 4];
        }
    }

    /// <summary>The number of the edge from centre (x, y) to the one below it or to the right of it.</summary>
    private long Edge(int x, int y, bool isDown) => ((y + 1L) * (_width + 2) + x + 1) * 2 + (isDown ? 1 : 0);

    private (double X, double Y) Crossing(long edge)
    {
        (long row, long column) = Math.DivRem(edge / 2, _width + 2);
        (int x, int y) = ((int)column - 1, (int)row - 1);
        return edge % 2 == 1
            ? (x + 0.5, y + 0.5 + Fraction(x, y, x, y + 1))
            : (x + 0.5 + Fraction(x, y, x + 1, y), y + 0.5);
    }

    /// <summary>Where between two neighbours the level is crossed; at the image's border if one is outside.</summary>
    private double Fraction(int x0, int y0, int x1, int y1)
    {
        if (x0 < 0 || y0 < 0 || x1 >= _width || y1 >= _height) return 0.5;
        double v0 = _value(y0 * _width + x0), v1 = _value(y1 * _width + x1);
        return (_level - v0) / (v1 - v0);
    }

    private string ToPath()
    {
        var path = new StringBuilder();
        foreach (long start in _next.Keys.ToArray())
        {
            if (!_next.ContainsKey(start)) continue;  // on a line that is drawn already
            var line = new List<(double X, double Y)>();
            long edge = start;
            while (_next.Remove(edge, out long next))
            {
                AddPoint(line, Crossing(edge));
                edge = next;
            }
            for (int i = 0; i < line.Count; i++)
                path.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? 'M' : 'L')}{line[i].X:0.#} {line[i].Y:0.#}");
            path.Append('Z');
        }
        return path.ToString();
    }

    /// <summary>Adds a point, and removes the one before it if that lies on the straight way.</summary>
    private static void AddPoint(List<(double X, double Y)> line, (double X, double Y) point)
    {
        if (line.Count > 1)
        {
            (double X, double Y) a = line[^2], b = line[^1];
            double turn = (b.X - a.X) * (point.Y - a.Y) - (b.Y - a.Y) * (point.X - a.X);
            if (Math.Abs(turn) < 1e-9) line.RemoveAt(line.Count - 1);
        }
        line.Add(point);
    }
}
