// Comparisons: pinned results beside the present one, several seeds, and everything that was tried.

import { css, series, THEME_CHANGED } from "../colors.js";
import { element, readable } from "../dom.js";
import { thinned } from "../drawing/charts.js";
import { eachFrame, isShown, seldom } from "../drawing/redraw.js";
import { asLine, chiefMetric, differences, keepingFocus, planeCanvas, recall, remember, svg } from "./parts.js";

const PICTURE_SIDE = 220;
const PIN_ROWS = 300;
const MOST_PINS = 6;
const MOST_TRIALS = 200;
const NUM_SEEDS = 10;

/** A small copy of the plane, or nothing while there is none. */
function picture() {
  const source = planeCanvas();
  if (!source) {
    return null;
  }
  const scale = PICTURE_SIDE / Math.max(source.width, source.height);
  const copy = element("canvas", { width: Math.round(source.width * scale), height: Math.round(source.height * scale) });
  const context = copy.getContext("2d");
  context.fillStyle = css("paper");
  context.fillRect(0, 0, copy.width, copy.height);
  context.drawImage(source, 0, 0, copy.width, copy.height);
  return copy;
}

/** The numbers of a row of `epochs` in words. */
function numbersOf(row) {
  if (!row) {
    return [["epoch", "0"]];
  }
  const chief = chiefMetric(row);
  const numbers = [
    ["epoch", String(row.epoch)],
    ["train loss", readable(row.train.loss, 4)],
    ["valid loss", readable(row.valid.loss, 4)],
  ];
  if (chief) {
    numbers.push([`train ${chief.name}`, readable(chief.train, 4)], [`valid ${chief.name}`, readable(chief.valid, 4)]);
  }
  return numbers;
}

/** Differences as lines `key = value`, the longest lists shortened. */
function lines(list, textOf, most = 6, name = "") {
  const items = list.map((some) => element("li", {}, element("code", {}, textOf(some))));
  if (items.length <= most) {
    return element("ul", { class: "changes" }, ...items);
  }
  return element("details", {},
    element("summary", {}, `${name ? `${name}: ` : ""}${items.length} keys differ`),
    element("ul", { class: "changes" }, ...items));
}

