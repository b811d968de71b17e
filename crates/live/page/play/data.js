// The data: data sets with their parameters, tables of the user's own, the split, the scaling, the plane that is shown.

import { color, series, THEME_CHANGED } from "../colors.js";
import { element } from "../dom.js";
import { choicesOf, nodeOf } from "../schema.js";
import { fillMenu, menuField, parameterFields, register, sliderField } from "./controls.js";
import { changesForDataset, changesForTask } from "./task.js";
import { words } from "./words.js";

/** Data sets with a picture. The others are in a menu. */
const PICTURES = {
  moons: (i, t) => [[Math.cos(Math.PI * t), Math.sin(Math.PI * t)], [1 - Math.cos(Math.PI * t), 0.5 - Math.sin(Math.PI * t)]][i],
  circles: (i, t) => [[1, 0.5][i] * Math.cos(2 * Math.PI * t), [1, 0.5][i] * Math.sin(2 * Math.PI * t)],
  spirals: (i, t) => [t * Math.cos(5.5 * t + Math.PI * i), t * Math.sin(5.5 * t + Math.PI * i)],
  xor: (i, _, n) => {
    // Points of a quadrant, as good as random, mirrored into another one.
    const scattered = (seed) => 0.14 + 0.86 * (Math.abs(43758.5 * Math.sin(12.99 * n + 78.23 * (2 * seed + i))) % 1);
    const side = n % 2 ? 1 : -1;
    return [side * scattered(0), (i ? -side : side) * scattered(1)];
  },
  blobs: (i, _, n) => [[-0.55, 0.55][i] + 0.35 * Math.sin(n * 2.4) * Math.sqrt(n / 18), [-0.4, 0.4][i] + 0.35 * Math.cos(n * 2.4) * Math.sqrt(n / 18)],
  regression: (_, t) => [2 * t - 1, 0.8 * Math.sin(2 * Math.PI * t)],
};
const TABLES = ["iris", "penguins", "diabetes", "winequality", "digits", "mnist", "fashion_mnist"];
/** Data sets that cannot be chosen without more: they need a file, or points. */
const NOT_CHOSEN = ["csv", "image_folder", "points"];
const FIRST_SAMPLES = 400;
/** Where a data set in the plane is meant, not one with many columns. */
const FIRST_VALUES = { classification: { num_features: 2, num_informative: 2, num_redundant: 0 }, blobs: { num_classes: 3 } };

/**
 * Mounts the panel.
 *
 * @param {HTMLElement} panel
 * @param {import("../app.js").App} app
 */
export function mount(panel, app) {
  panel.append(
    element("h2", {}, "Data"),
    element(
      "div",
      { class: "stack" },
      pictures(app),
      datasetMenu(app),
      ownTable(app),
      parameterFields(app, "dataset", {
        first: 4,
        sliders: true,
        skips: (name, dataset) => NOT_CHOSEN.includes(dataset) || ["shift", "scale"].includes(name),
        extra: (name, value) => changesForTask(app, { ...app.value("dataset"), [name]: value }),
      }),
      newSample(app),
      plane(app),
      split(app),
      notes(app),
    ),
  );
}

/** Chooses a data set with its usual parameters. */
function choose(app, name) {
  const choice = choicesOf(nodeOf("dataset", app.state.setting.values)).find((one) => one.name === name);
  const dataset = { name, ...FIRST_VALUES[name] };
  if (choice?.parameters.num_samples) {
    dataset.num_samples = app.value("dataset.num_samples") ?? FIRST_SAMPLES;
  }
  app.set(changesForDataset(app, dataset));
}

function pictures(app) {
  const buttons = Object.entries(PICTURES).map(([name, at]) => {
    const canvas = element("canvas", { "aria-hidden": "true" });
    canvas.width = canvas.height = 96;
    const button = element("button", { class: "dataset-picture", type: "button", title: words(name), "aria-pressed": "false" }, canvas, element("span", {}, words(name)));
    button.onclick = () => choose(app, name);
    const draw = () => drawPicture(canvas, at);
    draw();
    window.addEventListener(THEME_CHANGED, draw);
    app.on("setting", () => button.setAttribute("aria-pressed", String(app.value("dataset.name") === name)));
    return button;
  });
  return element("div", { class: "dataset-pictures", role: "group", "aria-label": "Data sets" }, ...buttons);
}

