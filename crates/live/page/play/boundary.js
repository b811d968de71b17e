// The big picture: the prediction over the plane, the points on it, the axes.

import { colorOfClass, css, divergingScale, series, THEME_CHANGED } from "../colors.js";
import { element, readable, sharpen } from "../dom.js";
import * as plane from "../drawing/plane.js";
import { MARGIN } from "../drawing/plane.js";
import { seldom } from "../drawing/redraw.js";

/** Part of the range that a press of an arrow key moves the cursor by. */
const KEY_STEP = 1 / 40;
/** Time between two changes of numbers that people read, in milliseconds. */
const NUMBERS_PAUSE = 100;

/**
 * Mounts the picture. Returns its plot, with which the painting draws.
 *
 * @param {HTMLElement} panel
 * @param {import("../app.js").App} app
 * @returns {{ surface: HTMLElement, pointOf: function, pixelsOf: function, freeze: function, showPoints: function, cursor: function }}
 */
export function mount(panel, app) {
  const canvas = element("canvas", { "aria-hidden": "true" });
  const overlay = element("canvas", { class: "overlay", "aria-hidden": "true" });
  const surface = element(
    "div",
    {
      class: "plot",
      tabIndex: 0,
      role: "application",
      "aria-label": "Output of the network. Arrow keys move a cursor; Enter explains the point.",
    },
    canvas,
    overlay,
  );
  const [trainLoss, validLoss] = ["Training loss", "Validation loss"].map((label) => {
    const value = element("strong", { class: "number" });
    return { value, root: element("div", { class: "loss" }, element("span", { class: "note" }, label), value) };
  });
  const losses = element("div", { class: "losses" }, trainLoss.root, validLoss.root);
  const legend = element("div", { class: "legend row small" });
  const readout = element("p", { class: "readout note number" });
  const options = { isDiscrete: false, showsOthers: true };
  const toggle = (label, name, help) => {
    const input = element("input", { type: "checkbox", checked: options[name] });
    input.onchange = () => {
      options[name] = input.checked;
      draw();
    };
    return element("label", { class: "check small", title: help }, input, label);
  };
  const others = toggle("Show held-out data (rings)", "showsOthers", "Rows for validation and test, drawn as rings");
  const tools = element("div", { class: "painting" });
  panel.append(
    element("div", { class: "panel-head" }, element("h2", {}, "Output"), element("span", { class: "spacer" }), losses),
    surface,
    readout,
    legend,
    element("div", { class: "row toggles" }, others, toggle("Discretise", "isDiscrete", "Show the predicted class without its probability")),
    tools,
  );

  let view; // the range that is shown: { x: [from, to], y: [from, to] }
  let isFrozen = false;
  let own; // points of the painting, instead of those of the data
  let side = 0; // of the plot in CSS pixels
  let hover; // the point under the cursor, in units of the data
  let marked; // the point that is explained

  const scene = () => app.state.scene;
  /** Whether the data are values over one column, which are drawn as a curve. */
  const isCurve = () => !own && scene()?.columns.length === 1 && Boolean(scene()?.targets);
  const frame = () => (app.state.frame?.scene === scene()?.scene ? app.state.frame : undefined);

  const pixelsOf = (point) => plane.pixelsOf(view, side, point);
  const pointOf = (event) => {
    const box = surface.getBoundingClientRect();
    return plane.pointAt(view, side, event.clientX - box.left, event.clientY - box.top);
  };
  const isInside = ([x, y]) => view && x >= view.x[0] && x <= view.x[1] && y >= view.y[0] && y <= view.y[1];

  function choosePlane() {
    const { x, y, targets } = scene();
    if (isCurve()) {
      const room = 0.1 * (targets[1] - targets[0] || 1);
      view = { x: [x.from, x.to], y: [targets[0] - room, targets[1] + room] };
    } else {
      view = { x: [x.from, x.to], y: [y.from, y.to] };
    }
  }

  // ---- The prediction ----

  /** The prediction of a frame. */
  const predictionOf = (message) => plane.predictionOf(message, scene().classes, own?.range ?? scene().targets);
  const seriesOf = (label) => series(scene().targets ? label : colorOfClass(scene(), label));

  const picture = document.createElement("canvas");
  let pictureOf; // the frame, the options and the theme that the picture shows
  let pictureAxes; // the scene with its axes

  // ---- The points ----

  /** Points as `[x, y, value, split]`. */
  function pointsOfScene() {
    const now = scene();
    const [positions, values, splits] = [now.floats(now.points), now.floats(now.values), now.bytes(now.splits)];
    return Array.from(values, (value, i) => [positions[2 * i], isCurve() ? value : positions[2 * i + 1], value, splits[i]]);
  }

  let points = [];

  function colorOfPoint(value) {
    const now = scene();
    if (own ? own.isRegression : now.targets) {
      return plane.colorOfValue(value, own?.range ?? now.targets);
    }
    return css(series(own ? value : colorOfClass(now, value)));
  }

  const dots = document.createElement("canvas");
  let dotsOf; // what the picture of the points shows
  let version = 0; // of the points

  /** Draws the points from their own picture, which is made anew only when they change. */
  function drawPoints(context, width, height) {
    const shows = JSON.stringify([version, width, view, options.showsOthers, css("paper"), window.devicePixelRatio]);
    if (shows !== dotsOf) {
      dotsOf = shows;
      const own = sharpen(dots, width, height);
      own.clearRect(0, 0, width, height);
      paintPoints(own);
    }
    context.drawImage(dots, 0, 0, width, height);
  }

  function paintPoints(context) {
    const shown = own ? own.points : points.filter(([, , , split]) => !split || options.showsOthers);
    // Values near the middle of their range are as pale as the paper.
    const outline = (own ? own.isRegression : scene().targets && !isCurve()) ? css("muted") : css("paper");
    plane.drawPoints(context, view, side, shown, (value) => (isCurve() && !own ? css("series-0") : colorOfPoint(value)), outline);
  }

  // ---- All together ----

  function drawCurve(context, message) {
    const field = predictionOf(message);
    if (!field?.value) {
      return;
    }
    const { x } = scene();
    context.save();
    context.beginPath();
    context.rect(MARGIN.left, MARGIN.top, side, side);
    context.clip();
    context.beginPath();
    for (let i = 0; i < field.side; i++) {
      const at = x.from + ((x.to - x.from) * i) / (field.side - 1);
      context.lineTo(...pixelsOf([at, field.value(i)]));
    }
    context.strokeStyle = css("series-1");
    context.lineWidth = 3;
    context.lineJoin = "round";
    context.stroke();
    context.restore();
  }

  function draw() {
    const width = surface.clientWidth;
    if (!scene() || !view || width === 0) {
      return;
    }
    side = width - MARGIN.left - MARGIN.right;
    const height = side + MARGIN.top + MARGIN.bottom;
    surface.style.height = `${height}px`;
    const context = sharpen(canvas, width, height);
    context.clearRect(0, 0, width, height);
    const message = frame();
    if (message && scene().columns.length > 1) {
      const shows = `${message.scene} ${message.frame} ${options.isDiscrete} ${css("paper")} ${own?.range}`;
      const prediction = shows === pictureOf ? undefined : predictionOf(message);
      if (prediction) {
        plane.paintPrediction(picture, prediction, seriesOf, options.isDiscrete);
        pictureOf = shows;
        pictureAxes = scene();
      }
    }
    // While points are painted, the last picture stays until that of the new points comes.
    if (pictureAxes && !isCurve() && (message?.field || own)) {
      plane.drawPrediction(context, view, side, picture, pictureAxes);
    }
    drawPoints(context, width, height);
    if (message && isCurve()) {
      drawCurve(context, message);
    }
    plane.drawAxes(context, view, side, { x: scene().x.name, y: scene().y.name }, getComputedStyle(surface).fontFamily);
    drawOverlay();
  }

  let wasOverlayEmpty = false;

  function drawOverlay() {
    if (!view || side === 0) {
      return;
    }
    const isEmpty = !hover && !(marked && isInside(marked));
    if (isEmpty && wasOverlayEmpty) {
      // A canvas that is touched is sent to the screen again.
      readout.textContent = wordsAt();
      return;
    }
    wasOverlayEmpty = isEmpty;
    const context = sharpen(overlay, side + MARGIN.left + MARGIN.right, side + MARGIN.top + MARGIN.bottom);
    context.clearRect(0, 0, overlay.width, overlay.height);
    if (marked && isInside(marked)) {
      const [px, py] = pixelsOf(marked);
      for (const [radius, name] of [[8, "paper"], [7, "ink"], [5, "paper"]]) {
        context.beginPath();
        context.arc(px, py, radius, 0, 7);
        context.strokeStyle = css(name);
        context.lineWidth = name === "ink" ? 2 : 1.5;
        context.stroke();
      }
    }
    if (hover) {
      const [px, py] = pixelsOf(hover);
      context.strokeStyle = css("ink", 0.55);
      context.lineWidth = 1;
      context.beginPath();
      context.moveTo(MARGIN.left, Math.round(py) + 0.5);
      context.lineTo(MARGIN.left + side, Math.round(py) + 0.5);
      context.moveTo(Math.round(px) + 0.5, MARGIN.top);
      context.lineTo(Math.round(px) + 0.5, MARGIN.top + side);
      context.stroke();
    }
    readout.textContent = wordsAt(hover);
  }

  /** Coordinates and prediction of a point, in words. */
  function wordsAt(point) {
    if (!scene()) {
      return "";
    }
    if (!point) {
      return scene().note || "Point at the picture to read the prediction; click to see how it is computed.";
    }
    const { x, y } = scene();
    const place = isCurve() ? `${x.name} = ${readable(point[0])}` : `${x.name} = ${readable(point[0])}, ${y.name} = ${readable(point[1])}`;
    const field = frame() && predictionOf(frame());
    if (!field) {
      return place;
    }
    const column = Math.round(((point[0] - x.from) / (x.to - x.from)) * (field.side - 1));
    const row = isCurve() ? 0 : Math.round(((point[1] - y.from) / (y.to - y.from)) * (field.side - 1));
    const isOnField = column >= 0 && row >= 0 && column < field.side && row < field.side;
    return isOnField ? `${place}  →  ${field.words(row * field.side + column)}` : place;
  }

  function drawLegend() {
    const now = scene();
    legend.replaceChildren();
    if (now.targets) {
      const bar = element("canvas", { class: "color-bar", "aria-hidden": "true" });
      bar.width = 255;
      bar.height = 1;
      bar.getContext("2d").putImageData(new ImageData(divergingScale().slice(4), 255, 1), 0, 0);
      const [low, high] = now.targets;
      if (!isCurve()) {
        legend.append(element("span", { class: "number" }, readable(low)), bar, element("span", { class: "number" }, readable(high)));
      }
      return;
    }
    now.classes.slice(0, 12).forEach((name, label) => {
      const dot = element("span", { class: "dot" });
      dot.style.background = `var(--${series(colorOfClass(now, label))})`;
      legend.append(element("span", { class: "row key" }, dot, name));
    });
    if (now.classes.length > 12) {
      legend.append(`and ${now.classes.length - 12} more`);
    }
  }

  function drawLosses() {
    const row = app.state.epochs.scene === scene()?.scene ? app.state.epochs.rows.at(-1) : undefined;
    trainLoss.value.textContent = readable(row?.train.loss);
    validLoss.value.textContent = readable(row?.valid.loss);
    validLoss.root.hidden = !scene()?.num_rows[1];
  }

  // ---- Pointer and keyboard ----

  surface.addEventListener("pointermove", (event) => {
    if (view) {
      const point = pointOf(event);
      hover = isInside(point) ? point : undefined;
      drawOverlay();
    }
  });
  surface.addEventListener("pointerleave", () => {
    hover = undefined;
    drawOverlay();
  });
  surface.addEventListener("click", (event) => {
    if (view && !own && event.detail > 0) {
      explain(pointOf(event));
    }
  });
  surface.addEventListener("keydown", (event) => {
    const way = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
    if (!view || (!way && event.key !== "Enter")) {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    const [width, height] = [view.x[1] - view.x[0], view.y[1] - view.y[0]];
    hover ??= [view.x[0] + width / 2, view.y[0] + height / 2];
    if (way) {
      const moved = [hover[0] + way[0] * KEY_STEP * width, hover[1] + way[1] * KEY_STEP * height];
      hover = isInside(moved) ? moved : hover;
      app.tell("announce", wordsAt(hover));
    } else if (!own) {
      explain(hover);
    }
    drawOverlay();
  });

  function explain(point) {
    if (isInside(point)) {
      marked = point;
      app.tell("ask-explanation", point);
      drawOverlay();
    }
  }

  app.on("explanation-closed", () => {
    marked = undefined;
    drawOverlay();
  });
  app.on("scene", () => {
    points = pointsOfScene();
    if (pictureAxes && (pictureAxes.x.name !== scene().x.name || pictureAxes.y.name !== scene().y.name)) {
      pictureAxes = undefined;
    }
    version += 1;
    others.hidden = scene().num_rows[1] + scene().num_rows[2] === 0;
    if (!isFrozen) {
      choosePlane();
    }
    drawLegend();
    drawLosses();
    draw();
  });
  app.on("frame", draw);
  app.on("epochs", seldom(NUMBERS_PAUSE, drawLosses));
  window.addEventListener(THEME_CHANGED, () => scene() && (drawLegend(), draw()));
  new ResizeObserver(draw).observe(surface);

  return {
    surface,
    tools,
    pointOf,
    pixelsOf,
    isInside: (point) => isInside(point),
    cursor: () => hover,
    colorOfPoint,
    /** The present points of the data, `[x, y, value, split]`. */
    points: () => points,
    /** Whether the axes stay as they are, whatever the data; `range` replaces them. */
    freeze(frozen, range) {
      isFrozen = frozen;
      if (range) {
        view = range;
      } else if (!frozen && scene()) {
        choosePlane();
      }
      draw();
    },
    /** Shows other points than those of the data: `{ points, isRegression, range }`; nothing for those of the data. */
    showPoints(others) {
      own = others;
      version += 1;
      draw();
    },
  };
}
