"""Writes face.json: values and gradients of operations by PyTorch 1.13, for the checks in face.ts.

    python3 test/engine/face_torch.py > test/engine/face.json
"""

import json

import torch
import torch.nn.functional as F

torch.manual_seed(7)
cases = []


def plain(x):
    return {"shape": list(x.shape), "values": [round(v, 9) for v in x.detach().double().flatten().tolist()]}


def case(name, f, inputs, options=None, constant=()):
    """Runs f on float64 tensors; integer inputs and those in `constant` have no gradient."""
    leaves = [
        x.detach().clone().requires_grad_(x.is_floating_point() and i not in constant) for i, x in enumerate(inputs)
    ]
    y = f(*leaves)
    g = torch.randn(y.shape, dtype=torch.float64).float().double()
    wanted = [x for x in leaves if x.requires_grad]
    found = torch.autograd.grad(y, wanted, g, allow_unused=True)
    gradients = [torch.zeros_like(x) if d is None else d for x, d in zip(wanted, found)]
    cases.append(
        {
            "name": name,
            "options": options or {},
            "inputs": [
                {**plain(x), "dtype": "float32" if x.is_floating_point() else "int32", "grad": x.requires_grad}
                for x in leaves
            ],
            "output": plain(y),
            "cotangent": plain(g),
            "gradients": [plain(x) for x in gradients],
        }
    )


def draw(*shape):
    return torch.randn(*shape).float().double()


for axis in (0, 1, -1):
    case("cumsum", lambda x: x.cumsum(axis), [draw(3, 5, 2)], {"axis": axis})
    case("cumprod", lambda x: x.cumprod(axis), [draw(3, 5, 2)], {"axis": axis})
zeros = torch.tensor([[1.5, 0, -2, 3], [0, 2, 0, 1], [1, -1, 2, 0.5]], dtype=torch.float64)
case("cumprod", lambda x: x.cumprod(1), [zeros], {"axis": 1})
case("prod", lambda x: x.prod(1), [zeros], {"axis": 1})
case("prod", lambda x: x.prod(0), [draw(4, 3)], {"axis": 0})
for descending in (False, True):
    options = {"axis": 1, "descending": descending}
    case("sort", lambda x: x.sort(1, descending=descending).values, [draw(2, 37, 3)], options)
    options = {"axis": -1, "k": 4, "largest": descending}
    case("topk", lambda x: x.topk(4, -1, largest=descending).values, [draw(3, 9)], options)
for p in (0, 0.5, 1, 1.7, 2, 3, -1, float("inf"), float("-inf")):
    x = draw(4, 6)
    options = {"axis": 1, "p": p if abs(p) != float("inf") else ("inf" if p > 0 else "-inf")}
    case("norm", lambda x: torch.linalg.vector_norm(x, p, 1), [x], options)
case("norm", lambda x: torch.linalg.vector_norm(x, 2, 1), [torch.zeros(2, 3).double()], {"axis": 1, "p": 2})
case("norm", lambda x: torch.linalg.vector_norm(x, 2, 1), [draw(2, 3) * 1e20], {"axis": 1, "p": 2})
for equation, shapes in (
    ("ij,jk->ik", [(3, 4), (4, 5)]),
    ("bij,bjk->bik", [(2, 3, 4), (2, 4, 5)]),
    ("i,j", [(3,), (4,)]),
    ("ba", [(3, 4)]),
    ("ii->i", [(4, 4)]),
    ("ii", [(4, 4)]),
    ("iij,j->i", [(3, 3, 4), (4,)]),
    ("bn,anm,bm->ba", [(2, 3), (4, 3, 5), (2, 5)]),
    ("...ij,...jk->...ik", [(2, 1, 3, 4), (5, 4, 2)]),
    ("i...->...", [(3, 2, 2)]),
    ("ij,ij->", [(3, 4), (3, 4)]),
    ("bhqd,bhkd->bhqk", [(2, 2, 3, 4), (2, 2, 5, 4)]),
    ("ij,jk,kl->il", [(2, 3), (3, 4), (4, 2)]),
):
    case("einsum", lambda *x: torch.einsum(equation, *x), [draw(*s) for s in shapes], {"equation": equation})
for kernel, options in (
    (3, {"stride": 2, "padding": 1}),
    (2, {"dilation": 3, "groups": 2}),
    (4, {"padding": "same"}),
    (3, {"padding": "same", "dilation": 2}),
):
    weight = draw(4, 4 // options.get("groups", 1), kernel)
    case("conv1d", lambda x, w, b: F.conv1d(x, w, b, **options), [draw(2, 4, 11), weight, draw(4)], options)
for kernel, dilation in (((3, 3), 1), ((2, 4), 1), ((4, 3), (1, 2)), ((1, 2), (3, 3))):
    options = {"padding": "same", "dilation": dilation}
    case("conv2d", lambda x, w: F.conv2d(x, w, **options), [draw(2, 3, 6, 7), draw(2, 3, *kernel)], options)
for mode in ("bilinear", "nearest"):
    for padding in ("zeros", "border", "reflection"):
        for aligned in (False, True):
            options = {"mode": mode, "paddingMode": padding, "alignCorners": aligned}
            sample = lambda x, g: F.grid_sample(x, g, mode=mode, padding_mode=padding, align_corners=aligned)
            case("gridSample", sample, [draw(2, 3, 4, 5), draw(2, 3, 4, 2) * 1.3], options)
for reduction in ("mean", "sum", "none", "batchmean"):
    for log in (False, True):
        x = draw(3, 4).log_softmax(1)
        target = draw(3, 4).log_softmax(1) if log else draw(3, 4).softmax(1)
        options = {"reduction": reduction, "logTarget": log}
        case("klDivLoss", lambda x, t: F.kl_div(x, t, reduction=reduction, log_target=log), [x, target], options)
case("klDivLoss", lambda x, t: F.kl_div(x, t), [draw(2, 3), torch.eye(2, 3).double()], {}, constant=(1,))
for reduction in ("mean", "sum", "none"):
    for smoothing in (0.0, 0.2):
        options = {"reduction": reduction, "labelSmoothing": smoothing}
        loss = lambda x, t, w: F.cross_entropy(x, t, w, reduction=reduction, label_smoothing=smoothing)
        case("crossEntropy", loss, [draw(2, 4, 3), draw(2, 4, 3).softmax(1), draw(4).abs()], options, constant=(2,))
case("instanceNorm", lambda x, w, b: F.instance_norm(x, weight=w, bias=b), [draw(2, 3, 4, 5), draw(3), draw(3)])
case("prelu", F.prelu, [draw(2, 3, 4), draw(3)])
case("prelu", F.prelu, [draw(5), draw(1)])
for name in ("floor", "ceil", "round"):
    case(name, getattr(torch, name), [torch.tensor([-2.5, -1.5, -0.5, 0.5, 1.5, 2.5, 0.3, -0.7]).double()])
json.dump(cases, __import__("sys").stdout, separators=(",", ":"))
