// The plane of two inputs: the prediction over it, points on it, and its axes.
//
// A range is `{ x: [from, to], y: [from, to] }`; the side of a plot is its width and height in CSS pixels.

import { color, css, divergingScale } from "../colors.js";
import { readable } from "../dom.js";

/** Room for the axes around a plot, in CSS pixels. */
export const MARGIN = { left: 44, right: 8, top: 8, bottom: 36 };
/** How strong the colours of the prediction are, so that the points stand out. */
const STRENGTH = 0.62;

/** Where a point is on the canvas. */
export function pixelsOf({ x, y }, side, [px, py]) {
  return [MARGIN.left + (side * (px - x[0])) / (x[1] - x[0]), MARGIN.top + side - (side * (py - y[0])) / (y[1] - y[0])];
}

/** The point at a place of the canvas. */
export function pointAt({ x, y }, side, left, top) {
  return [x[0] + ((left - MARGIN.left) / side) * (x[1] - x[0]), y[0] + ((MARGIN.top + side - top) / side) * (y[1] - y[0])];
}

/** The place of a value in a scale of 256 colours, of which 1 stands for `low` and 255 for `high`. */
function indexOf(value, [low, high]) {
  return Math.max(1, Math.min(255, Math.round(128 + 127 * ((2 * (value - low)) / (high - low || 1) - 1))));
}

/** The colour of a value between `low` and `high`. */
export function colorOfValue(value, range) {
  const scale = divergingScale();
  const at = 4 * indexOf(value, range);
  return `rgb(${scale[at]} ${scale[at + 1]} ${scale[at + 2]})`;
}

/**
 * The prediction at the points of a grid, the lowest row first: for each of them `words(i)`, and the `index(i)` of its colour in
 * a scale from 1 to 255 or, with several classes, the class and the share of it.
 *
 * @typedef {{ side: number, words: function(number): string, index?: function(number): number,
 *   value?: function(number): number, classes?: Uint8Array, shares?: Uint8Array }} Prediction
 */

/**
 * Reads the prediction of a frame; `targets` is the range of numbers of a regression. Nothing if the frame has none.
 *
 * @param {import("../messages.js").Frame} frame
 * @returns {Prediction | undefined}
 */
export function predictionOf(frame, classes, targets) {
  const { field } = frame;
  if (!field) {
    return undefined;
  }
  if (field.kind === "values") {
    const values = frame.floats(field.values);
    return { side: field.side, index: (i) => indexOf(values[i], targets), words: (i) => readable(values[i], 4), value: (i) => values[i] };
  }
  const shares = frame.bytes(field.probabilities);
  const name = (label) => classes[label] ?? String(label);
  const percent = (share) => `${Math.round((100 * share) / 255)} %`;
  if (field.kind === "binary") {
    const words = (i) => (shares[i] > 127 ? `${name(1)} (${percent(shares[i])})` : `${name(0)} (${percent(255 - shares[i])})`);
    return { side: field.side, index: (i) => Math.max(1, shares[i]), words };
  }
  const labels = frame.bytes(field.classes);
  return { side: field.side, classes: labels, shares, words: (i) => `${name(labels[i])} (${percent(shares[i])})` };
}

/** Paints a prediction, a pixel for each point. `seriesOf` names the colour of a class; 0 and 1 are also low and high. */
export function paintPrediction(picture, prediction, seriesOf, isDiscrete) {
  const { side: cells, classes, shares } = prediction;
  if (picture.width !== cells || picture.height !== cells) {
    picture.width = picture.height = cells;
  }
  const image = new ImageData(cells, cells);
  const pixels = image.data;
  const placeOf = (i) => 4 * ((cells - 1 - Math.floor(i / cells)) * cells + (i % cells));
  if (classes) {
    const paper = color("paper");
    const colors = [];
    for (let i = 0; i < cells * cells; i++) {
      const to = placeOf(i);
      const share = STRENGTH * (isDiscrete ? 1 : shares[i] / 255);
      const ink = (colors[classes[i]] ??= color(seriesOf(classes[i])));
      for (let channel = 0; channel < 3; channel++) {
        pixels[to + channel] = paper[channel] + share * (ink[channel] - paper[channel]);
      }
      pixels[to + 3] = 255;
    }
  } else {
    const scale = divergingScale(seriesOf(0), seriesOf(1), STRENGTH);
    for (let i = 0; i < cells * cells; i++) {
      let index = prediction.index(i);
      if (isDiscrete) {
        index = index > 127 ? 255 : 1;
      }
      pixels.set(scale.subarray(4 * index, 4 * index + 4), placeOf(i));
    }
  }
  picture.getContext("2d").putImageData(image, 0, 0);
}