/** Pinned results: their pictures, curves and settings. */
function mountPins(panel, app) {
  let pins = recall("pins", []);
  let number = pins.reduce((most, pin) => Math.max(most, pin.number), 0);

  const button = element("button", { type: "button", class: "button", onclick: pin }, "Pin the present result");
  const note = element("p", { class: "note" }, "A pinned result stays here with its picture and its curves while you change the setting.");
  const cards = element("ul", { class: "pins" });
  const present = element("li", { class: "pin" });
  const shown = element("div", { class: "pin-picture" });
  const numbers = element("dl", { class: "pin-numbers number" });
  present.append(element("h3", {}, "Now"), shown, numbers);
  panel.append(element("div", { class: "row" }, button), note, cards);

  function keep() {
    // Where there is no room for all pictures, the oldest ones go first.
    const kept = pins.map((some) => ({ ...some }));
    for (let n = 0; !remember("pins", kept) && n < kept.length; n++) {
      kept[n].picture = null;
    }
    app.state.pins = pins;
    app.tell("pins", pins);
  }

  function pin() {
    const { setting, epochs } = app.state;
    if (!setting) {
      return;
    }
    number += 1;
    pins = [...pins, {
      number,
      name: `Pin ${number}`,
      picture: picture()?.toDataURL("image/png") ?? null,
      rows: thinned(epochs.rows, PIN_ROWS),
      toml: setting.toml,
      values: setting.values,
      isAltered: Boolean(app.state.status?.is_altered),
    }].slice(-MOST_PINS);
    keep();
    draw();
    app.tell("announce", `Pinned as ${pins[pins.length - 1].name}.`);
  }

  function unpin(which) {
    pins = pins.filter((some) => some !== which);
    keep();
    draw();
    button.focus();
  }

  function pinned(some) {
    const changed = differences(some.values, app.state.setting?.values);
    return element("li", { class: "pin" },
      element("h3", {}, some.name),
      some.picture
        ? element("img", { class: "pin-picture", src: some.picture, alt: `The plane of ${some.name}` })
        : element("div", { class: "pin-picture" }),
      definitions(element("dl", { class: "pin-numbers number" }), numbersOf(some.rows[some.rows.length - 1])),
      some.isAltered ? element("p", { class: "note" }, "Its setting was changed during the training.") : null,
      changed.length
        ? element("div", {}, element("p", { class: "note" }, "Differences from the present setting:"), lines(changed, ({ key, before }) => asLine({ key, value: before })))
        : element("p", { class: "note" }, "This is the present setting."),
      element("div", { class: "row" },
        element("button", { type: "button", class: "button small", "aria-label": `Load the setting of ${some.name}`, onclick: () => app.send({ type: "load", text: some.toml }) }, "Load"),
        element("button", { type: "button", class: "button small", "aria-label": `Unpin ${some.name}`, onclick: () => unpin(some) }, "Unpin")));
  }

  function definitions(list, pairs) {
    list.replaceChildren(...pairs.flatMap(([name, text]) => [element("dt", {}, name), element("dd", {}, text)]));
    return list;
  }

  function draw() {
    note.hidden = pins.length > 0;
    cards.hidden = pins.length === 0;
    keepingFocus(cards, () => cards.replaceChildren(present, ...pins.map(pinned)));
    refresh();
  }

  const refresh = seldom(500, () => {
    if (pins.length && isShown(cards)) {
      const { rows } = app.state.epochs;
      definitions(numbers, numbersOf(rows[rows.length - 1]));
      const copy = picture();
      if (copy) {
        copy.setAttribute("role", "img");
        copy.setAttribute("aria-label", "The present plane");
        shown.replaceChildren(copy);
      }
    }
  });

  for (const type of ["epochs", "frame", "scene"]) {
    app.on(type, refresh);
  }
  app.on("setting", draw);
  // Another panel asks for it.
  app.on("pin", pin);
  window.addEventListener(THEME_CHANGED, refresh);
  app.state.pins = pins;
  app.tell("pins", pins);
  draw();
}

/** Values of several seeds as points on a line for each experiment, and in words. */
function strips({ values, metric }, names) {
  const known = values.flat().filter((value) => value !== null);
  if (!known.length) {
    return null;
  }
  const [low, high] = [Math.min(...known), Math.max(...known)];
  const [width, height, edge] = [420, 24, 8];
  const x = (value) => edge + ((width - 2 * edge) * (value - low)) / (high - low || 1);
  const rows = values.flatMap((list, n) => {
    const name = names[n] ?? `Experiment ${n + 1}`;
    const finite = list.filter((value) => value !== null).sort((a, b) => a - b);
    if (!finite.length) {
      return [element("p", { class: "small" }, `${name}: no value yet that is not NaN`)];
    }
    const half = finite.length >> 1;
    const median = finite.length % 2 ? finite[half] : (finite[half - 1] + finite[half]) / 2;
    const missing = list.length - finite.length;
    const middle = height / 2;
    const chart = svg("svg", { viewBox: `0 0 ${width} ${height}`, class: "strip", "aria-hidden": "true" },
      svg("line", { x1: edge, x2: width - edge, y1: middle, y2: middle, class: "strip-line" }),
      ...finite.map((value) => svg("circle", { cx: x(value), cy: middle, r: 4.5, fill: `var(--${series(n)})`, "fill-opacity": 0.65 })),
      svg("line", { x1: x(median), x2: x(median), y1: 2, y2: height - 2, class: "strip-median" }));
    const words = `${name}: median ${readable(median, 4)} of ${list.length} seeds${missing ? `, ${missing} of them NaN` : ""}`;
    return [element("p", { class: "small number" }, words), chart];
  });
  const ends = element("div", { class: "strip strip-ends note number" }, element("span", {}, readable(low, 4)), element("span", {}, metric), element("span", {}, readable(high, 4)));
  return element("div", {}, ...rows, ends);
}

