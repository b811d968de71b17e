"""Makes layers.json: what PyTorch's layers and networks give in float64, for tests that compare.

Every tensor is filled by `wave`, so that the tests can make the same ones.
"""

import json
from pathlib import Path

import torch
from torch import nn

torch.set_default_dtype(torch.float64)


def wave(phase, *shape):
    """sin(phase + 0.7 k) for the k-th number in row-major order."""
    count = torch.Size(shape).numel()
    return torch.sin(phase + 0.7 * torch.arange(count)).reshape(shape)


def normalize(layer, shape):
    """Outputs of two batches, gradients of sum(outputs * wave(2)) of the second, and running statistics."""
    features = shape[1]
    affine = getattr(layer, "weight", None) is not None
    if affine:
        layer.weight.data = 1 + 0.5 * wave(3, features)
        layer.bias.data = wave(4, features)
    layer(wave(0, *shape))
    x = (2 * wave(1, *shape)).requires_grad_()
    y = layer(x)
    (y * wave(2, *shape)).sum().backward()
    result = {"outputs": y, "gradient": x.grad}
    if affine:
        result |= {"gamma_gradient": layer.weight.grad, "beta_gradient": layer.bias.grad}
    if isinstance(layer, nn.modules.batchnorm._BatchNorm):
        result |= {"running_mean": layer.running_mean, "running_var": layer.running_var}
        result["evaluated"] = layer.eval()(x)
    return {name: tensor.flatten().tolist() for name, tensor in result.items()}


class Instance(nn.Module):
    """Instance normalisation of one channel whose pixels are the features."""

    def forward(self, x):
        return nn.functional.instance_norm(x[:, None, :])[:, 0, :]


def network(make, shape):
    """Outputs in training mode and in evaluation mode after it, and the gradient by the first weight.

    Dense weights are filled and returned as [d_input, d_output], the transpose of torch's.
    """
    net = make()
    for index, parameter in enumerate(net.parameters()):
        weights = wave(index, *reversed(parameter.shape)).T if parameter.dim() == 2 else wave(index, *parameter.shape)
        parameter.data = 0.5 * weights
    outputs = net(wave(0, *shape))
    (outputs**2).sum().backward()
    gradient = next(net.parameters()).grad
    if gradient.dim() == 2:
        gradient = gradient.T
    result = {"outputs": outputs, "evaluated": net.eval()(wave(0, *shape)), "gradient": gradient}
    return {name: tensor.flatten().tolist() for name, tensor in result.items()}


def mlp():
    return nn.Sequential(
        nn.Linear(5, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 4), nn.BatchNorm1d(4), nn.ELU(), nn.Linear(4, 3)
    )


def convnet():
    return nn.Sequential(
        nn.Conv2d(2, 3, 3, padding="same"), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(3, 4, 3, padding="same"), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(8, 5), nn.ReLU(), nn.Linear(5, 3),
    )


table = {
    "batch": normalize(nn.BatchNorm1d(6), (4, 6)),
    "batch_images": normalize(nn.BatchNorm2d(3), (2, 3, 2, 2)),
    "layer": normalize(nn.LayerNorm(6), (4, 6)),
    "group": normalize(nn.GroupNorm(2, 6), (4, 6)),
    "instance": normalize(Instance(), (4, 6)),
    "mlp": network(mlp, (7, 5)),
    "convnet": network(convnet, (3, 2, 9, 5)),
}
text = json.dumps(table).replace("], ", "],\n").replace("}, ", "},\n")
Path(__file__).with_name("layers.json").write_text(text + "\n")
