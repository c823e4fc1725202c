"""The MultiDepth network in PyTorch, and one fixture made with it: weights, a picture, outputs and gradients.

    python3 multidepth_torch.py FILE --base 6 --blocks 1,1,2,1 --size 48 [--batch 2] [--eval] [--gradients REGEX]

Written after the paper's description and the names and shapes of the authors' checkpoint; computes in float64 and writes
float32 as safetensors. The loss is a sum of outputs times random cotangents. Leaves out dropout, which is drawn elsewhere.
"""
import argparse
import json
import re
import struct

import torch
from torch import nn
from torch.nn import functional as F

BINS = (6, 3, 2, 1)
# The least distance of a relu's input from 0 so far, where a run wants it: rounding moves what is nearer to the other side.
margin = []


def relu(x):
    if margin:
        margin[0] = min(margin[0], x.detach().abs().min().item())
    return F.relu(x)


def conv_norm(inputs, outputs, kernel=1, stride=1, dilation=1):
    padding = dilation * (kernel - 1) // 2
    conv = nn.Conv2d(inputs, outputs, kernel, stride, padding, dilation, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs))


class ConvNormRelu(nn.Module):
    def __init__(self, *args, **options):
        super().__init__()
        self.cbr_unit = conv_norm(*args, **options)

    def forward(self, x):
        return relu(self.cbr_unit(x))


class ConvNorm(nn.Module):
    def __init__(self, *args, **options):
        super().__init__()
        self.cb_unit = conv_norm(*args, **options)

    def forward(self, x):
        return self.cb_unit(x)


class Bottleneck(nn.Module):
    def __init__(self, inputs, middle, stride, dilation, project):
        super().__init__()
        self.cbr1 = ConvNormRelu(inputs, middle)
        self.cbr2 = ConvNormRelu(middle, middle, kernel=3, stride=stride, dilation=dilation)
        self.cb3 = ConvNorm(middle, 4 * middle)
        if project:
            self.cb4 = ConvNorm(inputs, 4 * middle, stride=stride)

    def forward(self, x):
        shortcut = self.cb4(x) if hasattr(self, "cb4") else x
        return relu(self.cb3(self.cbr2(self.cbr1(x))) + shortcut)


class Stage(nn.Module):
    def __init__(self, inputs, middle, count, stride=1, dilation=1):
        super().__init__()
        first = Bottleneck(inputs, middle, stride, dilation, True)
        rest = [Bottleneck(4 * middle, middle, 1, dilation, False) for _ in range(count - 1)]
        self.layers = nn.Sequential(first, *rest)

    def forward(self, x):
        return self.layers(x)


