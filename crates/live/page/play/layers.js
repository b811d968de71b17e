// The layers: histograms of weights, gradients and activations, and how fast the weights change.

import { THEME_CHANGED } from "../colors.js";
import { element } from "../dom.js";
import { CHART_HEIGHT, HEALTHY, card, chart } from "../drawing/layers.js";
import { eachFrame, isShown } from "../drawing/redraw.js";

/** Moments of which the ratios are kept. */
const MOMENTS = 800;

export function mount(panel, app) {
  /** Ratios of the layers over the epochs. */
  let history = { scene: null, layers: "", epochs: [], ratios: [] };
  let cards = [];
  let plot = null;

  const list = element("ul", { class: "layers" });
  const host = element("div", { class: "curves-host", role: "img", "aria-label": "Update-to-weight ratio of each layer over the epochs. The newest values stand at the layers above." });
  const empty = element("p", { class: "note" }, "The layers appear with the first step.");
  const ratios = element("div", {},
    element("h3", { class: "layers-title" }, "Update-to-weight ratio"),
    element("p", { class: "note" }, "The change of the weights in the last step, divided by the weights. The band from 0.0001 to 0.01 is usually healthy: below it a layer hardly learns, above it training easily becomes unstable."),
    host);
  panel.append(element("h2", {}, "Layers"), empty, list, ratios);

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

  const redraw = eachFrame(() => {
    const state = app.state.layers;
    const isCurrent = state && state.layers.length > 0 && (!app.state.scene || state.scene === app.state.scene.scene);
    empty.hidden = Boolean(isCurrent);
    list.hidden = ratios.hidden = !isCurrent;
    if (!isCurrent || !isShown(panel)) {
      return;
    }
    const { layers } = state;
    if (cards.length !== layers.length) {
      cards = layers.map((_, n) => card(n));
      list.replaceChildren(...cards.map(({ root }) => root));
    }
    const shapes = new Map(app.state.scene?.layers.map((shape) => [shape.layer, shape]));
    layers.forEach((layer, n) => {
      const shape = shapes.get(layer.layer);
      cards[n].fill(layer, shape ? ` ${shape.inputs} → ${shape.units}, ${shape.activation}` : "");
    });
    const data = [history.epochs, ...history.ratios];
    if (!plot || plot.series.length !== data.length) {
      plot?.destroy();
      plot = chart(host, data, { powers: [1e-5, 1e-1], band: HEALTHY });
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
