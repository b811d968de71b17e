"""Makes kernels.json: PyTorch's losses and optimisers in float64, on inputs that float32 holds exactly.

Tests need rows for each loss and each optimiser. To add some, write one line into `losses` or `optimizers` below: how
it is written in TOML, PyTorch's function or the formula, its cases, and whether it has a host kernel (FUSED) or is
computed by Burn's operations alone (OPERATIONS). A loss needs the cases "ordinary", "near_zero" and "one_row". Then
run `python3 kernels.py` with PyTorch installed (`pip install torch`; the rows were made with 2.15). Other rows change
in their last digit at most.

JSON has no NaN and no infinity: they are written as "nan", "inf" and "-inf". A gradient is null where Emberlab defines
it otherwise: zero where the logarithm of a probability is bounded.
"""

import json
import math
from functools import partial
from pathlib import Path

import torch
import torch.nn.functional as F

from lion import Lion

torch.set_default_dtype(torch.float64)
NAN, INF = math.nan, math.inf
FUSED, OPERATIONS = True, False


def exact(values):
    """As float32 holds them, in float64."""
    return torch.tensor(values).float().double()


def written(x):
    return float(f"{x:.14g}") if math.isfinite(x) else str(x)


def numbers(tensor):
    return [written(x) for x in tensor.detach().flatten().tolist()]


# Losses: those without a function in PyTorch by their formulas.


def reduced(losses, reduction):
    return losses.mean() if reduction == "mean" else losses.sum()


def bce_naive(p, y, reduction):
    p = p.clamp(1e-12, 1 - 1e-12)
    return reduced(-(y * p.log() + (1 - y) * (1 - p).log()), reduction)


def cross_entropy_naive(z, y, reduction):
    softmax = z.exp() / z.exp().sum(1, keepdim=True)
    return reduced(-(softmax.log() * y).sum(1), reduction)


def kl_divergence(z, y, reduction, smoothing=0.0):
    reduction = {"mean": "batchmean", "sum": "sum"}[reduction]
    y = (1 - smoothing) * y + smoothing / y.shape[1]
    return F.kl_div(F.log_softmax(z, 1), y, reduction=reduction)


def hinge(z, y, reduction):
    return reduced(F.relu(1 - (2 * y - 1) * z), reduction)


def focal(z, y, reduction, gamma, alpha):
    """torchvision.ops.sigmoid_focal_loss."""
    p = torch.sigmoid(z)
    cross_entropy = F.binary_cross_entropy_with_logits(z, y, reduction="none")
    right = p * y + (1 - p) * (1 - y)
    return reduced((alpha * y + (1 - alpha) * (1 - y)) * cross_entropy * (1 - right) ** gamma, reduction)


def log_cosh(x, y, reduction):
    """keras.losses.LogCosh."""
    return reduced(F.softplus(-2 * (x - y)) + (x - y) - math.log(2), reduction)


def quantile(x, y, reduction, quantile):
    """sklearn.metrics.mean_pinball_loss."""
    return reduced(torch.maximum(quantile * (y - x), (quantile - 1) * (y - x)), reduction)


def hamming(x, y, reduction):
    return reduced(((x > 0.5).double() - y).abs() + 0 * x, reduction)


zero_one = [[0, 1], [1, 0], [0, 1], [1, 0]]
pairs = {
    "ordinary": ([[0.25, -0.5], [2, 1], [-3, 0.75], [10, -10]], zero_one),
    "near_zero": ([[0, 0], [1e-6, -1e-6], [-1e-3, 1e-3], [-0.0, 0.1]], zero_one),
    "one_row": ([[0.5, -1.5]], [[1, 0]]),
    "one_output": ([[0.5], [-1.5], [3]], [[1], [0], [0]]),
    "far_out": ([[800, -800], [-800, 800], [800, 800], [1e4, -1e4]], zero_one),
}
moderate = {name: case for name, case in pairs.items() if name != "far_out"}
counts = {"counts": ([[0.25, -0.5], [2, 1], [-3, 5]], [[3, 0], [7, 1], [0, 100]])}
nan = {"nan": ([[NAN, 1], [0.5, NAN], [1, 2]], [[1, 0], [0, 1], [0, 1]])}
soft_targets = {"soft_targets": ([[0.25, -0.5], [2, 1], [90, -90]], [[0.3, 0.9], [0.5, 0.1], [0.25, 0.75]])}
probabilities = {
    "ordinary": ([[0.25, 0.5], [0.9, 0.01], [0.999, 0.6], [0.4, 0.75]], zero_one),
    "near_zero": ([[1e-3, 0.999], [2e-3, 0.99], [0.01, 0.98], [0.5, 0.5]], zero_one),
    "one_row": ([[0.25, 0.5]], [[1, 0]]),
}
saturated = {"saturated": ([[0, 1], [1, 0], [1, 0], [0, 1]], zero_one)}
one_hot = [[0, 1, 0], [1, 0, 0], [0, 0, 1], [0, 1, 0]]
classes = {
    "ordinary": ([[1, 2, 3], [0.5, -0.5, 0], [-3, 4, 2], [10, -10, 1]], one_hot),
    "near_zero": ([[0, 0, 0], [1e-6, -1e-6, 0], [1e-3, 0, -1e-3], [0, -0.0, 0.1]], one_hot),
    "one_row": ([[1, -2, 0.5]], [[0, 0, 1]]),
}
classes_far_out = {
    "far_out": ([[800, -800, 0], [800, -800, 799], [-800, -800, -800], [1e4, -1e4, 1e4]], one_hot),
    "one_output": ([[800], [-3]], [[1], [1]]),
}
class_nan = {
    "nan": ([[NAN, 1, 2], [1, 2, NAN], [NAN, NAN, NAN], [1, 2, 3]], one_hot),
    "infinite": ([[INF, 0, 1], [0, INF, 1], [-INF, 0, 1], [0, 1, 2]], one_hot),
}
class_soft = {"soft_targets": ([[1, 2, 3], [50, -50, 0]], [[0.25, 0.5, 0.25], [0.125, 0.125, 0.75]])}

