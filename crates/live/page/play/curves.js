// Learning curves: loss and metrics over the epochs, with what was changed on the way.

import { css, THEME_CHANGED } from "../colors.js";
import { element, readable } from "../dom.js";
import { axes, epochs, isPoint, rowOfKey, thinned } from "../drawing/charts.js";
import { eachFrame, isShown, seldom } from "../drawing/redraw.js";
import { metricsOf } from "./parts.js";

const HEIGHT = 240;
const TABLE_ROWS = 200;
/** Time between two drawings of growing curves, in milliseconds. */
const CURVES_PAUSE = 100;
const LEARNING_RATE = "learning rate";

/** Epochs, and a metric of the training and of the validation rows. */
function columns(rows, metric, isLog) {
  const value = (number) => (number === null || number === undefined || (isLog && number <= 0) ? null : number);
  const read = metric === LEARNING_RATE
    ? (row, split) => (split === "train" ? row.learning_rate : null)
    : (row, split) => row[split][metric];
  return [
    rows.map((row) => row.epoch),
    rows.map((row) => value(read(row, "train"))),
    rows.map((row) => value(read(row, "valid"))),
  ];
}

/** The number of the row whose epoch is nearest. */
function nearest(rows, epoch) {
  let [low, high] = [0, rows.length - 1];
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (rows[middle].epoch <= epoch) {
      low = middle;
    } else {
      high = middle;
    }
  }
  return Math.abs(rows[low]?.epoch - epoch) <= Math.abs(rows[high]?.epoch - epoch) ? low : high;
}

