"""DenseDepth at full size in PyTorch, as an oracle for models/dense-depth.ts: `python3 dense_depth_torch.py FILE BACKBONE SEED`.

BACKBONE: densenet169, resnet50, resnet50-keras or efficientnetv2-b0, made of torchvision's networks. Writes to FILE (safetensors,
float32) the parameters and buffers as `state/...`, a picture, random cotangents, and what comes out in inference mode: outputs,
feature maps and the gradients of all parameters and of the picture, computed in float64.
"""
import json
import struct
import sys

import torch
import torch.nn.functional as F
import torchvision
from torch import nn
from torchvision.models.efficientnet import EfficientNet, FusedMBConvConfig, MBConvConfig


def densenet169():
    features = torchvision.models.densenet169(weights=None).features
    for module in features.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = 1.001e-5
    return features


def densenet_taps(features, x):
    half = features.relu0(features.norm0(features.conv0(x)))
    quarter = features.pool0(half)
    eighth = features.transition1(features.denseblock1(quarter))
    sixteenth = features.transition2(features.denseblock2(eighth))
    last = features.denseblock4(features.transition3(features.denseblock3(sixteenth)))
    return half, quarter, eighth, sixteenth, F.relu(features.norm5(last))


def resnet50():
    net = torchvision.models.resnet50(weights=None)
    del net.fc
    return net


def resnet50_keras():
    """Biases in all convolutions, and the stride of a bottleneck in its first one."""
    net = resnet50()
    for module in net.modules():
        if isinstance(module, nn.Conv2d):
            module.bias = nn.Parameter(0.1 * torch.randn(module.out_channels))
        elif isinstance(module, nn.BatchNorm2d):
            module.eps = 1.001e-5
        elif hasattr(module, "conv3"):
            module.conv1.stride, module.conv2.stride = module.conv2.stride, module.conv1.stride
    return net


def resnet_taps(net, x):
    half = net.relu(net.bn1(net.conv1(x)))
    quarter = net.layer1(net.maxpool(half))
    eighth = net.layer2(quarter)
    sixteenth = net.layer3(eighth)
    return half, quarter, eighth, sixteenth, net.layer4(sixteenth)


def efficientnet():
    net = EfficientNet(
        [
            FusedMBConvConfig(1, 3, 1, 32, 16, 1),
            FusedMBConvConfig(4, 3, 2, 16, 32, 2),
            FusedMBConvConfig(4, 3, 2, 32, 48, 2),
            MBConvConfig(4, 3, 2, 48, 96, 3),
            MBConvConfig(6, 3, 1, 96, 112, 5),
            MBConvConfig(6, 3, 2, 112, 192, 8),
        ],
        dropout=0,
        stochastic_depth_prob=0,
        norm_layer=lambda channels: nn.BatchNorm2d(channels, eps=1e-3),
        last_channel=1280,
    )
    for module in net.modules():
        if isinstance(module, nn.Conv2d) and module.stride == (2, 2):
            # Keras's padding of an even side: none before, one behind.
            module.padding = (0, 0)
            module.register_forward_pre_hook(lambda _, inputs: F.pad(inputs[0], (0, 1, 0, 1)))
    return net.features


def efficientnet_taps(features, x):
    maps = []
    for layer in features:
        x = layer(x)
        maps.append(x)
    return maps[1], maps[2], maps[3], maps[5], maps[-1]


BACKBONES = {
    "densenet169": (densenet169, densenet_taps, (64, 64, 128, 256, 1664)),
    "resnet50": (resnet50, resnet_taps, (64, 256, 512, 1024, 2048)),
    "resnet50-keras": (resnet50_keras, resnet_taps, (64, 256, 512, 1024, 2048)),
    "efficientnetv2-b0": (efficientnet, efficientnet_taps, (16, 32, 48, 112, 1280)),
}


class UpBlock(nn.Module):
    def __init__(self, inputs, outputs):
        super().__init__()
        self.convA = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs, eps=1e-3)
        self.convB = nn.Conv2d(outputs, outputs, 3, padding=1)

    def forward(self, x, *skips):
        x = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
        x = F.leaky_relu(self.norm(self.convA(torch.cat([x, *skips], 1))), 0.2)
        return F.leaky_relu(self.convB(x), 0.2)


