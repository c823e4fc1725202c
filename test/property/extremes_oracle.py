# Writes extremes.json beside this file: losses and activations from 1e-30 to 1e30, at equality and where one probability is all
# but 1, with first and second derivatives to 17 digits. Made once, with numbers of 400 digits and a series of two small
# parameters (hyper-dual numbers) instead of the formulas of the engine, and tracked; run it again only to add cases:
#
#   python3 test/property/extremes_oracle.py         (needs mpmath)
#
# A case is a name, a function (a name in extremes-functions.ts) with its constants, inputs that are rounded to float32 first, and
# a direction v for gradients of gradients: `second` is the gradient of <gradient, v>. Of elementwise functions v is 1.
import json
import math
import pathlib
import struct

import mpmath
from mpmath import mpf

mpmath.mp.dps = 400
ZERO, ONE = mpf(0), mpf(1)


def float32(x):
    return struct.unpack("f", struct.pack("f", x))[0]


class Dual:
    """value + a e1 + b e2 + c e1 e2 with e1^2 = e2^2 = 0."""

    def __init__(self, value, a=ZERO, b=ZERO, c=ZERO):
        self.value, self.a, self.b, self.c = mpf(value), mpf(a), mpf(b), mpf(c)

    def apply(self, f, first, second):
        """f of this, given its derivatives at the value."""
        return Dual(f, first * self.a, first * self.b, first * self.c + second * self.a * self.b)

    def __add__(self, other):
        o = lift(other)
        return Dual(self.value + o.value, self.a + o.a, self.b + o.b, self.c + o.c)

    def __mul__(self, other):
        o = lift(other)
        mixed = self.value * o.c + self.a * o.b + self.b * o.a + self.c * o.value
        return Dual(self.value * o.value, self.value * o.a + self.a * o.value, self.value * o.b + self.b * o.value, mixed)

    def __neg__(self):
        return self * -1

    def __sub__(self, other):
        return self + -lift(other)

    def __rsub__(self, other):
        return lift(other) - self

    def __truediv__(self, other):
        o = lift(other)
        return self * o.apply(1 / o.value, -1 / o.value**2, 2 / o.value**3)

    def __rtruediv__(self, other):
        return lift(other) / self

    __radd__, __rmul__ = __add__, __mul__


def lift(x):
    return x if isinstance(x, Dual) else Dual(x)


def exp(x):
    e = mpmath.exp(x.value)
    return x.apply(e, e, e)


def log(x):
    return x.apply(mpmath.log(x.value), 1 / x.value, -1 / x.value**2)


def power(x, p):
    p, v = mpf(p), x.value
    return x.apply(v**p, p * v ** (p - 1), p * (p - 1) * v ** (p - 2))


def sqrt(x):
    return power(x, 0.5)


def erfc(x):
    slope = -2 / mpmath.sqrt(mpmath.pi) * mpmath.exp(-x.value**2)
    return x.apply(mpmath.erfc(x.value), slope, -2 * x.value * slope)


def absolute(x):
    return -x if x.value < 0 else x


def sigmoid(x):
    return exp(x) / (1 + exp(x)) if x.value < 0 else 1 / (1 + exp(-x))


def softplus(x):
    """log(1 + e^x), by its first term where the others are beyond 400 digits."""
    if x.value > 800:
        return x
    if x.value < -800:
        return exp(x)
    return log(1 + exp(x))


def tanh(x):
    return 2 * sigmoid(2 * x) - 1 if abs(x.value) > 1e-3 else (exp(x) - exp(-x)) / (exp(x) + exp(-x))


SQRT_HALF = mpmath.sqrt(mpf(1) / 2)
GELU = mpmath.sqrt(8 / mpmath.pi)

