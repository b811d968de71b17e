//! Networks, their layers and how they start, for any Burn device.
