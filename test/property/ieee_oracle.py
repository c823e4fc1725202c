# Writes ieee.json beside this file: what PyTorch makes of NaN, infinities, signed zeros, huge and tiny numbers, ties and
# limits, forward and backward. Made once, with PyTorch 1.13 on a CPU, and tracked; run it again only to add cases:
#
#   python3 test/property/ieee_oracle.py
#
# A case is a name, an operation (a name in ieee-operations.ts), inputs, the function, and how many inputs at the end are
# constants. The others ask for gradients unless they are integers, and the cotangent is 1, 2, 3, ... so that a wrong place
# shows.
import json
import pathlib

import torch
import torch.nn.functional as F

inf, nan = float("inf"), float("nan")
SPECIAL = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 0.5, -2.0, 3e38, -3e38, 1e-30, -1e-30, 1e-40, 85.0, -85.0, 3.0, 20.5]
FEW = [nan, inf, -inf, 0.0, -0.0, 1.0, -1.0, 2.5]
PAIRS = [[a for a in FEW for _ in FEW], [b for _ in FEW for b in FEW]]
ROWS = [
    [1, nan, 3, nan, 2],
    [nan, 1, 2, 3, 4],
    [1, 2, 3, 4, nan],
    [1, inf, 3, inf, 2],
    [1, -inf, 3, -inf, 2],
    [inf, -inf, 0, 0, 0],
    [-inf] * 5,
    [inf] * 5,
    [2, 5, 5, 1, 1],
    [0.0, -0.0, 0.0, -0.0, 0.0],
    [1e30, 1, 1, 1, 1],
    [1000, -1000, 0, 999, 1000],
]
IMAGE = [[[[nan, 1, 2, 3], [4, 5, inf, 6], [-inf, 7, 8, 8], [9, -1, -2, -3]]]]
LOW = [[[[-inf] * 4 for _ in range(4)]]]
LOGITS = [[0.5, -1.0, 2.0], [inf, 0.0, 1.0], [-inf, 0.0, 1.0], [-inf, -inf, -inf], [nan, 0.0, 1.0], [1e4, -1e4, 0.0]]
SOFT = [-inf, -100.0, -20.0, -1.0, 0.0, 1.0, 20.0, 100.0, inf, nan]

UNARY = {
    "neg": torch.neg, "abs": torch.abs, "sign": torch.sign, "square": torch.square, "exp": torch.exp, "log": torch.log,
    "sqrt": torch.sqrt, "rsqrt": torch.rsqrt, "reciprocal": torch.reciprocal, "sin": torch.sin, "cos": torch.cos,
    "erf": torch.erf, "relu": F.relu, "leakyRelu": lambda x: F.leaky_relu(x, 0.25), "elu": F.elu, "silu": F.silu,
    "sigmoid": torch.sigmoid, "tanh": torch.tanh, "gelu": F.gelu, "geluTanh": lambda x: F.gelu(x, approximate="tanh"),
    "softplus": F.softplus, "clamp": lambda x: torch.clamp(x, -0.5, 1.0), "clampMin": lambda x: torch.clamp(x, min=1.0),
    "affine": lambda x: x * -2.0 + 1.0,
}
UNARY.update({f"pow{p}": (lambda p: lambda x: torch.pow(x, p))(p) for p in (-1.0, 0.0, 0.5, 1.0, 2.0, 3.0, 2.5, inf, nan)})
BINARY = {
    "add": torch.add, "sub": torch.sub, "mul": torch.mul, "div": torch.div, "pow": torch.pow,
    "maximum": torch.maximum, "minimum": torch.minimum,
    "eq": torch.eq, "ne": torch.ne, "lt": torch.lt, "le": torch.le, "gt": torch.gt, "ge": torch.ge,
}
REDUCTIONS = {
    "sum": lambda x, d: x.sum(d), "mean": lambda x, d: x.mean(d), "amax": torch.amax, "amin": torch.amin,
    "max": lambda x, d: tuple(torch.max(x, d)), "min": lambda x, d: tuple(torch.min(x, d)),
    "argmax": torch.argmax, "argmin": torch.argmin,
    "variance": lambda x, d: torch.var(x, d), "logSumExp": torch.logsumexp,
    "softmax": torch.softmax, "logSoftmax": torch.log_softmax,
}


