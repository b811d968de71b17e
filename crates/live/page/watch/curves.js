// Curves of all selected runs over each other.

import { css, series, THEME_CHANGED } from "../colors.js";
import { element } from "../dom.js";

const HEIGHT = 300;
/** With more rows than this, a curve is asked for anew, and comes thinned out. */
const MOST_ROWS = 8000;

/** Shows the runs of the set `selected`; returns a function that asks for what is new and draws it. */
export function mount(panel, selected, ask) {
  const known = new Map();
  let [metric, plot, shape] = ["valid_loss", null, ""];
  const choice = element("select", { class: "select choice", "aria-label": "Metric", onchange: () => {
    metric = choice.value;
    draw();
  } });
  const log = element("input", { type: "checkbox", onchange: () => draw() });
  const host = element("div");
  const keys = element("div", { class: "row keys small" });
  const empty = element("p", { class: "note" }, "Select runs in the table to see their curves.");
  panel.append(
    element("div", { class: "panel-head" }, element("h2", {}, "Learning curves"), element("span", { class: "spacer" }),
      element("label", { class: "check small" }, log, "log scale"), choice),
    host, keys, empty);

  async function refresh() {
    for (const run of known.keys()) {
      if (!selected.has(run)) {
        known.delete(run);
      }
    }
    await Promise.all([...selected].map(async (run) => {
      const old = known.get(run);
      const from = old && (old.values[0]?.length ?? 0) < MOST_ROWS ? old.next : 0;
      const found = await ask(`/run/metrics?run=${encodeURIComponent(run)}&from=${from}&generation=${old?.generation ?? 0}`);
      if (!found || !selected.has(run)) {
        return;
      }
      if (!found.is_whole && old) {
        found.values = old.values.map((column, n) => column.concat(found.values[n] ?? []));
      }
      known.set(run, found);
    }));
    draw();
  }

  function draw() {
    const names = [...new Set([...known.values()].flatMap((curve) => curve.columns))].filter((name) => name !== "epoch");
    metric = names.includes(metric) ? metric : names.find((name) => name.endsWith("_loss")) ?? names[0];
    if (names.join() !== [...choice.options].map((option) => option.value).join()) {
      choice.replaceChildren(...names.map((name) => element("option", { value: name }, name.replaceAll("_", " "))));
    }
    choice.value = metric;
    const shown = [...known].filter(([, curve]) => curve.columns.includes(metric) && curve.values[0].length > 0);
    empty.hidden = shown.length > 0;
    keys.replaceChildren(...shown.map(([run], n) =>
      element("span", { class: "chip" }, element("span", { class: "line", style: { background: `var(--${series(n)})` } }), run)));
    const wanted = `${log.checked} ${shown.map(([run]) => run).join()}`;
    if (shown.length === 0 || wanted !== shape) {
      plot?.destroy();
      plot = null;
      shape = wanted;
    }
    if (shown.length === 0) {
      return;
    }
    const value = (number) => (log.checked && number <= 0 ? null : number);
    const tables = shown.map(([, curve]) => [curve.values[0], curve.values[curve.columns.indexOf(metric)].map(value)]);
    const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
    if (plot) {
      plot.setData(data);
      return;
    }
    const axis = { stroke: () => css("muted"), grid: { stroke: () => css("grid"), width: 1 }, ticks: { show: false } };
    plot = new uPlot({
      width: Math.max(160, host.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      scales: { x: { time: false }, y: { distr: log.checked ? 3 : 1 } },
      axes: [axis, { ...axis, size: 64 }],
      series: [{}, ...shown.map((_, n) => ({ stroke: () => css(series(n)), width: 2, spanGaps: true, points: { show: false } }))],
    }, data, host);
  }

  window.addEventListener(THEME_CHANGED, () => plot?.redraw(false));
  new ResizeObserver(() => plot?.setSize({ width: Math.max(160, panel.clientWidth - 32), height: HEIGHT })).observe(panel);
  return refresh;
}
