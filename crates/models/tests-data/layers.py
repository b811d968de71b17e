"""Makes layers.json: what PyTorch's batch norms and networks give in float64, for tests that compare.

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


def batch_norm(layer, shape):
    """Outputs of the second of two batches in training mode and in evaluation mode after it; running statistics."""
    layer.weight.data = 1 + 0.5 * wave(3, shape[1])
    layer.bias.data = wave(4, shape[1])
    layer(wave(0, *shape))
    x = 2 * wave(1, *shape)
    result = {"outputs": layer(x), "running_mean": layer.running_mean, "running_var": layer.running_var}
    result["evaluated"] = layer.eval()(x)
    return {name: tensor.flatten().tolist() for name, tensor in result.items()}


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
    "batch": batch_norm(nn.BatchNorm1d(6), (4, 6)),
    "batch_images": batch_norm(nn.BatchNorm2d(3), (2, 3, 2, 2)),
    "mlp": network(mlp, (7, 5)),
    "convnet": network(convnet, (3, 2, 9, 5)),
}
text = json.dumps(table).replace("], ", "],\n").replace("}, ", "},\n")
Path(__file__).with_name("layers.json").write_text(text + "\n")
