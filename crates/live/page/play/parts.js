// What several panels share: SVG, differences of settings, files, and what the browser keeps for this tab.

const STYLE = new URL("panels.css", import.meta.url).pathname;
if (!document.querySelector(`link[href="${STYLE}"]`)) {
  const link = document.createElement("link");
  link.rel = "stylesheet";
  link.href = STYLE;
  document.head.append(link);
}

/** An SVG element with attributes and children. */
export function svg(tag, attributes = {}, ...children) {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) {
    made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** The canvas with the prediction over the plane, or nothing while there is none. */
export function planeCanvas() {
  const canvas = document.getElementById("boundary") ?? document.querySelector('[data-panel="output"] canvas');
  return canvas?.width ? canvas : null;
}

/** Changes a part of the page; the button in focus keeps it if there is one with the same label afterwards. */
export function keepingFocus(part, change) {
  const label = part.contains(document.activeElement) ? document.activeElement.getAttribute("aria-label") : null;
  change();
  if (label) {
    const button = [...part.querySelectorAll("button")].find((some) => some.getAttribute("aria-label") === label);
    button?.focus({ preventScroll: true });
  }
}

/**
 * The keys in which two settings differ, such as `optimizer.learning_rate`: `{ key, before, after }`, with `undefined` where
 * a setting lacks the key.
 */
export function differences(before, after, prefix = "") {
  const isTable = (value) => value !== null && typeof value === "object" && !Array.isArray(value);
  const names = new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})]);
  return [...names].flatMap((name) => {
    const [old, young] = [before?.[name], after?.[name]];
    if (isTable(old) && isTable(young)) {
      return differences(old, young, `${prefix}${name}.`);
    }
    const isSame = JSON.stringify(old ?? null) === JSON.stringify(young ?? null);
    return isSame ? [] : [{ key: prefix + name, before: old, after: young }];
  });
}

/** A value as it stands in TOML. */
export function inToml(value) {
  if (value === undefined || value === null) {
    return "default";
  }
  if (Array.isArray(value)) {
    return `[${value.map(inToml).join(", ")}]`;
  }
  if (typeof value === "object") {
    return `{ ${Object.entries(value).map(([name, inner]) => `${name} = ${inToml(inner)}`).join(", ")} }`;
  }
  return JSON.stringify(value);
}

/** A change as a line of TOML: `optimizer.learning_rate = 0.1`. */
export function asLine({ key, value }) {
  return `${key} = ${inToml(value)}`;
}

/** Names of the metrics of rows of `epochs`, the loss first. */
export function metricsOf(rows) {
  const last = rows[rows.length - 1];
  const names = new Set([...Object.keys(last?.train ?? {}), ...Object.keys(last?.valid ?? {})]);
  names.delete("loss");
  return ["loss", ...names];
}

/** The metric beside the loss that says most: `{ name, train, valid }`, or nothing if there is none. */
export function chiefMetric(row) {
  const names = metricsOf([row]).slice(1);
  const name = ["accuracy", "r2"].find((known) => names.includes(known)) ?? names[0];
  return name && { name, train: row.train[name] ?? null, valid: row.valid[name] ?? null };
}

/** Saves a file. */
export function download(name, blob) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/** What this tab has kept under a name, or `otherwise`. */
export function recall(name, otherwise) {
  try {
    return JSON.parse(sessionStorage.getItem(`emberlab.${name}`)) ?? otherwise;
  } catch {
    return otherwise;
  }
}

/** Keeps a value in this tab. Returns whether there was room for it. */
export function remember(name, value) {
  try {
    sessionStorage.setItem(`emberlab.${name}`, JSON.stringify(value));
    return true;
  } catch {
    return false;
  }
}
