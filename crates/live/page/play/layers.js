// The layers: histograms of weights, gradients and activations, and how fast the weights change.

import { css, series, THEME_CHANGED } from "../colors.js";
import { element, readable, sharpen } from "../dom.js";
import { axes, tick } from "./curves.js";
import { eachFrame, isShown } from "./parts.js";

/** Update-to-weight ratios that are healthy as a rule. */
const HEALTHY = [1e-4, 1e-2];
/** Moments of which the ratios are kept. */
const MOMENTS = 800;
/** The share of dead or saturated units that is marked. */
const MANY = 0.2;

const CHART_HEIGHT = 200;
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
  caption.textContent = `${edge(low)} … ${edge(high)}`;
  const peak = low + ((counts.indexOf(most) + 0.5) * (high - low)) / counts.length;
  canvas.setAttribute("aria-label", `${title}: from ${readable(low)} to ${readable(high)}, most of them near ${readable(peak)}`);
}

/** The elements of one layer, and a function that fills them. */
function card(n) {
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

  function fill(state, layerShape) {
    name.textContent = state.layer;
    shape.textContent = layerShape ? ` ${layerShape.inputs} → ${layerShape.units}, ${layerShape.activation}` : "";
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

export function mount(panel, app) {
  /** Ratios of the layers over the epochs. */
  let history = { scene: null, layers: "", epochs: [], ratios: [] };
  let cards = [];
  let plot = null;

  const list = element("ul", { class: "layers" });
  const host = element("div", { class: "curves-host", role: "img", "aria-label": "Update-to-weight ratio of each layer over the epochs. The newest values stand at the layers above." });
  const empty = element("p", { class: "note" }, "The layers appear with the first step.");
  const chart = element("div", {},
    element("h3", { class: "layers-title" }, "Update-to-weight ratio"),
    element("p", { class: "note" }, "The last step's change of the weights over the weights. The band from 0.0001 to 0.01 is healthy as a rule: below it a layer hardly learns, above it training easily becomes unstable."),
    host);
  panel.append(element("h2", {}, "Layers"), empty, list, chart);

  function record({ scene, epoch, layers }) {
    const names = layers.map(({ layer }) => layer).join();
    const last = history.epochs[history.epochs.length - 1];
    if (history.scene !== scene || history.layers !== names || epoch < last) {
      history = { scene, layers: names, epochs: [], ratios: layers.map(() => []) };
    } else if (epoch === last) {
      return;
    }
    history.epochs.push(epoch);
    // A ratio of zero has no place on a logarithmic axis.
    layers.forEach((layer, n) => history.ratios[n].push(layer.update_ratio || null));
    if (history.epochs.length > MOMENTS) {
      const half = (items) => items.filter((_, n) => n % 2 === 1);
      history.epochs = half(history.epochs);
      history.ratios = history.ratios.map(half);
    }
  }

  function drawBand({ ctx, bbox, valToPos }) {
    const inside = (value) => Math.min(bbox.top + bbox.height, Math.max(bbox.top, valToPos(value, "y", true)));
    const [bottom, top] = HEALTHY.map(inside);
    ctx.save();
    ctx.fillStyle = css("good", 0.14);
    ctx.fillRect(bbox.left, top, bbox.width, bottom - top);
    ctx.restore();
  }

  function build(data) {
    plot?.destroy();
    const powers = (_, low, high) => {
      const [from, to] = [Math.min(low ?? 1e-5, 1e-5), Math.max(high ?? 1e-1, 1e-1)];
      return [10 ** Math.floor(Math.log10(Math.max(from, 1e-9))), 10 ** Math.ceil(Math.log10(to))];
    };
    plot = new uPlot({
      width: Math.max(160, host.clientWidth),
      height: CHART_HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      scales: {
        x: { time: false, range: (_, low, high) => (low === null ? [0, 1] : [low, high > low ? high : low + 1]) },
        y: { distr: 3, range: powers },
      },
      axes: axes(),
      series: [{}, ...history.ratios.map((_, n) => ({ stroke: () => css(series(n)), width: 1.5, points: { show: false } }))],
      hooks: { drawClear: [drawBand] },
    }, data, host);
  }

  const redraw = eachFrame(() => {
    const state = app.state.layers;
    const isCurrent = state && state.layers.length > 0 && (!app.state.scene || state.scene === app.state.scene.scene);
    empty.hidden = Boolean(isCurrent);
    list.hidden = chart.hidden = !isCurrent;
    if (!isCurrent || !isShown(panel)) {
      return;
    }
    const { layers } = state;
    if (cards.length !== layers.length) {
      cards = layers.map((_, n) => card(n));
      list.replaceChildren(...cards.map(({ root }) => root));
    }
    const shapes = new Map(app.state.scene?.layers.map((shape) => [shape.layer, shape]));
    layers.forEach((layer, n) => cards[n].fill(layer, shapes.get(layer.layer)));
    const data = [history.epochs, ...history.ratios];
    if (!plot || plot.series.length !== data.length) {
      build(data);
    } else {
      plot.setData(data);
    }
  });

  app.on("layers", (message) => {
    record(message);
    redraw();
  });
  app.on("scene", redraw);
  window.addEventListener(THEME_CHANGED, () => {
    plot?.redraw(false);
    redraw();
  });
  new ResizeObserver(() => {
    if (plot && host.clientWidth) {
      plot.setSize({ width: host.clientWidth, height: CHART_HEIGHT });
    }
    redraw();
  }).observe(panel);
  redraw();
}
