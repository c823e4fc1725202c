"""The fixed numbers that `fixedValues` of protocol.mjs makes, as tensors, and networks whose weights are such numbers."""

import math

import torch

FIRST_PARAMETER_SEED = 10
MASK = 0xFFFFFFFF


def fixed_values(count, seed):
    """`count` numbers of [-1, 1)."""
    h = (torch.arange(1, count + 1) * 0x9E3779B1 & MASK) ^ (seed * 0x85EBCA6B & MASK)
    h = (h ^ (h >> 15)) * 0x2C1B3C6D & MASK
    h = (h ^ (h >> 12)) * 0x297A2D39 & MASK
    return ((h ^ (h >> 15)) >> 8).double().div(2**23).sub(1).float()


def tensor(shape, seed):
    return fixed_values(math.prod(shape), seed).reshape(shape)


def fix_weights(model):
    """As `fixWeights` of steps/step.ts: seeds by the order of the names."""
    parameters = sorted(model.named_parameters(), key=lambda item: item[0])
    for seed, (_, p) in enumerate(parameters):
        p.data = (1 / math.sqrt(p[0].numel())) * tensor(list(p.shape), seed + FIRST_PARAMETER_SEED)


def parameter_count(*models):
    return sum(p.numel() for model in models for p in model.parameters())
