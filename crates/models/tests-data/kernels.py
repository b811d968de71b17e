"""Makes kernels.json: what PyTorch gives in float64 near zero, at ordinary and at large inputs, at NaN and infinity.

Tests need a row for each activation and each normalisation. To add one, write its line into `activations` or into
`normalizations` below: how it is written in TOML, PyTorch's function or the formula, and whether it has a host kernel
(FUSED) or is computed by Burn's operations alone (OPERATIONS). Then run `python3 kernels.py` with PyTorch installed
(`pip install torch`; the rows were made with 2.15). Other rows change in their last digit at most.

All inputs are numbers that float32 holds exactly. JSON has no NaN and no infinity: they are written as "nan", "inf" and
"-inf".
"""

import json
import math
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import nn

torch.set_default_dtype(torch.float64)
NAN, INF = math.nan, math.inf
FUSED, OPERATIONS = True, False


def exact(values):
    """As float32 holds them, in float64."""
    return torch.as_tensor(values, dtype=torch.float64).float().double()


def wave(phase, *shape):
    """sin(phase + 0.7 k) for the k-th number in row-major order."""
    count = torch.Size(shape).numel()
    return exact(torch.sin(phase + 0.7 * torch.arange(count)).reshape(shape))


def written(x):
    return float(f"{x:.14g}") if math.isfinite(x) else str(x)


def numbers(tensor):
    return [written(x) for x in tensor.detach().flatten().tolist()]


def case(**parts):
    """A case of tensors, with the shape of its inputs."""
    shape = list(parts["inputs"].shape)
    return {"shape": shape} | {name: numbers(part) for name, part in parts.items()}


def differentiated(function, x, delta):
    x = x.clone().requires_grad_()
    y = function(x)
    y.backward(delta)
    return case(inputs=x, delta=delta, outputs=y, gradient=x.grad)


# Activations.

near_zero = [0.0, -0.0, 1e-6, -1e-6, 1e-3, -1e-3, 0.1, -0.1]
ordinary = [sign * x for x in (0.5, 0.625, 1, 2, 3.7, 10, 19.5, 20.5) for sign in (1, -1)]
far_out = [sign * x for x in (50, 88.5, 100, 800, 1e4, 1e30, INF) for sign in (1, -1)] + [NAN]
inputs = near_zero + ordinary + far_out
deltas = [[1, -2.5, 0.3][k % 3] for k in range(len(inputs))]
# NaN that comes from the loss.
inputs += [-2, -0.5, 0, 0.5, 2]
deltas += [NAN] * 5
inputs, deltas = exact([inputs]), exact([deltas])

rows = exact([
    [1, 2, 3, 4], [0, 0, 0, 0], [1e-6, -1e-6, 1e-3, 0], [-3, 0.5, 12, 12], [800, -800, 799, 0], [1e4, -1e4, 0, 1e4],
    [0, -INF, 1, -INF], [0, INF, 1, 2], [-INF, -INF, -INF, -INF], [0, NAN, 1, 2],
])

activations = [
    ('"linear"', lambda x: x * 1, OPERATIONS),
    ('"sigmoid"', torch.sigmoid, FUSED),
    ('"tanh"', torch.tanh, FUSED),
    ('"relu"', F.relu, FUSED),
    ('"leaky_relu"', F.leaky_relu, FUSED),
    ('{"name": "leaky_relu", "alpha": 0.2}', lambda x: F.leaky_relu(x, 0.2), FUSED),
    ('{"name": "leaky_relu", "alpha": -0.5}', lambda x: F.leaky_relu(x, -0.5), FUSED),
    ('"elu"', F.elu, FUSED),
    ('{"name": "elu", "alpha": 2.0}', lambda x: F.elu(x, 2.0), FUSED),
    ('"swish"', F.silu, FUSED),
    ('"gelu"', F.gelu, FUSED),
    ('"selu"', F.selu, FUSED),
    ('"softplus"', F.softplus, FUSED),
    ('"mish"', F.mish, FUSED),
    ('"softmax"', lambda x: torch.softmax(x, 1), OPERATIONS),
]


def activation(written, function, is_fused):
    if written == '"softmax"':
        tested = differentiated(function, rows, wave(2, *rows.shape))
    else:
        tested = differentiated(function, inputs, deltas)
    return {"activation": json.loads(written), "is_fused": is_fused} | tested


# Normalisations of six features.


class Instance(nn.Module):
    """Instance normalisation of one channel whose pixels are the features."""

    def forward(self, x):
        return F.instance_norm(x[:, None, :])[:, 0, :]


def changed(x, rows, columns, value):
    x = x.clone()
    x[rows, columns] = value
    return x


ALL = slice(None)
batches = {
    "ordinary": 2 * wave(1, 4, 6),
    "near_zero": exact(1e-3 * wave(1, 4, 6)),
    "many_rows": wave(1, 11, 6),
    "one_row": wave(1, 1, 6),
    "off_centre": exact(100 + wave(1, 4, 6)),
    "far_out": exact(1e4 * wave(1, 4, 6)),
    "constant_column": changed(wave(1, 4, 6), ALL, 1, exact(3.3)),
    "constant_row": changed(wave(1, 4, 6), 2, ALL, exact(0.1)),
    "all_zero": torch.zeros(4, 6),
    "nan": changed(wave(1, 4, 6), 1, 2, NAN),
    "infinite": changed(wave(1, 4, 6), 1, 2, INF),
}