UNARY = {
    "exp": exp,
    "log": log,
    "log1p": lambda x: log(1 + x),
    "sqrt": sqrt,
    "rsqrt": lambda x: power(x, -0.5),
    "reciprocal": lambda x: 1 / x,
    "square": lambda x: x * x,
    "sigmoid": sigmoid,
    "silu": lambda x: x * sigmoid(x),
    "tanh": tanh,
    "softplus": softplus,
    "elu": lambda x: x if x.value > 0 else exp(x) - 1,
    "gelu": lambda x: x * erfc(x * -SQRT_HALF) * 0.5,
    "geluTanh": lambda x: x * sigmoid(x * GELU * (1 + mpf("0.044715") * x * x)),
    "erf": lambda x: 1 - erfc(x),
    "erfc": erfc,
}


def huber(x, t, delta):
    r = x - t
    if abs(r.value) < delta:
        return r * r * 0.5
    return (absolute(r) - delta * mpf(0.5)) * delta


def smooth_l1(x, t, beta):
    r = x - t
    if abs(r.value) < beta:
        return r * r * 0.5 / beta
    return absolute(r) - beta * mpf(0.5)


def bce(x, t, pos_weight=1):
    return (1 - t) * softplus(x) + pos_weight * t * softplus(-x)


def row_log_softmax(x):
    top = max(range(len(x)), key=lambda k: x[k].value)
    others = sum((exp(x[k] - x[top]) for k in range(len(x)) if k != top), Dual(0))
    total = log(1 + others)
    return [x[k] - x[top] - total for k in range(len(x))]


def cross_entropy(x, label, smoothing):
    losses = [-y for y in row_log_softmax(x)]
    smooth = sum(losses, Dual(0)) * (mpf(smoothing) / len(x))
    return losses[label] * (1 - mpf(smoothing)) + (smooth if smoothing else 0)


def row_softmax(x, weights):
    return sum((exp(y) * w for y, w in zip(row_log_softmax(x), weights)), Dual(0))


def log_sum_exp(x):
    top = max(range(len(x)), key=lambda k: x[k].value)
    return x[top] - row_log_softmax(x)[top]


def silog(x, t, weight, root):
    g = [log(a) - mpmath.log(b) for a, b in zip(x, t)]
    mean = sum(g, Dual(0)) / len(g)
    squares = sum((a * a for a in g), Dual(0)) / len(g)
    spread = squares - mean * mean * mpf(weight)
    return sqrt(spread) if root else spread


def layer_norm(x, weights, eps):
    mean = sum(x, Dual(0)) / len(x)
    centred = [a - mean for a in x]
    scale = power(sum((a * a for a in centred), Dual(0)) / len(x) + mpf(eps), -0.5)
    return sum((a * scale * w for a, w in zip(centred, weights)), Dual(0))


def variance(x, correction):
    mean = sum(x, Dual(0)) / len(x)
    return sum(((a - mean) * (a - mean) for a in x), Dual(0)) / (len(x) - correction)


def running_norm(x, mean, spread, eps):
    return (x - mean) * power(Dual(mpf(spread) + mpf(eps)), -0.5)


def ssim(x, target, largest, k1, k2, sigma):
    """One position of a square window."""
    side = math.isqrt(len(x))
    line = [mpmath.exp(-((i - mpf(side - 1) / 2) ** 2) / (2 * mpf(sigma) ** 2)) if sigma else ONE for i in range(side)]
    weights = [a * b / mpmath.fsum(line) ** 2 for a in line for b in line]
    c1, c2 = (mpf(k1) * mpf(largest)) ** 2, (mpf(k2) * mpf(largest)) ** 2
    mean = lambda terms: sum((w * a for w, a in zip(weights, terms)), Dual(0))
    mx, my = mean(x), mean([Dual(b) for b in target])
    dx, dy = [a - mx for a in x], [Dual(b) - my for b in target]
    spread = mean([a * a + b * b for a, b in zip(dx, dy)])
    shared = mean([a * b for a, b in zip(dx, dy)])
    return (mx * my * 2 + c1) / (mx * mx + my * my + c1) * ((shared * 2 + c2) / (spread + c2))


