// The bar at the top: run, pause, step, epoch, reset, pace; how far the training is.

import { isDark, setTheme } from "../colors.js";
import { element, icon } from "../dom.js";

/** Epochs a second; the last one is without a limit. */
const PACES = [1, 2, 5, 10, 20, 60, null];

function paceInWords(pace) {
  return pace === null ? "Full speed" : `${pace} epochs/s`;
}

/**
 * Mounts the bar.
 *
 * @param {HTMLElement} bar
 * @param {import("../app.js").App} app
 */
export function mount(bar, app) {
  const status = () => app.state.status;
  const button = (name, label, key, onclick, extra = "") =>
    element("button", { class: `button icon ${extra}`, type: "button", "aria-label": label, title: `${label} (${key})`, "aria-keyshortcuts": key, onclick }, icon(name));

  const actions = {
    run: () => app.send({ type: status()?.is_running ? "pause" : "run" }),
    step: () => app.send({ type: "step", count: 1 }),
    epoch: () => app.send({ type: "epoch" }),
    reset: () => app.send({ type: "reset" }),
  };
  const reset = button("reset", "Start again from the first weights", "R", actions.reset);
  const run = button("run", "Run", "Space", actions.run, "primary run");
  const step = button("step", "One step", "S", actions.step);
  const epoch = button("epoch", "One epoch", "E", actions.epoch);

  const slider = element("input", { type: "range", min: 0, max: PACES.length - 1, step: 1, id: "pace" });
  const paceText = element("output", { class: "note", for: "pace" });
  const showPace = () => {
    const text = paceInWords(PACES[Number(slider.value)]);
    paceText.textContent = text;
    slider.setAttribute("aria-valuetext", text);
  };
  slider.oninput = () => {
    showPace();
    app.send({ type: "pace", epochs_per_second: PACES[Number(slider.value)] });
  };

  const count = element("strong", { class: "number epoch-count" }, "0");
  const of = element("span", { class: "note number" });
  const speed = element("span", { class: "note number" });
  const ending = element("span", { class: "chip ending", hidden: true });
  const theme = button("theme", "Light or dark", "T", () => {
    const next = isDark() ? "light" : "dark";
    setTheme(next);
    localStorage.setItem("theme", next);
  }, "plain");
  theme.removeAttribute("aria-keyshortcuts");
  theme.title = "Light or dark";

  bar.append(
    element("span", { class: "brand" }, element("span", { class: "spark", "aria-hidden": "true" }), "Emberlab"),
    element("div", { class: "row run-buttons", role: "group", "aria-label": "Training" }, reset, run, step, epoch),
    element("div", { class: "reading" }, element("span", { class: "note" }, "Epoch"), element("span", { class: "row" }, count, of)),
    element("div", { class: "field pace" }, element("label", { class: "hidden-text", for: "pace" }, "Pace: epochs a second"), slider, element("div", { class: "row" }, paceText, speed)),
    ending,
    element("span", { class: "spacer" }),
    theme,
  );

  app.on("status", (now) => {
    const label = now.is_running ? "Pause" : "Run";
    if (run.getAttribute("aria-label") !== label) {
      run.replaceChildren(icon(now.is_running ? "pause" : "run"));
      run.setAttribute("aria-label", label);
      run.title = `${label} (Space)`;
    }
    // Between two epochs the step counts on, so that a single step is seen.
    count.textContent = now.epoch.toLocaleString("en");
    const steps = app.state.scene?.steps_per_epoch ?? 1;
    of.textContent = now.step_in_epoch > 0 && steps > 1 && !now.is_running ? `and ${now.step_in_epoch} of ${steps} steps` : "";
    speed.textContent = now.is_running && now.steps_per_second > 0 ? `· ${Math.round(now.steps_per_second).toLocaleString("en")} steps/s` : "";
    if (document.activeElement !== slider) {
      const pace = now.epochs_per_second ?? null;
      const found = PACES.findIndex((one) => one !== null && pace !== null && one >= pace);
      slider.value = found < 0 ? PACES.length - 1 : found;
      showPace();
    }
    showEnding(now);
  });

  function showEnding(now) {
    const isComplete = now.epoch >= now.num_epochs;
    ending.hidden = !now.ending;
    ending.textContent = now.ending.charAt(0).toUpperCase() + now.ending.slice(1);
    ending.title = isComplete ? "All epochs are done. Run doubles their number." : "";
  }

  document.addEventListener("keydown", (event) => {
    const { target } = event;
    const isTyping = target.closest?.("select, textarea, dialog, input:not([type=checkbox], [type=range], [type=radio])");
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || isTyping) {
      return;
    }
    const presses = target.closest?.("button, summary, a, input");
    const action = {
      " ": presses ? undefined : actions.run,
      ArrowRight: presses?.matches("input") ? undefined : actions.step,
      s: actions.step,
      e: actions.epoch,
      r: actions.reset,
    }[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });
}
