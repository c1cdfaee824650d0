"""Writes FilterForms.g.cs and ProductKernels.g.cs beside itself: python3 generate.py

A form F(m, r) computes m neighbouring outputs of an r-tap correlation with m + r - 1 products (Toom-Cook): with values
of the input polynomial at m + r - 2 points and at infinity,

    y = At [(G g) * (Bt d)],    At[k][j] = p_j^k,    G[j][i] = p_j^i / f_j,    f_j = prod over l != j of (p_j - p_l),

and row j of Bt holds the coefficients of prod over l != j of (x - p_l). The matrices are exact fractions. Points come in
pairs +-p and at most one single point c beside 0: pairs share their even and odd parts, and the factor (x - c) is
applied once for all rows that contain it.
"""
from fractions import Fraction
from pathlib import Path

FORMS = {  # (m, r): pairs, single point or None; 0 and infinity belong to every form
    (4, 4): (["1", "1/2"], "2"),
    (6, 4): (["2/5", "17/20", "5/4"], "3"),
    (7, 4): (["2/5", "3/4", "5/4", "5/2"], None),
    (4, 3): (["3/5", "4/3"], None),
    (6, 3): (["1", "2", "1/2"], None),
}
HEADER = """// Written by generate.py: change that, not this.
using System.Runtime.CompilerServices;

namespace EfficientAD.Backends.Cpu.Filtering;
"""


def times(a, b):
    product = [Fraction(0)] * (len(a) + len(b) - 1)
    for i, x in enumerate(a):
        for j, y in enumerate(b):
            product[i + j] += x * y
    return product


def polynomial(roots):
    result = [Fraction(1)]
    for root in roots:
        result = times(result, [-root, Fraction(1)])
    return result


class Body:
    """The statements of one transform of a line of vectors."""

    def __init__(self, inputs):
        self.lines = [f"TVector x{i} = TLanes.Load(source + {index(i, 'step')});" for i in range(inputs)]
        self.count = 0

    def let(self, expression):
        name = f"t{self.count}"
        self.count += 1
        self.lines.append(f"TVector {name} = {expression};")
        return name

    def combine(self, terms):
        """The sum of coefficient * value; None where there is no term."""
        terms = [(c, v) for c, v in terms if c != 0]
        if not terms:
            return None
        terms.sort(key=lambda term: term[0] != 1)  # a coefficient of one starts the sum for nothing
        (first, value), rest = terms[0], terms[1:]
        total = value if first == 1 else f"TLanes.Multiply({constant(first)}, {value})"
        for c, v in rest:
            if c == 1:
                total = f"TLanes.Add({total}, {v})"
            elif c == -1:
                total = f"TLanes.Subtract({total}, {v})"
            else:
                total = f"TLanes.MultiplyAdd({constant(c)}, {v}, {total})"
        return total if total in (value,) else self.let(total)

    def store(self, i, value):
        self.lines.append(f"TLanes.Store({value}, target + {index(i, 'targetStep')});")

    def text(self, name):
        body = "\n".join("        " + line for line in self.lines)
        return f"""
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void {name}(float* source, nint step, float* target, nint targetStep)
    {{
{body}
    }}
"""


def index(i, step):
    return "0" if i == 0 else step if i == 1 else f"{i} * {step}"


def constant(value):
    return f"TLanes.Broadcast({float(value)!r}f)"