def batch_norm(x, weight, bias):
    return F.batch_norm(x, None, None, weight, bias, training=True)


def batch_norm_eval(x, weight, bias, mean, var):
    return F.batch_norm(x, mean, var, weight, bias, training=False)


def lossed(function, **constants):
    return [(how, lambda *a, how=how: function(*a, reduction=how, **constants)) for how in ("mean", "sum", "none")]


def floats(values):
    return torch.tensor(values, dtype=torch.float32)


def cases():
    for name, f in UNARY.items():
        # The powers in PyTorch's approximate gelu overflow on the way, so that its slope is NaN where it is 0 or 1.
        values = [v for v in SPECIAL if not abs(v) >= 3e38 or name != "geluTanh"]
        yield name, name, [floats(values)], f
    for name, f in BINARY.items():
        yield name, name, [floats(PAIRS[0]), floats(PAIRS[1])], f
    yield "where", "where", [torch.tensor([i % 2 == 0 for i in range(len(FEW))]), floats(FEW), floats(FEW[::-1])], torch.where
    for name, f in REDUCTIONS.items():
        yield f"{name} of rows", f"{name}1", [floats(ROWS)], lambda x, f=f: f(x, 1)
        yield f"{name} of columns", f"{name}0", [floats(ROWS).t().contiguous()], lambda x, f=f: f(x, 0)
    yield "variance of one", "variance1", [floats([[1.0], [inf]])], lambda x: torch.var(x, 1)
    yield "mean of nothing", "mean1", [torch.zeros(2, 0)], lambda x: x.mean(1)
    yield "sum of nothing", "sum1", [torch.zeros(2, 0)], lambda x: x.sum(1)
    for label, image in (("", IMAGE), (" of minus infinity", LOW)):
        pool = lambda x: F.max_pool2d(x, 2, 1, 1, return_indices=True)
        yield f"maxPool2d{label}", "maxPool2d", [floats(image)], pool
        adaptive = lambda x: F.adaptive_max_pool2d(x, 3, return_indices=True)
        yield f"adaptiveMaxPool2d{label}", "adaptiveMaxPool2d", [floats(image)], adaptive
    yield "avgPool2d", "avgPool2d", [floats(IMAGE)], lambda x: F.avg_pool2d(x, 2, 1)
    yield "conv2d", "conv2d", [floats(IMAGE), floats([[[[1.0, 0.0], [2.0, -1.0]]]])], F.conv2d
    yield "matmul", "matmul", [floats([[nan, 1], [inf, 0], [-inf, 1]]), floats([[1, 0], [0, 2]])], torch.matmul
    nearest = lambda x: F.interpolate(x, size=(3, 5), mode="nearest")
    yield "interpolate nearest", "nearest", [floats(IMAGE)], nearest
    bilinear = lambda x: F.interpolate(x, size=(4, 5), mode="bilinear", align_corners=False)
    yield "interpolate bilinear", "bilinear", [floats([[[[1, 2, inf], [3, -inf, nan], [1, 1, 1]]]])], bilinear

    weights = [floats([2.0, 1.0]), floats([0.5, -1.0])]
    for label, x in (
        ("NaN", [[[1, nan, 2], [1, 2, 4]]]),
        ("infinity", [[[1, inf, 2], [1, 2, 4]]]),
        ("equal values", [[[1, 1, 1], [1, 2, 4]]]),
    ):
        yield f"batchNorm with {label}", "batchNorm", [floats(x), *weights], batch_norm
    running = [floats([0.0, 1.0]), floats([1.0, 0.0])]
    x = floats([[[nan, inf, 2], [1, 2, -inf]]])
    yield "batchNorm of running statistics", "batchNormEval", [x, *weights, *running], batch_norm_eval, 2
    yield "batchNorm of no image", "batchNorm", [torch.zeros(0, 2, 3), *weights], batch_norm
    yield "layerNorm", "layerNorm", [floats([[1, nan, 2], [1, 2, 4], [inf, 1, 2]])], lambda x: F.layer_norm(x, (3,))

    pairs = [floats(PAIRS[0]), floats(PAIRS[1])]
    for name, f in (
        ("mseLoss", F.mse_loss),
        ("l1Loss", F.l1_loss),
        ("huberLoss", F.huber_loss),
        ("smoothL1Loss", F.smooth_l1_loss),
    ):
        for how, g in lossed(f):
            yield f"{name} {how}", f"{name} {how}", pairs, g
            yield f"{name} {how} of nothing", f"{name} {how}", [torch.zeros(0), torch.zeros(0)], g
    for target in (0.0, 1.0, 0.25):
        for how, g in lossed(F.binary_cross_entropy_with_logits):
            # At minus infinity PyTorch takes infinity from infinity where the loss is infinite.
            values = [v for v in SOFT if v != -inf or target == 0]
            inputs = [floats(values), torch.full((len(values),), target)]
            yield f"bceWithLogits {how} to {target}", f"bceWithLogits {how}", inputs, g
    for label, target in (("", [2, 1, 0, 1, 2, 0]), (" of ignored", [-100] * 6), (" partly ignored", [2, -100, -100, -100, -100, 0])):
        target = torch.tensor(target)
        for how, g in lossed(F.cross_entropy):
            yield f"crossEntropy {how}{label}", f"crossEntropy {how}", [floats(LOGITS), target], g
        for how, g in lossed(F.nll_loss):
            yield f"nllLoss {how}{label}", f"nllLoss {how}", [floats(LOGITS), target], g
    for how, g in lossed(F.cross_entropy, label_smoothing=0.1):
        inputs = [floats(LOGITS), torch.tensor([2, 1, -100, -100, 0, 0])]
        yield f"crossEntropy {how} smoothed", f"crossEntropySmoothed {how}", inputs, g


