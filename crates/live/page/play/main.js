// Starts the page: the state, the schema, and all panels.

import { App } from "../app.js";
import { setTheme } from "../colors.js";
import { loadSchema } from "../schema.js";
import { startControls } from "./controls.js";
import * as boundary from "./boundary.js";
import * as compare from "./compare.js";
import * as curves from "./curves.js";
import * as data from "./data.js";
import * as explanation from "./explanation.js";
import * as findings from "./findings.js";
import * as layers from "./layers.js";
import * as lessons from "./lessons.js";
import * as network from "./network.js";
import * as painting from "./painting.js";
import * as run from "./run.js";
import * as share from "./share.js";
import * as training from "./training.js";

/** Time between two announcements of the epoch for screen readers, in milliseconds. */
const ANNOUNCEMENT_PAUSE = 2000;
/** How long a problem without a control of its own is shown, in milliseconds. */
const PROBLEM_TIME = 8000;

const panel = (name) => document.querySelector(`[data-panel="${name}"]`);

const theme = localStorage.getItem("theme");
if (theme) {
  setTheme(theme);
}

/** Hides the panels that the address names: `?hide=data,network`. */
function hidePanels() {
  const hidden = (new URLSearchParams(location.search).get("hide") ?? "").split(",").filter(Boolean);
  for (const name of hidden) {
    panel(name)?.remove();
  }
  for (const holder of document.querySelectorAll(".side, .below, .stage")) {
    if (!holder.querySelector("[data-panel]")) {
      holder.remove();
    }
  }
}

function showConnection(app) {
  const line = document.querySelector(".connection");
  app.on("connection", (state) => {
    line.hidden = state === "open";
    line.textContent = line.hidden ? "" : "There is no connection to the program. If it still runs, open the address that it printed.";
  });
}

function showProblems(app) {
  const line = document.createElement("p");
  line.className = "toast problem";
  line.setAttribute("role", "alert");
  line.hidden = true;
  document.body.append(line);
  let timer;
  app.on("unclaimed-problem", (message) => {
    line.textContent = message;
    line.hidden = false;
    clearTimeout(timer);
    timer = setTimeout(() => (line.hidden = true), PROBLEM_TIME);
  });
  line.onclick = () => (line.hidden = true);
}

function announce(app) {
  const announcer = document.getElementById("announcer");
  let saidAt = 0;
  let said = "";
  const say = (text) => {
    saidAt = performance.now();
    announcer.textContent = text;
  };
  app.on("announce", say);
  app.on("status", ({ epoch, is_running: isRunning, ending }) => {
    const text = `Epoch ${epoch}${ending ? `, ${ending}` : isRunning ? "" : ", paused"}`;
    if (text !== said && performance.now() - saidAt > ANNOUNCEMENT_PAUSE) {
      said = text;
      say(text);
    }
  });
}

const app = new App();
hidePanels();
showConnection(app);
await loadSchema().catch((error) => {
  app.tell("connection", "closed");
  throw error;
});
startControls(app);
showProblems(app);
announce(app);

/** Mounts a panel if it is on the page. */
function mount(name, module, ...more) {
  const section = panel(name);
  return section && module.mount(section, app, ...more);
}

mount("controls", run);
mount("training", training);
mount("data", data);
mount("network", network);
const plot = mount("output", boundary);
if (plot) {
  painting.mount(plot.tools, app, plot);
}
mount("explanation", explanation);
mount("curves", curves);
mount("findings", findings);
mount("layers", layers);
mount("lessons", lessons);
mount("compare", compare);
mount("share", share);
// Links to a setting open without the panel that makes them, too.
share.openLinks(app);
app.start();
