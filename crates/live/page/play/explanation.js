// How the network computes its outputs for one point, layer by layer.

import { element, icon, readable } from "../dom.js";
import { written } from "./features.js";
import { words } from "./words.js";

/** The most units of a layer that are listed at first. */
const MOST_UNITS = 8;
/** While the training goes on, the time until the point is explained anew, in milliseconds. */
const PAUSE = 500;

/**
 * Mounts the panel, which stays hidden until a point is asked for with `ask-explanation`.
 *
 * @param {HTMLElement} panel
 * @param {import("../app.js").App} app
 */
export function mount(panel, app) {
  const title = element("h2", {}, "How this point is computed");
  const close = element("button", { class: "button icon small", type: "button", "aria-label": "Close", title: "Close" }, icon("close"));
  const body = element("div", { class: "explanation scroll", tabIndex: 0, role: "region", "aria-label": "Steps of the computation" });
  const sum = element("div", { class: "sum", hidden: true });
  panel.append(element("div", { class: "panel-head" }, title, element("span", { class: "spacer" }), close), body, sum);

  let point; // the point that was asked for
  let askedAt = 0;
  let askedStep = -1;
  let chosen; // the unit whose sum is written out: { layer, unit }
  let shown; // the explanation on the page

  function ask() {
    askedAt = performance.now();
    askedStep = app.state.frame?.step ?? -1;
    app.send({ type: "explain", point });
  }

  function hide() {
    point = undefined;
    panel.hidden = true;
    app.tell("explanation-closed");
  }
  close.onclick = hide;

  app.on("ask-explanation", (asked) => {
    point = asked;
    chosen = undefined;
    ask();
  });
  app.on("frame", (frame) => {
    if (point && frame.step !== askedStep && performance.now() - askedAt > PAUSE) {
      ask();
    }
  });
  app.on("scene", ({ x, y }) => {
    if (point && (x.name !== shown?.names[0] || y.name !== shown?.names[1])) {
      hide();
    }
  });
  app.on("explanation", (message) => {
    const { scene } = app.state;
    if (!point || message.scene !== scene?.scene || message.layers.length !== scene.layers.length) {
      return;
    }
    const isNew = panel.hidden;
    shown = { ...message, names: [scene.x.name, scene.y.name] };
    panel.hidden = false;
    draw();
    if (isNew) {
      app.tell("announce", `The network predicts ${message.prediction} for this point.`);
      panel.scrollIntoView({ block: "nearest", behavior: matchMedia("(prefers-reduced-motion: reduce)").matches ? "auto" : "smooth" });
    }
  });

  function draw() {
    const { scene } = app.state;
    const place = scene.columns.length === 1 ? [[scene.x.name, shown.point[0]]] : [[scene.x.name, shown.point[0]], [scene.y.name, shown.point[1]]];
    title.textContent = `How the point ${place.map(([name, at]) => `${name} = ${readable(at)}`).join(", ")} is computed`;
    const scrolled = body.scrollLeft;
    const focus = document.activeElement?.dataset?.unit;
    body.replaceChildren(
      inputsColumn(),
      ...shown.layers.map(layerColumn),
      element("div", { class: "explanation-column" }, element("h3", {}, "Prediction"), element("p", { class: "prediction" }, shown.prediction)),
    );
    body.scrollLeft = scrolled;
    body.querySelector(`[data-unit="${focus}"]`)?.focus();
    drawSum();
  }

  function inputsColumn() {
    const isScaled = shown.inputs.some(({ raw, standardized }) => Math.abs(raw - standardized) > 1e-6 * Math.max(1, Math.abs(raw)));
    const rows = shown.inputs.slice(0, MOST_UNITS).map(({ name, raw, standardized }) =>
      element("tr", {}, element("td", {}, written(name)), ...(isScaled ? [element("td", {}, readable(raw))] : []), element("td", {}, bar(standardized, largestOf(shown.inputs.map((one) => one.standardized))), readable(standardized))),
    );
    const heads = isScaled ? ["Input", "Value", "Scaled"] : ["Input", "Value"];
    return column("Inputs", isScaled ? "scaled as the training rows" : "", heads, rows, shown.inputs.length);
  }

  function layerColumn({ sums, outputs }, layer) {
    const { scene } = app.state;
    const shape = scene.layers[layer];
    const isLast = layer === scene.layers.length - 1;
    const hasOutputs = outputs.length > 0;
    const largest = largestOf(hasOutputs ? outputs : sums);
    const rows = sums.slice(0, MOST_UNITS).map((value, unit) => {
      const isChosen = chosen?.layer === layer && chosen.unit === unit;
      const button = element("button", { class: "button small plain", type: "button", "aria-pressed": String(isChosen), title: "Write out this sum" }, unitName(layer, unit));
      button.dataset.unit = `${layer}.${unit}`;
      button.onclick = () => {
        chosen = isChosen ? undefined : { layer, unit };
        draw();
      };
      const output = hasOutputs ? outputs[unit] : value;
      return element("tr", {}, element("td", {}, button), element("td", {}, readable(value)), element("td", {}, bar(output, largest), readable(output)));
    });
    const normalized = shape.normalization === "none" ? "" : `${shape.normalization} normalisation, then `;
    return column(isLast ? "Outputs" : `Layer ${layer + 1}`, normalized + (shape.activation === "linear" ? "no activation" : words(shape.activation)), ["Unit", "Sum", "Output"], rows, shape.units);
  }

  function column(name, note, heads, rows, count) {
    const more = count - rows.length;
    return element(
      "div",
      { class: "explanation-column" },
      element("h3", {}, name),
      element("p", { class: "note" }, note || " "),
      element("table", { class: "table" }, element("thead", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head)))), element("tbody", {}, ...rows)),
      more > 0 ? element("p", { class: "note" }, `+${more}`) : null,
    );
  }

  /** The name of a unit. */
  function unitName(layer, unit) {
    const { scene } = app.state;
    const isLast = layer === scene.layers.length - 1;
    return isLast && scene.classes.length === scene.layers[layer].units ? scene.classes[unit] : `Unit ${unit + 1}`;
  }

  /** The sum of the chosen unit, term by term. */
  function drawSum() {
    sum.hidden = !chosen;
    if (!chosen) {
      return;
    }
    const { scene, frame } = app.state;
    const { layer, unit } = chosen;
    const one = frame?.weights.find((weights) => weights.layer === scene.layers[layer].layer);
    if (!one || unit >= one.units) {
      sum.hidden = true;
      return;
    }
    const weights = frame.floats(one.weights);
    const biases = frame.floats(one.biases);
    const before = layer === 0 ? shown.inputs.map((input) => input.standardized) : shown.layers[layer - 1].outputs.length ? shown.layers[layer - 1].outputs : shown.layers[layer - 1].sums;
    const nameOfInput = (input) => (layer === 0 ? written(shown.inputs[input].name) : unitName(layer - 1, input));
    const terms = before
      .map((value, input) => ({ name: nameOfInput(input), weight: weights[input * one.units + unit], value }))
      .filter(({ weight }) => weight !== undefined);
    const largest = largestOf(terms.map(({ weight, value }) => weight * value));
    const rows = terms.map(({ name, weight, value }) =>
      element("tr", {}, element("td", {}, name), element("td", {}, readable(value)), element("td", {}, readable(weight)), element("td", {}, bar(weight * value, largest), readable(weight * value))),
    );
    if (biases.length) {
      rows.push(element("tr", {}, element("td", {}, "Bias"), element("td"), element("td"), element("td", {}, bar(biases[unit], largest), readable(biases[unit]))));
    }
    const total = shown.layers[layer].sums[unit];
    const output = shown.layers[layer].outputs[unit];
    rows.push(element("tr", { class: "total" }, element("td", {}, "Sum"), element("td"), element("td"), element("td", {}, readable(total))));
    const { activation, normalization } = scene.layers[layer];
    if (output !== undefined && (activation !== "linear" || normalization !== "none")) {
      const steps = [normalization === "none" ? "" : `${normalization} normalisation`, activation === "linear" ? "" : words(activation)];
      rows.push(element("tr", { class: "total" }, element("td", {}, `After ${steps.filter(Boolean).join(" and ")}`), element("td"), element("td"), element("td", {}, readable(output))));
    }
    const head = element("thead", {}, element("tr", {}, ...["From", "Value", "Weight", "Value × weight"].map((text) => element("th", { scope: "col" }, text))));
    sum.replaceChildren(
      element("h3", {}, `${unitName(layer, unit)}${layer === scene.layers.length - 1 ? "" : ` of layer ${layer + 1}`}`),
      element("table", { class: "table" }, head, element("tbody", {}, ...rows)),
    );
  }
}

function largestOf(values) {
  return Math.max(...values.map((value) => Math.abs(value ?? 0)), 1e-9);
}

/** A small bar from a middle line: to the left for a negative value. */
function bar(value, largest) {
  const share = Math.min(1, Math.abs(value ?? 0) / largest);
  const fill = element("i");
  fill.style.width = `${50 * share}%`;
  fill.style.background = `var(--series-${value < 0 ? 0 : 1})`;
  fill.style[value < 0 ? "right" : "left"] = "50%";
  return element("span", { class: "bar-of-value", "aria-hidden": "true" }, fill);
}