class DenseDepth(nn.Module):
    def __init__(self, name):
        super().__init__()
        make, self.taps, (half, quarter, eighth, sixteenth, mid) = BACKBONES[name]
        n = mid // 32
        self.backbone = make()
        self.bottleneck = nn.Conv2d(mid, 16 * n, 1)
        self.ublock1 = UpBlock(16 * n + sixteenth, 8 * n)
        self.ublock2 = UpBlock(8 * n + eighth, 4 * n)
        self.ublock3 = UpBlock(4 * n + quarter, 2 * n)
        self.ublock4 = UpBlock(2 * n + half, n)
        self.ublock5 = UpBlock(n, 32)
        self.depth = nn.Conv2d(32, 1, 3, padding=1)
        self.classifier = nn.Linear(mid, 3)

    def forward(self, x):
        taps = self.taps(self.backbone, x)
        half, quarter, eighth, sixteenth, mid = taps
        y = self.ublock2(self.ublock1(self.bottleneck(mid), sixteenth), eighth)
        y = self.ublock5(self.ublock4(self.ublock3(y, quarter), half))
        return self.depth(y), self.classifier(mid.mean((2, 3))), taps


def fix(net):
    """Weights with which few inputs of a relu are near its kink, where a rounding would change the gradient.

    Batch norms shift by +-1 and scale by about 0.3; those in front of a shortcut's sum shift up, and so does the shortcut.
    """
    smooth = isinstance(net.backbone, nn.Sequential) and not hasattr(net.backbone, "norm0")
    with torch.no_grad():
        for name, module in net.named_modules():
            if isinstance(module, nn.BatchNorm2d):
                sign = torch.sign(torch.rand(module.num_features) - 0.5)
                up = name.endswith("bn3") or "downsample" in name
                if smooth and name.startswith("backbone"):
                    module.weight.uniform_(0.5, 1.5)
                    module.bias.uniform_(-0.2, 0.2)
                else:
                    module.weight.uniform_(0.25, 0.4)
                    module.bias.copy_(torch.ones_like(sign) if up else sign)
                module.momentum = 1.0
            elif name.endswith("convB"):
                module.weight.mul_(0.25)
                module.bias.copy_(torch.sign(torch.rand(module.out_channels) - 0.5))
        # The running statistics are those of some pictures.
        net.train()(torch.randn(4, 3, 64, 64))
    return net.eval()


def write(path, tensors):
    header, at = {}, 0
    for name, value in tensors.items():
        end = at + 4 * value.numel()
        header[name] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [at, end]}
        at = end
    text = json.dumps(header).encode()
    with open(path, "wb") as out:
        out.write(struct.pack("<Q", len(text)) + text)
        for value in tensors.values():
            out.write(value.detach().to(torch.float32).contiguous().numpy().tobytes())


def main(path, name, seed):
    torch.manual_seed(int(seed))
    net = fix(DenseDepth(name))
    state = {f"state/{key}": value.clone() for key, value in net.state_dict().items() if value.is_floating_point()}
    picture = torch.randn(1, 3, 32, 64)
    cotangents = {"depth": torch.randn(1, 1, 32, 64), "logits": torch.randn(1, 3)}
    net.double()
    x = picture.double().requires_grad_()
    depth, logits, taps = net(x)
    ((depth * cotangents["depth"]).sum() + (logits * cotangents["logits"]).sum()).backward()
    tensors = {**state, "picture": picture, "gradient/picture": x.grad, "output/depth": depth, "output/logits": logits}
    tensors.update({f"cotangent/{key}": value for key, value in cotangents.items()})
    tensors.update({f"tap/{key}": tap for key, tap in zip(("half", "quarter", "eighth", "sixteenth", "mid"), taps)})
    tensors.update({f"gradient/{key}": value.grad for key, value in net.named_parameters()})
    write(path, tensors)


if __name__ == "__main__":
    main(*sys.argv[1:])