def number(value):
    """JSON has neither NaN nor infinities, and readers of it lose the sign of zero."""
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, float):
        if value != value:
            return "nan"
        if value in (inf, -inf):
            return "inf" if value > 0 else "-inf"
        if value == 0 and str(value) == "-0.0":
            return "-0"
        return float(f"{value:.9g}")  # enough to tell all float32 numbers apart
    return value


def packed(tensor):
    dtype = {torch.float32: "float32", torch.int64: "int32", torch.bool: "bool"}[tensor.dtype]
    return {"dtype": dtype, "shape": list(tensor.shape), "values": [number(v) for v in tensor.flatten().tolist()]}


def evaluate(name, operation, inputs, f, constants=0):
    differentiated = len(inputs) - constants
    inputs = [
        x.clone().requires_grad_(x.is_floating_point() and i < differentiated) for i, x in enumerate(inputs)
    ]
    outputs = f(*inputs)
    outputs = list(outputs) if isinstance(outputs, tuple) else [outputs]
    gradients = []
    if outputs[0].requires_grad:
        cotangent = torch.arange(1, outputs[0].numel() + 1, dtype=torch.float32).reshape(outputs[0].shape)
        wanted = [x for x in inputs if x.requires_grad]
        gradients = [packed(g) for g in torch.autograd.grad(outputs[0], wanted, cotangent)]
    return {
        "name": name,
        "operation": operation,
        "inputs": [{**packed(x.detach()), "requiresGrad": x.requires_grad} for x in inputs],
        "outputs": [packed(y.detach()) for y in outputs],
        "gradients": gradients,
    }


def main():
    torch.set_num_threads(1)
    lines = [json.dumps(evaluate(*case)) for case in cases()]
    text = '{ "made": "PyTorch %s, CPU", "cases": [\n%s\n] }\n' % (torch.__version__, ",\n".join(lines))
    pathlib.Path(__file__).with_name("ieee.json").write_text(text)
    print(f"{len(lines)} cases")


main()