/** Several seeds of the present setting, and of a pinned one. */
function mountSeeds(panel, app) {
  let names = [];
  const other = element("select", { class: "select", "aria-label": "Compare with" });
  const start = element("button", { type: "button", class: "button", onclick: () => {
    const pin = (app.state.pins ?? []).find((some) => String(some.number) === other.value);
    names = pin ? ["Present setting", pin.name] : ["Present setting"];
    const experiments = [app.state.setting.toml, ...(pin ? [pin.toml] : [])];
    app.send({ type: "seeds", count: NUM_SEEDS, experiments });
  } }, "Ten seeds");
  const stop = element("button", { type: "button", class: "button", hidden: true, onclick: () => app.send({ type: "stop_seeds" }) }, "Stop");
  const progress = element("progress", { max: 1, value: 0, hidden: true, "aria-label": "Trainings done" });
  const count = element("span", { class: "small muted number" });
  const answer = element("div", { class: "stack" });
  panel.append(
    element("h3", {}, "Is it luck?"),
    element("p", { class: "note" }, "One training is one draw of weights and batches. Ten seeds show how much of a result is chance."),
    element("div", { class: "row" }, start, other, stop, progress, count),
    answer);

  function choices() {
    const chosen = other.value;
    const pins = app.state.pins ?? [];
    other.replaceChildren(
      element("option", { value: "" }, "of the present setting"),
      ...pins.map((pin) => element("option", { value: String(pin.number) }, `of it and of ${pin.name}`)));
    other.value = pins.some((pin) => String(pin.number) === chosen) ? chosen : "";
  }

  const draw = eachFrame(() => {
    const state = app.state.seeds;
    start.disabled = !app.state.setting;
    if (!state || state.total === 0) {
      answer.replaceChildren();
      stop.hidden = progress.hidden = true;
      count.textContent = "";
      return;
    }
    const isDone = state.done >= state.total || state.error !== "" || state.answer.length > 0;
    stop.hidden = progress.hidden = isDone;
    progress.max = state.total;
    progress.value = state.done;
    count.textContent = isDone ? "" : `${state.done} of ${state.total}`;
    const chart = strips(state, names);
    answer.replaceChildren(
      ...(state.error ? [element("p", { class: "problem", role: "alert" }, state.error)] : []),
      ...(chart ? [chart] : []),
      ...state.answer.map((text) => element("p", {}, text)));
    if (isDone && state.answer.length) {
      app.tell("announce", state.answer.join(" "));
    }
  });

  app.on("pins", choices);
  app.on("seeds", draw);
  app.on("setting", draw);
  choices();
  draw();
}

const COLUMNS = [
  ["changed", "Differs from the first"],
  ["epoch", "Epochs"],
  ["train", "Train loss"],
  ["valid", "Valid loss"],
  ["metric", "Valid metric"],
];

