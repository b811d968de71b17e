// The table of runs: sorted, filtered, a page of rows at a time.

import { element, readable } from "../dom.js";
import { sample } from "./looks.js";

const ROWS = 50;

/** Columns: title, and what they are sorted by. */
const COLUMNS = [
  ["run", (row) => row.run],
  ["state", (row) => row.state],
  ["epoch", (row) => row.epochs],
  ["time left", (row) => row.seconds_left],
  ["best", (row) => row.best?.value],
  ["train loss", (row) => row.train_loss],
  ["valid loss", (row) => row.valid_loss],
  ["age", (row) => -row.changed],
  ["findings", (row) => row.findings.length],
];

/** A time in words: `12 s`, `3 min`, `5 h` or `2 d`. */
function duration(seconds) {
  const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"]].find(([size]) => seconds >= size) ?? [1, "s"];
  return `${Math.floor(seconds / size)} ${unit}`;
}

/** Shows `runs`, a map by name; calls `onSelect` after runs were added to or removed from the set `selected`. */
export function mount(panel, runs, selected, onSelect) {
  let [sorted, isDown, page, now] = [7, false, 0, 0];
  const filter = element("input", { type: "text", class: "input filter", placeholder: "Filter", "aria-label": "Filter runs by name or state", oninput: () => {
    page = 0;
    draw();
  } });
  const count = element("span", { class: "note", role: "status" });
  const step = (text, change) => element("button", { type: "button", class: "button small", onclick: () => {
    page += change;
    draw();
  } }, text);
  const [back, next] = [step("Previous", -1), step("Next", 1)];
  const whole = element("input", { type: "checkbox", "aria-label": "Select all runs of this page of the table", onchange: () => {
    shown.forEach((row) => selected[whole.checked ? "add" : "delete"](row.run));
    onSelect();
  } });
  let shown = [];
  let lines = new Map();
  const heads = COLUMNS.map(([title], n) => element("th", { scope: "col" }, element("button", { type: "button", onclick: () => {
    [isDown, sorted, page] = [sorted === n && !isDown, n, 0];
    draw();
  } }, title)));
  const body = element("tbody");
  heads[0].prepend(whole);
  const table = element("table", { class: "table runs" }, element("thead", {}, element("tr", {}, ...heads)), body);
  panel.append(
    element("div", { class: "panel-head" }, filter, count, element("span", { class: "spacer" }), back, next),
    element("div", { class: "list-box", tabIndex: 0, role: "group", "aria-label": "Table of runs" }, table));

  /** The elements of a run, and a function that fills them: a row stays under the mouse while its numbers change. */
  function lineOf(run) {
    const box = element("input", { type: "checkbox", "data-run": run, onchange: () => {
      selected[box.checked ? "add" : "delete"](run);
      onSelect();
    } });
    const look = element("span");
    // A long name is broken behind its experiment first.
    const [experiment, ...rest] = run.split("/");
    const name = element("span", {}, `${experiment}/`, element("wbr"), rest.join("/"));
    const state = element("span");
    const cells = COLUMNS.slice(2).map(() => element("td"));
    const root = element("tr", {},
      element("td", {}, element("label", { class: "check" }, box, name, look)), element("td", {}, state), ...cells);
    return { root, fill(row) {
      box.checked = selected.has(run);
      look.replaceChildren(...(box.checked ? [sample(run)] : []));
      state.className = `state state-${row.state}`;
      state.title = row.reason ?? "";
      state.textContent = row.state;
      const texts = [
        `${row.epochs}/${row.num_epochs ?? "?"}`,
        row.seconds_left === null ? "–" : duration(row.seconds_left),
        row.best ? `${row.best.split} ${row.best.metric} ${readable(row.best.value, 4)} in ${row.best.epoch}` : "–",
        readable(row.train_loss, 4),
        readable(row.valid_loss, 4),
        duration(Math.max(0, now - row.changed)),
        row.findings.length ? `${row.findings.length}: ${row.findings.join(", ")}` : "–",
      ];
      texts.forEach((text, n) => (cells[n].textContent = text));
    } };
  }

  function draw() {
    const wanted = filter.value.trim().toLowerCase();
    const [, key] = COLUMNS[sorted];
    const found = [...runs.values()].filter((row) => !wanted || `${row.run} ${row.state}`.toLowerCase().includes(wanted));
    const isNone = (value) => value === null || value === undefined;
    found.sort((a, b) => {
      const [x, y] = [key(a), key(b)];
      const order = isNone(x) || isNone(y) ? isNone(x) - isNone(y) : (x < y ? -1 : x > y ? 1 : 0) * (isDown ? -1 : 1);
      return order || (a.run < b.run ? -1 : 1);
    });
    const last = Math.max(0, Math.ceil(found.length / ROWS) - 1);
    page = Math.min(Math.max(page, 0), last);
    shown = found.slice(page * ROWS, (page + 1) * ROWS);
    count.textContent = `${found.length} of ${runs.size} runs${last ? `, page ${page + 1} of ${last + 1}` : ""}`;
    [back.disabled, next.disabled] = [page === 0, page === last];
    back.hidden = next.hidden = last === 0;
    const numSelected = shown.filter((row) => selected.has(row.run)).length;
    whole.checked = shown.length > 0 && numSelected === shown.length;
    whole.indeterminate = numSelected > 0 && !whole.checked;
    heads.forEach((head, n) => n === sorted
      ? head.setAttribute("aria-sort", isDown ? "descending" : "ascending")
      : head.removeAttribute("aria-sort"));
    const old = lines;
    lines = new Map(shown.map(({ run }) => [run, old.get(run) ?? lineOf(run)]));
    shown.forEach((row) => lines.get(row.run).fill(row));
    const roots = [...lines.values()].map(({ root }) => root);
    if (roots.length !== body.childElementCount || roots.some((root, n) => root !== body.children[n])) {
      const focused = document.activeElement;
      body.replaceChildren(...roots);
      if (body.contains(focused)) {
        focused.focus({ preventScroll: true });
      }
    }
  }

  return (time = now) => {
    now = time;
    draw();
  };
}
