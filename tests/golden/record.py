"""Records the trainings of traces/ that are listed below, with PyTorch in float64.

To record one more, add a line to `recordings` and run `python3 record.py NAME` with PyTorch installed (the traces were
made with 2.15). Without names it records all of its list. Traces that are not in the list are older than this script.
"""

import json
import sys
from pathlib import Path

import torch
import torch.nn.functional as F
from torch.optim import LBFGS, SGD, Adagrad, NAdam
from torch.optim import lr_scheduler as schedules
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

sys.path.insert(0, str(Path(__file__).parents[2] / "crates/training/tests-data"))
from lion import Lion

torch.set_default_dtype(torch.float64)
DIMS, SAMPLES, BATCH, EPOCHS = [5, 7, 6, 3], 24, 6, 8
STEPS = EPOCHS * SAMPLES // BATCH

sgd = {"name": "sgd", "learning_rate": 0.1}, lambda p: SGD(p, lr=0.1)
cross_entropy = {"name": "cross_entropy", "reduction": "mean"}, F.cross_entropy
constant = None, lambda o: schedules.ConstantLR(o, factor=1)


def smooth(outputs, targets):
    return F.cross_entropy(outputs, targets, label_smoothing=0.1)


def divergence_of_smooth(outputs, targets):
    smoothed = 0.9 * F.one_hot(targets, outputs.shape[1]) + 0.1 / outputs.shape[1]
    return F.kl_div(F.log_softmax(outputs, 1), smoothed, reduction="batchmean")


def cosine_after_warmup(o):
    line = schedules.LinearLR(o, start_factor=0.1, total_iters=10)
    cosine = schedules.CosineAnnealingLR(o, T_max=STEPS - 10)
    return schedules.SequentialLR(o, [line, cosine], milestones=[10])


class Residual(torch.nn.Module):
    """Layers whose inputs are added to their outputs."""

    def __init__(self, *layers):
        super().__init__()
        self.layers = torch.nn.Sequential(*layers)

    def forward(self, x):
        return x + self.layers(x)


def weights(network):
    return [layer.weight for layer in network.modules() if isinstance(layer, torch.nn.Linear)]


def penalty(network):
    return sum(0.002 * w.abs().sum() + 0.01 * (w * w).sum() / 2 for w in weights(network))


@torch.no_grad()
def bound(network):
    for w in weights(network):
        w.copy_(torch.renorm(w, 2, 0, 0.8))  # a row of PyTorch's weight leads to one unit


PENALTY = {"penalty": {"l1": 0.002, "l2": 0.01}}

# What a step does besides the update: its keys in the trace, then what it adds to the loss, does to the gradients and
# does to the weights.
rules = {
    "penalty": (PENALTY, penalty, None, None),
    "penalty-clipping": (
        PENALTY | {"gradient_clipping": {"norm": 0.3}},
        penalty, lambda n: torch.nn.utils.clip_grad_norm_(n.parameters(), 0.3), None,
    ),
    "clipping-value": (
        {"gradient_clipping": {"value": 0.05}},
        None, lambda n: torch.nn.utils.clip_grad_value_(n.parameters(), 0.05), None,
    ),
    "max_norm": ({"max_norm": 0.8}, None, None, bound),
}

# The average of the weights that the trace ends with: its keys in the trace, and PyTorch's.
averages = {
    "average-ema": (
        {"average": {"ema": 0.9}},
        lambda n: AveragedModel(n, multi_avg_fn=get_ema_multi_avg_fn(0.9)),
    ),
    "average-swa": ({"average": {"swa": 12}}, AveragedModel),
}

# L-BFGS, whose steps search with all samples.
lbfgs = {"name": "lbfgs", "learning_rate": 1.0, "max_iterations": 4, "history_size": 4}, lambda p: LBFGS(
    p, lr=1.0, max_iter=4, history_size=4, line_search_fn="strong_wolfe"
)

