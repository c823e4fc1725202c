"""Training steps in PyTorch: the networks, losses and optimisers of bench/networks/*.ts, with the same weights and data.

A step has `run()`, which returns the loss before the update, and `check()`: the number of parameters and the losses that
the same step has elsewhere. MultiDepth and the cross-stitch networks are those that the tests compare with.
"""

import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

from torch_values import fix_weights, fixed_values, parameter_count, tensor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../test/golden"))


class Step:
    """`step(*args)` of a subclass makes one update and returns the loss before it."""

    def __init__(self, shape):
        self.shape = shape

    def check(self):
        losses = [self.run().reshape(1) for _ in range(self.shape["checkedSteps"])]
        return [torch.tensor([float(parameter_count(*self.models))])] + losses

    def minimize(self, loss, *optimizers):
        for optimizer in optimizers:
            optimizer.zero_grad()
        loss.backward()
        for optimizer in optimizers:
            optimizer.step()
        return loss.detach()


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
    """The network of models/unet.ts: same names, same parameters."""

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


class UNetStep(Step):
    """Cross-entropy + mean squared error of depth, SGD."""

    def __init__(self, shape):
        super().__init__(shape)
        n, size = shape["batch"], shape["size"]
        self.model = UNet(shape["classes"], shape["baseWidth"])
        self.models = [self.model]
        fix_weights(self.model)
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

    def run(self):
        depth, logits = self.model(self.input)
        loss = F.cross_entropy(logits, self.label, self.weight) + F.mse_loss(depth, self.target)
        return self.minimize(loss, self.optimizer)


IGNORED = 250


class UncertaintyWeights(nn.Module):
    def __init__(self):
        super().__init__()
        self.s_reg = nn.Parameter(torch.ones(1))
        self.s_cls = nn.Parameter(torch.ones(1))

    def forward(self, regression, classification):
        regression = 0.5 * torch.exp(-self.s_reg) * regression + 0.5 * self.s_reg
        return (regression + torch.exp(-self.s_cls) * classification + 0.5 * self.s_cls).sum()


class MultiDepthStep(Step):
    """Sparse regression and classification of log depth under learned weights, Adam; feature maps dropped before the heads."""

    def __init__(self, shape):
        from multidepth_torch import MultiDepth

        super().__init__(shape)
        n, size, classes = shape["batch"], shape["size"], shape["classes"]
        self.model = MultiDepth(shape["baseWidth"], shape["blocks"], classes)
        self.weights = UncertaintyWeights()
        self.models = [self.model, self.weights]
        fix_weights(self.model)
        for task in ("reg", "cls"):
            last = getattr(self.model, f"head_d_{task}_cbr_final")
            last.register_forward_hook(lambda module, _, y: F.dropout2d(y, 0.1, module.training))
        target = fixed_values(n * size * size, 2).clamp(min=0).reshape(n, size, size)
        labels = torch.where(target == 0, torch.tensor(IGNORED), (target * classes).floor().long())
        self.host = [tensor([n, 3, size, size], 1).numpy(), target.numpy(), labels.numpy()]
        decay = shape["weightDecay"]
        self.optimizers = [
            torch.optim.Adam(self.model.parameters(), lr=shape["learningRate"], weight_decay=decay),
            torch.optim.Adam(self.weights.parameters(), lr=shape["weightsLearningRate"], weight_decay=decay),
        ]

    def losses(self):
        picture, target, labels = [torch.tensor(values) for values in self.host]
        regression, logits = self.model(picture)
        valid = target != 0
        squared = ((regression.squeeze(1) - target) ** 2 * valid).sum() / valid.sum().clamp(min=1)
        total = F.cross_entropy(logits, labels, ignore_index=IGNORED, reduction="sum")
        return squared, total / (labels != IGNORED).sum().clamp(min=1)

    def check(self):
        self.model.eval()
        with torch.no_grad():
            losses = [loss.reshape(1) for loss in self.losses()]
        self.model.train()
        return super().check() + losses

    def run(self):
        return self.minimize(self.weights(*self.losses()), *self.optimizers)