class Pyramid(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.path_module_list = nn.ModuleList([ConvNormRelu(inputs, outputs) for _ in BINS])

    def forward(self, x):
        height, width = x.shape[2:]
        maps = [x]
        for bin, path in zip(BINS, self.path_module_list):
            cell = (height // bin, width // bin)
            pooled = path(F.avg_pool2d(x, cell, stride=cell))
            maps.append(F.interpolate(pooled, (height, width), mode="bilinear", align_corners=True))
        return torch.cat(maps, 1)


class MultiDepth(nn.Module):
    def __init__(self, c, blocks, classes):
        super().__init__()
        self.convbnrelu1_1 = ConvNormRelu(3, c, kernel=3, stride=2)
        self.convbnrelu1_2 = ConvNormRelu(c, c, kernel=3)
        self.convbnrelu1_3 = ConvNormRelu(c, 2 * c, kernel=3)
        self.res_block2 = Stage(2 * c, c, blocks[0])
        self.res_block3 = Stage(4 * c, 2 * c, blocks[1], stride=2)
        self.res_block4 = Stage(8 * c, 4 * c, blocks[2], dilation=2)
        self.res_block5 = Stage(16 * c, 8 * c, blocks[3], dilation=4)
        for task, outputs in (("reg", 1), ("cls", classes)):
            setattr(self, f"head_d_{task}_pyramid_pooling", Pyramid(32 * c, 8 * c))
            setattr(self, f"head_d_{task}_cbr_final", ConvNormRelu(64 * c, 8 * c, kernel=3))
            setattr(self, f"head_d_{task}_classification", nn.Conv2d(8 * c, outputs, 1))

    def forward(self, x):
        size = x.shape[2:]
        y = self.convbnrelu1_3(self.convbnrelu1_2(self.convbnrelu1_1(x)))
        y = F.max_pool2d(y, 3, 2, 1)
        y = self.res_block5(self.res_block4(self.res_block3(self.res_block2(y))))
        outputs = []
        for task in ("reg", "cls"):
            part = lambda name: getattr(self, f"head_d_{task}_{name}")
            z = part("classification")(part("cbr_final")(part("pyramid_pooling")(y)))
            outputs.append(F.interpolate(z, size, mode="bilinear", align_corners=True))
        return outputs


def write_safetensors(file, tensors, metadata):
    header, at = {"__metadata__": metadata}, 0
    for name, value in tensors.items():
        end = at + 4 * value.numel()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(file, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            out.write(value.detach().to(torch.float32).contiguous().numpy().tobytes())


def run(options, seed):
    """A network drawn from the seed, in float64, and what it makes of a picture."""
    margin[:] = [float("inf")]
    torch.manual_seed(seed)
    net = MultiDepth(options.base, [int(n) for n in options.blocks.split(",")], options.classes)
    with torch.no_grad():
        for name, value in net.named_parameters():
            if ".1.weight" in name:
                value.uniform_(0.5, 1.5)
            elif ".1.bias" in name:
                value.uniform_(-0.2, 0.2)
        for name, value in net.named_buffers():
            if name.endswith("running_mean"):
                value.uniform_(-0.1, 0.1)
            elif name.endswith("running_var"):
                value.uniform_(0.5, 1.5)
    state = {name: value.clone() for name, value in net.state_dict().items() if value.is_floating_point()}
    picture = torch.rand(options.batch, 3, options.size, options.size)
    cotangents = [torch.randn(options.batch, n, options.size, options.size) for n in (1, options.classes)]
    net.double().train(not options.eval)
    x = picture.double().requires_grad_()
    return state, net, x, cotangents, net(x)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("file")
    parser.add_argument("--base", type=int, default=64)
    parser.add_argument("--blocks", default="3,4,23,3")
    parser.add_argument("--classes", type=int, default=32)
    parser.add_argument("--size", type=int, default=48)
    parser.add_argument("--batch", type=int, default=2)
    parser.add_argument("--margin", type=float, default=0, help="least distance of a relu's input from 0: takes the first seed with it")
    parser.add_argument("--eval", action="store_true", help="running statistics instead of the batch's")
    parser.add_argument("--gradients", default=".", help="keep the gradients of parameters whose name this matches")
    options = parser.parse_args()
    for seed in range(7, 1000):
        state, net, x, cotangents, outputs = run(options, seed)
        if margin[0] >= options.margin:
            break
    sum((y * g).sum() for y, g in zip(outputs, cotangents)).backward()
    wanted = re.compile(options.gradients)
    tensors = {f"state/{name}": value for name, value in state.items()}
    tensors.update({"input/picture": x, "cotangent/regression": cotangents[0], "cotangent/logits": cotangents[1]})
    tensors.update({"output/regression": outputs[0], "output/logits": outputs[1], "gradient/picture": x.grad})
    tensors.update({f"gradient/{k}": v.grad for k, v in net.named_parameters() if wanted.search(k)})
    tensors.update({f"after/{k}": v for k, v in net.named_buffers() if v.is_floating_point() and wanted.search(k)})
    write_safetensors(options.file, tensors, {"torch": torch.__version__})


if __name__ == "__main__":
    main()
