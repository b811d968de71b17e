// The network: its layers with a small map of each unit, links with the weights, and the controls of its shape.

import { css, THEME_CHANGED } from "../colors.js";
import { element, icon, readable, sharpen } from "../dom.js";
import { checkField, menuField, nameOf, parameterFields, register, sliderField } from "./controls.js";
import * as features from "./features.js";
import { written } from "./features.js";
import { bytesOf, drawMap, placeTip } from "../drawing/maps.js";
import { words } from "./words.js";

/** The most units of a layer that are drawn. */
const MOST_UNITS = 8;
const MOST_LAYERS = 8;
/** Units of a new layer. */
const NEW_UNITS = 4;
/** How near the pointer must be to a link, in pixels. */
const NEAR = 7;
/** Terms of a formula that are written out. */
const MOST_TERMS = 4;

/**
 * Mounts the panel.
 *
 * @param {HTMLElement} panel
 * @param {import("../app.js").App} app
 */
export function mount(panel, app) {
  const links = element("canvas", { class: "links", "aria-hidden": "true" });
  const inputs = element("div", { class: "column inputs" });
  const layers = element("div", { class: "net-layers", role: "group", "aria-label": "Layers: arrow keys go from unit to unit" });
  const net = element("div", { class: "net" }, links, inputs, layers);
  const scroller = element("div", { class: "net-scroll" }, net);
  const tip = element("div", { class: "tip", role: "tooltip", id: "unit-tip", hidden: true });
  document.body.append(tip);
  const chooser = features.mount(inputs, app);
  const summary = element("p", { class: "note" });
  panel.append(
    element("div", { class: "panel-head" }, element("h2", {}, "Network"), depthControl(app), element("span", { class: "spacer" }), summary),
    scroller,
    chooser,
    options(app),
  );

  /** For each layer with weights: the elements of the units that are shown. */
  let columns = [];
  /** Centres of everything that links connect: `[inputs, layer, layer, …]`, each `{ left, right, y }` or nothing. */
  let places = [];
  /** The size of the picture in pixels. */
  let size = { width: 0, height: 0 };
  let hovered; // { layer, unit } or { layer, unit, input }
  let builtFor = "";

  function build() {
    const { scene } = app.state;
    if (!scene || !app.state.setting) {
      return;
    }
    const key = JSON.stringify([scene.layers, scene.classes, app.value("model.name")]);
    if (key !== builtFor) {
      builtFor = key;
      const focus = document.activeElement?.closest?.(".net-layers button")?.dataset.key;
      columns = [];
      layers.replaceChildren(...scene.layers.map((shape, layer) => columnOf(shape, layer, scene.layers.length)));
      const first = columns[0]?.[0];
      if (first) {
        first.tabIndex = 0;
      }
      layers.querySelector(`[data-key="${focus}"]`)?.focus();
    }
    summary.textContent = `${scene.num_parameters.toLocaleString("en")} parameters`;
    measure();
  }

  function columnOf(shape, layer, count) {
    const isOutput = layer === count - 1;
    const shown = Math.min(shape.units, MOST_UNITS);
    const { scene } = app.state;
    const units = Array.from({ length: shown }, (_, unit) => {
      const canvas = element("canvas", { class: "map" });
      const name = unitName(layer, unit);
      const button = element("button", { class: "unit", type: "button", tabIndex: -1, "aria-label": name, "aria-describedby": "unit-tip" }, canvas, element("i", { class: "bias" }));
      button.dataset.key = `${layer}.${unit}`;
      button.onpointerenter = () => hover({ layer, unit }, button);
      button.onfocus = () => hover({ layer, unit }, button);
      button.onpointerleave = button.onblur = () => hover(undefined);
      return button;
    });
    columns.push(units);
    const labels = isOutput && scene.classes.length === shape.units ? scene.classes : [];
    const rows = units.map((button, unit) => element("div", { class: "unit-row" }, button, labels[unit] ? element("span", { class: "note class-name" }, labels[unit]) : null));
    const more = shape.units - shown;
    return element(
      "div",
      { class: isOutput ? "column outputs" : "column" },
      isOutput ? outputHead(shape) : layerHead(app, shape, layer),
      element("div", { class: "units" }, ...rows, more > 0 ? element("p", { class: "note more" }, `+${more}`) : null),
    );
  }

  /** The name of a unit for people. */
  function unitName(layer, unit) {
    const { scene } = app.state;
    if (layer < 0) {
      return written(scene.inputs[unit] ?? `input ${unit + 1}`);
    }
    if (layer === scene.layers.length - 1) {
      const isClass = scene.classes.length === scene.layers[layer].units;
      return isClass ? `output ${scene.classes[unit]}` : scene.layers[layer].units === 1 ? "output" : `output ${unit + 1}`;
    }
    return `unit ${unit + 1} of layer ${layer + 1}`;
  }

  // ---- Places and links ----

  function measure() {
    const box = net.getBoundingClientRect();
    if (box.width === 0) {
      return;
    }
    const placeOf = (button) => {
      const { left, right, top, height } = button.querySelector("canvas").getBoundingClientRect();
      return { left: left - box.left, right: right - box.left, y: top - box.top + height / 2 };
    };
    const ofInputs = [];
    for (const tile of inputs.querySelectorAll("[data-input]")) {
      ofInputs[Number(tile.dataset.input)] = placeOf(tile);
    }
    size = { width: net.offsetWidth, height: net.offsetHeight };
    links.style.width = `${size.width}px`;
    links.style.height = `${size.height}px`;
    places = [ofInputs, ...columns.map((column) => column.map(placeOf))];
    drawLinks();
  }

  /**
   * The weights of a frame by layer; each `{ inputs, units, weights, biases }`, nothing for a convolution.
   *
   * @param {import("../messages.js").Frame} frame
   */
  function weightsOf(frame) {
    const { scene } = app.state;
    const found = new Map(frame.weights.map((one) => [one.layer, one]));
    return scene.layers.map(({ layer }) => {
      const one = found.get(layer);
      return one && { ...one, weights: frame.floats(one.weights), biases: frame.floats(one.biases) };
    });
  }

  const frameNow = () => (app.state.frame?.scene === app.state.scene?.scene ? app.state.frame : undefined);

  /** Calls `visit(layer, input, unit, from, to, weight)` for every link that is shown. */
  function eachLink(weights, visit) {
    weights.forEach((one, layer) => {
      const [left, right] = [places[layer], places[layer + 1]];
      if (!one || !left || !right) {
        return;
      }
      left.forEach((from, input) => {
        if (input >= one.inputs) {
          return;
        }
        right.forEach((to, unit) => visit(layer, input, unit, from, to, one.weights[input * one.units + unit]));
      });
    });
  }

  let weightsNow = [];

  function drawLinks() {
    const frame = frameNow();
    const { width, height } = size;
    const context = sharpen(links, width, height);
    context.clearRect(0, 0, width, height);
    if (!frame) {
      return;
    }
    weightsNow = weightsOf(frame);
    let largest = 1;
    eachLink(weightsNow, (_l, _i, _u, _f, _t, weight) => (largest = Math.max(largest, Math.abs(weight))));
    const ink = [css("series-0"), css("series-1")];
    context.lineCap = "round";
    eachLink(weightsNow, (layer, input, unit, from, to, weight) => {
      if (!Number.isFinite(weight)) {
        return;
      }
      const share = Math.abs(weight) / largest;
      const isHovered = hovered && hovered.layer === layer && hovered.unit === unit && (hovered.input ?? input) === input;
      context.globalAlpha = hovered ? (isHovered ? 1 : 0.1) : 0.22 + 0.7 * share;
      context.lineWidth = 0.6 + 6.4 * share;
      context.strokeStyle = ink[weight < 0 ? 0 : 1];
      const bend = (to.left - from.right) * 0.45;
      context.beginPath();
      context.moveTo(from.right, from.y);
      context.bezierCurveTo(from.right + bend, from.y, to.left - bend, to.y, to.left, to.y);
      context.stroke();
    });
    context.globalAlpha = 1;
  }

  /** Shows a bias as a dot: its sign as colour, its size, in twenty steps, as opacity. */
  function showBias(dot, bias) {
    const strength = Math.ceil(20 * Math.min(1, Math.abs(bias)));
    const shows = bias === undefined ? "" : `${bias < 0 ? 0 : 1} ${strength}`;
    if (dot.dataset.shows === shows) {
      return;
    }
    dot.dataset.shows = shows;
    dot.hidden = bias === undefined;
    if (!dot.hidden) {
      dot.style.background = `var(--series-${bias < 0 ? 0 : 1})`;
      dot.style.opacity = String(0.25 + (0.75 * strength) / 20);
    }
  }

  function drawMaps() {
    const frame = frameNow();
    if (!frame) {
      return;
    }
    const byLayer = new Map(frame.maps.slice(1).map((maps) => [maps.layer, maps]));
    const weights = weightsOf(frame);
    app.state.scene.layers.forEach(({ layer }, i) => {
      const maps = byLayer.get(layer);
      const full = maps && Math.max(...maps.scales.slice(0, MOST_UNITS));
      columns[i]?.forEach((button, unit) => {
        if (maps && unit < maps.units) {
          drawMap(button.querySelector("canvas"), bytesOf(frame, maps, unit), maps.side, maps.scales[unit], full);
        }
        const bias = weights[i]?.biases[unit];
        showBias(button.querySelector(".bias"), bias);
      });
    });
  }

  // ---- What the pointer is on ----

  function hover(what, anchor) {
    if (JSON.stringify(what) === JSON.stringify(hovered) && !anchor) {
      return;
    }
    hovered = what;
    tip.hidden = !what;
    if (what) {
      fillTip();
      placeTip(tip, anchor.getBoundingClientRect());
    }
    drawLinks();
  }

  function fillTip() {
    const frame = frameNow();
    const { layer, unit, input } = hovered;
    const one = weightsNow[layer];
    if (input !== undefined) {
      const weight = one?.weights[input * one.units + unit];
      tip.replaceChildren(
        element("p", { class: "small" }, `Weight from ${unitName(layer - 1, input)} to ${unitName(layer, unit)}`),
        element("strong", { class: "number" }, readable(weight, 4)),
      );
      return;
    }
    const { scene } = app.state;
    const maps = frame?.maps.find((maps) => maps.layer === scene.layers[layer]?.layer);
    const canvas = element("canvas", { class: "map big" });
    const name = unitName(layer, unit);
    tip.replaceChildren(element("strong", {}, name.charAt(0).toUpperCase() + name.slice(1)));
    if (maps && unit < maps.units) {
      drawMap(canvas, bytesOf(frame, maps, unit), maps.side, 1, 1);
      tip.append(canvas, element("p", { class: "note number" }, `from −${readable(maps.scales[unit])} (blue) to ${readable(maps.scales[unit])} (orange)`));
    }
    if (one) {
      tip.append(element("p", { class: "formula number" }, formula(layer, unit, one)));
      if (one.biases.length) {
        tip.append(element("p", { class: "note number" }, `Bias ${readable(one.biases[unit])}`));
      }
    }
  }

  /** What a unit computes, with the largest weights written out. */
  function formula(layer, unit, one) {
    const { activation, normalization } = app.state.scene.layers[layer];
    const symbol = (input) => (layer === 0 ? unitName(-1, input) : `u${input + 1}`);
    const terms = Array.from({ length: one.inputs }, (_, input) => [one.weights[input * one.units + unit], symbol(input)]);
    const shown = terms.toSorted((a, b) => Math.abs(b[0]) - Math.abs(a[0])).slice(0, MOST_TERMS);
    const part = (value, text) => `${value < 0 ? "−" : "+"} ${readable(Math.abs(value))}${text}`;
    const parts = shown.map(([weight, name]) => part(weight, ` ${name}`));
    const left = app.state.scene.layers[layer].inputs - shown.length;
    if (left > 0) {
      parts.push(`+ ${left} more`);
    }
    if (one.biases.length) {
      parts.push(part(one.biases[unit], ""));
    }
    const sum = parts.join(" ").replace(/^\+ /, "").replace(/^− /, "−");
    const normalized = normalization === "none" ? sum : `normalise(${sum})`;
    return activation === "linear" ? normalized : `${words(activation)}(${normalized})`;
  }

  net.addEventListener("pointermove", (event) => {
    if (event.target.closest("button")) {
      return;
    }
    const box = net.getBoundingClientRect();
    const found = nearestLink(event.clientX - box.left, event.clientY - box.top);
    if (!found) {
      hover(undefined);
    } else if (JSON.stringify(found) !== JSON.stringify(hovered)) {
      hover(found, { getBoundingClientRect: () => new DOMRect(event.clientX, event.clientY, 0, 0) });
    }
  });
  net.addEventListener("pointerleave", () => hover(undefined));

  function nearestLink(x, y) {
    let best;
    let least = NEAR;
    eachLink(weightsNow, (layer, input, unit, from, to) => {
      if (x < from.right || x > to.left) {
        return;
      }
      // The links are level at both ends: their height follows from the share of the way.
      const distance = Math.abs(heightOfLink(from, to, x) - y);
      if (distance < least) {
        least = distance;
        best = { layer, unit, input };
      }
    });
    return best;
  }

  layers.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      hover(undefined);
      return;
    }
    const key = document.activeElement?.dataset.key;
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key];
    if (!key || !way) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const [layer, unit] = key.split(".").map(Number);
    const column = columns[layer + way[0]];
    const next = column?.[Math.min(unit + way[1], column.length - 1)];
    if (next) {
      document.activeElement.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });

  app.on("scene", build);
  app.on("setting", build);
  app.on("features-drawn", measure);
  app.on("frame", () => {
    drawMaps();
    drawLinks();
    if (hovered) {
      fillTip();
    }
  });
  window.addEventListener(THEME_CHANGED, () => (drawMaps(), drawLinks()));
  const observer = new ResizeObserver(measure);
  observer.observe(net);
}

