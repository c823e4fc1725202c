"""Attention as PyTorch computes it: `python3 attention_torch.py FILE`.

Writes inputs, outputs and gradients, each below the name of its case: plain, causal, flags (a mask of bool), added (of numbers),
heads (nn.MultiheadAttention with its weights) and embedding.
"""

import pathlib
import sys

import torch
from torch import nn

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "models"))
from torch_round_trip import write


def attention(q, k, v, mask=None, causal=False):
    """What scaled_dot_product_attention of PyTorch 2 is defined as."""
    scores = q @ k.transpose(-2, -1) * q.shape[-1] ** -0.5
    if causal:
        seen = torch.ones(q.shape[-2], k.shape[-2], dtype=torch.bool).tril()
        scores = scores.masked_fill(~seen, -float("inf"))
    if mask is not None:
        scores = scores.masked_fill(~mask, -float("inf")) if mask.dtype == torch.bool else scores + mask
    return scores.softmax(-1) @ v


def main(file):
    torch.manual_seed(5)
    result = {}

    def keep(case, inputs, outputs, cotangent):
        outputs.backward(cotangent)
        result.update({f"{case}/{name}": value for name, value in inputs.items()})
        result.update({f"{case}/grad/{name}": x.grad for name, x in inputs.items() if x.requires_grad})
        result.update({f"{case}/y": outputs, f"{case}/cotangent": cotangent})

    flags = torch.rand(1, 2, 9, 7) < 0.6
    flags[..., 0] = True
    masks = {"plain": None, "causal": None, "flags": flags, "added": torch.randn(9, 7).requires_grad_()}
    for case, mask in masks.items():
        q, k, v = [torch.randn(3, 2, *size).requires_grad_() for size in ((9, 5), (7, 5), (7, 4))]
        y = attention(q, k, v, mask, case == "causal")
        inputs = {"q": q, "k": k, "v": v, **({} if mask is None else {"mask": mask})}
        keep(case, inputs, y, torch.randn_like(y))
    result["flags/mask"] = flags.float()

    layer = nn.MultiheadAttention(8, 2, batch_first=True)
    nn.init.normal_(layer.in_proj_bias)
    nn.init.normal_(layer.out_proj.bias)
    query, key = torch.randn(2, 6, 8).requires_grad_(), torch.randn(2, 5, 8).requires_grad_()
    y, _ = layer(query, key, key)
    parameters = {f"state/{name}": parameter for name, parameter in layer.named_parameters()}
    keep("heads", {"query": query, "key": key, **parameters}, y, torch.randn_like(y))

    table = nn.Embedding(6, 3, padding_idx=2)
    y = table(torch.tensor([[0, 2, 5, 5], [1, 2, 0, 3]]))
    keep("embedding", {"state/weight": table.weight}, y, torch.randn_like(y))
    write(file, {name: value.detach().float() for name, value in result.items()})


if __name__ == "__main__":
    main(*sys.argv[1:])
