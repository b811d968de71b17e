"""Writes scikit_learn.json: outputs, classes and numbers, and scikit-learn's metrics of them.

    python -m venv /tmp/venv && /tmp/venv/bin/pip install scikit-learn==1.9.1
    /tmp/venv/bin/python crates/metrics/tests-data/scikit_learn.py

Probabilities and numbers are rounded, so that there are many ties, and some probabilities are 0 and 1.
"""

import json
from pathlib import Path

import numpy as np
from sklearn.metrics import (average_precision_score, balanced_accuracy_score, brier_score_loss, log_loss,
                             matthews_corrcoef, mean_absolute_percentage_error, median_absolute_error, roc_auc_score,
                             top_k_accuracy_score)
from sklearn.preprocessing import label_binarize

random = np.random.default_rng(7)


def binary(targets, probabilities):
    """The probability of class 1 of two."""
    return {"width": 1, "targets": targets.tolist(), "probabilities": probabilities.tolist(),
            "roc_auc": roc_auc_score(targets, probabilities),
            "average_precision": average_precision_score(targets, probabilities),
            "log_loss": log_loss(targets, probabilities, labels=[0, 1]),
            "brier": brier_score_loss(targets, probabilities)}


def multiclass(targets, probabilities):
    """Probabilities of each class; every class has samples."""
    classes = np.arange(probabilities.shape[1])
    if len(classes) == 2:
        curves = {"roc_auc": roc_auc_score(targets, probabilities[:, 1]),
                  "average_precision": average_precision_score(targets, probabilities[:, 1])}
        top = {"top_3": 1.0, "top_5": 1.0}
    else:
        curves = {"roc_auc": roc_auc_score(targets, probabilities, multi_class="ovr"),
                  "average_precision": average_precision_score(label_binarize(targets, classes=classes), probabilities)}
        top = {f"top_{k}": top_k_accuracy_score(targets, probabilities, k=k, labels=classes) for k in (3, 5)}
    return {"width": len(classes), "targets": targets.tolist(), "probabilities": probabilities.ravel().tolist(),
            "log_loss": log_loss(targets, probabilities, labels=classes),
            "brier": brier_score_loss(targets, probabilities, labels=classes)} | curves | top


def softmax(rows, num_classes, step):
    """Probabilities of outputs that are multiples of a step."""
    outputs = np.round(random.normal(size=(rows, num_classes)) * 2 / step) * step
    exponentials = np.exp(outputs - outputs.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)


def classes(targets, predictions):
    """Predicted classes; -1 stands for no prediction."""
    return {"targets": targets.tolist(), "predictions": predictions.tolist(),
            "balanced_accuracy": balanced_accuracy_score(targets, predictions),
            "mcc": matthews_corrcoef(targets, predictions)}


def numbers(targets, predictions):
    return {"width": targets.shape[1], "targets": targets.ravel().tolist(), "predictions": predictions.ravel().tolist(),
            "mape": mean_absolute_percentage_error(targets, predictions),
            "median_absolute_error": median_absolute_error(targets, predictions)}


def labels(rows, num_classes):
    return np.arange(rows) * 5 % num_classes


def noisy(targets, num_classes):
    wrong = random.random(len(targets)) < 0.4
    return np.where(wrong, random.integers(0, num_classes, len(targets)), targets)


result = {
    "probabilities": [
        binary(labels(40, 2), np.round(random.random(40), 1)),
        binary(np.array([0, 1, 1, 1]), np.array([0.5, 0.5, 0.5, 0.5])),
        binary(np.array([0, 1, 0, 1, 1]), np.array([0.0, 1.0, 1.0, 0.0, 0.25])),
        multiclass(labels(30, 2), softmax(30, 2, 1.0)),
        multiclass(labels(60, 3), softmax(60, 3, 1.0)),
        multiclass(labels(200, 7), softmax(200, 7, 0.5)),
        # All outputs are equal, and probabilities are 0 and 1.
        multiclass(np.array([0, 1, 2, 3, 4, 5]), np.full((6, 6), 1 / 6)),
        multiclass(np.array([0, 1, 2, 3]), np.eye(4)[[0, 1, 3, 2]]),
    ],
    "classes": [
        classes(labels(50, 2), noisy(labels(50, 2), 2)),
        classes(labels(90, 4), noisy(labels(90, 4), 4)),
        # A class that is never predicted, one that has no samples, and samples without a prediction.
        classes(np.array([0, 0, 1, 1, 2]), np.array([0, 3, 1, 0, 0])),
        classes(np.array([0, 0, 1, 1, 2]), np.array([0, -1, 1, -1, 2])),
        # One class only, among the targets or the predictions.
        classes(np.array([1, 1, 1]), np.array([1, 1, 0])),
        classes(np.array([1, 1, 0]), np.array([1, 1, 1])),
        classes(np.array([1, 1, 1]), np.array([1, 1, 1])),
    ],
    "numbers": [
        numbers(np.round(random.normal(size=(15, 1)), 1), np.round(random.normal(size=(15, 1)), 1)),
        numbers(np.round(random.normal(size=(24, 2)), 1), np.round(random.normal(size=(24, 2)), 1)),
        numbers(np.array([[0.0], [2.0], [-4.0]]), np.array([[0.0], [1.0], [-6.0]])),
        numbers(np.array([[0.0], [2.0]]), np.array([[0.5], [1.0]])),
    ],
}
Path(__file__).with_name("scikit_learn.json").write_text(json.dumps(result) + "\n")
