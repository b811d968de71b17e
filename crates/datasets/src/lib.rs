//! Samples to learn from: generated, embedded, fetched or the user's own.
