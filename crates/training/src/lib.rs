//! One fit: device, loss, optimiser, loop, metrics and checkpoints.
