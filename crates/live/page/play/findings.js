// Problems of the training, with remedies to try.

import { element } from "../dom.js";
import { asLine, keepingFocus } from "./parts.js";

export function mount(panel, app) {
  const list = element("ul", { class: "findings" });
  panel.append(element("h2", {}, "Problems"), list);
  let shown = null;

  function remedy({ text, changes }) {
    // The text of a remedy has its changes between backticks.
    const words = text.split("`").map((part, n) => (n % 2 ? element("code", {}, part) : part));
    if (changes.length === 0) {
      return element("li", {}, ...words);
    }
    const lines = changes.map(asLine).join(", ");
    return element("li", {},
      element("button", {
        type: "button",
        class: "button small",
        "aria-label": `Try it: ${lines}`,
        title: lines,
        onclick: () => {
          app.send({ type: "set", changes });
          app.tell("announce", `Trying ${lines}.`);
        },
      }, "Try it"),
      element("span", {}, ...words));
  }

  function finding({ title, severity, summary, evidence, remedies }, isOpen) {
    const proof = evidence.length
      ? element("details", { open: isOpen },
        element("summary", {}, "Evidence"),
        element("ul", { class: "small" }, ...evidence.map((text) => element("li", {}, text))))
      : null;
    return element("li", { class: `finding is-${severity}`, "data-title": title },
      element("h3", {}, element("span", { class: "finding-mark" }, severity), title),
      element("p", {}, summary),
      proof,
      remedies.length ? element("ul", { class: "remedies" }, ...remedies.map(remedy)) : null);
  }

  function draw() {
    const found = app.state.findings;
    const isCurrent = found && (!app.state.scene || found.scene === app.state.scene.scene);
    const findings = isCurrent ? found.findings : [];
    const text = JSON.stringify(findings);
    if (text === shown) {
      return;
    }
    const before = new Set(JSON.parse(shown ?? "[]").map((some) => some.title));
    const fresh = findings.filter((some) => !before.has(some.title));
    if (fresh.length) {
      app.tell("announce", `Problem found: ${fresh.map((some) => some.title).join(", ")}.`);
    }
    shown = text;
    const open = new Set([...list.querySelectorAll("details[open]")].map((part) => part.parentElement.dataset.title));
    keepingFocus(list, () => list.replaceChildren(...(findings.length
      ? findings.map((some) => finding(some, open.has(some.title)))
      : [element("li", { class: "note" }, "Nothing found.")])));
  }

  app.on("findings", draw);
  app.on("scene", draw);
  draw();
}