class Form:
    def __init__(self, m, r, pairs, single):
        self.m, self.r, self.t = m, r, m + r - 1
        self.pairs = [Fraction(p) for p in pairs]
        self.single = None if single is None else Fraction(single)
        self.points = [Fraction(0)]
        for p in self.pairs:
            self.points += [p, -p]
        if self.single is not None:
            self.points.append(self.single)
        assert len(self.points) == self.t - 1

    def powers(self, count):
        """[t][count]: row j holds the powers of point j; infinity has the highest alone."""
        rows = [[p ** k for k in range(count)] for p in self.points]
        return rows + [[Fraction(k == count - 1) for k in range(count)]]

    def kernel_matrix(self):
        rows = self.powers(self.r)
        for j, p in enumerate(self.points):
            scale = Fraction(1)
            for other in self.points[:j] + self.points[j + 1:]:
                scale *= p - other
            rows[j] = [value / scale for value in rows[j]]
        return rows

    def alone(self, matrix):
        """Rows that share nothing with a row of the opposite point; a single point spoils the kernel's pairs."""
        paired = []
        for j in range(1, 1 + 2 * len(self.pairs), 2):
            first, second = matrix[j], matrix[j + 1]
            if any(second == [sign * (-1) ** k * value for k, value in enumerate(first)] for sign in (1, -1)):
                paired += [j, j + 1]
        return [j for j in range(self.t) if j not in paired]

    def expand(self, name, matrix):
        """Few values to t: rows of a pair share their even and odd halves."""
        columns = len(matrix[0])
        body = Body(columns)
        alone = self.alone(matrix)
        for j in (j for j in range(self.t) if j not in alone and j % 2 == 1):
            row = matrix[j]
            sign = 1 if matrix[j + 1][0] == row[0] else -1
            even = body.combine([(row[k], f"x{k}") for k in range(0, columns, 2)])
            odd = body.combine([(row[k], f"x{k}") for k in range(1, columns, 2)])
            body.store(j, f"TLanes.Add({even}, {odd})")
            first, second = (even, odd) if sign == 1 else (odd, even)
            body.store(j + 1, f"TLanes.Subtract({first}, {second})")
        for j in alone:
            body.store(j, body.combine([(matrix[j][k], f"x{k}") for k in range(columns)]))
        return body.text(name)

    def contract(self, name, matrix):
        """t values to few, by the transpose of a matrix of powers: sums and differences of pairs first."""
        columns = len(matrix[0])
        body = Body(self.t)
        terms = [[] for _ in range(columns)]
        alone = self.alone(matrix)
        for j in alone:
            for k in range(columns):
                terms[k].append((matrix[j][k], f"x{j}"))
        for j in (j for j in range(self.t) if j not in alone and j % 2 == 1):
            total = body.let(f"TLanes.Add(x{j}, x{j + 1})")
            difference = body.let(f"TLanes.Subtract(x{j}, x{j + 1})")
            for k in range(columns):
                same = matrix[j][k] == matrix[j + 1][k]
                terms[k].append((matrix[j][k], total if same else difference))
        for k in range(columns):
            body.store(k, body.combine(terms[k]))
        return body.text(name)

    def input(self):
        body = Body(self.t)
        values = [f"x{i}" for i in range(self.t)]
        shared = values  # with the factor (x - single) applied
        if self.single is not None:
            shared = [body.combine([(-self.single, values[k]), (Fraction(1), values[k + 1])]) for k in range(self.t - 1)]
        symmetric = [q for p in self.pairs for q in (p, -p)]

        def row(coefficients, on):
            return body.combine(list(zip(coefficients, on)))

        body.store(0, row(polynomial(symmetric), shared))
        for i, p in enumerate(self.pairs):
            others = polynomial([Fraction(0)] + [q for q in symmetric if abs(q) != p])
            shifted = row(others, shared[1:])
            scaled = row([p * c for c in others], shared)
            body.store(1 + 2 * i, f"TLanes.Add({shifted}, {scaled})")
            body.store(2 + 2 * i, f"TLanes.Subtract({shifted}, {scaled})")
        if self.single is not None:
            body.store(self.t - 2, row(polynomial([Fraction(0)] + symmetric), values))
        body.store(self.t - 1, row(polynomial([Fraction(0)] + symmetric), shared))
        return body.text("Input")

    def text(self):
        points = ", ".join(["0"] + [f"+-{p}" for p in self.pairs] + ([str(self.single)] if self.single is not None else []))
        outputs, kernel = self.powers(self.m), self.kernel_matrix()
        return f"""
/// <summary>F({self.m}, {self.r}) with points {points} and infinity.</summary>
internal readonly unsafe struct Form{self.m}x{self.r}<TVector, TLanes> : IFilterForm
    where TLanes : struct, ILanes<TVector>
{{
    public static int Outputs => {self.m};

    public static int Kernel => {self.r};
{self.input()}{self.contract("Output", outputs)}{self.expand("OutputGradient", outputs)}{self.expand("Weights", kernel)}{self.contract("WeightGradient", kernel)}}}
"""