/** A row for each setting that was trained, at its end or when it was changed. */
function mountTrials(panel, app) {
  let trials = recall("trials", []);
  let order = { column: "valid", isUp: true };
  let setting = app.state.setting ?? null;
  let latest = null;
  let isAltered = false;
  let hasEnded = false;

  const body = element("tbody");
  const heads = COLUMNS.map(([column, title]) => {
    const button = element("button", { type: "button", class: "button plain small", onclick: () => sortBy(column) }, title);
    return element("th", { scope: "col", "data-column": column }, button);
  });
  const table = element("table", { class: "table trials" },
    element("thead", {}, element("tr", {}, ...heads, element("th", { scope: "col" }, element("span", { class: "hidden-text" }, "Load")))),
    body);
  const clear = element("button", { type: "button", class: "button small", onclick: () => {
    trials = [];
    keep();
  } }, "Clear the list");
  const note = element("p", { class: "note" }, "Every setting that you train gets a row here, when it ends or when you change it.");
  const box = element("div", { class: "scroll trials-box", tabIndex: 0, role: "group", "aria-label": "Settings tried so far" }, table);
  panel.append(element("h3", {}, "Tried so far"), note, box, clear);

  function sortBy(column) {
    order = { column, isUp: order.column === column ? !order.isUp : column !== "metric" };
    draw();
  }

  function keep() {
    while (trials.length > MOST_TRIALS || (!remember("trials", trials) && trials.length > 1)) {
      // The first one stays: all others are compared with it.
      trials.splice(1, 1);
    }
    draw();
  }

  /** Writes down what the setting has come to. */
  function record() {
    if (!setting || !latest) {
      return;
    }
    const chief = chiefMetric(latest);
    const trial = {
      toml: setting.toml,
      values: setting.values,
      epoch: latest.epoch,
      train: latest.train.loss ?? null,
      valid: latest.valid.loss ?? null,
      metric: chief?.valid ?? null,
      metricName: chief?.name ?? "",
      isAltered,
    };
    const place = trials.findIndex((some) => some.toml === trial.toml && some.isAltered === isAltered);
    if (place < 0) {
      trials.push(trial);
    } else if (trials[place].epoch <= trial.epoch) {
      trials[place] = trial;
    }
    keep();
  }

  /** Writes down the end of a training, which comes with the last epoch or after it. */
  function recordEnd() {
    if (hasEnded) {
      record();
    }
  }

  function draw() {
    note.hidden = trials.length > 0;
    box.hidden = clear.hidden = trials.length === 0;
    for (const head of heads) {
      const isSorted = head.dataset.column === order.column;
      head.setAttribute("aria-sort", isSorted ? (order.isUp ? "ascending" : "descending") : "none");
    }
    const rows = trials.map((trial, n) => ({ ...trial, changed: n, changes: differences(trials[0].values, trial.values) }));
    const sign = order.isUp ? 1 : -1;
    rows.sort((a, b) => {
      const [left, right] = [a[order.column], b[order.column]];
      // NaN comes last in both directions.
      return left === null ? 1 : right === null ? -1 : sign * (left - right);
    });
    const made = rows.map((trial) => {
      const name = trial.changed === 0 ? "the first setting" : trial.changes.map(({ key, after }) => asLine({ key, value: after })).join(", ");
      return element("tr", { class: trial.toml === app.state.setting?.toml ? "is-present" : "" },
        element("td", {},
          trial.changed === 0 ? element("span", { class: "muted" }, "the first setting") : lines(trial.changes, ({ key, after }) => asLine({ key, value: after }), 4, trial.values.name),
          trial.isAltered ? element("span", { class: "note" }, "changed during the training") : null),
        element("td", {}, String(trial.epoch)),
        element("td", {}, readable(trial.train, 4)),
        element("td", {}, readable(trial.valid, 4)),
        element("td", {}, trial.metricName ? `${trial.metricName} ${readable(trial.metric, 4)}` : "–"),
        element("td", {}, element("button", {
          type: "button", class: "button small", "aria-label": `Load ${name}`,
          onclick: () => app.send({ type: "load", text: trial.toml }),
        }, "Load")));
    });
    keepingFocus(body, () => body.replaceChildren(...made));
  }

  app.on("setting", (message) => {
    if (setting && message.toml !== setting.toml) {
      record();
      // If the training goes on, its next epoch belongs to the new setting.
      latest = null;
    }
    setting = { toml: message.toml, values: message.values };
    draw();
  });
  app.on("epochs", (message) => {
    if (message.is_whole && message.rows.length === 0) {
      record();
      latest = null;
    } else if (message.rows.length) {
      latest = message.rows[message.rows.length - 1];
      recordEnd();
    }
  });
  app.on("status", (message) => {
    isAltered = message.is_altered;
    hasEnded = message.ending !== "";
    recordEnd();
  });
  draw();
}

export function mount(panel, app) {
  const parts = [element("div", { class: "stack" }), element("div", { class: "stack" }), element("div", { class: "stack" })];
  panel.append(element("h2", {}, "Compare"), element("div", { class: "compare" }, ...parts));
  mountPins(parts[0], app);
  mountSeeds(parts[1], app);
  mountTrials(parts[2], app);
}