def uncertainty(x, s, kinds, variant):
    """Of losses followed by s, or of s alone beside given losses."""
    decay = [exp(-b) if variant == "exp(-s)" else exp(-(b * b)) for b in s]
    factors = [mpf(0.5) if kind == "regression" else ONE for kind in kinds]
    return sum((a * d * f + b * mpf(0.5) for a, d, f, b in zip(x, decay, factors, s)), Dual(0))


def box_loss(x, t, kind, eps):
    t = [Dual(a) for a in t]
    larger = lambda a, b: a if a.value > b.value else b
    smaller = lambda a, b: a if a.value < b.value else b
    eps = mpf(eps)
    shared = [larger(smaller(x[k + 2], t[k + 2]) - larger(x[k], t[k]), Dual(0)) for k in (0, 1)]
    extent = [larger(x[k + 2], t[k + 2]) - smaller(x[k], t[k]) for k in (0, 1)]
    intersection = shared[0] * shared[1]
    areas = [(b[2] - b[0]) * (b[3] - b[1]) for b in (x, t)]
    union = areas[0] + areas[1] - intersection
    loss = 1 - intersection / (union + eps)
    if kind == "giouLoss":
        enclosing = extent[0] * extent[1]
        return loss + (enclosing - union) / (enclosing + eps)
    apart = [(x[k] + x[k + 2] - t[k] - t[k + 2]) * mpf(0.5) for k in (0, 1)]
    return loss + (apart[0] * apart[0] + apart[1] * apart[1]) / (extent[0] * extent[0] + extent[1] * extent[1] + eps)


SIZES = [1e-30, 1e-20, 1e-10, 1e-5, 1e-3, 0.1, 0.5, 1, 2, 4, 5, 8, 10, 12, 15, 18, 20, 25, 30, 45, 60, 80, 87, 100, 1e3, 1e10, 1e20, 1e30]
BOTH = [0.0] + [s * x for x in SIZES for s in (1, -1)]


def number(x):
    """To 17 digits; what float64 cannot hold is 0 or infinite."""
    x = mpf(x)
    if abs(x) > mpf(10) ** 308:
        return "inf" if x > 0 else "-inf"
    return float(x)


def elementwise(name, function, xs, f, **constants):
    """f of each x alone."""
    xs = [float32(x) for x in xs]
    results = [f(Dual(x, 1, 1)) for x in xs]
    yield {
        "name": name,
        "function": function,
        "constants": constants,
        "x": xs,
        "shape": [len(xs)],
        "v": 1,
        "y": [number(r.value) for r in results],
        "first": [number(r.a) for r in results],
        "second": [number(r.c) for r in results],
    }


def rowwise(name, function, x, f, v, **constants):
    """f of a whole row to one number."""
    x = [float32(value) for value in x]
    results = [f([Dual(value, int(i == k), v[k]) for k, value in enumerate(x)]) for i in range(len(x))]
    yield {
        "name": name,
        "function": function,
        "constants": constants,
        "x": x,
        "shape": [1, len(x)],
        "v": v,
        "y": [number(results[0].value)],
        "first": [number(r.a) for r in results],
        "second": [number(r.c) for r in results],
    }


ROWS = {
    "one ahead by 20": [20, 0, 0.5],
    "one ahead by 80": [0, -80, -81],
    "one ahead by 15 of many": [0, 15] + [-0.25 * k for k in range(11)],
    "two ahead": [20, 20, 0],
    "all equal": [3, 3, 3],
    "tiny": [1e-30, -1e-30, 0],
    "huge": [1e30, 0, -1e30],
    "usual": [0.5, -1, 2],
}


