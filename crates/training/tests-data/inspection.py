"""Makes inspection.json: what forward and backward hooks of PyTorch see in a small network, in float64.

Run it in this folder. Every tensor is filled by `wave`, so that the tests can make the same ones.
"""

import json
from pathlib import Path

import torch
from torch import nn

torch.set_default_dtype(torch.float64)
QUANTILES = torch.tensor([0.01, 0.25, 0.5, 0.75, 0.99])
BINS = 30


def wave(phase, *shape):
    """sin(phase + 0.7 k) for the k-th number in row-major order."""
    count = torch.Size(shape).numel()
    return torch.sin(phase + 0.7 * torch.arange(count)).reshape(shape)


def histogram(values):
    values = values.flatten()
    counts, edges = torch.histogram(values, BINS, range=(values.min().item(), values.max().item()))
    return {"low": edges[0].item(), "high": edges[-1].item(), "counts": counts.long().tolist()}


def view(activations):
    """Activations along their first two principal components, and the shares of the variance."""
    centered = activations - activations.mean(0)
    values, vectors = torch.linalg.eigh(centered.T @ centered / len(centered))
    vectors = vectors.flip(1)[:, :2]
    signs = torch.sign(vectors.gather(0, vectors.abs().argmax(0, keepdim=True)))
    return {"points": (centered @ (vectors * signs)).flatten().tolist(),
            "explained": (values.flip(0)[:2] / values.sum()).tolist()}


# Biases below zero, so that a unit of the first layer is dead.
net = nn.Sequential(nn.Linear(5, 6), nn.ReLU(), nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3))
for index, parameter in enumerate(net.parameters()):
    if parameter.dim() == 2:
        parameter.data = 2 * wave(index, *reversed(parameter.shape)).T
    else:
        parameter.data = 0.5 * wave(index, *parameter.shape)
net[0].bias.data[2] = -20

seen = []
for layer, function in [(0, 1), (2, 3), (4, 4)]:
    net[function].register_forward_hook(lambda module, inputs, output, layer=layer: seen.append((layer, output)))
inputs, targets = wave(0, 24, 5), torch.arange(24) % 3
before = [p.detach().clone() for p in net.parameters()]
optimizer = torch.optim.SGD(net.parameters(), lr=0.1)
nn.functional.cross_entropy(net(inputs), targets).backward()
optimizer.step()
seen.clear()
optimizer.zero_grad()
nn.functional.cross_entropy(net(inputs), targets).backward()

rows = []
for (layer, outputs), old in zip(seen, before[::2]):
    weight, outputs = net[layer].weight, outputs.detach()
    change = weight.detach() - old
    rows.append({
        "mean": outputs.mean().item(),
        "std": outputs.std(correction=0).item(),
        "quantiles": torch.quantile(outputs.flatten(), QUANTILES).tolist(),
        "dead": (outputs == 0).all(0).double().mean().item() if layer == 0 else 0.0,
        "saturated": (1 - outputs**2 < 0.04).double().mean().item() if layer == 2 else 0.0,
        "weight_norm": weight.norm().item(),
        "gradient_norm": weight.grad.norm().item(),
        "update_norm": change.norm().item(),
        "activations": histogram(outputs),
        "weights": histogram(weight.detach()),
        "gradients": histogram(weight.grad),
        "view": view(outputs),
    })
path = Path(__file__).with_name("inspection.json")
path.write_text(json.dumps(rows, indent=1) + "\n")
