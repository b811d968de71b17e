// The big picture of a moment: the prediction over the plane of two inputs, or outputs of a layer along principal components.

import { css, divergingScale, series } from "../colors.js";
import { element, readable, sharpen } from "../dom.js";
import * as plane from "../drawing/plane.js";

const { MARGIN } = plane;
const PREDICTION = "prediction";
/** The most classes in the legend. */
const MOST_CLASSES = 12;

/** Mounts the picture. Returns a function that shows a frame of some records. */
export function mount(panel) {
  const choice = element("select", { class: "select", "aria-label": "Picture", onchange: () => {
    wanted = choice.value;
    draw();
  } });
  const canvas = element("canvas", { role: "img" });
  const surface = element("div", { class: "plot" }, canvas);
  const readout = element("p", { class: "readout note number" });
  const legend = element("div", { class: "legend row small" });
  panel.append(choice, surface, legend, readout);
  const picture = document.createElement("canvas");
  let [records, frame, wanted, side, hover] = [null, null, null, 0, null];

  /** The prediction, if there is one, and the layers that have principal components. */
  function pictures() {
    const { region } = records.header ?? {};
    const views = [...(frame?.views.keys() ?? [])].map((layer) => [layer, `Outputs of ${layer}, principal components`]);
    return [...(region ? [[PREDICTION, region.classes.length ? "Prediction and boundary" : "Output of the network"]] : []), ...views];
  }

  /** The range of the outputs of a regression, whose targets may be standardised. */
  function targets() {
    const sizes = records.frames.map(({ field }) => (field?.kind === "values" ? Math.max(...field.values.map(Math.abs)) : 0));
    const most = Math.max(0, ...sizes);
    return [-most, most];
  }

  const prediction = () => frame && plane.predictionOf(frame, records.header.class_names, targets());

  function drawPrediction(context) {
    const { region } = records.header;
    const range = { x: [region.x.from, region.x.to], y: [region.y.from, region.y.to] };
    const found = prediction();
    if (found) {
      plane.paintPrediction(picture, found, series, false);
      plane.drawPrediction(context, range, side, picture, region);
    }
    const points = region.points.map(([x, y], n) => [x, y, region.classes[n] ?? null, 0]);
    plane.drawPoints(context, range, side, points, (label) => css(label === null ? "muted" : series(label)));
    axes(context, range, { x: region.x.name, y: region.y.name });
    canvas.setAttribute("aria-label", found ? inWords(found) : "The prediction is not finite");
  }

  /** The share of the plane that each class has. */
  function inWords(found) {
    const { class_names: names } = records.header;
    if (found.value) {
      return `Output of the network over the plane of ${records.header.region.x.name} and ${records.header.region.y.name}`;
    }
    const count = found.side * found.side;
    const shares = new Map();
    for (let i = 0; i < count; i++) {
      const label = found.classes ? found.classes[i] : Number(found.index(i) > 127);
      shares.set(label, (shares.get(label) ?? 0) + 1 / count);
    }
    const parts = [...shares].sort(([a], [b]) => a - b).map(([label, share]) => `${names[label] ?? label} ${Math.round(100 * share)} %`);
    return `Predicted classes over the plane: ${parts.join(", ")}`;
  }

  function drawView(context, layer) {
    const { scale, explained, points: bytes } = frame.views.get(layer);
    const reach = (scale || 1) * 1.06;
    const range = { x: [-reach, reach], y: [-reach, reach] };
    const number = (n) => ((bytes[n] - 128) / 127) * scale;
    const { classes } = records.header;
    const points = Array.from({ length: bytes.length / 2 }, (_, n) => [number(2 * n), number(2 * n + 1), classes[n] ?? null, 0]);
    plane.drawPoints(context, range, side, points, (label) => css(series(label ?? 0)));
    const [first, second] = explained.map((share) => `${Math.round(100 * share)} % of the variance`);
    axes(context, range, { x: `first component, ${first}`, y: `second component, ${second}` });
    canvas.setAttribute("aria-label", `Outputs of ${layer} for ${points.length} rows along two principal components, with ${first} and ${second}`);
  }

  function axes(context, range, names) {
    plane.drawAxes(context, range, side, names, getComputedStyle(surface).fontFamily);
  }

  function drawLegend(isPrediction) {
    const names = records.header?.class_names ?? [];
    const keys = names.slice(0, MOST_CLASSES).map((name, label) =>
      element("span", { class: "row key" }, element("span", { class: "dot", style: { background: `var(--${series(label)})` } }), name));
    if (names.length > MOST_CLASSES) {
      keys.push(`and ${names.length - MOST_CLASSES} more`);
    }
    const [low, high] = targets();
    if (isPrediction && high > 0) {
      const bar = element("canvas", { class: "color-bar", "aria-hidden": "true" });
      [bar.width, bar.height] = [255, 1];
      bar.getContext("2d").putImageData(new ImageData(divergingScale().slice(4), 255, 1), 0, 0);
      keys.push(element("span", { class: "number" }, readable(low)), bar, element("span", { class: "number" }, readable(high)));
    }
    legend.replaceChildren(...keys);
  }

  function drawReadout() {
    const region = records?.header?.region;
    const found = hover && region && choice.value === PREDICTION && prediction();
    if (!found) {
      readout.textContent = "";
      return;
    }
    const range = { x: [region.x.from, region.x.to], y: [region.y.from, region.y.to] };
    const [x, y] = plane.pointAt(range, side, ...hover);
    const cell = (value, [from, to]) => Math.round(((value - from) / (to - from)) * (found.side - 1));
    const [column, row] = [cell(x, range.x), cell(y, range.y)];
    const isInside = [column, row].every((n) => n >= 0 && n < found.side);
    readout.textContent = isInside
      ? `${region.x.name} = ${readable(x)}, ${region.y.name} = ${readable(y)}  →  ${found.words(row * found.side + column)}`
      : "";
  }

  function draw() {
    const known = pictures();
    panel.hidden = known.length === 0;
    if (panel.hidden) {
      return;
    }
    const now = known.some(([key]) => key === wanted) ? wanted : (known[0][0] === PREDICTION ? PREDICTION : known.at(-1)[0]);
    if (known.map(([key]) => key).join() !== [...choice.options].map((option) => option.value).join()) {
      choice.replaceChildren(...known.map(([key, title]) => element("option", { value: key }, title)));
    }
    choice.value = now;
    const width = surface.clientWidth;
    if (width === 0) {
      return;
    }
    side = width - MARGIN.left - MARGIN.right;
    const height = side + MARGIN.top + MARGIN.bottom;
    surface.style.height = `${height}px`;
    const context = sharpen(canvas, width, height);
    context.clearRect(0, 0, width, height);
    if (now === PREDICTION) {
      drawPrediction(context);
    } else {
      drawView(context, now);
    }
    drawLegend(now === PREDICTION);
    readout.hidden = now !== PREDICTION;
    drawReadout();
  }

  surface.addEventListener("pointermove", (event) => {
    const box = surface.getBoundingClientRect();
    hover = [event.clientX - box.left, event.clientY - box.top];
    drawReadout();
  });
  surface.addEventListener("pointerleave", () => {
    hover = null;
    drawReadout();
  });

  return (shown, at) => {
    [records, frame] = [shown, at];
    draw();
  };
}
