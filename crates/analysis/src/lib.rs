//! Checks and explanations of trained networks.