function drawPicture(canvas, at) {
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, 96, 96);
  const points = [0, 1].flatMap((i) => Array.from({ length: 18 }, (_, n) => [i, at(i, (n + 0.5) / 18, n + 1)]));
  const [xs, ys] = [points.map(([, [x]]) => x), points.map(([, [, y]]) => y)];
  const [left, right, low, high] = [Math.min(...xs), Math.max(...xs), Math.min(...ys), Math.max(...ys)];
  const scale = 72 / Math.max(right - left, high - low);
  for (const [i, [x, y]] of points) {
    context.fillStyle = `rgb(${color(series(i)).join(" ")})`;
    context.beginPath();
    context.arc(48 + scale * (x - (left + right) / 2), 48 - scale * (y - (low + high) / 2), 5, 0, 7);
    context.fill();
  }
}

function datasetMenu(app) {
  const select = element("select", { id: "dataset-menu" });
  select.onchange = () => choose(app, select.value);
  const field = element("div", { class: "field" }, element("label", { for: "dataset-menu" }, "Data set"), select);
  return register(app, "dataset", field, () => {
    const now = app.value("dataset.name");
    const names = choicesOf(nodeOf("dataset", app.state.setting.values)).map((one) => one.name);
    const offered = names.filter((name) => !NOT_CHOSEN.includes(name));
    if (!offered.includes(now)) {
      offered.push(now);
    }
    const key = JSON.stringify(offered);
    if (select.dataset.key !== key) {
      select.dataset.key = key;
      const group = (label, list) =>
        list.length ? element("optgroup", { label }, ...list.map((value) => element("option", { value }, words(value)))) : null;
      select.replaceChildren(
        ...[
          group("Generated", offered.filter((name) => !TABLES.includes(name) && !NOT_CHOSEN.includes(name))),
          group("Measured", offered.filter((name) => TABLES.includes(name))),
          group("Your own", offered.filter((name) => NOT_CHOSEN.includes(name))),
        ].filter(Boolean),
      );
    }
    select.value = now;
  });
}

/** Another sample of a generator. */
function newSample(app) {
  const button = element("button", { class: "button small", type: "button" }, "Draw other points");
  button.title = "Another sample, with the next seed of the data";
  button.onclick = () => app.set({ "dataset.seed": (app.value("dataset.seed") ?? app.value("seed") ?? 0) + 1 });
  const holder = element("div", { class: "row" }, button);
  app.on("setting", () => {
    const name = app.value("dataset.name");
    const choice = choicesOf(nodeOf("dataset", app.state.setting.values)).find((one) => one.name === name);
    holder.hidden = !choice?.parameters.seed;
  });
  return holder;
}

// ---- Tables of the user's own ----

function ownTable(app) {
  const file = element("input", { type: "file", accept: ".csv,.tsv,.txt,.gz,.data", hidden: true, "aria-label": "File with a table" });
  const button = element("button", { class: "button", type: "button" }, "Your own table …");
  button.title = "Choose a CSV file, or drop it anywhere on the page";
  button.onclick = () => file.click();
  file.onchange = () => {
    const [chosen] = file.files;
    file.value = "";
    if (chosen) {
      send(app, chosen);
    }
  };
  const drop = element("div", { class: "drop", hidden: true }, element("p", {}, "Drop the table to learn from it"));
  document.body.append(drop);
  let depth = 0;
  const hasFile = (event) => event.dataTransfer?.types.includes("Files");
  window.addEventListener("dragenter", (event) => {
    if (hasFile(event)) {
      depth += 1;
      drop.hidden = false;
    }
  });
  window.addEventListener("dragleave", () => {
    depth = Math.max(0, depth - 1);
    drop.hidden = depth === 0;
  });
  window.addEventListener("dragover", (event) => hasFile(event) && event.preventDefault());
  window.addEventListener("drop", (event) => {
    depth = 0;
    drop.hidden = true;
    const dropped = event.dataTransfer?.files[0];
    if (dropped) {
      event.preventDefault();
      send(app, dropped);
    }
  });
  return element("div", {}, button, file);
}

/** Sends a file, and asks which of its columns should be learnt. */
async function send(app, file) {
  try {
    const answer = await fetch("/tables", { method: "POST", headers: { "X-Name": encodeURIComponent(file.name) }, body: file });
    if (!answer.ok) {
      throw new Error(await answer.text());
    }
    askForLabel(app, file.name, await answer.json());
  } catch (error) {
    app.tell("unclaimed-problem", `${file.name}: ${error.message}`);
  }
}