/** The height of a link at a horizontal place. */
function heightOfLink(from, to, x) {
  const share = (x - from.right) / (to.left - from.right || 1);
  // x(t) = 3·0.45·t(1−t)² + 3·0.55·t²(1−t) + t³; its inverse by bisection.
  let [low, high] = [0, 1];
  for (let i = 0; i < 12; i++) {
    const t = (low + high) / 2;
    const at = 3 * 0.45 * t * (1 - t) ** 2 + 3 * 0.55 * t * t * (1 - t) + t ** 3;
    [low, high] = at < share ? [t, high] : [low, t];
  }
  const t = (low + high) / 2;
  return from.y + (to.y - from.y) * (3 * t * t - 2 * t ** 3);
}

// ---- The shape of the network ----

/** The sizes of the hidden layers; none for a network without hidden dense layers. */
function hidden(app) {
  return app.value("model.hidden") ?? [];
}

/** Changes the hidden layers; lists with an entry for each layer follow. */
function setHidden(app, sizes) {
  if (app.value("model.name") === "perceptron") {
    const initializer = app.value("model.initializer");
    app.set({ model: { name: "mlp", hidden: sizes, activation: "tanh", ...(initializer && { initializer }) } });
    return;
  }
  const changes = { "model.hidden": sizes };
  for (const key of ["model.activation", "model.normalization", "model.dropout"]) {
    const list = app.value(key);
    if (Array.isArray(list) && list.length !== sizes.length) {
      changes[key] = sizes.length ? sizes.map((_, layer) => list[Math.min(layer, list.length - 1)] ?? list[0]) : null;
    }
  }
  app.set(changes);
}