def first_layer(pixels):
    """Two rows of an even number of pixels, a panel of channels; rectified and averaged over windows of 2 x 2."""
    tile = [(y, x) for y in range(2) for x in range(pixels)]
    lines = ["        TVector bias0 = TLanes.Load(bias), bias1 = TLanes.Load(bias + TLanes.Width);"]
    lines += [f"        TVector c{y}{x}0 = bias0, c{y}{x}1 = bias1;" for y, x in tile]
    lines += ["        for (nint* end = taps + count; taps != end; taps++, weights += 2 * TLanes.Width)", "        {"]
    lines += ["            float* top = pixels + *taps, bottom = top + pitch;"]
    lines += ["            TVector b0 = TLanes.Load(weights), b1 = TLanes.Load(weights + TLanes.Width);"]
    for y, x in tile:
        lines.append(f"            TVector a{y}{x} = TLanes.Broadcast({['top', 'bottom'][y]}[{x}]);")
        lines += [f"            c{y}{x}{v} = TLanes.MultiplyAdd(a{y}{x}, b{v}, c{y}{x}{v});" for v in range(2)]
    lines += ["        }", "", "        TVector quarter = TLanes.Broadcast(0.25f);"]
    lines += [f"        c{y}{x}{v} = TLanes.Rectify(c{y}{x}{v});" for y, x in tile for v in range(2)]
    for x in range(0, pixels, 2):
        for v in range(2):
            halves = [f"TLanes.Add(c{y}{x}{v}, c{y}{x + 1}{v})" for y in range(2)]
            to = " + ".join(["pooled"] + ["pooledPitch"] * v + ([f"{x // 2} * TLanes.Width"] if x else []))
            lines += [f"        TVector p{x}{v} = TLanes.Add({halves[0]}, {halves[1]});"]
            lines += [f"        TLanes.Store(TLanes.Multiply(p{x}{v}, quarter), {to});"]
    lines += ["", "        if (signs == null) return;"]
    for v in range(2):
        for y in range(2):
            lines += [f"        signs[{x}] = (ushort)TLanes.NonZero(c{y}{x}{v});" for x in range(pixels)]
            lines += ["        signs += signPitch;"] if y == 0 else ["        signs += signPlane - signPitch;"] if v == 0 else []
    return "\n".join(lines)


