// Starts the page of runs: asks what is new, and shows it.

import { setTheme } from "../colors.js";
import { element, readable } from "../dom.js";
import * as curves from "./curves.js";
import * as inside from "./inside.js";
import * as list from "./list.js";
import * as looks from "./looks.js";

/** Milliseconds between two questions while something is trained, and else. */
const [FAST, SLOW] = [1000, 4000];

/** The most runs that are selected when the page opens. */
const MOST_FIRST = 10;

const isLive = (row) => row.state === "running" || row.state === "growing";

const theme = localStorage.getItem("theme");
if (theme) {
  setTheme(theme);
}

const runs = new Map();
const selected = new Set();
const connection = document.getElementById("connection");
let version = 0;
let timer;

/** The answer to a question, or nothing: what is wrong stands on the page. */
async function ask(address) {
  try {
    const response = await fetch(address);
    connection.hidden = response.ok;
    connection.textContent = response.ok ? "" : await response.text();
    return response.ok ? await response.json() : null;
  } catch {
    connection.hidden = false;
    connection.textContent = "There is no connection to the program. If it still runs, open the address that it has printed.";
    return null;
  }
}

const variants = document.getElementById("variants");

/** The variants of the experiment of the run that was selected last. */
async function showVariants() {
  const [experiment] = ([...selected].at(-1) ?? "").split("/");
  const found = experiment && await ask(`/comparison?experiment=${encodeURIComponent(experiment)}`);
  if (!found || found.variants.length < 2) {
    variants.replaceChildren();
    return;
  }
  const heads = ["variant", "runs", "running", "finished", "failed", `median ${found.figure}`, "lowest", "highest"];
  const rows = found.variants.map((one) => [one.name, one.num_runs, one.num_running, one.num_finished, one.num_failed,
    ...[one.median, one.low, one.high].map((value) => readable(value, 4))]);
  variants.replaceChildren(
    element("h2", {}, `Variants of ${experiment}`),
    element("div", { class: "scroll", tabIndex: 0, role: "group", "aria-label": "Table of variants" },
      element("table", { class: "table" },
        element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
        element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, String(cell)))))))),
    ...found.conclusion.map((sentence) => element("p", { class: "small" }, sentence)));
}

/** Selects what is trained now, or else the newest run. */
function selectFirst() {
  const newest = [...runs.values()].sort((a, b) => b.changed - a.changed);
  const live = newest.filter(isLive).slice(0, MOST_FIRST);
  (live.length ? live.reverse() : newest.slice(0, 1)).forEach((row) => selected.add(row.run));
  select();
}

async function follow() {
  clearTimeout(timer);
  if (document.hidden) {
    return;
  }
  const found = await ask(`/runs?since=${version}`);
  if (found) {
    if (found.is_whole) {
      runs.clear();
    }
    version = found.version;
    found.runs.forEach((row) => runs.set(row.run, row));
    found.gone.forEach((run) => runs.delete(run));
    const vanished = [...selected].filter((run) => !runs.has(run));
    vanished.forEach((run) => selected.delete(run));
    if (vanished.length > 0) {
      select();
    }
    if (found.is_whole && selected.size === 0 && runs.size > 0) {
      selectFirst();
    }
    showRuns(found.now);
    if (found.runs.some((row) => selected.has(row.run))) {
      await Promise.all([showCurves(), showInside.refresh(), showVariants()]);
    }
  }
  clearTimeout(timer);
  timer = setTimeout(follow, [...runs.values()].some(isLive) ? FAST : SLOW);
}

const showCurves = curves.mount(document.getElementById("curves"), selected, ask);
const showInside = inside.mount(document.getElementById("inside"), selected, ask);
const showRuns = list.mount(document.getElementById("list"), runs, selected, select);

/** Shows the runs that are selected now. */
function select() {
  looks.update(selected);
  showRuns();
  showCurves();
  showInside.choose();
  showVariants();
}

document.addEventListener("visibilitychange", follow);
follow();
