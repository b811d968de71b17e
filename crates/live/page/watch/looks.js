// How the curves of runs look. A run keeps its look while it is selected.

import { series } from "../colors.js";
import { element } from "../dom.js";

const NUM_COLORS = 10;
/** After ten runs the colours begin again with other lines: the style of a border, and the dashes on a canvas. */
const LINES = [["solid", undefined], ["dashed", [8, 4]], ["dotted", [2, 3]], ["double", [12, 3, 2, 3]]];

const numbers = new Map();

/** Forgets the looks of all runs that are not in the set `selected`, and gives each new one the first that is free. */
export function update(selected) {
  [...numbers.keys()].filter((run) => !selected.has(run)).forEach((run) => numbers.delete(run));
  const used = new Set(numbers.values());
  let free = 0;
  for (const run of selected) {
    if (!numbers.has(run)) {
      while (used.has(free)) {
        free++;
      }
      used.add(free);
      numbers.set(run, free);
    }
  }
}

/** The colour of a run in the style sheet, its dashes, and its style as a border; nothing if it is not selected. */
export function lookOf(run) {
  const number = numbers.get(run);
  if (number === undefined) {
    return undefined;
  }
  const [style, dash] = LINES[Math.floor(number / NUM_COLORS) % LINES.length];
  return { color: series(number), dash, style };
}

/** A short line that looks like the curve of a run. */
export function sample(run) {
  const look = lookOf(run);
  return element("i", { class: "line", style: look && { "border-top": `3px ${look.style} var(--${look.color})` } });
}