/** Calls `draw` while nothing is drawn outside the plot. */
export function insidePlot(context, side, draw) {
  context.save();
  context.beginPath();
  context.rect(MARGIN.left, MARGIN.top, side, side);
  context.clip();
  draw();
  context.restore();
}

/** Draws a painted prediction, whose outer points lie on the ends of the axes `x` and `y`. */
export function drawPrediction(context, range, side, picture, { x, y }) {
  const [left, top] = pixelsOf(range, side, [x.from, y.to]);
  const [right, bottom] = pixelsOf(range, side, [x.to, y.from]);
  insidePlot(context, side, () => {
    context.imageSmoothingQuality = "high";
    context.drawImage(picture, 0.5, 0.5, picture.width - 1, picture.width - 1, left, top, right - left, bottom - top);
  });
}

/** Draws points `[x, y, value, split]`; those of splits other than 0, training, are rings. */
export function drawPoints(context, range, side, points, colorOf, outline = css("paper")) {
  const radius = points.length > 1200 ? 2.2 : points.length > 400 ? 2.8 : 3.6;
  const colors = new Map();
  const paper = css("paper");
  insidePlot(context, side, () => {
    for (const [x, y, value, split] of points) {
      if (!colors.has(value)) {
        colors.set(value, colorOf(value));
      }
      const [px, py] = pixelsOf(range, side, [x, y]);
      context.beginPath();
      context.arc(px, py, radius, 0, 7);
      if (split) {
        context.fillStyle = paper;
        context.fill();
        context.lineWidth = 1.6;
        context.strokeStyle = colors.get(value);
        context.stroke();
      } else {
        context.lineWidth = 2;
        context.strokeStyle = outline;
        context.stroke();
        context.fillStyle = colors.get(value);
        context.fill();
      }
    }
  });
}

/** Draws the axes with their names. */
export function drawAxes(context, range, side, names, font) {
  context.fillStyle = css("muted");
  context.strokeStyle = css("edge");
  context.lineWidth = 1;
  context.font = `12px ${font}`;
  context.strokeRect(MARGIN.left + 0.5, MARGIN.top + 0.5, side - 1, side - 1);
  context.textAlign = "center";
  context.textBaseline = "top";
  for (const tick of ticks(range.x)) {
    const [px] = pixelsOf(range, side, [tick, range.y[0]]);
    context.fillRect(px, MARGIN.top + side, 1, 4);
    context.fillText(tickText(tick), px, MARGIN.top + side + 6);
  }
  context.fillText(names.x, MARGIN.left + side / 2, MARGIN.top + side + 21, side);
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const tick of ticks(range.y)) {
    const [, py] = pixelsOf(range, side, [range.x[0], tick]);
    context.fillRect(MARGIN.left - 4, py, 4, 1);
    context.fillText(tickText(tick), MARGIN.left - 6, py, MARGIN.left - 20);
  }
  context.save();
  context.translate(7, MARGIN.top + side / 2);
  context.rotate(-Math.PI / 2);
  context.textAlign = "center";
  context.fillText(names.y, 0, 0, side);
  context.restore();
}

/** A round number, without zeros at its end. */
function tickText(tick) {
  return Math.abs(tick) >= 1e5 ? readable(tick, 2) : String(tick).replace("-", "−");
}

/** About five round numbers in a range. */
function ticks([from, to]) {
  const raw = (to - from) / 5;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].map((factor) => factor * power).find((step) => step >= raw) ?? raw;
  const found = [];
  for (let tick = Math.ceil(from / step) * step; tick <= to + 1e-9 * step; tick += step) {
    found.push(Number(tick.toPrecision(12)));
  }
  return found;
}