function smallButton(name, label, onclick) {
  return element("button", { class: "button icon small", type: "button", "aria-label": label, title: label, onclick }, icon(name));
}

/** Plus and minus for the number of hidden layers. */
function depthControl(app) {
  const count = element("strong", { class: "number" });
  const word = element("span");
  const fewer = smallButton("minus", "Remove the last hidden layer", () => setHidden(app, hidden(app).slice(0, -1)));
  const more = smallButton("plus", "Add a hidden layer", () => setHidden(app, [...hidden(app), NEW_UNITS]));
  const field = element("div", { class: "field depth" }, element("div", { class: "row" }, fewer, more, element("span", {}, count, " ", word)));
  return register(app, "model.hidden", field, () => {
    const number = hidden(app).length;
    field.hidden = app.value("model.name") === "convnet";
    count.textContent = number;
    word.textContent = number === 1 ? "hidden layer" : "hidden layers";
    fewer.disabled = number === 0;
    more.disabled = number >= MOST_LAYERS;
  });
}

/** Plus and minus for the units of a hidden layer, and what is behind it. */
function layerHead(app, shape, layer) {
  const isHidden = layer < hidden(app).length;
  const change = (by) => setHidden(app, hidden(app).map((size, i) => (i === layer ? Math.max(1, size + by) : size)));
  const buttons = isHidden
    ? element(
        "div",
        { class: "row size" },
        smallButton("minus", `Remove a unit from layer ${layer + 1}`, () => (shape.units > 1 ? change(-1) : undefined)),
        smallButton("plus", `Add a unit to layer ${layer + 1}`, () => change(1)),
      )
    : null;
  buttons?.querySelectorAll("button").forEach((button, i) => (button.dataset.key = `size ${layer} ${i}`));
  const parts = [words(shape.activation)];
  if (shape.normalization !== "none") {
    parts.unshift(`${shape.normalization} norm`);
  }
  if (shape.dropout > 0) {
    parts.push(`dropout ${Math.round(100 * shape.dropout)} %`);
  }
  return element(
    "div",
    { class: "column-head" },
    buttons,
    element("h3", {}, `${shape.units} ${shape.units === 1 ? "unit" : "units"}`),
    element("p", { class: "note" }, parts.join(", ")),
  );
}

