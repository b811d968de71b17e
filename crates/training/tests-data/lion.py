"""Lion, which PyTorch does not have, by NumPy."""

import numpy as np
import torch


class Lion(torch.optim.Optimizer):
    """Chen et al. 2023, https://arxiv.org/abs/2302.06675, algorithm 2."""

    def __init__(self, params, lr, betas=(0.9, 0.99), weight_decay=0.0):
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    def step(self, closure=None):
        value = closure() if closure else None
        for group in self.param_groups:
            lr, (beta_1, beta_2), decay = group["lr"], group["betas"], group["weight_decay"]
            for p in group["params"]:
                g, m = p.grad.numpy(), self.state[p].get("mean", np.zeros(p.shape))
                update = np.sign(beta_1 * m + (1 - beta_1) * g)
                p.data = torch.from_numpy(p.detach().numpy() - lr * (update + decay * p.detach().numpy()))
                self.state[p]["mean"] = beta_2 * m + (1 - beta_2) * g
        return value
