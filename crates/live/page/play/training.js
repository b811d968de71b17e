// How the network learns: loss, optimiser, learning rate, schedule, batches, penalties.

import { element } from "../dom.js";
import { menuField, numberField, parameterFields, sliderField } from "./controls.js";

const MOST_PENALTY = 10;

/**
 * Mounts the panel.
 *
 * @param {HTMLElement} panel
 * @param {import("../app.js").App} app
 */
export function mount(panel, app) {
  const penalty = (name, label, help) =>
    numberField(app, `training.penalty.${name}`, label, {
      help,
      min: 0,
      max: MOST_PENALTY,
      read: () => app.value(`training.penalty.${name}`) ?? 0,
      send: (value) => {
        const both = { ...app.value("training.penalty"), [name]: value };
        const isNone = !both.l1 && !both.l2;
        app.set({ "training.penalty": isNone ? null : both });
      },
    });
  panel.append(
    element("h2", { class: "hidden-text" }, "How it learns"),
    element(
      "div",
      { class: "fields training-fields" },
      sliderField(app, "optimizer.learning_rate", "Learning rate", {
        help: "How far each step goes",
        min: 1e-5,
        max: 10,
        isLogarithmic: true,
        isLive: false,
      }),
      menuField(app, "optimizer", "Optimiser"),
      menuField(app, "loss", "Loss"),
      batchField(app),
      penalty("l1", "L1 penalty", "The loss adds this factor times the sum of absolute weights"),
      penalty("l2", "L2 penalty", "The loss adds this factor times half the sum of squared weights"),
      numberField(app, "seed", "Seed", { help: "The seed of everything random: data, splits, first weights, order of batches", min: 0, step: 1 }),
      numberField(app, "training.num_epochs", "Epochs", { help: "How many epochs the training lasts", min: 1, step: 1 }),
    ),
    element(
      "details",
      { class: "training-more" },
      element("summary", {}, "Schedule, momentum and more"),
      element(
        "div",
        { class: "columns" },
        group("Schedule of the learning rate", menuField(app, "scheduler", "Schedule"), parameterFields(app, "scheduler")),
        group("Optimiser", parameterFields(app, "optimizer")),
        group("Loss", parameterFields(app, "loss"), clippingField(app)),
      ),
    ),
  );
}

function group(title, ...inner) {
  return element("div", { class: "stack" }, element("h3", {}, title), ...inner);
}

/** Sizes of batches as a slider of powers of two, and the whole training split. */
function batchField(app) {
  const sizes = [1, 2, 4, 8, 16, 32, 64, 128, 256];
  const last = sizes.length;
  return sliderField(app, "training.batch_size", "Batch size", {
    help: "Samples of one step",
    min: 0,
    max: last,
    step: 1,
    isLive: false,
    read: () => {
      const size = app.value("training.batch_size");
      const found = sizes.findIndex((one) => one >= size);
      return size === "full" || found < 0 ? last : found;
    },
    send: (index) => app.set({ "training.batch_size": sizes[index] ?? "full" }),
    format: (index) => {
      const size = app.value("training.batch_size");
      // A size between two stops of the slider is shown as it is.
      const isBetween = typeof size === "number" && !sizes.includes(size) && (sizes.findIndex((one) => one >= size) + sizes.length + 1) % (sizes.length + 1) === index;
      return isBetween ? String(size) : String(sizes[index] ?? "All");
    },
  });
}

/** The bound on the norm of gradients; empty for none. */
function clippingField(app) {
  return numberField(app, "training.gradient_clipping", "Largest norm of gradients", {
    help: "Gradients with a larger norm are scaled down; empty for no bound",
    min: 0,
    mayBeEmpty: true,
    read: () => app.value("training.gradient_clipping.norm") ?? null,
    send: (norm) => app.set({ "training.gradient_clipping": norm === null ? null : { norm } }),
  });
}
