// The inside of one run: its boundary, the maps of its units and its layers, at the epoch of one slider.

import { THEME_CHANGED } from "../colors.js";
import { element, icon } from "../dom.js";
import { CHART_HEIGHT, HEALTHY, card, chart } from "../drawing/layers.js";
import { drawImage } from "../drawing/maps.js";
import { eachFrame, isShown } from "../drawing/redraw.js";
import * as picture from "./picture.js";
import { Records } from "./records.js";
import * as tiles from "./tiles.js";

/** How long a film of all epochs takes, and the least and the longest time of a picture, in milliseconds. */
const [FILM, SHORTEST, LONGEST] = [9000, 60, 350];

/** Charts over the epochs: title, help, number of a layer, range of the axis, and the values that are healthy. */
const CHARTS = [
  ["Update-to-weight ratio", "The change of the weights in the last step, divided by the weights. The band from 0.0001 to 0.01 is usually healthy.", "update_ratio", { powers: [1e-5, 1e-1], band: HEALTHY }],
  ["Gradient norm", "Of the loss by the weights of each layer, on rows that stay the same. Where it is far smaller than in later layers, it vanishes on its way.", "gradient_norm", { powers: [1e-2, 1e-1] }],
];

/**
 * Shows the inside of one of the runs of the set `selected`. Returns `choose`, to be called when that has changed, and `refresh`,
 * which reads what is new of the runs that have changed.
 */