def normalized(make, x):
    layer = make()
    affine = getattr(layer, "weight", None) is not None
    if affine:
        layer.weight.data = 1 + 0.5 * wave(3, 6)
        layer.bias.data = wave(4, 6)
    result = differentiated(layer, x, wave(2, *x.shape))
    if affine:
        result["gamma_gradient"] = numbers(layer.weight.grad)
        result["beta_gradient"] = numbers(layer.bias.grad)
    if isinstance(layer, nn.BatchNorm1d):
        result["running_mean"] = numbers(layer.running_mean)
        result["running_var"] = numbers(layer.running_var)
        result["evaluated"] = numbers(layer.eval()(x))
    return result


normalizations = [
    ("batch", lambda: nn.BatchNorm1d(6), FUSED),
    ("layer", lambda: nn.LayerNorm(6), OPERATIONS),
    ("instance", Instance, OPERATIONS),
    ("group", lambda: nn.GroupNorm(2, 6), OPERATIONS),
]


def normalization(make, is_fused):
    # PyTorch refuses to take the variance of a single row.
    refused = "one_row" if isinstance(make(), nn.BatchNorm1d) else None
    cases = {name: normalized(make, x) for name, x in batches.items() if name != refused}
    return {"is_fused": is_fused, "cases": cases}


# A layer's product, x W + b, whose weight PyTorch has transposed.


def dense(x, d_output):
    weight = wave(1, x.shape[1], d_output).requires_grad_()
    bias = wave(2, d_output).requires_grad_()
    result = differentiated(lambda x: F.linear(x, weight.T, bias), x, wave(3, x.shape[0], d_output))
    return result | {"weight_gradient": numbers(weight.grad), "bias_gradient": numbers(bias.grad)}


# Max-pooling and convolution: [batch, channels, height, width], written as [batch, height, width, channels].


def by_pixels(tensor):
    return tensor.movedim(1, -1)


def pooled(image):
    x = exact(image).requires_grad_()
    y = F.max_pool2d(x, 2)
    delta = wave(2, *y.shape)
    y.backward(delta)
    parts = {"inputs": x, "delta": delta, "outputs": y, "gradient": x.grad}
    return case(**{name: by_pixels(part) for name, part in parts.items()})


def several_nan():
    image = wave(0, 1, 2, 4, 4)
    image[0, 0, 2:4, 0:2] = NAN
    image[0, 1, 2:4, 2:4] = torch.tensor([[NAN, 1], [2, NAN]])
    return image


def corners_of(value):
    """One square for each corner, in which only that corner has this value."""
    image = wave(0, 1, 2, 2, 8)
    for corner in range(4):
        image[0, :, corner // 2, 2 * corner + corner % 2] = value
    return image


def equal_pixels():
    image = wave(0, 1, 2, 4, 4)
    image[0, 0] = 1
    image[0, 1, :2, :2] = -INF
    return image


def nan_pixel():
    image = wave(0, 1, 2, 4, 3)
    image[0, 1, 0, 0] = NAN
    return image


def convolved(x):
    weight, bias = wave(1, 3, 2, 3, 3).requires_grad_(), wave(2, 3).requires_grad_()
    x = x.clone().requires_grad_()
    y = F.conv2d(x, weight, bias, padding="same")
    delta = wave(3, *y.shape)
    y.backward(delta)
    parts = {"inputs": x, "delta": delta, "outputs": y, "gradient": x.grad}
    result = case(**{name: by_pixels(part) for name, part in parts.items()})
    return result | {"weight_gradient": numbers(weight.grad), "bias_gradient": numbers(bias.grad)}


table = {
    "activations": [activation(*row) for row in activations],
    "normalizations": {name: normalization(*row) for name, *row in normalizations},
    "dense": {
        "ordinary": dense(wave(0, 5, 4), 3),
        "one_output": dense(wave(0, 5, 4), 1),
        "one_row": dense(wave(0, 1, 4), 3),
        "far_out": dense(exact(1e4 * wave(0, 5, 4)), 3),
        "nan": dense(changed(wave(0, 5, 4), 1, 2, NAN), 3),
        "infinite": dense(changed(wave(0, 5, 4), 1, 2, INF), 3),
    },
    "max_pool": {
        "ordinary": pooled(wave(0, 2, 2, 4, 6)),
        "odd_size": pooled(wave(0, 2, 2, 5, 3)),
        "equal": pooled(equal_pixels()),
        "far_out": pooled(1e4 * wave(0, 1, 2, 4, 4)),
        "nan": pooled(corners_of(NAN)),
        "several_nan": pooled(several_nan()),
        "infinite": pooled(corners_of(INF)),
        "minus_infinite": pooled(corners_of(-INF)),
    },
    "convolution": {
        "ordinary": convolved(wave(0, 2, 2, 3, 4)),
        "one_image": convolved(wave(0, 1, 2, 3, 3)),
        "far_out": convolved(exact(1e4 * wave(0, 1, 2, 3, 3))),
        "nan": convolved(nan_pixel()),
    },
}
text = json.dumps(table).replace("], ", "],\n").replace("}, ", "},\n")
Path(__file__).with_name("kernels.json").write_text(text + "\n")
