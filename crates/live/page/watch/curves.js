// Curves of all selected runs over each other, with the values at a cursor.

import { css, THEME_CHANGED } from "../colors.js";
import { element, readable } from "../dom.js";
import { axes, epochs, isPoint, rowOfKey, thinned } from "../drawing/charts.js";
import { eachFrame, seldom } from "../drawing/redraw.js";
import { lookOf, sample } from "./looks.js";

const HEIGHT = 300;
/** With more rows than this, a curve is asked for anew, and comes thinned out. */
const MOST_ROWS = 8000;
const TABLE_ROWS = 200;
/** How opaque the curve of the training rows is beside that of the validation rows. */
const PALE = 0.45;
/** How near the mouse must be to a curve, in pixels, and how opaque the other ones are then. */
const [NEAR, OTHERS] = [24, 0.25];

/**
 * The rows of a run, column by column, as the program sends them.
 *
 * @typedef {{ columns: string[], values: (number | null)[][], next: number, generation: number, is_whole: boolean }} Curve
 */

/**
 * Shows the runs of the set `selected`. Returns a function that asks for the rows of those that are new, and of those that are
 * known to have `changed`, and draws them.
 */
export function mount(panel, selected, ask) {
  /** @type {Map<string, Curve>} */
  const known = new Map();
  let [wanted, plot, shape, zoom, pointed] = [null, null, "", null, null];

  const choice = element("select", { class: "select choice", "aria-label": "Metric", onchange: () => {
    wanted = choice.value;
    draw();
  } });
  const log = element("input", { type: "checkbox", onchange: () => draw() });
  const all = element("button", { type: "button", class: "button small", hidden: true, onclick: () => zoomTo(null) }, "Show all epochs");
  const host = element("div", {
    class: "curves-host",
    role: "group",
    tabIndex: 0,
    "aria-label": "Learning curves of the selected runs. The arrow keys read values, Escape shows all epochs.",
    onkeydown: (event) => press(event),
    onblur: () => {
      keys.removeAttribute("aria-live");
      plot?.setCursor({ left: -10, top: -10 });
    },
  });
  const keys = element("ul", { class: "keys small" });
  const empty = element("p", { class: "note" }, "Select runs in the table to see their curves.");
  const cells = element("div", { class: "scroll curves-table", tabIndex: 0, role: "group", "aria-label": "Numbers of the learning curves" });
  const table = element("details", { ontoggle: () => drawTable() }, element("summary", {}, "The numbers as a table"), cells);
  panel.append(
    element("div", { class: "panel-head" }, element("h2", {}, "Learning curves"), element("span", { class: "spacer" }), all,
      element("label", { class: "check small" }, log, "log scale"), choice),
    host, keys, table, empty);

  let reading = Promise.resolve();

  function refresh(changed = new Set()) {
    // One after the other: no answer is added to rows that another one has replaced.
    const now = reading.then(() => read(changed));
    // What was wrong with one answer does not keep the next one from being read.
    reading = now.catch(() => {});
    return now;
  }

  async function read(changed) {
    [...known.keys()].filter((run) => !selected.has(run)).forEach((run) => known.delete(run));
    const wanting = [...selected].filter((run) => !known.has(run) || changed.has(run));
    await Promise.all(wanting.map(async (run) => {
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

  // ---- What is shown ----

  /** What can be chosen: `{ key, title, columns }`. A metric of both splits can be drawn as two curves of each run. */
  function choices() {
    const names = [...new Set([...known.values()].flatMap((curve) => curve.columns))].filter((name) => name !== "epoch");
    const both = names.filter((name) => name.startsWith("train_") && names.includes(name.replace("train_", "valid_")));
    return [
      ...both.map((name) => name.replace("train_", "")).map((metric) =>
        ({ key: metric, title: `${metric.replaceAll("_", " ")}, both`, columns: [`valid_${metric}`, `train_${metric}`] })),
      ...names.map((name) => ({ key: name, title: name.replaceAll("_", " "), columns: [name] })),
    ];
  }

  /** The choice in force: of one run, both losses, unless something else was chosen. */
  function chosen(list) {
    const usual = known.size === 1 ? ["loss", "valid_loss", "train_loss"] : ["valid_loss", "loss", "train_loss"];
    const key = [wanted, ...usual].find((key) => list.some((one) => one.key === key));
    return list.find((one) => one.key === key) ?? list[0];
  }

  /** The lines: run, column, epochs and values. Runs are in the order in which they were selected. */
  function linesOf(choice) {
    const runs = [...selected].filter((run) => known.get(run)?.values[0]?.length > 0);
    return runs.flatMap((run) => {
      const { columns, values } = known.get(run);
      const own = choice.columns.filter((column) => columns.includes(column));
      return own.map((column) => ({ run, column, isPale: column !== own[0], epochs: values[0], values: values[columns.indexOf(column)] }));
    });
  }

  let lines = [];

  const draw = eachFrame(() => {
    const list = choices();
    const now = chosen(list);
    if (list.map(({ key }) => key).join() !== [...choice.options].map((option) => option.value).join()) {
      choice.replaceChildren(...list.map(({ key, title }) => element("option", { value: key }, title)));
    }
    lines = now ? linesOf(now) : [];
    const isEmpty = lines.length === 0;
    empty.hidden = !isEmpty;
    host.hidden = keys.hidden = table.hidden = isEmpty;
    choice.hidden = list.length === 0;
    if (now) {
      choice.value = now.key;
    }
    const form = JSON.stringify([log.checked, lines.map(({ run, column }) => [run, column, lookOf(run)])]);
    if (isEmpty || form !== shape) {
      plot?.destroy();
      plot = null;
      shape = form;
    }
    if (!isEmpty) {
      const visible = (value) => (log.checked && value <= 0 ? null : value);
      const tables = lines.map((line) => [line.epochs, line.values.map(visible)]);
      const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
      if (plot) {
        plot.setData(data, zoom === null);
      } else {
        build(data);
      }
      if (zoom) {
        plot.setScale("x", { min: zoom[0], max: zoom[1] });
      }
    }
    drawKeys();
    refreshTable();
  });

  function build(data) {
    plot = new uPlot({
      width: Math.max(160, host.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, dist: 4, setScale: false }, y: false, focus: { prox: NEAR } },
      focus: { alpha: OTHERS },
      scales: { x: epochs, y: { distr: log.checked ? 3 : 1 } },
      axes: axes(),
      series: [{}, ...lines.map(({ run, isPale }) => {
        const { color, dash } = lookOf(run);
        return { stroke: () => css(color, isPale ? PALE : 1), width: isPale ? 1.5 : 2, dash, spanGaps: true, points: { show: isPoint } };
      })],
      hooks: {
        setCursor: [({ cursor: { left, idx }, data }) => {
          pointed = left >= 0 && idx !== null && idx !== undefined ? data[0][idx] : null;
          drawKeys();
        }],
        setSeries: [(_, n) => mark(lines[n - 1]?.run)],
        setSelect: [({ select, posToVal }) => {
          if (select.width > 4) {
            zoomTo([posToVal(select.left, "x"), posToVal(select.left + select.width, "x")]);
            plot.setSelect({ left: 0, width: 0, top: 0, height: 0 }, false);
          }
        }],
        ready: [({ over }) => over.addEventListener("dblclick", () => zoomTo(null))],
      },
    }, data, host);
  }

  function zoomTo(range) {
    zoom = range;
    all.hidden = range === null;
    draw();
  }

  // ---- Values at the cursor ----

  function press(event) {
    if (!plot || event.target !== host) {
      return;
    }
    const [list] = plot.data;
    const n = pointed === null ? list.length - 1 : list.indexOf(pointed);
    const next = rowOfKey(event, n, list.length);
    if (next !== undefined) {
      keys.setAttribute("aria-live", "polite");
      plot.setCursor({ left: plot.valToPos(list[next], "x"), top: plot.over.clientHeight / 2 });
    } else if (event.key === "Escape") {
      zoomTo(null);
    } else {
      return;
    }
    event.preventDefault();
  }

  /** The value of a line at an epoch, or its newest one. In between, it is that of the epoch before. */
  function valueAt({ epochs, values }, epoch) {
    if (epoch === null) {
      return values.at(-1);
    }
    let [low, high] = [0, epochs.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      [low, high] = epochs[middle] <= epoch ? [middle + 1, high] : [low, middle];
    }
    return epoch > epochs.at(-1) ? null : values[low - 1];
  }

  /** Marks the key of a run whose curve is under the mouse. */
  function mark(run) {
    for (const key of keys.querySelectorAll("[data-key]")) {
      key.classList.toggle("is-near", key.dataset.key === run);
    }
  }

  /** Fades all curves but those of a run; none of them without a run. */
  function focus(run) {
    lines.forEach((line, n) => (plot.series[n + 1].alpha = run === null || line.run === run ? 1 : OTHERS));
    plot.redraw(false);
  }

  keys.addEventListener("pointerleave", () => {
    plot && focus(null);
  });
  keys.addEventListener("pointerover", (event) => {
    const run = event.target.closest("[data-key]")?.dataset.key ?? null;
    plot && focus(run);
  });

  let shownKeys = "";

  function drawKeys() {
    const runs = [...new Set(lines.map(({ run }) => run))];
    const text = (run) => {
      const own = lines.filter((line) => line.run === run);
      const values = own.map((line) => `${own.length > 1 ? `${line.column.split("_")[0]} ` : ""}${readable(valueAt(line, pointed), 4)}`);
      return values.join(", ");
    };
    const names = JSON.stringify(runs.map((run) => [run, lookOf(run)]));
    if (names !== shownKeys || keys.childElementCount !== runs.length + 1) {
      shownKeys = names;
      keys.replaceChildren(
        element("li", { class: "number" }),
        ...runs.map((run) => element("li", { class: "key", "data-key": run }, sample(run), element("span", {}, run), element("span", { class: "number" }))));
    }
    keys.firstChild.textContent = pointed === null ? "Newest values" : `Epoch ${pointed}`;
    runs.forEach((run, n) => (keys.children[n + 1].lastChild.textContent = text(run)));
  }

  function drawTable() {
    if (!table.open || !plot) {
      return;
    }
    const heads = ["epoch", ...lines.map(({ run, column }) => `${run} ${column.replaceAll("_", " ")}`)];
    const places = thinned([...plot.data[0].keys()], TABLE_ROWS).reverse();
    const rows = places.map((n) => [String(plot.data[0][n]), ...lines.map((line) => readable(valueAt(line, plot.data[0][n]), 4))]);
    cells.replaceChildren(element("table", { class: "table" },
      element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, cell)))))));
  }
  const refreshTable = seldom(1000, drawTable);

  window.addEventListener(THEME_CHANGED, () => plot?.redraw(false));
  new ResizeObserver(() => plot && host.clientWidth && plot.setSize({ width: host.clientWidth, height: HEIGHT })).observe(panel);
  return refresh;
}