losses = [
    ({"name": "bce_with_logits"}, F.binary_cross_entropy_with_logits, pairs | soft_targets | nan, FUSED),
    (
        {"name": "bce_with_logits", "positive_weight": 3},
        partial(F.binary_cross_entropy_with_logits, pos_weight=exact(3)), pairs | soft_targets | nan, FUSED,
    ),
    ({"name": "bce"}, F.binary_cross_entropy, probabilities | saturated, OPERATIONS),
    ({"name": "bce_naive"}, bce_naive, probabilities, OPERATIONS),
    ({"name": "cross_entropy"}, F.cross_entropy, classes | classes_far_out | class_soft | class_nan, FUSED),
    (
        {"name": "cross_entropy", "label_smoothing": 0.125},
        partial(F.cross_entropy, label_smoothing=0.125), classes | classes_far_out | class_soft | class_nan, FUSED,
    ),
    ({"name": "cross_entropy_naive"}, cross_entropy_naive, classes, OPERATIONS),
    ({"name": "kl_divergence"}, kl_divergence, classes | classes_far_out | class_soft, FUSED),
    (
        {"name": "kl_divergence", "label_smoothing": 0.125},
        partial(kl_divergence, smoothing=0.125), classes | classes_far_out | class_soft, FUSED,
    ),
    ({"name": "mse"}, F.mse_loss, pairs | soft_targets | nan, OPERATIONS),
    ({"name": "mae"}, F.l1_loss, pairs | soft_targets | nan, OPERATIONS),
    ({"name": "huber"}, F.huber_loss, pairs | soft_targets | nan, OPERATIONS),
    ({"name": "huber", "delta": 0.5}, partial(F.huber_loss, delta=0.5), pairs, OPERATIONS),
    ({"name": "log_cosh"}, log_cosh, pairs | soft_targets | nan, OPERATIONS),
    ({"name": "quantile"}, partial(quantile, quantile=0.5), pairs | soft_targets | nan, OPERATIONS),
    ({"name": "quantile", "quantile": 0.9}, partial(quantile, quantile=0.9), pairs, OPERATIONS),
    ({"name": "poisson"}, F.poisson_nll_loss, moderate | counts | nan, OPERATIONS),
    ({"name": "hinge"}, hinge, pairs | nan, OPERATIONS),
    ({"name": "focal"}, partial(focal, gamma=2, alpha=0.25), pairs | nan, OPERATIONS),
    ({"name": "focal", "gamma": 1.5, "alpha": 0.5}, partial(focal, gamma=1.5, alpha=0.5), pairs, OPERATIONS),
    ({"name": "hamming"}, hamming, pairs | probabilities | nan, OPERATIONS),
    ({"name": "soft_hamming"}, F.l1_loss, pairs | probabilities | nan, OPERATIONS),
]


def loss(config, function, is_fused, name, outputs, targets):
    reduction = config["reduction"]
    x, y = exact(outputs).requires_grad_(), exact(targets)
    value = function(x, y, reduction=reduction)
    value.backward()
    return {
        "loss": config, "is_fused": is_fused, "case": name,
        "shape": list(x.shape), "outputs": numbers(x), "targets": numbers(y), "value": written(value.item()),
        "gradient": None if name == "saturated" else numbers(x.grad),
    }


# Optimisers: four steps of a matrix of two numbers and a vector of one.

