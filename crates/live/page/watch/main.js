// Starts the page of runs: asks what is new, and shows it.

import { isDark, setTheme } from "../colors.js";
import { element, icon } from "../dom.js";
import * as curves from "./curves.js";
import * as inside from "./inside.js";
import * as list from "./list.js";
import * as looks from "./looks.js";
import * as variants from "./variants.js";

/** Milliseconds between two questions while something is trained, and else. */
const [FAST, SLOW] = [1000, 4000];

/** The most runs that are selected when the page opens. */
const MOST_FIRST = 10;

const isLive = (row) => row.state === "running" || row.state === "growing";

const theme = localStorage.getItem("theme");
if (theme) {
  setTheme(theme);
}
document.getElementById("head").append(element("button", { type: "button", class: "button icon plain", "aria-label": "Light or dark", onclick: () => {
  const next = isDark() ? "light" : "dark";
  setTheme(next);
  localStorage.setItem("theme", next);
} }, icon("theme")));

const runs = new Map();
const selected = new Set();
const connection = document.getElementById("connection");
let version = 0;
let timer;

/** What is wrong, by the question whose answer says so. */
const problems = new Map();
const NO_CONNECTION = "There is no connection to the program. If it still runs, open the address that it printed.";

/** The answer to a question, or nothing: what is wrong stands on the page until the same question has an answer. */
async function ask(address) {
  // The same question is asked from other places of the files.
  const question = address.replaceAll(/[?&](since|from|generation|frames|layers)=\d+/g, "");
  try {
    const response = await fetch(address);
    if (response.ok) {
      problems.delete(question);
      return await response.json();
    }
    problems.set(question, await response.text());
  } catch {
    problems.set(question, NO_CONNECTION);
  } finally {
    showProblems();
  }
  return null;
}

function showProblems() {
  connection.textContent = [...new Set(problems.values())].join(" ");
  connection.hidden = problems.size === 0;
}

/** Selects what is trained now, or else the newest run. */
function selectFirst() {
  const newest = [...runs.values()].sort((a, b) => b.changed - a.changed);
  const live = newest.filter(isLive).slice(0, MOST_FIRST);
  (live.length ? live.reverse() : newest.slice(0, 1)).forEach((row) => selected.add(row.run));
  select();
}

/** Asks what has changed, shows it, and asks again after a while. */
async function follow() {
  clearTimeout(timer);
  if (document.hidden) {
    return;
  }
  try {
    await look();
  } finally {
    clearTimeout(timer);
    timer = setTimeout(follow, [...runs.values()].some(isLive) ? FAST : SLOW);
  }
}

async function look() {
  const found = await ask(`/runs?since=${version}`);
  if (!found) {
    return;
  }
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
  const changed = new Set(found.runs.map((row) => row.run));
  await Promise.all([showCurves(changed), showInside.refresh(changed), showVariants()]);
}

const showCurves = curves.mount(document.getElementById("curves"), selected, ask);
const showInside = inside.mount(document.getElementById("inside"), selected, ask);
const showVariants = variants.mount(document.getElementById("variants"), selected, ask);
const showRuns = list.mount(document.getElementById("list"), runs, selected, select);

/** Shows the runs that are selected now. */
function select() {
  problems.clear();
  looks.update(selected);
  showRuns();
  showCurves();
  showInside.choose();
  showVariants();
}

document.addEventListener("visibilitychange", follow);
follow();