export function mount(panel, selected, ask) {
  /** @type {Records | null} */
  let records = null;
  let [chosen, at, isLatest, film] = [null, 0, true, null];
  let cards = [];
  let plots = [];
  let charted = ""; // the records whose lines the charts show

  const choice = element("select", { class: "select choice", "aria-label": "Run", onchange: () => {
    chosen = choice.value;
    open(chosen);
  } });
  const play = element("button", { type: "button", class: "button icon", onclick: () => (film ? stop() : start()) });
  const slider = element("input", { type: "range", min: 0, step: 1, "aria-label": "Epoch", oninput: () => {
    stop();
    go(Number(slider.value));
  } });
  const latest = element("button", { type: "button", class: "button small", title: "Stay at the newest epoch while the run grows", onclick: () => {
    stop();
    go(last());
  } }, "Latest");
  const said = element("output", { class: "number moment" });
  const player = element("div", { class: "row player" }, play, slider, said, latest);
  const empty = element("p", { class: "note" });
  const plane = element("div", { class: "inside-picture" });
  const sampled = element("canvas", { class: "map", role: "img" });
  const ofSample = element("figcaption", { class: "note" });
  const sample = element("figure", { class: "row sample" }, sampled, ofSample);
  const list = element("ul", { class: "layers" });
  const hosts = CHARTS.map(([title]) => element("div", { class: "curves-host", role: "img", "aria-label": `${title} of each layer over the epochs` }));
  const charts = element("div", { class: "inside-charts" }, ...CHARTS.map(([title, help], n) =>
    element("div", {}, element("h3", { class: "layers-title" }, title), element("p", { class: "note" }, help), hosts[n])));
  const body = element("div", { class: "inside" }, plane, element("div", {}, sample, list));
  panel.append(
    element("div", { class: "panel-head" }, element("h2", {}, "Inside the network"), element("span", { class: "spacer" }), choice),
    empty, player, body, charts);
  const showPicture = picture.mount(plane);

  const last = () => Math.max(0, (records?.moments.length ?? 0) - 1);

  function start() {
    if (at === last()) {
      go(0);
    }
    film = setInterval(() => {
      go(at + 1);
      if (at === last()) {
        stop();
      }
    }, Math.max(SHORTEST, Math.min(LONGEST, FILM / (last() + 1))));
    drawPlay();
  }

  function stop() {
    clearInterval(film);
    film = null;
    drawPlay();
  }

  function drawPlay() {
    play.replaceChildren(icon(film ? "pause" : "run"));
    play.setAttribute("aria-label", film ? "Pause" : "Play through the epochs");
  }

  /** Shows moment `n`; the last one stays the newest. */
  function go(n) {
    at = Math.min(n, last());
    isLatest = at === last();
    redraw();
  }

  /** The run that was chosen by hand while it is selected; else the one that was selected last. */
  function choose() {
    const runs = [...selected];
    const run = chosen !== null && selected.has(chosen) ? chosen : runs.at(-1);
    choice.hidden = runs.length === 0;
    choice.replaceChildren(...runs.map((name) => element("option", { value: name }, name)));
    if (run === undefined) {
      [records, chosen] = [null, null];
      redraw();
    } else {
      choice.value = run;
      if (run !== records?.run) {
        open(run);
      }
    }
  }

  function open(run) {
    stop();
    [records, isLatest, cards] = [new Records(run), true, []];
    read();
  }

  /** Reads what is new if the run is among those that have changed. */
  async function refresh(changed) {
    if (changed.has(records?.run)) {
      await read();
    }
  }

  async function read() {
    const current = records;
    await current.follow(ask);
    if (current === records) {
      at = isLatest ? last() : Math.min(at, last());
      redraw();
    }
  }

  const redraw = eachFrame(() => {
    const moment = records?.moments[at];
    empty.hidden = Boolean(moment);
    player.hidden = body.hidden = charts.hidden = !moment;
    if (!moment) {
      empty.textContent = records
        ? "The inside of this run was not recorded. Trials of comparisons record it only if the configuration has the table [inspect]."
        : "Select a run to look into its network.";
      return;
    }
    if (!isShown(panel)) {
      return;
    }
    const { epoch, step, layers } = moment;
    slider.max = last();
    slider.value = at;
    said.textContent = `epoch ${Number(epoch.toFixed(2))} of ${Number(records.moments[last()].epoch.toFixed(2))}`;
    slider.setAttribute("aria-valuetext", `${said.textContent}, step ${step}`);
    latest.setAttribute("aria-pressed", String(isLatest));
    const frame = records.frameAt(step);
    showPicture(records, frame);
    drawSample();
    if (cards.length !== layers.length) {
      cards = layers.map(({ layer }, n) => {
        const made = card(n);
        const isConvolution = layer.startsWith("convolutions.");
        const [maps, features] = [tiles.mount(`Maps of the units of ${layer}`), tiles.mount(`Feature maps of ${layer} for the image`, "channel")];
        const over = records.sample?.shape[0] === 3 ? ", over the red channel of the image" : "";
        const ofWeights = isConvolution ? [`Kernels of the channels${over}`, "channel"] : ["First weights of each unit as images"];
        const weights = n === 0 ? tiles.mount(...ofWeights) : null;
        made.root.append(maps.root, features.root, ...(weights ? [weights.root] : []));
        return { ...made, maps, features, weights };
      });
      list.replaceChildren(...cards.map(({ root }) => root));
    }
    layers.forEach((layer, n) => {
      cards[n].fill(layer, ` ${layer.units} × ${layer.activation}`);
      const side = records.header?.region?.side;
      cards[n].maps.fill(layer.layer, frame?.maps.get(layer.layer), [side, side], true);
      const features = frame?.features.get(layer.layer);
      cards[n].features.fill(layer.layer, features, features?.size, false);
      const image = records.header?.image;
      cards[n].weights?.fill(layer.layer, image && frame?.weights, image, false);
    });
    drawCharts();
  });

  /** The image that feature maps are of. */
  function drawSample() {
    const found = records.sample;
    sample.hidden = !found;
    if (found) {
      const [, height, width] = found.shape;
      sampled.style.aspectRatio = `${width} / ${height}`;
      drawImage(sampled, found.bytes, found.shape);
      const name = `The image${found.class && `, ${found.class}`}`;
      sampled.setAttribute("aria-label", name);
      ofSample.textContent = `${name}. Feature maps are what the first channels of each convolution make of it, after the activation function: orange is positive, blue negative, and full colour the largest output of the convolution.`;
    }
  }

  /** Draws the lines anew only if there are other ones, else only the mark at the epoch. */
  function drawCharts() {
    const shows = JSON.stringify([records.run, records.moments.length, records.moments[last()].step]);
    if (shows === charted) {
      plots.forEach((plot) => plot.redraw(false));
      return;
    }
    charted = shows;
    const epochs = records.moments.map((moment) => moment.epoch);
    CHARTS.forEach(([, , key, options], n) => {
      // A number of zero has no place on a logarithmic axis.
      const lines = cards.map((_, k) => records.moments.map((moment) => moment.layers[k]?.[key] || null));
      const data = [epochs, ...lines];
      if (plots[n]?.series.length === data.length) {
        plots[n].setData(data);
        return;
      }
      plots[n]?.destroy();
      plots[n] = chart(hosts[n], data, { ...options, mark: () => records?.moments[at]?.epoch ?? null });
    });
  }

  window.addEventListener(THEME_CHANGED, () => {
    plots.forEach((plot) => plot.redraw(false));
    redraw();
  });
  new ResizeObserver(() => {
    plots.forEach((plot, n) => hosts[n].clientWidth && plot.setSize({ width: hosts[n].clientWidth, height: CHART_HEIGHT }));
    redraw();
  }).observe(panel);
  drawPlay();
  redraw();
  return { choose, refresh };
}
