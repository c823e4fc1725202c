"""Files of weights as torch.save writes them: `python3 weights_torch.py FOLDER BACKBONE`, BACKBONE densenet169 or resnet50.

Writes to FOLDER the whole network of torchvision with random weights in several forms (zip and old, plain and under prefixes,
in a training checkpoint, in double precision and with transposed kernels, as a module), and `expected.safetensors` with a picture
and the feature maps that the network makes of it.
"""
import pathlib
import re
import sys

import torch
import torchvision
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "golden"))
import dense_depth_torch as oracle


def main(folder, name):
    torch.manual_seed(3)
    net = getattr(torchvision.models, name)(weights=None)
    with torch.no_grad():
        for module in net.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
                module.momentum = 0.5
        net.train()(torch.randn(4, 3, 64, 64))
        x = torch.randn(1, 3, 64, 96)
        net.eval()
        backbone = net.features if name == "densenet169" else net
        taps = oracle.BACKBONES[name][1](backbone, x)
    keys = ("half", "quarter", "eighth", "sixteenth", "mid")
    oracle.write(f"{folder}/expected.safetensors", {"x": x, **dict(zip(keys, taps))})
    state = net.state_dict()
    torch.save(state, f"{folder}/zip.pth")
    old_names = {
        re.sub(r"(denselayer\d+\.(?:norm|conv))(\d)", r"\1.\2", key): value
        for key, value in state.items()
        if not key.endswith("num_batches_tracked")
    }
    torch.save(old_names, f"{folder}/old.pth", _use_new_zipfile_serialization=False)
    optimizer = torch.optim.SGD(net.parameters(), lr=0.1, momentum=0.9)
    wrapped = {f"module._orig_mod.{key}": value for key, value in state.items()}
    torch.save({"epoch": 3, "state_dict": wrapped, "optimizer": optimizer.state_dict()}, f"{folder}/checkpoint.pth")
    doubled = {key: value.double() if value.is_floating_point() else value for key, value in state.items()}
    for key, value in doubled.items():
        if value.dim() == 4:
            doubled[key] = value.transpose(0, 3).contiguous().transpose(0, 3)
    torch.save(doubled, f"{folder}/double.pth", _use_new_zipfile_serialization=False)
    torch.save({key: nn.Parameter(value) for key, value in state.items() if value.is_floating_point()}, f"{folder}/parameters.pth")
    torch.save(net, f"{folder}/module.pth")


if __name__ == "__main__":
    main(*sys.argv[1:])
