"""A network of torchvision with random weights in some of four formats: `python3 saved_torch.py NAME FOLDER FILE...`.

FILE is zip.pt, old.pth, model.safetensors or model.bin.index.json, an index of two files of torch.save. Beside them come x and y, an
input and the network's output in inference mode, in values.safetensors. Nothing is downloaded.
"""

import json
import sys

import torch
import torchvision
from torch_round_trip import write


def main(name, folder, *files):
    torch.manual_seed(7)
    torch.set_num_threads(2)
    # Initialisers of the networks take longer than all the rest; the layers' own will do.
    options = {"init_weights": False} if name.startswith("vgg") else {}
    network = getattr(torchvision.models, name)(**options)
    with torch.no_grad():
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.weight.uniform_(0.5, 1.5)
                module.bias.uniform_(-0.2, 0.2)
                module.running_mean.uniform_(-0.1, 0.1)
                module.running_var.uniform_(0.5, 1.5)
        x = torch.randn(1, 3, 64, 64)
        y = network.eval()(x)
    write(f"{folder}/values.safetensors", {"x": x, "y": y})
    state = network.state_dict()
    if "zip.pt" in files:
        torch.save(state, f"{folder}/zip.pt")
    if "old.pth" in files:
        torch.save(state, f"{folder}/old.pth", _use_new_zipfile_serialization=False)
    if "model.safetensors" in files:
        write(f"{folder}/model.safetensors", state)
    if "model.bin.index.json" in files:
        write_parts(folder, state)


def write_parts(folder, state):
    names = list(state)
    weight_map = {}
    for i, part in enumerate([names[: len(names) // 2], names[len(names) // 2 :]]):
        torch.save({key: state[key] for key in part}, f"{folder}/part-{i}.bin")
        weight_map.update({key: f"part-{i}.bin" for key in part})
    with open(f"{folder}/model.bin.index.json", "w") as file:
        json.dump({"weight_map": weight_map}, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
