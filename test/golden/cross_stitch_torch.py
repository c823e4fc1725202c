"""The cross-stitch networks in PyTorch, as an oracle for models/cross-stitch.ts and models/funnel-net.ts.

Usage: cross_stitch_torch.py REQUEST ANSWER (both safetensors, float32). REQUEST holds several inputs `x`, the parameters and
buffers as `state.<name>` and a cotangent `cotangent.<output>` for every output; its metadata hold `network` (a JSON
description). ANSWER gets `chosen`, the index of the input that stays farthest from the kinks of relu and max-pool, where a
rounding would change the gradient, and for it `output.<name>`, `grad.<parameter>` of sum(output * cotangent) in training
mode, and `after.<buffer>`.
"""
import json
import struct
import sys

import numpy
import torch
from torch import nn


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = file.read()
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        values = numpy.frombuffer(data[begin:end], dtype="<f4").reshape(entry["shape"])
        tensors[name] = torch.tensor(values, dtype=torch.float64)
    return tensors, metadata


def write(path, tensors):
    header, parts, at = {}, [], 0
    for name, tensor in tensors.items():
        data = tensor.detach().numpy().astype("<f4").tobytes()
        header[name] = {"dtype": "F32", "shape": list(tensor.shape), "data_offsets": [at, at + len(data)]}
        parts.append(data)
        at += len(data)
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))


# The least distance from a kink so far.
margin = [float("inf")]


def relu(x):
    margin[0] = min(margin[0], x.detach().abs().min().item())
    return torch.relu(x)


def max_pool(x):
    n, c, h, w = x.shape
    windows = x.detach().reshape(n, c, h // 2, 2, w // 2, 2).transpose(3, 4).reshape(-1, 4)
    first, second = windows.topk(2).values.unbind(1)
    # Zeros behind a relu tie exactly, on every device.
    if (first > 0).any():
        margin[0] = min(margin[0], (first - second)[first > 0].min().item())
    return nn.functional.max_pool2d(x, 2, stride=2)


class Stem(nn.Module):
    def __init__(self, outputs, kernel):
        super().__init__()
        self.conv = nn.Conv2d(3, outputs, kernel, stride=2, padding=(kernel - 1) // 2, bias=False)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x):
        return relu(self.bn(self.conv(x)))


class Unit(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.conv1 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, padding=1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)

    def forward(self, x):
        return self.bn2(self.conv2(relu(self.bn1(self.conv1(x)))))


class Stage(nn.Module):
    def __init__(self, inputs, outputs, down):
        super().__init__()
        self.down = down
        self.unit1, self.unit2 = Unit(inputs), Unit(inputs)
        if down:
            self.sample = nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)
        else:
            self.sample = nn.ConvTranspose2d(inputs, outputs, 3, stride=2, padding=1, output_padding=1)
        self.bn = nn.BatchNorm2d(outputs)

    def forward(self, x0):
        x = self.unit1(x0) + x0
        x = self.unit2(x) + x0
        x = relu(self.bn(self.sample(x)))
        return max_pool(x) if self.down else x


class Head(nn.Module):
    def __init__(self, channels, hidden, outputs):
        super().__init__()
        self.fc1 = nn.Linear(4 * channels, hidden[0])
        self.fc2 = nn.Linear(hidden[0], hidden[1])
        self.fc3 = nn.Linear(hidden[1], outputs)

    def forward(self, x):
        return self.fc3(self.fc2(self.fc1(nn.functional.adaptive_avg_pool2d(x, (2, 2)).flatten(1))))


class Stitch(nn.Module):
    def __init__(self, branches):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(branches, branches))

    def forward(self, maps):
        return list(torch.einsum("ij,jnchw->inchw", self.alpha, torch.stack(maps)))


def stages(widths, down):
    return nn.ModuleList(Stage(a, b, down) for a, b in zip(widths, widths[1:]))


class Decoder(nn.Module):
    def __init__(self, widths, sigmoid):
        super().__init__()
        self.stages = stages(widths, False)
        self.conv = nn.Conv2d(widths[-1], 2, 3, padding=1, bias=False)
        self.sigmoid = sigmoid

    def forward(self, x):
        for stage in self.stages:
            x = stage(x)
        x = self.conv(x)
        return torch.sigmoid(x) if self.sigmoid else x