def diou_loss(x, target, eps=1e-7):
    low, high = torch.max(x[:, :2], target[:, :2]), torch.min(x[:, 2:], target[:, 2:])
    area = lambda box: (box[:, 2:] - box[:, :2]).clamp(min=0).prod(1)
    shared = (high - low).clamp(min=0).prod(1)
    iou = shared / (area(x) + area(target) - shared + eps)
    extent = torch.max(x[:, 2:], target[:, 2:]) - torch.min(x[:, :2], target[:, :2])
    centre = lambda box: (box[:, :2] + box[:, 2:]) / 2
    distance = (centre(x) - centre(target)).square().sum(1)
    return (1 - iou + distance / (extent.square().sum(1) + eps)).mean()


# Rows of table 1 with several tasks: task names in the order of the branches, and the weights of their losses.
JOINT = {0: (["segmentation"], [1]), 3: (["binary", "box", "segmentation"], [0.3, 1, 2])}


class CrossStitchStep(Step):
    """The losses of the tasks, read on the host, then their weighted sum, Adam."""

    def __init__(self, shape):
        from cross_stitch_torch import CrossStitchNetwork

        super().__init__(shape)
        n, size = shape["batch"], shape["size"]
        self.tasks, self.task_weights = JOINT[shape["network"]]
        self.model = CrossStitchNetwork(self.tasks, shape["widths"], shape["headWidths"], len(self.tasks) > 1, True)
        self.models = [self.model]
        fix_weights(self.model)
        self.x = tensor([n, 3, size, size], 1)
        self.mask = (torch.arange(n * size * size) % 2).reshape(n, size, size)
        self.box = torch.tensor([[size / 4, size / 4, 3 * size / 4, 3 * size / 4]] * n)
        self.species = torch.arange(n) % 2
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=shape["learningRate"])

    def run(self):
        outputs = self.model(self.x)
        losses = {
            "segmentation": lambda y: F.cross_entropy(y, self.mask),
            "box": lambda y: diou_loss(y, self.box),
            "binary": lambda y: F.cross_entropy(y, self.species),
        }
        values = [losses[task](outputs[task]) for task in self.tasks]
        torch.stack(values).tolist()
        loss = sum(weight * value for weight, value in zip(self.task_weights, values))
        return self.minimize(loss, self.optimizer)


class DenseStep(Step):
    """A dense block or DenseNet of torchvision, mean square of what comes out, SGD."""

    def __init__(self, shape, model, channels):
        super().__init__(shape)
        self.model = model
        self.models = [model]
        fix_weights(model)
        self.x = tensor([shape["batch"], channels, shape["height"], shape["width"]], 1)
        self.optimizer = torch.optim.SGD(model.parameters(), lr=shape["learningRate"], momentum=shape["momentum"])

    def run(self):
        return self.minimize(self.model(self.x).square().mean(), self.optimizer)


def dense_block(shape):
    from torchvision.models.densenet import _DenseBlock

    block = _DenseBlock(shape["layers"], shape["channels"], 4, shape["growth"], 0)
    return DenseStep(shape, block, shape["channels"])


def dense_net(shape):
    from torchvision.models import densenet169

    return DenseStep(shape, densenet169(), 3)