def kernels(name, row_counts, gradient_rows, pixels, registers):
    rows = row_counts[0]

    def grid(count):
        return [(r, c) for r in range(count) for c in range(2)]

    def declare(count, value):
        return "\n".join(
            f"        TVector c{r}0 = {value(r, 0)}, c{r}1 = {value(r, 1)};" for r in range(count))

    def products(count, step, at, weights):
        lines = [f"TVector b0 = TLanes.Load({weights}), b1 = TLanes.Load({weights} + TLanes.Width);"]
        for r in range(count):
            lines.append(f"TVector a{r} = TLanes.Broadcast({at}[{step(r)}]);")
            lines.append(f"c{r}0 = TLanes.MultiplyAdd(a{r}, b0, c{r}0);")
            lines.append(f"c{r}1 = TLanes.MultiplyAdd(a{r}, b1, c{r}1);")
        return lines

    def block(lines, indent):
        return "\n".join(" " * indent + line for line in lines)

    correlate = products(gradient_rows, str, "rows", "columns")
    sums = "\n".join(
        f"        TLanes.Store(c{r}{c}, sums + {2 * r + c} * TLanes.Width);" for r, c in grid(gradient_rows))
    def multiply(count):
        lines = products(count, lambda r: f"{r} * TLanes.Width" if r > 1 else ("0" if r == 0 else "TLanes.Width"), "at", "weights")
        stores = "\n".join(
            f"        TLanes.Store(c{r}{c}, products + {2 * r + c} * TLanes.Width);" for r, c in grid(count))
        return f"""
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Multiply{count}(
        float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
    {{
{declare(count, lambda r, c: "TLanes.Zero")}
        for (; blocks > 0; blocks--, tiles += Rows * TLanes.Width)
        {{
            float* next = blocks > 1 ? tiles + Rows * TLanes.Width : following;
            for (float* at = tiles, end = tiles + TLanes.Width; at != end; at++, weights += 2 * TLanes.Width)
            {{
                TLanes.Prefetch(ahead);
                TLanes.Prefetch(ahead + TLanes.Width);
                TLanes.Prefetch(next);
                ahead += aheadStep;
                next += TLanes.Width;
{block(lines, 16)}
            }}
        }}

{stores}
    }}
"""

    def call(count):
        return f"Multiply{count}(tiles, weights, blocks, products, following, ahead, aheadStep);"

    variants = "".join(multiply(count) for count in row_counts)
    choice = block([f"if (rows == {count}) {call(count)}" for count in row_counts[1:]], 8)
    choice += ("\n        else " if choice else "        ") + call(rows)
    rows_for = str(rows)
    for count in row_counts[1:]:
        rows_for = f"(tiles + {count - 1}) / {count} * {count} < (tiles + {rows - 1}) / {rows} * {rows} ? {count} : {rows_for}"
    return f"""
/// <summary>Register tiles for {registers} vector registers: {rows} x 2 accumulators, {gradient_rows} x 2 for weight gradients.</summary>
internal readonly unsafe struct {name}<TVector, TLanes> : IProductKernels
    where TLanes : struct, ILanes<TVector>
{{
    public static int Rows => {rows};

    public static int GradientRows => {gradient_rows};

    public static int PooledPixels => {pixels // 2};

    public static int Lanes => TLanes.Width;

    public static int RowsFor(int tiles) => {rows_for};

    public static void Multiply(
        int rows, float* tiles, float* weights, int blocks, float* products, float* following, float* ahead, nint aheadStep)
    {{
{choice}
    }}
{variants}
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Correlate(float* rows, float* columns, int depth, float* sums, float* ahead)
    {{
        float* next = sums + {2 * gradient_rows} * TLanes.Width;
{declare(gradient_rows, lambda r, c: f"TLanes.Load(sums + {2 * r + c} * TLanes.Width)")}
        for (float* end = rows + (nint)depth * TLanes.Width; rows != end; rows += TLanes.Width, columns += 2 * TLanes.Width)
        {{
            TLanes.Prefetch(next);
            TLanes.Prefetch(ahead);
            next += TLanes.Width;
            ahead += TLanes.Width;
{block(correlate, 12)}
        }}

{sums}
    }}

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void ConvolveAndPool(
        float* pixels, nint pitch, nint* taps, int count, float* weights, float* bias, float* pooled, nint pooledPitch,
        ushort* signs, nint signPitch, nint signPlane)
    {{
{first_layer(pixels)}
    }}
}}
"""


folder = Path(__file__).parent
(folder / "FilterForms.g.cs").write_text(
    HEADER + "".join(Form(m, r, *points).text() for (m, r), points in FORMS.items()))
(folder / "ProductKernels.g.cs").write_text(
    HEADER + kernels("WideProducts", [14, 13], 8, 6, 32) + kernels("NarrowProducts", [6], 4, 2, 16))