# The name, and optimiser, schedule and loss: each as TOML has it and as PyTorch does.
recordings = {
    "optimizer-adagrad": (
        ({"name": "adagrad", "learning_rate": 0.05, "weight_decay": 0.01}, lambda p: Adagrad(p, lr=0.05, weight_decay=0.01)),
        constant, cross_entropy,
    ),
    "optimizer-nadam": (
        ({"name": "nadam", "learning_rate": 0.01, "weight_decay": 0.01}, lambda p: NAdam(p, lr=0.01, weight_decay=0.01)),
        constant, cross_entropy,
    ),
    "optimizer-lion": (
        ({"name": "lion", "learning_rate": 0.002, "weight_decay": 0.1}, lambda p: Lion(p, lr=0.002, weight_decay=0.1)),
        constant, cross_entropy,
    ),
    "optimizer-lbfgs": (lbfgs, constant, cross_entropy),
    "scheduler-one_cycle": (
        sgd,
        (
            {"name": "one_cycle", "num_steps": STEPS},
            lambda o: schedules.OneCycleLR(o, 0.1, total_steps=STEPS, cycle_momentum=False),
        ),
        cross_entropy,
    ),
    "scheduler-cosine_restarts": (
        sgd,
        (
            {"name": "cosine_restarts", "num_steps": 4, "multiplier": 2, "min_learning_rate": 0.001},
            lambda o: schedules.CosineAnnealingWarmRestarts(o, 4, 2, eta_min=0.001),
        ),
        cross_entropy,
    ),
    "scheduler-polynomial": (
        sgd,
        (
            {"name": "polynomial", "num_steps": STEPS, "power": 2},
            lambda o: schedules.PolynomialLR(o, total_iters=STEPS, power=2),
        ),
        cross_entropy,
    ),
    "scheduler-piecewise": (
        sgd,
        (
            {"name": "piecewise", "milestones": [{"at": 10, "factor": 0.1}, {"at": 20, "factor": 0.01}]},
            lambda o: schedules.MultiStepLR(o, [10, 20]),
        ),
        cross_entropy,
    ),
    "scheduler-warmup": (
        sgd,
        (
            {"name": "cosine", "warmup": {"num_steps": 10, "start_factor": 0.1, "interval": "step"}},
            cosine_after_warmup,
        ),
        cross_entropy,
    ),
    "loss-cross_entropy-label_smoothing": (
        sgd, constant, ({"name": "cross_entropy", "reduction": "mean", "label_smoothing": 0.1}, smooth),
    ),
    "loss-kl_divergence": (
        sgd, constant, ({"name": "kl_divergence", "reduction": "mean", "label_smoothing": 0.1}, divergence_of_smooth),
    ),
    "residual": (sgd, constant, cross_entropy),
    "average-ema": (sgd, constant, cross_entropy),
    "average-swa": (sgd, constant, cross_entropy),
} | {f"rule-{name}": (sgd, constant, cross_entropy) for name in rules}


def tensors(network):
    """Weights as Emberlab lays them out: `[d_input][d_output]`."""
    linear = [layer for layer in network.modules() if isinstance(layer, torch.nn.Linear)]
    return {
        f"layers.{i}.{name}": tensor.detach().T.tolist()
        for i, layer in enumerate(linear)
        for name, tensor in (("weight", layer.weight), ("bias", layer.bias))
    }


def record(name, optimizer, scheduler, loss):
    torch.manual_seed(sum(name.encode()))
    is_residual = name == "residual"
    is_full = optimizer is lbfgs
    dims = [5, 7, 7, 7, 3] if is_residual else DIMS
    activation = torch.nn.Tanh if is_full else torch.nn.ReLU
    blocks = [(torch.nn.Linear(*pair), activation()) for pair in zip(dims, dims[1:])]
    hidden = [
        Residual(*block) if is_residual and i > 0 else torch.nn.Sequential(*block)
        for i, block in enumerate(blocks[:-1])
    ]
    network = torch.nn.Sequential(*hidden, blocks[-1][0])
    inputs, targets = torch.randn(SAMPLES, DIMS[0]), torch.randint(DIMS[-1], (SAMPLES,))
    keys, add, clip, hold = rules.get(name.removeprefix("rule-"), ({}, None, None, None))
    batches = [b.tolist() for _ in range(EPOCHS) for b in torch.randperm(SAMPLES).split(BATCH)]
    if is_full:
        batches = [list(range(SAMPLES))] * 4
    start, losses = tensors(network), []
    average_keys, averaged = averages.get(name, ({}, None))
    average = averaged(network) if averaged else None
    made = optimizer[1](network.parameters())
    schedule = scheduler[1](made)
    for batch in batches:

        def evaluate():
            made.zero_grad()
            value = loss[1](network(inputs[batch]), targets[batch])
            (value + add(network) if add else value).backward()
            clip(network) if clip else None
            return value

        value = made.step(evaluate)
        hold(network) if hold else None
        schedule.step() if len(losses) + 1 < len(batches) else None
        losses.append(value.item())
        # A mean of epochs leaves out the first twelve; a trace has an epoch for each step.
        if average is not None and (name != "average-swa" or len(losses) > 12):
            average.update_parameters(network)
    if average is not None:
        network = average
    return {
        "name": name,
        "made_with": f"torch {torch.__version__} float64",
        "network": {"dims": dims, "activation": activation.__name__.lower(), "normalization": "none", "output": "linear"}
        | ({"residual": True} if is_residual else {}),
        "loss": loss[0],
        "optimizer": optimizer[0],
        "scheduler": scheduler[0],
        **keys,
        **average_keys,
        "inputs": inputs.tolist(),
        "targets": targets.tolist(),
        "batches": batches,
        "start": start,
        "losses": losses,
        "end": tensors(network),
        "outputs_end": network(inputs).tolist(),
    }


for name in sys.argv[1:] or recordings:
    path = Path(__file__).with_name("traces") / f"{name}.json"
    path.write_text(json.dumps(record(name, *recordings[name])) + "\n")
