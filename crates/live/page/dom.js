// Helpers to make elements.

/**
 * An element with properties and children: `element("button", { class: "button", onclick }, "Run")`.
 *
 * Names with a dash, and `class`, `for`, `role` and `list`, are attributes; `style` is an object; all others are properties.
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null) {
      continue;
    } else if (name === "style") {
      for (const [key, text] of Object.entries(value)) {
        made.style.setProperty(key, text);
      }
    } else if (name.includes("-") || ["class", "for", "role", "list"].includes(name)) {
      made.setAttribute(name, value);
    } else {
      made[name] = value;
    }
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Paths of icons in a square of 24 × 24. */
const ICONS = {
  run: "M7 4.5v15l12.5-7.5z",
  pause: "M6 5h4.2v14H6zM13.8 5H18v14h-4.2z",
  step: "M5 5v14l9.5-7zM16.5 5H19v14h-2.5z",
  epoch: "M3 5v14l8-7zM11 5v14l8-7zM19.3 5H21.5v14h-2.2z",
  reset: "M12 5a7 7 0 1 1-6.7 9.1l2.1-.6A4.8 4.8 0 1 0 8.4 8.6L11 11.2H4V4.2l2.8 2.8A7 7 0 0 1 12 5z",
  plus: "M10.8 5h2.4v5.8H19v2.4h-5.8V19h-2.4v-5.8H5v-2.4h5.8z",
  minus: "M5 10.8h14v2.4H5z",
  close: "M6.7 5 12 10.3 17.3 5 19 6.7 13.7 12l5.3 5.3-1.7 1.7-5.3-5.3L6.7 19 5 17.3l5.3-5.3L5 6.7z",
  theme: "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zm0 2.2v13.6a6.8 6.8 0 0 1 0-13.6z",
};

/** An icon that screen readers pass over. */
export function icon(name) {
  const space = "http://www.w3.org/2000/svg";
  const picture = document.createElementNS(space, "svg");
  picture.setAttribute("viewBox", "0 0 24 24");
  picture.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(space, "path");
  path.setAttribute("d", ICONS[name]);
  picture.append(path);
  return picture;
}

/** A canvas of a size in CSS pixels, sharp on this screen. Returns its context, scaled to CSS pixels. */
export function sharpen(canvas, width, height) {
  const ratio = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return context;
}

/** A number as people read it, with about `digits` digits. */
export function readable(number, digits = 3) {
  if (number === null || number === undefined || Number.isNaN(number)) {
    return "–";
  }
  const size = Math.abs(number);
  if (size === 0) {
    return "0";
  }
  if (size >= 1e6 || size < 1e-4) {
    return number.toExponential(digits - 1).replace("e+", "e").replace("-", "−").replace("e-", "e−");
  }
  const decimals = Math.max(0, digits - 1 - Math.floor(Math.log10(size)));
  return number.toFixed(Math.min(decimals, 6)).replace("-", "−");
}