gradients = {
    "ordinary": [[factor * g for g in (0.3, -0.1, 2)] for factor in (1, -2, 3, -4)],
    "near_zero": [[1e-6, -1e-7, 0], [-1e-6, 0, 0], [2e-6, 0, 0], [0, 0, 0]],
    "far_out": [[1e4, -1e6, 1e8], [-1e4, 1e6, 1], [1e4, 1, -1e8], [1, 1, 1]],
    "nan": [[0.3, NAN, 2], [0.3, -0.1, 2], [0, 0, 0], [0.3, -0.1, -2]],
}
optimizers = [
    ({"name": "sgd", "learning_rate": 0.1}, torch.optim.SGD, {"lr": 0.1}, FUSED),
    (
        {"name": "sgd", "learning_rate": 0.1, "weight_decay": 0.1},
        torch.optim.SGD, {"lr": 0.1, "weight_decay": 0.1}, FUSED,
    ),
    ({"name": "sgd", "learning_rate": 0.1, "momentum": 0.9}, torch.optim.SGD, {"lr": 0.1, "momentum": 0.9}, OPERATIONS),
    (
        {"name": "sgd", "learning_rate": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
        torch.optim.SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1}, OPERATIONS,
    ),
    ({"name": "adam", "learning_rate": 0.01}, torch.optim.Adam, {"lr": 0.01}, FUSED),
    (
        {"name": "adam", "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-6, "weight_decay": 0.1},
        torch.optim.Adam, {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-6, "weight_decay": 0.1}, FUSED,
    ),
    ({"name": "adamw", "learning_rate": 0.01}, torch.optim.AdamW, {"lr": 0.01}, FUSED),
    (
        {"name": "adamw", "learning_rate": 0.1, "weight_decay": 0.1},
        torch.optim.AdamW, {"lr": 0.1, "weight_decay": 0.1}, FUSED,
    ),
    ({"name": "rmsprop", "learning_rate": 0.01}, torch.optim.RMSprop, {"lr": 0.01}, OPERATIONS),
    (
        {"name": "rmsprop", "learning_rate": 0.01, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1},
        torch.optim.RMSprop, {"lr": 0.01, "alpha": 0.9, "momentum": 0.5, "weight_decay": 0.1}, OPERATIONS,
    ),
    ({"name": "adagrad", "learning_rate": 0.01}, torch.optim.Adagrad, {"lr": 0.01}, OPERATIONS),
    (
        {"name": "adagrad", "learning_rate": 0.1, "epsilon": 0.01, "weight_decay": 0.1},
        torch.optim.Adagrad, {"lr": 0.1, "eps": 0.01, "weight_decay": 0.1}, OPERATIONS,
    ),
    ({"name": "nadam", "learning_rate": 0.002}, torch.optim.NAdam, {"lr": 0.002}, OPERATIONS),
    (
        {
            "name": "nadam", "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "epsilon": 1e-6,
            "momentum_decay": 0.1, "weight_decay": 0.1,
        },
        torch.optim.NAdam,
        {"lr": 0.1, "betas": (0.8, 0.95), "eps": 1e-6, "momentum_decay": 0.1, "weight_decay": 0.1}, OPERATIONS,
    ),
    ({"name": "lion", "learning_rate": 0.01}, Lion, {"lr": 0.01}, OPERATIONS),
    # One direction without a search, as `Rule::direction` is; recorded trainings have the searches.
    ({"name": "lbfgs", "learning_rate": 0.1}, torch.optim.LBFGS, {"lr": 0.1, "max_iter": 1, "history_size": 10}, OPERATIONS),
    (
        {"name": "lion", "learning_rate": 0.1, "beta_1": 0.8, "beta_2": 0.95, "weight_decay": 0.1},
        Lion, {"lr": 0.1, "betas": (0.8, 0.95), "weight_decay": 0.1}, OPERATIONS,
    ),
]


def optimizer(config, make, options, is_fused, name, steps):
    p = torch.nn.Parameter(torch.tensor([1.0, -2.0, 0.5]))
    made = make([p], **options)
    after = []
    for gradient in steps:
        p.grad = exact(gradient)
        made.step(lambda: torch.zeros(()))
        after.append(numbers(p))
    return {
        "optimizer": config, "is_fused": is_fused, "case": name,
        "gradients": [numbers(exact(g)) for g in steps], "after": after,
    }


table = {
    "losses": [
        loss(config | {"reduction": reduction}, function, is_fused, name, *inputs)
        for config, function, cases, is_fused in losses
        for name, inputs in cases.items()
        for reduction in ("mean", "sum")
    ],
    "optimizers": [optimizer(*made, name, steps) for made in optimizers for name, steps in gradients.items()],
}
text = json.dumps(table).replace("}, {", "},\n{")
Path(__file__).with_name("kernels.json").write_text(text + "\n")