function outputHead(shape) {
  const note = shape.activation === "linear" ? "linear" : words(shape.activation);
  return element("div", { class: "column-head" }, element("h3", {}, shape.units === 1 ? "Output" : "Outputs"), element("p", { class: "note" }, note));
}

/** Activation, normalisation, dropout and so on. */
function options(app) {
  const dropout = sliderField(app, "model.dropout", "Dropout", {
    help: "The share of units that each step leaves out behind each hidden layer",
    min: 0,
    max: 0.8,
    step: 0.05,
    read: () => [app.value("model.dropout") ?? 0].flat()[0] ?? 0,
    format: (value) => `${Math.round(100 * value)} %`,
  });
  const byLayer = element("details", { class: "by-layer" }, element("summary", {}, "Each layer by itself"));
  const rows = element("div", { class: "stack" });
  byLayer.append(rows);
  const more = element(
    "details",
    {},
    element("summary", {}, "More of the network"),
    element(
      "div",
      { class: "stack" },
      element(
        "div",
        { class: "fields" },
        menuField(app, "model.output_activation", "Output activation"),
        checkField(app, "model.bias", "Biases", { help: "Whether layers add a bias" }),
      ),
      parameterFields(app, "model.activation"),
      parameterFields(app, "model.normalization"),
      parameterFields(app, "model.initializer"),
    ),
  );
  app.on("setting", () => fillByLayer(app, byLayer, rows));
  return element(
    "div",
    { class: "stack network-options" },
    element(
      "div",
      { class: "fields" },
      menuField(app, "model.activation", "Activation"),
      menuField(app, "model.normalization", "Normalisation"),
      menuField(app, "model.initializer", "First weights"),
      dropout,
      checkField(app, "model.residual", "Residual links", { help: "A hidden layer adds its inputs to its outputs, where both have the same size" }),
    ),
    byLayer,
    more,
  );
}