class CrossStitchNetwork(nn.Module):
    def __init__(self, tasks, widths, hidden, units, sigmoid):
        super().__init__()
        self.tasks = tasks
        self.stem = Stem(widths[0], 3)
        self.encoders = nn.ModuleList(stages(widths, True) for _ in tasks)
        if units:
            self.stitches = nn.ModuleList(Stitch(len(tasks)) for _ in range(units))
        if "binary" in tasks:
            self.binary = Head(widths[-1], hidden, 2)
        if "box" in tasks:
            self.box = Head(widths[-1], hidden, 4)
        self.segmentation = Decoder(widths[::-1] + [3], sigmoid)

    def forward(self, x):
        maps = [self.stem(x)] * len(self.tasks)
        for level in range(len(self.encoders[0])):
            if len(self.tasks) > 1:
                maps = self.stitches[min(level, len(self.stitches) - 1)](maps)
            maps = [encoder[level](map) for encoder, map in zip(self.encoders, maps)]
        return {task: getattr(self, task)(map) for task, map in zip(self.tasks, maps)}


class Encoder(nn.Module):
    def __init__(self, widths):
        super().__init__()
        self.stem = Stem(widths[0], 7)
        self.stages = stages(widths, True)

    def forward(self, x):
        x = self.stem(x)
        for stage in self.stages:
            x = stage(x)
        return x


class Auxiliary(nn.Module):
    def __init__(self, widths, hidden):
        super().__init__()
        self.encoders = nn.ModuleList([Encoder(widths), Encoder(widths)])
        self.binary = Head(widths[-1], hidden, 2)
        self.box = Head(widths[-1], hidden, 4)

    def forward(self, x):
        f1, f2 = self.encoders[0](x), self.encoders[1](x)
        return {"binary": self.binary(f1), "box": self.box(f2), "features": (f1, f2)}


class Funnel(nn.Module):
    def __init__(self, widths, sigmoid):
        super().__init__()
        up = widths[::-1] + [3]
        branches = lambda level, count: nn.ModuleList(Stage(up[level], up[level + 1], False) for _ in range(count))
        self.encoder = Encoder(widths)
        self.three = nn.ModuleList([branches(0, 3), branches(1, 3)])
        self.stitch1 = Stitch(3)
        self.two = nn.ModuleList([branches(2, 2), branches(3, 2)])
        self.stitch2 = Stitch(2)
        self.one = stages(up[4:], False)
        self.conv = nn.Conv2d(up[-1], 2, 3, padding=1)
        self.mix = nn.Parameter(torch.zeros(3, 2))
        self.sigmoid = sigmoid

    def forward(self, x, features):
        along = lambda row, maps: [stage(map) for stage, map in zip(row, maps)]
        g = along(self.three[0], [self.encoder(x), *features])
        h = along(self.three[1], self.stitch1(g))
        m = self.mix
        p = along(self.two[0], [m[0, 0] * h[0] + m[0, 1] * h[1], m[1, 0] * h[0] + m[1, 1] * h[2]])
        q = along(self.two[1], self.stitch2(p))
        q = m[2, 0] * q[0] + m[2, 1] * q[1]
        for stage in self.one:
            q = stage(q)
        q = self.conv(q)
        return torch.sigmoid(q) if self.sigmoid else q


class Sequential2(nn.Module):
    """Both networks of OEQ; the features are constants for the second one."""

    def __init__(self, widths, hidden, sigmoid):
        super().__init__()
        self.auxiliary = Auxiliary(widths, hidden)
        self.funnel = Funnel(widths, sigmoid)

    def forward(self, x):
        outputs = self.auxiliary(x)
        features = [map.detach() for map in outputs.pop("features")]
        return {**outputs, "segmentation": self.funnel(x, features)}


def main(request, answer):
    tensors, metadata = read(request)
    about = json.loads(metadata["network"])
    if about["kind"] == "oeq":
        net = Sequential2(about["widths"], about["hidden"], about["sigmoid"])
    else:
        net = CrossStitchNetwork(about["tasks"], about["widths"], about["hidden"], about["units"], about["sigmoid"])
    net.double().train()
    state = {name[6:]: value for name, value in tensors.items() if name.startswith("state.")}
    missing, unexpected = net.load_state_dict(state, strict=False)
    if unexpected or any(not name.endswith("num_batches_tracked") for name in missing):
        raise SystemExit(f"the states differ: missing {missing}, unexpected {unexpected}")
    margins = []
    for x in tensors["x"]:
        margin[0] = float("inf")
        with torch.no_grad():
            net(x)
        margins.append(margin[0])
    chosen = max(range(len(margins)), key=margins.__getitem__)
    # Running statistics as they were.
    net.load_state_dict(state, strict=False)
    outputs = net(tensors["x"][chosen])
    sum((value * tensors[f"cotangent.{name}"]).sum() for name, value in outputs.items()).backward()
    result = {"chosen": torch.tensor([chosen])}
    result.update({f"output.{name}": value for name, value in outputs.items()})
    result.update({f"grad.{name}": value.grad for name, value in net.named_parameters()})
    result.update({f"after.{n}": v for n, v in net.named_buffers() if not n.endswith("num_batches_tracked")})
    write(answer, result)


if __name__ == "__main__":
    main(*sys.argv[1:])
