"""PyTorch's side of the round trip: `python3 torch_round_trip.py make|check NAME FOLDER`.

make: a network with random weights, and what it makes of an input, to torch.safetensors.
check: loads wgrad.safetensors strictly and prints, as JSON, how far its outputs are from those given.
Reads and writes the safetensors format by itself, so that it needs nothing but torch and torchvision.
"""

import json
import struct
import sys

import torch
import torchvision

DTYPES = {"F32": torch.float32, "I64": torch.int64}
BUILDERS = {
    "resnet18": lambda: torchvision.models.resnet18(),
    "resnet50_dilated": lambda: torchvision.models.resnet50(replace_stride_with_dilation=[False, True, True]),
    "densenet121": lambda: torchvision.models.densenet121(),
    "efficientnet_v2_s": lambda: torchvision.models.efficientnet_v2_s(),
}


def write(path, tensors):
    header, parts, end = {}, [], 0
    for name, tensor in tensors.items():
        dtype = next(key for key, value in DTYPES.items() if value == tensor.dtype)
        data = tensor.detach().contiguous().numpy().tobytes()
        header[name] = {"dtype": dtype, "shape": list(tensor.shape), "data_offsets": [end, end + len(data)]}
        parts.append(data)
        end += len(data)
    text = json.dumps(header).encode()
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        file.writelines(parts)


def read(path):
    with open(path, "rb") as file:
        (length,) = struct.unpack("<Q", file.read(8))
        header = json.loads(file.read(length))
        data = bytearray(file.read())
    metadata = header.pop("__metadata__", {})
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        dtype = DTYPES[entry["dtype"]]
        size = (end - begin) // torch.empty(0, dtype=dtype).element_size()
        flat = torch.frombuffer(data, dtype=dtype, offset=begin, count=size)
        tensors[name] = flat.reshape(entry["shape"])
    return tensors, metadata


def make(name, folder):
    torch.manual_seed(1)
    network = BUILDERS[name]()
    with torch.no_grad():
        # Running statistics that are not those of a new layer.
        for _ in range(2):
            network.train()(torch.randn(4, 3, 64, 64))
        x = torch.randn(2, 3, 64, 64)
        y = network.eval()(x)
    write(f"{folder}/torch.safetensors", network.state_dict())
    write(f"{folder}/torch-values.safetensors", {"x": x, "y": y})
    print(json.dumps({"torch": torch.__version__, "torchvision": torchvision.__version__}))


def check(name, folder):
    network = BUILDERS[name]()
    state, metadata = read(f"{folder}/wgrad.safetensors")
    network.load_state_dict(state, strict=True)
    values, _ = read(f"{folder}/wgrad-values.safetensors")
    with torch.no_grad():
        y = network.eval()(values["x"])
    difference = ((y - values["y"]).abs().max() / y.abs().max()).item()
    counts = {int(value) for key, value in network.state_dict().items() if key.endswith("num_batches_tracked")}
    same_types = all(state[key].dtype == value.dtype for key, value in network.state_dict().items())
    print(json.dumps({"difference": difference, "counts": sorted(counts), "metadata": metadata, "sameTypes": same_types}))


if __name__ == "__main__":
    {"make": make, "check": check}[sys.argv[1]](*sys.argv[2:])