/** Activation, normalisation and dropout of each hidden layer. */
function fillByLayer(app, holder, rows) {
  const sizes = hidden(app);
  holder.hidden = sizes.length < 2;
  const key = JSON.stringify([sizes.length]);
  if (rows.dataset.key === key) {
    return;
  }
  rows.dataset.key = key;
  const at = (name, layer, usual) => {
    const value = app.value(name) ?? usual;
    return Array.isArray(value) ? (value[layer] ?? value.at(-1)) : value;
  };
  const put = (name, layer, value, usual) => app.set({ [name]: hidden(app).map((_, i) => (i === layer ? value : at(name, i, usual))) });
  rows.replaceChildren(
    ...sizes.map((_, layer) => {
      const activation = menuField(app, "model.activation", `Activation of layer ${layer + 1}`, {
        send: (name) => put("model.activation", layer, name, "relu"),
        read: () => nameOf(at("model.activation", layer, "relu")),
      });
      const normalization = menuField(app, "model.normalization", `Normalisation of layer ${layer + 1}`, {
        send: (name) => put("model.normalization", layer, name, "none"),
        read: () => nameOf(at("model.normalization", layer, "none")),
      });
      const dropout = sliderField(app, "model.dropout", `Dropout of layer ${layer + 1}`, {
        min: 0,
        max: 0.8,
        step: 0.05,
        read: () => at("model.dropout", layer, 0),
        send: (rate) => put("model.dropout", layer, rate, 0),
        format: (value) => `${Math.round(100 * value)} %`,
      });
      return element("div", { class: "fields" }, activation, normalization, dropout);
    }),
  );
}
