// Colours of the style sheet as numbers, and scales of colours for canvases.

const NUM_SERIES = 10;

/** Raised on `window` when the page becomes light or dark. */
export const THEME_CHANGED = "themechanged";

const dark = window.matchMedia("(prefers-color-scheme: dark)");
const known = new Map();
let probe;

function forget() {
  known.clear();
  window.dispatchEvent(new Event(THEME_CHANGED));
}
dark.addEventListener("change", forget);

/** Whether the page is dark now. */
export function isDark() {
  const chosen = document.documentElement.dataset.theme;
  return chosen ? chosen === "dark" : dark.matches;
}

/** Makes the page `light` or `dark`, whatever the system says. */
export function setTheme(theme) {
  document.documentElement.dataset.theme = theme;
  forget();
}

/** Red, green and blue from 0 to 255 of a variable of the style sheet, such as `ink` or `series-0`. */
export function color(name) {
  let found = known.get(name);
  if (!found) {
    probe ??= document.head.appendChild(document.createElement("i"));
    probe.style.color = `var(--${name})`;
    found = getComputedStyle(probe).color.match(/[\d.]+/g).slice(0, 3).map(Number);
    known.set(name, found);
  }
  return found;
}

/** A colour for canvases and styles. */
export function css(name, opacity = 1) {
  return `rgb(${color(name).join(" ")} / ${opacity})`;
}

/** The name of the colour of class or line number `n`. */
export function series(n) {
  return `series-${n % NUM_SERIES}`;
}

/**
 * The number of the colour of a class. Classes of painted points are named by their numbers, which stay theirs when no point
 * of another class is left.
 */
export function colorOfClass(scene, label) {
  const number = Number(scene?.classes[label]);
  return scene?.dataset === "points" && Number.isInteger(number) ? number : label;
}

/** 256 colours, each red, green, blue, opaque: from `low` over the paper to `high`. */
export function divergingScale(low = "series-0", high = "series-1", strength = 1) {
  const [from, middle, to] = [color(low), color("paper"), color(high)];
  const table = new Uint8ClampedArray(256 * 4);
  for (let i = 0; i < 256; i++) {
    const position = Math.max(-1, (i - 128) / 127);
    const end = position < 0 ? from : to;
    const share = Math.abs(position) * strength;
    for (let channel = 0; channel < 3; channel++) {
      table[4 * i + channel] = middle[channel] + share * (end[channel] - middle[channel]);
    }
    table[4 * i + 3] = 255;
  }
  return table;
}
