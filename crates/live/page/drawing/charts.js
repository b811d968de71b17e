// Charts over the epochs: axes, the keys that read values, and tables of numbers.

import { css } from "../colors.js";

const FONT = "12px system-ui, sans-serif";
/** The distances between ticks of epochs, in epochs: 1, 2, 5, 10, 20, 50 and so on. */
const WHOLE = Array.from({ length: 10 }, (_, n) => [1, 2, 5].map((x) => x * 10 ** n)).flat();

/** The smallest text of a number on an axis. */
export function tick(value) {
  return value === null || value === undefined ? "" : String(Number(value.toPrecision(4))).replace("-", "−");
}

/** Axes of a chart in the colours of the page. */
export function axes() {
  const axis = {
    stroke: () => css("muted"),
    font: FONT,
    grid: { stroke: () => css("grid"), width: 1 },
    ticks: { stroke: () => css("grid"), width: 1, size: 4 },
  };
  const width = (plot, values) => 14 + 7 * Math.max(1, ...(values ?? []).map((text) => text?.length ?? 0));
  return [
    { ...axis, size: 28, incrs: WHOLE, values: (_, splits) => splits.map(tick) },
    { ...axis, size: width, values: (_, splits) => splits.map(tick) },
  ];
}

/** The scale of the epochs. */
export const epochs = { time: false, range: (_, low, high) => (low === null ? [0, 1] : [low, high > low ? high : low + 1]) };

/** Whether a curve of a plot is drawn by points: one number makes no line. */
export function isPoint(plot, series) {
  return plot.data[series].filter((value) => value !== null && value !== undefined).length === 1;
}

/** The number of the row that a key leads to from row `n` of `count`; `undefined` for another key. */
export function rowOfKey(event, n, count) {
  const stride = event.shiftKey ? Math.max(1, Math.round(count / 20)) : 1;
  const next = { ArrowLeft: n - stride, ArrowRight: n + stride, Home: 0, End: count - 1 }[event.key];
  return next === undefined ? undefined : Math.min(count - 1, Math.max(0, next));
}

/** At most `count` items of a list, evenly spread, the last one included. */
export function thinned(list, count) {
  if (list.length <= count) {
    return list;
  }
  const step = (list.length - 1) / (count - 1);
  return Array.from({ length: count }, (_, n) => list[Math.round(n * step)]);
}