def cases():
    for name, f in UNARY.items():
        xs = BOTH
        if name in ("log", "sqrt", "rsqrt"):
            xs = SIZES
        if name == "log1p":
            xs = [x for x in BOTH if x > -0.9] + [-0.99]
        if name == "reciprocal":
            xs = BOTH[1:]
        # Its slope jumps at 0.
        if name == "elu":
            xs = BOTH[1:]
        yield from elementwise(name, name, xs, f)
    for delta in (1, 1e-10, 1e10, 1e-30, 1e30):
        d = float32(delta)
        # Where the pieces meet the second derivative jumps.
        distances = [x for x in BOTH if abs(float32(x)) != d]
        for name, f in (("huberLoss", huber), ("smoothL1Loss", smooth_l1)):
            for target in (0.0, 1.0, float32(1e30)):
                xs = distances if target == 0 else [target]
                yield from elementwise(
                    f"{name} to {target:g} within {delta:g}", name, xs, lambda x: f(x, target, mpf(d)), target=target, limit=d
                )
    for target in (0.0, 3.0, 1e30, -1e-30):
        t = float32(target)
        xs = BOTH if target == 0 else [t, 2 * t, -t]
        yield from elementwise(f"mseLoss to {target:g}", "mseLoss", xs, lambda x: (x - t) * (x - t), target=t)
        apart = [x for x in xs if x != t]
        yield from elementwise(f"l1Loss to {target:g}", "l1Loss", apart, lambda x: absolute(x - t), target=t)
    for target in (0, 1, 0.25):
        for weight in (1, 1e-20, 1e20):
            w = float32(weight)
            # Of a target between 0 and 1 the gradient has a zero, near which only a part of the digits is left.
            xs = BOTH if target in (0, 1) else [x for x in BOTH if abs(x) >= 5]
            # Elsewhere the weight would be multiplied with a number that is subnormal, or 0, in float32.
            if weight != 1:
                xs = [x for x in xs if abs(x) not in (87, 100)]
            yield from elementwise(
                f"bceWithLogits to {target} weighted {weight:g}", "bceWithLogits", xs, lambda x: bce(x, target, w), target=target, posWeight=w
            )
    for label, x in ROWS.items():
        v = [1, -0.5, 2, 0.75, 0.25, -1, 1.5, 3, -2, 0.5, 1.25, -0.75, 1][: len(x)]
        for k in range(min(3, len(x))):
            for smoothing in (0, 0.125):
                f = lambda row: cross_entropy(row, k, smoothing)
                yield from rowwise(f"crossEntropy {label}, label {k}, smoothing {smoothing}", "crossEntropy", x, f, v, label=k, smoothing=smoothing)
            yield from rowwise(f"nllLoss {label}, label {k}", "nllLoss", x, lambda row: cross_entropy(row, k, 0), v, label=k)
        weights = [0.5, 2, -1.25, 1, 0.25, 3, 1, -0.5, 1, 2, 0, 1, -1][: len(x)]
        # Of two equal probabilities the second derivatives cancel.
        if label != "two ahead":
            yield from rowwise(f"softmax {label}", "softmax", x, lambda row: row_softmax(row, weights), v, weights=weights)
        yield from rowwise(f"logSumExp {label}", "logSumExp", x, log_sum_exp, v)
        shares = [[0.5, 0.25, 0.25], [0.9375, 0, 0.0625], [1, 0, 0]]
        for share in shares if len(x) == 3 and label in ("one ahead by 80", "huge", "usual", "tiny") else []:
            f = lambda row: sum((-y * b for y, b in zip(row_log_softmax(row), share)), Dual(0))
            yield from rowwise(f"crossEntropy {label}, shares {share}", "crossEntropyOfShares", x, f, v, target=share)
    v = [1, -0.5, 2]
    for label, x, t in (
        ("usual", [1, 2, 5], [2, 3, 1]),
        ("huge and tiny", [1e30, 1e-30, 1], [1e-30, 1e30, 2]),
        ("neighbours", [1, 1.0000002, 3], [1.0000001, 1, 3]),
        ("neighbours at 1e30", [1e30, 1.0000002e30, 3e30], [1.0000001e30, 1e30, 3e30]),
        ("tiny", [1e-30, 3e-30, 2e-30], [2e-30, 1e-30, 5e-30]),
    ):
        t = [float32(b) for b in t]
        for weight in (1, 0.85, 0):
            for root in (False, True):
                f = lambda row: silog(row, t, weight, root)
                yield from rowwise(f"silog {label}, lambda {weight}{', root' if root else ''}", "silog", x, f, v, target=t, lambda_=weight, sqrt=root)
    pattern = [1, -2.5, 0.75, 4, -1]
    weights = [0.5, 2, -1.25, 1, 3]
    v = [1, -0.5, 2, 0.25, -1.5]
    for label, size, eps in (
        ("usual", 1, 1e-5),
        ("large", 1e15, 1e-5),
        ("of squares at the end of the range", 8e18, 1e-5),
        ("of squares beyond the range", 1e20, 1e-5),
        ("huge", 1e30, 1e-5),
        ("small", 1e-10, 1e-5),
        ("tiny", 1e-30, 1e-5),
        ("usual, eps 0", 1, 0),
        ("huge, eps 0", 1e25, 0),
        ("small, eps 0", 1e-12, 0),
        ("of squares below the range, eps 0", 1e-22, 0),
        ("tiny beside a tiny eps", 1e-14, 1e-28),
        ("huge beside a huge eps", 1e12, 1e24),
    ):
        x = [size * a for a in pattern]
        f = lambda row: layer_norm(row, weights, float32(eps))
        for function in ("layerNorm", "groupNorm", "instanceNorm", "batchNorm"):
            yield from rowwise(f"{function} {label}", function, x, f, v, weights=weights, eps=float32(eps))
        if eps == 1e-5:
            for correction in (0, 1):
                f = lambda row: variance(row, correction)
                yield from rowwise(f"variance {label}, correction {correction}", "variance", x, f, v, correction=correction)
    # One value far from the others: the squares leave the range, the variance does not.
    x = [4e19] + [0, 1e10, -2e18] * 21
    v = [3 * (k % 2) - 1 for k in range(len(x))]
    yield from rowwise("variance of one far value", "variance", x, lambda row: variance(row, 1), v, correction=1)
    for spread in (1e-30, 1, 1e30):
        f = lambda x: running_norm(x, float32(0.5), float32(spread), float32(1e-5))
        yield from elementwise(
            f"batchNorm by a running variance of {spread:g}",
            "runningNorm",
            [x for x in BOTH if abs(x) != 0.5],
            f,
            running=[float32(0.5), float32(spread)],
            eps=float32(1e-5),
        )
    for label, size in (("usual", 1), ("bytes", 255), ("large", 1e12), ("huge", 1e30), ("small", 1e-12), ("tiny", 1e-30)):
        x = [size * a for a in (0.2, 0.9, 0.4, 0.75, 0.1, 0.6, 0.35, 0.8, 0.05)]
        t = [float32(size * a) for a in (0.3, 0.7, 0.5, 0.65, 0.2, 0.4, 0.45, 0.9, 0.15)]
        v = [1, -0.5, 2, 0.25, -1.5, 1, 0.5, -1, 0.75]
        for window, sigma in (("gaussian", 1.5), ("uniform", 0)):
            f = lambda row: ssim(row, t, size, 0.01, 0.03, sigma)
            yield from rowwise(f"ssim {label}, {window}", "ssim", x, f, v, target=t, largest=size, window=window)
    for label, size in (("usual", 1), ("large", 1e15), ("huge", 1e30), ("small", 1e-15), ("tiny", 1e-30)):
        for p in (1, 2, 3, 0.5, 1.5, -2):
            x = [size * a for a in pattern]
            f = lambda row: power(sum((power(absolute(a), p) for a in row), Dual(0)), 1 / mpf(p))
            yield from rowwise(f"norm {label}, p {p}", "norm", x, f, [1, -0.5, 2, 0.25, -1.5], p=p)
    for label, x, t in (
        ("usual", [-0.5, -2, -1.5], [0.6, 0.1, 0.3]),
        ("of small probabilities", [-60, -30, -0.01], [1e-30, 1e-12, 1]),
        ("far", [-1e10, -1e30, -1e3], [1e-3, 1e-10, 0.5]),
    ):
        t = [float32(b) for b in t]
        f = lambda row: sum((b * (mpmath.log(b) - a) for a, b in zip(row, map(mpf, t))), Dual(0))
        yield from rowwise(f"klDivLoss {label}", "klDivLoss", x, f, [1, -0.5, 2], target=t)
    kinds = ["regression", "classification", "regression"]
    for label, values, s in (
        ("usual", [0.5, 2, 1.5], [0.25, -1, 0.5]),
        ("of huge losses", [1e30, 1e20, 1e10], [60, 20, -5]),
        ("of tiny losses", [1e-30, 1e-20, 1e-10], [-60, -30, -10]),
        ("past the range of the weight", [1e-30, 1, 1e-5], [-70, 85, -4]),
    ):
        for variant in ("exp(-s)", "exp(-s^2)"):
            # e^(-s^2) of these is far from any use.
            s_ = s if variant == "exp(-s)" else [max(-5, min(5, b)) for b in s]
            values_, s_ = [float32(a) for a in values], [float32(b) for b in s_]
            f = lambda row: uncertainty([Dual(a) for a in values_], row, kinds, variant)
            yield from rowwise(
                f"uncertaintyWeighting {variant} {label}, by s", "uncertaintyByS", s_, f, [1, -0.5, 2], losses=values_, variant=variant
            )
            f = lambda row: uncertainty(row, [Dual(b) for b in s_], kinds, variant)
            yield from rowwise(
                f"uncertaintyWeighting {variant} {label}, by losses", "uncertaintyByLosses", values_, f, [1, -0.5, 2], s=s_, variant=variant
            )
    for target, weight in ((1e-6, 1), (1e-12, 1e10), (1e-30, 1e30), (1 - 2**-24, 1), (1 - 2**-20, 1e-6), (0.5, 1e30), (0.5, 1e-30), (0.9, 3)):
        t, w = float32(target), float32(weight)
        # Away from the zero of the gradient, at which e^x is this, and from subnormal products.
        zero = mpmath.log(mpf(w) * mpf(t) / (1 - mpf(t)))
        xs = [x for x in BOTH if abs(x - zero) > 1 and abs(x) not in (87, 100)]
        yield from elementwise(
            f"bceWithLogits to {target:.9g} weighted {weight:g}", "bceWithLogits", xs, lambda x: bce(x, t, w), target=t, posWeight=w
        )
    # Powers of two, in which all coordinates are exact, and so are their differences.
    for label, size in (("usual", 1), ("large", 2.0**34), ("of areas beyond the range", 2.0**66), ("huge", 2.0**100), ("small", 2.0**-14), ("tiny", 2.0**-100)):
        for where, t in (("overlapping", [2, 1, 7, 6]), ("apart", [9, 11, 14, 12]), ("inside", [2, 3, 4, 7]), ("far", [1000, 2000, 1001, 2003])):
            t = [size * a for a in t]
            for kind in ("diouLoss", "giouLoss"):
                for eps in (1e-7, 0):
                    # Of which nothing is left beside eps.
                    if label == "tiny" and where == "inside" and eps > 0:
                        continue
                    f = lambda row: box_loss(row, t, kind, eps)
                    x = [size * a for a in (1, 2, 5, 8)]
                    yield from rowwise(f"{kind} {label}, {where}, eps {eps}", kind, x, f, [1, -0.5, 2, 0.25], target=t, eps=eps)


def main():
    made = [case for case in cases()]
    for case in made:
        if "lambda_" in case["constants"]:
            case["constants"]["lambda"] = case["constants"].pop("lambda_")
    text = '{ "made": "mpmath %s", "cases": [\n%s\n] }\n' % (mpmath.__version__, ",\n".join(map(json.dumps, made)))
    pathlib.Path(__file__).with_name("extremes.json").write_text(text)
    print(f"{len(made)} cases, {len(text)} bytes")


main()
