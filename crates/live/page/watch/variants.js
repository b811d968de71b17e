// The variants of a comparison as their trials finish.

import { element, readable } from "../dom.js";

/**
 * Shows the comparison of the run that was selected last in the set `selected`. Returns a function that asks for what is new and
 * shows it: the conclusion comes when no run changes any more.
 */
export function mount(panel, selected, ask) {
  let shown = "";

  return async () => {
    const chosen = () => ([...selected].at(-1) ?? "").split("/")[0];
    const experiment = chosen();
    const found = experiment ? await ask(`/comparison?experiment=${encodeURIComponent(experiment)}`) : null;
    if (experiment && (!found || experiment !== chosen())) {
      return; // no answer, or one about an experiment that is not shown any more
    }
    const state = JSON.stringify([experiment, found]);
    if (state === shown) {
      return;
    }
    shown = state;
    if (!found || found.variants.length === 0) {
      panel.replaceChildren();
      return;
    }
    const heads = ["variant", "finished", `median ${found.figure?.replaceAll("_", " ") ?? ""}`, "lowest", "highest", "running", "failed"];
    const rows = found.variants.map((one) => [one.name, `${one.num_finished} of ${one.num_trials}`,
      ...[one.median, one.low, one.high].map((value) => readable(value, 4)), one.num_running, one.num_failed]);
    panel.replaceChildren(
      element("h2", {}, `Variants of ${experiment}`),
      element("div", { class: "scroll", tabIndex: 0, role: "group", "aria-label": "Table of variants" },
        element("table", { class: "table variants" },
          element("thead", {}, element("tr", {}, ...heads.map((text) => element("th", { scope: "col" }, text)))),
          element("tbody", {}, ...rows.map((row) => element("tr", {}, ...row.map((cell) => element("td", {}, String(cell)))))))),
      ...found.conclusion.map((sentence) => element("p", { class: "small conclusion" }, sentence)));
  };
}