export function mount(panel, app) {
  let metric = "loss";
  let isLog = false;
  let zoom = null;
  let plot = null;
  let shape = "";
  let known = "";
  /** The epoch under the mouse or the keys; the last one if there is none. */
  let pointed = null;

  const choice = element("select", { "aria-label": "Metric", class: "select curves-metric", onchange: () => {
    metric = choice.value;
    redraw();
    drawTable();
  } });
  const log = element("input", { type: "checkbox", onchange: () => {
    isLog = log.checked;
    redraw();
  } });
  const all = element("button", { type: "button", class: "button small", hidden: true, onclick: () => showAll() }, "Show all epochs");
  const readout = element("p", { class: "curves-readout number" });
  const hint = element("div", { class: "curves-hint small", hidden: true });
  const empty = element("p", { class: "note curves-empty" }, "The curves begin with the first epoch.");
  const host = element("div", {
    class: "curves-host",
    role: "group",
    "aria-label": "Learning curves. The arrow keys read values, plus and minus zoom, Escape shows all epochs.",
    tabIndex: 0,
    onkeydown: (event) => press(event),
    onblur: () => {
      readout.removeAttribute("aria-live");
      plot?.setCursor({ left: -10, top: -10 });
    },
  });
  const changes = element("details", { class: "curves-changes", hidden: true });
  const table = element("details", { ontoggle: () => drawTable() }, element("summary", {}, "The numbers as a table"));
  const cells = element("div", { class: "scroll curves-table", tabIndex: 0, role: "group", "aria-label": "Numbers of the learning curves" });
  table.append(cells);

  panel.append(
    element("div", { class: "panel-head" },
      element("h2", {}, "Learning curves"),
      element("span", { class: "spacer" }),
      all,
      element("label", { class: "check small" }, log, "log scale"),
      choice),
    host, readout, changes, table);

  const rows = () => app.state.epochs.rows;
  const pins = () => app.state.pins ?? [];
  const events = () => {
    const found = app.state.events;
    return found && found.scene === app.state.epochs.scene ? found.events : [];
  };

  function showAll() {
    zoom = null;
    all.hidden = true;
    redraw();
  }

  function zoomTo(from, to) {
    zoom = [from, to];
    all.hidden = false;
    redraw();
  }

  function press(event) {
    const list = rows();
    if (!list.length || event.target !== host) {
      return;
    }
    const n = pointed === null ? list.length - 1 : nearest(list, pointed);
    const [from, to] = zoom ?? [list[0].epoch, list[list.length - 1].epoch];
    const center = pointed ?? (from + to) / 2;
    const next = rowOfKey(event, n, list.length);
    if (next !== undefined) {
      readout.setAttribute("aria-live", "polite");
      point(list[next].epoch);
    } else if (event.key === "+" || event.key === "=") {
      const half = Math.max(1, (to - from) / 4);
      zoomTo(center - half, center + half);
    } else if (event.key === "-" && zoom) {
      const half = to - from;
      zoomTo(Math.max(list[0].epoch, center - half), Math.min(list[list.length - 1].epoch, center + half));
    } else if (event.key === "Escape") {
      showAll();
    } else {
      return;
    }
    event.preventDefault();
  }

  function point(epoch) {
    pointed = epoch;
    if (plot) {
      plot.setCursor({ left: plot.valToPos(epoch, "x"), top: plot.over.clientHeight / 2 });
    }
    read();
  }

  /** Writes the values at the pointed epoch, or the newest ones. */
  function read() {
    const list = rows();
    if (!list.length) {
      readout.replaceChildren();
      return;
    }
    const row = list[pointed === null ? list.length - 1 : nearest(list, pointed)];
    const item = (kind, name, value) =>
      element("span", { class: "curves-item" }, element("i", { class: `curves-line ${kind}` }), `${name} ${readable(value, 4)}`);
    const parts = [element("span", {}, `Epoch ${row.epoch}`)];
    if (metric === LEARNING_RATE) {
      parts.push(item("train", "rate", row.learning_rate));
    } else {
      parts.push(item("train", "train", row.train[metric]));
      if (metric in row.valid) {
        parts.push(item("valid", "valid", row.valid[metric]));
      }
    }
    for (const pin of pins()) {
      const old = pin.rows[nearest(pin.rows, row.epoch)];
      const value = metric === LEARNING_RATE ? old?.learning_rate : old?.valid[metric] ?? old?.train[metric];
      if (value !== undefined) {
        parts.push(item("pinned", pin.name, value));
      }
    }
    readout.replaceChildren(...parts);
  }

  /** Reads the values under the mouse, and the changes there. */
  function hover({ cursor: { left, top, idx }, data, over, valToPos }) {
    const isOver = left >= 0 && idx !== null && idx !== undefined;
    pointed = isOver ? data[0][idx] : null;
    read();
    const near = isOver ? events().filter((event) => Math.abs(valToPos(event.epoch, "x") - left) < 6) : [];
    hint.hidden = near.length === 0;
    if (near.length) {
      hint.replaceChildren(...near.map((event) => element("div", {}, `Epoch ${event.epoch}: ${event.text}`)));
      hint.style.top = `${Math.max(0, top - 40)}px`;
      hint.style.left = `${Math.min(left + 10, Math.max(0, over.clientWidth - hint.offsetWidth))}px`;
    }
  }

  function drawMarks({ ctx, bbox, valToPos, scales }) {
    ctx.save();
    ctx.strokeStyle = css("muted");
    ctx.lineWidth = window.devicePixelRatio || 1;
    ctx.setLineDash([4 * ctx.lineWidth, 4 * ctx.lineWidth]);
    for (const { epoch } of events()) {
      if (epoch >= scales.x.min && epoch <= scales.x.max) {
        const x = Math.round(valToPos(epoch, "x", true)) + 0.5;
        ctx.beginPath();
        ctx.moveTo(x, bbox.top);
        ctx.lineTo(x, bbox.top + bbox.height);
        ctx.stroke();
      }
    }
    ctx.restore();
  }

  function build(data) {
    plot?.destroy();
    const line = (name, width, opacity, dash) => ({ stroke: () => css(name, opacity), width, dash, points: { show: isPoint } });
    const background = pins().flatMap((_, n) => {
      const dash = n % 2 ? [2, 3] : [7, 4];
      return [line("series-0", 1.5, 0.6, dash), line("series-1", 1.5, 0.6, dash)];
    });
    plot = new uPlot({
      width: Math.max(160, host.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { drag: { x: true, y: false, dist: 4 }, y: false },
      scales: {
        x: epochs,
        y: { distr: isLog ? 3 : 1 },
      },
      axes: axes(),
      series: [{}, line("series-0", 2, 1), line("series-1", 2, 1), ...background],
      hooks: {
        draw: [drawMarks],
        setCursor: [hover],
        setSelect: [({ select, posToVal }) => {
          if (select.width > 4) {
            zoomTo(posToVal(select.left, "x"), posToVal(select.left + select.width, "x"));
          }
        }],
        ready: [({ over }) => {
          over.append(hint);
          over.addEventListener("dblclick", showAll);
        }],
      },
    }, data, host);
  }

  const redraw = eachFrame(() => {
    const list = rows();
    const names = [...metricsOf(list), LEARNING_RATE];
    if (names.join() !== known) {
      known = names.join();
      metric = names.includes(metric) ? metric : "loss";
      choice.replaceChildren(...names.map((name) => element("option", { value: name }, name)));
      choice.value = metric;
    }
    if (!isShown(host)) {
      return;
    }
    const tables = [list, ...pins().map((pin) => pin.rows)].map((some) => columns(some, metric, isLog));
    const data = tables.length > 1 ? uPlot.join(tables) : tables[0];
    const wanted = `${isLog} ${pins().length}`;
    empty.remove();
    if (data[0].length === 0) {
      plot?.destroy();
      plot = null;
      host.append(empty);
    } else if (!plot || wanted !== shape) {
      shape = wanted;
      build(data);
    } else {
      plot.setData(data, zoom === null);
    }
    if (plot && zoom) {
      plot.setScale("x", { min: zoom[0], max: zoom[1] });
    }
    read();
    refreshTable();
  });

  function drawChanges() {
    const list = events();
    changes.hidden = list.length === 0;
    changes.replaceChildren(
      element("summary", {}, list.length === 1 ? "1 change during the training" : `${list.length} changes during the training`),
      element("ul", { class: "small" }, ...list.map((event) => element("li", {}, `After epoch ${event.epoch}: ${event.text}`))));
  }

  function drawTable() {
    if (!table.open) {
      return;
    }
    const head = ["epoch", `train ${metric}`, `valid ${metric}`];
    const body = thinned(rows(), TABLE_ROWS).map((row) => {
      const [, [train], [valid]] = columns([row], metric, false);
      return element("tr", {}, ...[String(row.epoch), readable(train, 4), readable(valid, 4)].map((text) => element("td", {}, text)));
    });
    cells.replaceChildren(element("table", { class: "table" },
      element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
      element("tbody", {}, ...body.reverse())));
  }
  const refreshTable = seldom(1000, drawTable);

  for (const type of ["scene", "pins"]) {
    app.on(type, redraw);
  }
  app.on("epochs", seldom(CURVES_PAUSE, redraw));
  app.on("epochs", (message) => {
    if (message.is_whole && message.rows.length === 0) {
      pointed = null;
      zoom = null;
      all.hidden = true;
      drawChanges();
    }
  });
  app.on("events", () => {
    drawChanges();
    redraw();
  });
  window.addEventListener(THEME_CHANGED, () => plot?.redraw(false));
  new ResizeObserver(() => {
    if (plot && host.clientWidth) {
      plot.setSize({ width: host.clientWidth, height: HEIGHT });
    }
    redraw();
  }).observe(host);
  redraw();
}
