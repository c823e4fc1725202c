"""PyTorch on the CPU: `python3 torch_peer.py 2` (threads). Speaks the protocol of protocol.mjs."""

import json
import math
import sys
import time

SAMPLES = 16
FIRST_PARAMETER_SEED = 10


def say(message):
    print(json.dumps(message), flush=True)


try:
    import torch
    import torch.nn.functional as F
    from torch import nn
except ImportError as error:
    say({"absent": str(error)})
    sys.exit(0)

MASK = 0xFFFFFFFF


def fixed_values(count, seed):
    """The numbers of [-1, 1) that `fixedValues` of protocol.mjs makes."""
    h = (torch.arange(1, count + 1) * 0x9E3779B1 & MASK) ^ (seed * 0x85EBCA6B & MASK)
    h = (h ^ (h >> 15)) * 0x2C1B3C6D & MASK
    h = (h ^ (h >> 12)) * 0x297A2D39 & MASK
    return ((h ^ (h >> 15)) >> 8).double().div(2**23).sub(1).float()


def tensor(shape, seed):
    return fixed_values(math.prod(shape), seed).reshape(shape)


def summarize(result):
    flat = result.detach().double().flatten()
    at = [int((i + 0.5) * len(flat) / SAMPLES) for i in range(SAMPLES)]
    return {"rms": flat.square().mean().sqrt().item(), "samples": flat[at].tolist()}


class Conv2d:
    """3x3 convolution, stride 1, same size; with `gradients` also those to image and weight."""

    def __init__(self, shape, gradients):
        n, k = shape["batch"], shape["kernel"]
        size = [shape["height"], shape["width"]]
        self.x = tensor([n, shape["inChannels"], *size], 1).requires_grad_(gradients)
        self.w = tensor([shape["outChannels"], shape["inChannels"], k, k], 2).requires_grad_(gradients)
        self.dy = tensor([n, shape["outChannels"], *size], 3)
        self.gradients = gradients

    def run(self):
        y = F.conv2d(self.x, self.w, padding=self.w.shape[-1] // 2)
        self.last = [y]
        if self.gradients:
            self.last += torch.autograd.grad(y, [self.x, self.w], self.dy)

    def results(self):
        return self.last


class DoubleConv(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.conv1 = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.bn1 = nn.BatchNorm2d(outputs)
        self.conv2 = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.bn2 = nn.BatchNorm2d(outputs)

    def forward(self, x):
        x = F.relu(self.bn1(self.conv1(x)))
        return F.relu(self.bn2(self.conv2(x)))


class UNet(nn.Module):
    """The network of models/unet.ts: same names, same order, same parameters."""

    def __init__(self, classes, width):
        super().__init__()
        c = [width * 2**level for level in range(5)]
        self.enc0 = DoubleConv(1, c[0])
        for level in range(1, 5):
            setattr(self, f"enc{level}", DoubleConv(c[level - 1], c[level]))
        for level in range(3, -1, -1):
            setattr(self, f"up{level}", nn.ConvTranspose2d(c[level + 1], c[level], 2, stride=2))
            setattr(self, f"dec{level}", DoubleConv(c[level + 1], c[level]))
        self.depth = nn.Conv2d(c[0], 1, 1)
        self.fc1 = nn.Linear(c[4], 256)
        self.fc2 = nn.Linear(256, 64)
        self.fc3 = nn.Linear(64, classes)

    def forward(self, x):
        features = [self.enc0(x)]
        for level in range(1, 5):
            features.append(getattr(self, f"enc{level}")(F.max_pool2d(features[-1], 2)))
        d = features[4]
        for level in range(3, -1, -1):
            up = getattr(self, f"up{level}")(d)
            d = getattr(self, f"dec{level}")(torch.cat([features[level], up], 1))
        pooled = features[4].mean((2, 3))
        logits = self.fc3(F.relu(self.fc2(F.relu(self.fc1(pooled)))))
        return self.depth(d), logits


class UNetStep:
    """One step of the multitask loss (cross-entropy + MSE of depth) with SGD. Results: parameter count, first losses."""

    def __init__(self, shape):
        n, size = shape["batch"], shape["size"]
        self.model = UNet(shape["classes"], shape["baseWidth"])
        for seed, p in enumerate(self.model.parameters()):
            p.data = (1 / math.sqrt(p[0].numel())) * tensor(list(p.shape), seed + FIRST_PARAMETER_SEED)
        self.input = tensor([n, 1, size, size], 1)
        self.target = tensor([n, 1, size, size], 2)
        self.label = torch.arange(n) % shape["classes"]
        self.weight = torch.ones(shape["classes"])
        self.optimizer = torch.optim.SGD(
            self.model.parameters(),
            lr=shape["learningRate"],
            momentum=shape["momentum"],
            weight_decay=shape["weightDecay"],
        )
        count = sum(p.numel() for p in self.model.parameters())
        self.first = [torch.tensor([float(count)])] + [self.run().reshape(1) for _ in range(shape["checkedSteps"])]

    def run(self):
        depth, logits = self.model(self.input)
        loss = F.cross_entropy(logits, self.label, self.weight) + F.mse_loss(depth, self.target)
        self.optimizer.zero_grad()
        loss.backward()
        self.optimizer.step()
        return loss.detach()

    def results(self):
        return self.first


CASES = {
    "conv2d.forward": lambda shape: Conv2d(shape, False),
    "conv2d.gradients": lambda shape: Conv2d(shape, True),
    "unet.step": UNetStep,
}


def repeat(run, seconds):
    """Seconds of each repetition, for at least `seconds` in all. Nothing is left running when a call returns."""
    times = []
    started = time.perf_counter()
    while not times or time.perf_counter() - started < seconds:
        begin = time.perf_counter()
        run()
        times.append(time.perf_counter() - begin)
    return times


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    say({"name": "pytorch", "version": torch.__version__, "details": f"CPU, {torch.get_num_threads()} threads"})
    prepared = None
    for line in sys.stdin:
        request = json.loads(line)
        try:
            if "measure" in request:
                say({"times": repeat(prepared.run, request["measure"])})
            elif request["prepare"] not in CASES:
                say({"absent": "pytorch does not have it"})
            else:
                prepared = CASES[request["prepare"]](request["shape"])
                prepared.run()
                say({"results": [summarize(result) for result in prepared.results()]})
        except RuntimeError as error:
            say({"absent": str(error).splitlines()[0]})


main()
