// What else has to change when other data are chosen, so that the experiment stays one that can be trained.

import { nameOf } from "./controls.js";

/** Data sets whose columns are x1 and x2. */
const PLANE = ["moons", "circles", "spirals", "xor", "gates", "points", "blobs", "classification"];
/** Data sets of measurements in units of their own. */
const TABLES = ["iris", "penguins", "diabetes", "winequality", "csv"];
const IMAGES = ["digits", "mnist", "fashion_mnist"];

/** The number of classes of a data set; `null` for a regression, `undefined` if the page does not know it. */
export function numClasses(dataset) {
  switch (dataset.name) {
    case "moons":
    case "circles":
    case "xor":
    case "gates":
      return 2;
    case "spirals":
    case "classification":
      return dataset.num_classes ?? 2;
    case "blobs":
      return dataset.num_classes ?? 3;
    case "iris":
    case "penguins":
      return 3;
    case "winequality":
      return dataset.task === "regression" ? null : 6;
    case "digits":
      return dataset.task === "below_five" ? 2 : 10;
    case "mnist":
    case "fashion_mnist":
      return 10;
    case "regression":
    case "diabetes":
      return null;
    case "points":
      return dataset.task === "regression" ? null : new Set(dataset.points.map((point) => point[2])).size;
    default:
      return undefined;
  }
}

function kindOfTask(numClasses) {
  return numClasses === null ? "regression" : numClasses === 2 ? "binary" : "multiclass";
}

const FIRST_LOSS = { regression: "mse", binary: "bce_with_logits", multiclass: "cross_entropy" };

/** Changes that make the loss, what depends on it, and the batches fit a data set. */
export function changesForTask(app, dataset) {
  return { ...changesForLoss(app, dataset), ...changesForBatches(app, dataset) };
}

/** The batch size that was too large for the data before. */
let batchSizeBefore;

/** A batch cannot have more rows than there are to train on. Where there are enough again, the size of before comes back. */
function changesForBatches(app, dataset) {
  const rows = dataset.points?.length ?? dataset.num_samples ?? (dataset.name === "gates" ? 4 : Infinity);
  const heldOut = (part) => (part > 0 && part < 1 ? part * rows : (part ?? 0));
  const { valid, test } = app.value("split") ?? {};
  const isTooLarge = (size) => size > Math.floor(rows - heldOut(valid) - heldOut(test)) - 1;
  const size = app.value("training.batch_size");
  if (typeof size === "number") {
    batchSizeBefore = isTooLarge(size) ? size : undefined;
    return isTooLarge(size) ? { "training.batch_size": "full" } : {};
  }
  if (batchSizeBefore === undefined || isTooLarge(batchSizeBefore)) {
    return {};
  }
  const again = { "training.batch_size": batchSizeBefore };
  batchSizeBefore = undefined;
  return again;
}

function changesForLoss(app, dataset) {
  const classes = numClasses(dataset);
  const { scene } = app.state;
  if (classes === undefined || !scene) {
    return {};
  }
  const kind = kindOfTask(classes);
  const before = kindOfTask(scene.targets ? null : scene.classes.length);
  if (kind === before) {
    return {};
  }
  const changes = { loss: { name: FIRST_LOSS[kind] } };
  if ((nameOf(app.value("model.output_activation")) ?? "linear") !== "linear") {
    changes["model.output_activation"] = "linear";
  }
  if ((app.value("training.objective.metric") ?? "loss") !== "loss") {
    changes["training.objective.metric"] = "loss";
  }
  for (const key of ["model.d_output", "training.class_weights", "training.thresholds", "training.metrics"]) {
    const value = app.value(key);
    if (value !== undefined && value !== null && value.length !== 0) {
      changes[key] = null;
    }
  }
  if (app.value("standardize.targets") && kind !== "regression") {
    changes["standardize.targets"] = false;
  }
  return changes;
}

/** All changes for another data set. */
export function changesForDataset(app, dataset) {
  const before = app.value("dataset.name");
  const changes = { dataset, ...changesForTask(app, dataset) };
  const bothInPlane = PLANE.includes(before) && PLANE.includes(dataset.name);
  if (app.value("features") && !bothInPlane) {
    changes.features = null;
  }
  const method = TABLES.includes(dataset.name) || dataset.name === "blobs" ? "per_feature" : IMAGES.includes(dataset.name) ? "global" : "none";
  if (app.value("standardize.method") !== method) {
    changes["standardize.method"] = method;
  }
  if (dataset.name === "diabetes" && !app.value("standardize.targets")) {
    changes["standardize.targets"] = true;
  }
  if (dataset.name === "gates") {
    // The four rows of a truth table are all there is to learn.
    changes.split = { valid: 0 };
    changes["training.objective"] = { split: "train" };
  } else if (before === "gates") {
    changes.split = { valid: 0.3 };
    changes["training.objective"] = { split: "valid" };
  }
  return changes;
}