def ssim(x, y, data_range):
    """Mean structural similarity of each image, Gaussian window of 11 with sigma 1.5, no padding."""
    offsets = torch.arange(11.0) - 5
    line = torch.exp(-offsets.square() / (2 * 1.5**2))
    line = line / line.sum()
    planes = torch.cat([x, y, x * x, y * y, x * y], 1)
    n = planes.shape[1]
    blurred = F.conv2d(planes, line.reshape(1, 1, 11, 1).expand(n, 1, 11, 1), groups=n)
    blurred = F.conv2d(blurred, line.reshape(1, 1, 1, 11).expand(n, 1, 1, 11), groups=n)
    mx, my, xx, yy, xy = blurred.unbind(1)
    c1, c2 = (0.01 * data_range) ** 2, (0.03 * data_range) ** 2
    luminance = (2 * mx * my + c1) / (mx * mx + my * my + c1)
    structure = (2 * (xy - mx * my) + c2) / (xx - mx * mx + yy - my * my + c2)
    return (luminance * structure).mean((1, 2))


class DenseDepthStep(Step):
    """Depth and class from a frozen DenseNet-169, SSIM + gradients + absolute error + cross-entropy, Adam with AMSGrad."""

    def __init__(self, shape):
        from dense_depth_torch import DenseDepth

        super().__init__(shape)
        n, size = shape["batch"], [shape["height"], shape["width"]]
        self.model = DenseDepth("densenet169")
        self.models = [self.model]
        fix_weights(self.model)
        self.model.train()
        self.model.backbone.eval().requires_grad_(False)
        for module in self.model.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.01
        self.picture = tensor([n, 3, *size], 1)
        self.depth = tensor([n, 1, *size], 2)
        self.labels = torch.arange(n) % shape["classes"]
        trained = [p for p in self.model.parameters() if p.requires_grad]
        self.optimizer = torch.optim.Adam(trained, lr=shape["learningRate"], amsgrad=True)

    def run(self):
        depth, logits, _ = self.model(self.picture)
        error = depth - self.depth
        height, width = self.shape["height"], self.shape["width"]
        rows = (error[:, :, 1:] - error[:, :, :-1]).abs().mean() * ((height - 1) / height)
        columns = (error[..., 1:] - error[..., :-1]).abs().mean() * ((width - 1) / width)
        structure = ((1 - ssim(depth, self.depth, self.shape["range"])) / 2).clamp(0, 1).mean()
        loss = 0.85 * structure + 0.9 * (rows + columns) + 0.1 * error.abs().mean()
        return self.minimize(loss + F.cross_entropy(logits, self.labels), self.optimizer)


class ImbalancedStep(Step):
    """UMST-S, UMMT or MMMT-D: cross-entropy and absolute error of all predictions at full size, Adam."""

    def __init__(self, shape):
        from mti_net_torch import MtiNet, SingleTaskNet

        super().__init__(shape)
        n, classes, size = shape["batch"], shape["classes"], [shape["height"], shape["width"]]
        if shape["network"] == 0:
            self.model = SingleTaskNet(classes, [3])
        else:
            self.model = MtiNet({"segmentation": classes, "depth": 1}, [3] * shape["network"], False)
        self.models = [self.model]
        fix_weights(self.model)
        self.inputs = [tensor([n, 3, *size], 1 + 2 * i) for i in range(max(1, shape["network"]))]
        pixels = n * size[0] * size[1]
        self.labels = (torch.arange(pixels) % classes).reshape(n, *size)
        self.depth = 2 + tensor([n, 1, *size], 2)
        self.optimizer = torch.optim.Adam(self.model.parameters(), lr=shape["learningRate"])

    def term(self, name, y):
        y = F.interpolate(y, self.labels.shape[1:], mode="bilinear", align_corners=False)
        return (y - self.depth).abs().mean() if name.endswith("depth") else F.cross_entropy(y, self.labels)

    def run(self):
        outputs = self.model(self.inputs)
        return self.minimize(sum(self.term(name, y) for name, y in outputs.items()), self.optimizer)


STEPS = {
    "unet.step": UNetStep,
    "multidepth.step": MultiDepthStep,
    "crossStitch.step": CrossStitchStep,
    "denseBlock.step": dense_block,
    "denseDepth.step": DenseDepthStep,
    "imbalancedMtl.step": ImbalancedStep,
    "denseNet.step": dense_net,
}
