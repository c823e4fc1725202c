"""PyTorch on the CPU: `python3 torch_peer.py 2` (threads). Speaks the protocol of protocol.mjs."""

import json
import sys
import time

SAMPLES = 16


def say(message):
    print(json.dumps(message), flush=True)


try:
    import torch
    import torch.nn.functional as F
except ImportError as error:
    say({"absent": str(error)})
    sys.exit(0)

from torch_memory import Memory
from torch_steps import STEPS
from torch_values import tensor


def summarize(result):
    flat = result.detach().double().flatten()
    at = [int((i + 0.5) * len(flat) / SAMPLES) for i in range(SAMPLES)]
    return {"rms": flat.square().mean().sqrt().item(), "samples": flat[at].tolist()}


class Conv2d:
    """A convolution; with `gradients` also those to image and weight. Defaults are those of shapes.ts."""

    def __init__(self, shape, gradients):
        n, k, groups = shape["batch"], shape["kernel"], shape.get("groups", 1)
        self.dilation = shape.get("dilation", 1)
        self.options = {
            "stride": shape.get("stride", 1),
            "padding": shape.get("padding", self.dilation * (k - 1) // 2),
            "dilation": self.dilation,
            "groups": groups,
        }
        self.x = tensor([n, shape["inChannels"], shape["height"], shape["width"]], 1).requires_grad_(gradients)
        self.w = tensor([shape["outChannels"], shape["inChannels"] // groups, k, k], 2).requires_grad_(gradients)
        self.dy = None
        self.gradients = gradients

    def run(self):
        y = F.conv2d(self.x, self.w, **self.options)
        self.last = [y]
        if self.gradients:
            if self.dy is None:
                self.dy = tensor(list(y.shape), 3)
            self.last += torch.autograd.grad(y, [self.x, self.w], self.dy)

    def check(self):
        self.run()
        return self.last


CASES = {
    "conv2d.forward": lambda shape: Conv2d(shape, False),
    "conv2d.gradients": lambda shape: Conv2d(shape, True),
    **STEPS,
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


class Peer:
    def prepare(self, case, shape):
        self.prepared = CASES[case](shape)
        results = [summarize(result) for result in self.prepared.check()]
        self.prepared.run()
        return {"results": results}

    def once(self, case, shape):
        self.prepared = CASES[case](shape)
        self.memory = Memory()
        self.prepared.run()
        return {"once": {}}

    def answer(self, request):
        if "measure" in request:
            return {"times": repeat(self.prepared.run, request["measure"])}
        if "memory" in request:
            for _ in range(request["memory"]):
                self.prepared.run()
            return {"memory": self.memory.used()}
        kind = "prepare" if "prepare" in request else "once"
        if request[kind] not in CASES:
            return {"absent": "pytorch does not have it"}
        return getattr(self, kind)(request[kind], request["shape"])


def main():
    threads = int(sys.argv[1])
    torch.set_num_threads(threads)
    say({"name": "pytorch", "version": torch.__version__, "details": f"CPU, {torch.get_num_threads()} threads"})
    peer = Peer()
    for line in sys.stdin:
        try:
            say(peer.answer(json.loads(line)))
        except (RuntimeError, ImportError, KeyError) as error:
            say({"absent": f"{type(error).__name__}: {error}".splitlines()[0]})


main()