function askForLabel(app, name, { table, columns, guess, rows }) {
  const select = element("select", { id: "label-column" });
  fillMenu(select, columns.map((column) => [column, column]), guess ?? columns.at(-1));
  const dialog = element("dialog", { "aria-labelledby": "label-title" });
  const learn = element("button", { class: "button primary", type: "button" }, "Learn it");
  learn.onclick = () => {
    app.send({ type: "table", table, label: select.value });
    dialog.close();
  };
  const cancel = element("button", { class: "button", type: "button", onclick: () => dialog.close() }, "Cancel");
  dialog.append(
    element("h2", { id: "label-title" }, `Which column of ${name} should be learnt?`),
    element(
      "div",
      { class: "stack" },
      element("p", { class: "note" }, `${columns.length} columns${rows ? `, ${rows} rows` : ""}. The network predicts this column from the others.`),
      element("div", { class: "field" }, element("label", { for: "label-column" }, "Column to learn"), select),
      element("div", { class: "row" }, learn, cancel),
    ),
  );
  dialog.onclose = () => dialog.remove();
  document.body.append(dialog);
  dialog.showModal();
}

// ---- What is shown of the data, and how they are divided ----

/** The two columns that span the picture. */
function plane(app) {
  const [across, up] = [element("select", { id: "plane-x" }), element("select", { id: "plane-y" })];
  const COMPONENTS = "components";
  const holder = element(
    "div",
    { class: "fields", hidden: true },
    element("div", { class: "field" }, element("label", { for: "plane-x" }, "Shown to the right"), across),
    element("div", { class: "field" }, element("label", { for: "plane-y" }, "Shown upwards"), up),
  );
  const change = (moved, other) => {
    if (moved.value === COMPONENTS) {
      app.send({ type: "view", columns: null });
      return;
    }
    const [a, b] = [Number(moved.value), other.value === COMPONENTS ? NaN : Number(other.value)];
    const second = Number.isNaN(b) || b === a ? (a === 0 ? 1 : 0) : b;
    app.send({ type: "view", columns: moved === across ? [a, second] : [second, a] });
  };
  across.onchange = () => change(across, up);
  up.onchange = () => change(up, across);
  app.on("scene", ({ columns, plane_columns: shown }) => {
    holder.hidden = columns.length < 3;
    const options = [[COMPONENTS, "Principal component"], ...columns.map((name, i) => [String(i), name])];
    fillMenu(across, options, shown ? String(shown[0]) : COMPONENTS);
    fillMenu(up, options, shown ? String(shown[1]) : COMPONENTS);
  });
  return holder;
}

function split(app) {
  const share = (key, label, help, most) =>
    sliderField(app, key, label, {
      help,
      min: 0,
      max: most,
      step: 0.05,
      read: () => shareOf(app, key),
      send: (value) => {
        // Rows to train on are those that are left.
        const { train: _, fold: __, ...kept } = app.value("split") ?? {};
        app.set({ split: { ...kept, [key.split(".")[1]]: value } });
      },
      format: (value) => `${Math.round(100 * value)} %`,
    });
  return element(
    "details",
    { class: "split" },
    element("summary", {}, "Held-out data and scaling"),
    element(
      "div",
      { class: "stack" },
      share("split.valid", "Held out for validation", "Rows that are not trained on, to see how well the network does on new data", 0.8),
      share("split.test", "Held out for the test", "Rows that are used only at the end", 0.5),
      menuField(app, "split.method", "How rows are chosen"),
      menuField(app, "standardize.method", "Scaling of columns"),
    ),
  );
}

/** A part of the split as a share of all rows. */
function shareOf(app, key) {
  const value = app.value(key) ?? 0;
  const rows = app.state.scene?.num_rows.reduce((sum, count) => sum + count, 0);
  return value > 1 && rows ? value / rows : Math.min(1, value);
}

function notes(app) {
  const counts = element("p", { class: "note number" });
  const list = element("ul", { class: "notes" });
  app.on("scene", ({ num_rows: [train, valid, test], notes, trained_by: engine }) => {
    const number = (count) => count.toLocaleString("en");
    const parts = [`${number(train)} rows to train on`];
    if (valid) {
      parts.push(`${number(valid)} for validation`);
    }
    if (test) {
      parts.push(`${number(test)} for the test`);
    }
    counts.textContent = `${parts.join(", ")}. Trained by ${engine}.`;
    list.hidden = notes.length === 0;
    list.replaceChildren(...notes.map((text) => element("li", { class: "warning" }, text)));
  });
  return element("div", { class: "stack" }, counts, list);
}
