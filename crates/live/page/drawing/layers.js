// Layers of a network: histograms of their weights, gradients and outputs, and charts with a line for each layer.

import { css, series } from "../colors.js";
import { element, readable, sharpen } from "../dom.js";
import { axes, epochs, isPoint, tick } from "./charts.js";

/** Update-to-weight ratios that are usually healthy. */
export const HEALTHY = [1e-4, 1e-2];
/** The share of dead or saturated units that is marked. */
const MANY = 0.2;

/** The height of a chart of layers, in CSS pixels. */
export const CHART_HEIGHT = 200;
const HISTOGRAM = { width: 132, height: 44 };
const KINDS = [
  ["weights", "Weights", "series-0"],
  ["gradients", "Gradients", "series-4"],
  ["activations", "Outputs", "series-2"],
];

const percent = (share) => (share > 0 && share < 0.01 ? "below 1 %" : `${Math.round(100 * share)} %`);

/** Draws a histogram; says in words what it shows. */
function drawHistogram(canvas, caption, { low, high, counts }, title, name) {
  const { width, height } = HISTOGRAM;
  const context = sharpen(canvas, width, height);
  context.clearRect(0, 0, width, height);
  context.fillStyle = css("grid");
  context.fillRect(0, height - 1, width, 1);
  if (low === null || high === null || !counts.length) {
    caption.textContent = "no finite values";
    canvas.setAttribute("aria-label", `${title}: no finite values`);
    return;
  }
  if (low < 0 && high > 0) {
    context.fillRect(Math.round((width * -low) / (high - low)), 0, 1, height);
  }
  const most = Math.max(1, ...counts);
  const bar = width / counts.length;
  context.fillStyle = css(name);
  counts.forEach((count, n) => {
    // A bin that is not empty has at least a visible line.
    const size = count && Math.max(1, (count / most) * (height - 2));
    context.fillRect(n * bar, height - size, Math.max(1, bar - 0.5), size);
  });
  const edge = (value) => tick(Number(value.toPrecision(2)));
  caption.replaceChildren(...[low, high].map((value) => element("span", {}, edge(value))));
  const peak = low + ((counts.indexOf(most) + 0.5) * (high - low)) / counts.length;
  canvas.setAttribute("aria-label", `${title}: from ${readable(low)} to ${readable(high)}, most of them near ${readable(peak)}`);
}

/** The elements of layer `n`, and a function that fills them; `details` stands behind its name. */
export function card(n) {
  const title = element("h3", {}, element("i", { class: "layer-color", style: { background: `var(--${series(n)})` } }));
  const name = element("span");
  const shape = element("span", { class: "muted layer-shape" });
  title.append(name, shape);
  const pictures = KINDS.map(([, title]) => {
    const canvas = element("canvas", { role: "img", "aria-label": title });
    canvas.style.width = "100%";
    canvas.style.height = `${HISTOGRAM.height}px`;
    const caption = element("span", { class: "number" });
    return { canvas, caption, figure: element("figure", {}, element("figcaption", {}, title), canvas, caption) };
  });
  const numbers = element("ul", { class: "layer-numbers number" });
  const root = element("li", { class: "layer" }, title, element("div", { class: "layer-pictures" }, ...pictures.map((some) => some.figure)), numbers);

  function fill(state, details) {
    name.textContent = state.layer;
    shape.textContent = details;
    KINDS.forEach(([key, title, color], k) =>
      drawHistogram(pictures[k].canvas, pictures[k].caption, state[key], `${title} of ${state.layer}`, color));
    const ratio = state.update_ratio;
    const item = (text, isBad) => element("li", { class: isBad ? "bad" : "" }, text);
    const place = ratio === null || ratio === 0 ? "" : ratio < HEALTHY[0] ? ", low" : ratio > HEALTHY[1] ? ", high" : "";
    numbers.replaceChildren(
      item(`update ratio ${readable(ratio, 2)}${place}`, place !== ""),
      item(`gradient ${readable(state.gradient_norm, 2)}`),
      item(`weights ${readable(state.weight_norm, 2)}`),
      item(`outputs ${readable(state.activation_mean, 2)} ± ${readable(state.activation_std, 2)}`),
      item(`dead ${percent(state.dead)}`, state.dead >= MANY),
      item(`saturated ${percent(state.saturated)}`, state.saturated >= MANY));
  }
  return { root, fill };
}

/**
 * A chart with a line for each layer, on a logarithmic axis that holds `powers` at least. `band` is a range of values that is
 * marked, `mark` an epoch.
 */
export function chart(host, data, { powers: [least, most], band, mark = () => null }) {
  const powers = (_, low, high) => {
    const [from, to] = [Math.min(low ?? least, least), Math.max(high ?? most, most)];
    return [10 ** Math.floor(Math.log10(Math.max(from, 1e-9))), 10 ** Math.ceil(Math.log10(to))];
  };
  const drawBand = ({ ctx, bbox, valToPos }) => {
    const inside = (value) => Math.min(bbox.top + bbox.height, Math.max(bbox.top, valToPos(value, "y", true)));
    const [bottom, top] = band.map(inside);
    ctx.save();
    ctx.fillStyle = css("good", 0.14);
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    ctx.restore();
  };
  const drawMark = ({ ctx, bbox, valToPos }) => {
    const epoch = mark();
    if (epoch !== null) {
      ctx.save();
      ctx.fillStyle = css("muted");
      ctx.fillRect(Math.round(valToPos(epoch, "x", true)), bbox.top, window.devicePixelRatio || 1, bbox.height);
      ctx.restore();
    }
  };
  return new uPlot({
    width: Math.max(160, host.clientWidth),
    height: CHART_HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: epochs, y: { distr: 3, range: powers } },
    axes: axes(),
    series: [{}, ...data.slice(1).map((_, n) => ({ stroke: () => css(series(n)), width: 1.5, points: { show: isPoint } }))],
    hooks: { drawClear: band ? [drawBand] : [], draw: [drawMark] },
  }, data, host);
}
