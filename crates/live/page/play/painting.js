// Painting points with the mouse, a finger or the keyboard.
//
// Painted points are the data set `points` of the experiment. They are sent while a stroke goes on, and the network learns them at
// once.

import { series } from "../colors.js";
import { element, icon, readable } from "../dom.js";
import { throttled } from "./controls.js";
import { changesForDataset } from "./task.js";

const MOST_POINTS = 2000;
const MOST_CLASSES = 10;
/** Pause between two messages of a stroke, in milliseconds. */
const PAUSE = 200;
/** Radius of the spray and of the eraser, in pixels. */
const RADIUS = 18;
/** Distance of points of a stroke, in pixels. */
const SPACING = 14;
/** The square that is painted on when the data have no plane of their own. */
const EMPTY_PLANE = { x: [-1.2, 1.2], y: [-1.2, 1.2] };
/** Fewer points cannot be divided into rows to train on and rows held out. */
const LEAST_POINTS = 4;

/** @param {ReturnType<typeof import("./boundary.js").mount>} plot */
export function mount(holder, app, plot) {
  let isOn = false;
  let points = []; // [x, y, class or value]
  let isRegression = false;
  let brush = 0; // the class that is painted
  let value = 1; // the target that is painted
  let range = [-1, 1];
  let isErasing = false;
  let isSpray = true;
  let numClasses = 2;

  const start = element("button", { class: "button small", type: "button", "aria-pressed": "false" }, "Paint points");
  const panel = element("div", { class: "stack paint-tools", hidden: true });
  const hint = element("p", { class: "note" });
  holder.append(start, panel);
  start.onclick = () => (isOn ? stop() : begin());

  function begin() {
    isOn = true;
    const { scene } = app.state;
    const total = scene.num_rows.reduce((sum, count) => sum + count, 0);
    const takesPoints = scene.columns.length === 2 && scene.plane_columns && total <= MOST_POINTS;
    isRegression = Boolean(scene.targets);
    points = takesPoints ? takePoints() : [];
    range = isRegression && takesPoints ? rangeOfBrush(scene) : [-1, 1];
    plot.freeze(true, takesPoints ? undefined : EMPTY_PLANE);
    show();
    drawTools();
  }

  /** The values that can be painted; with painted points also those that no point has at present. */
  function rangeOfBrush({ dataset, targets: [low, high] }) {
    return dataset === "points" ? [Math.min(-1, low), Math.max(1, high)] : [low, high];
  }

  function takePoints() {
    const { scene } = app.state;
    const ofLabel = (label) => (scene.dataset === "points" ? Number(scene.classes[label]) : label);
    const taken = plot.points().map(([x, y, value]) => [rounded(x), rounded(y), scene.targets ? rounded(value) : ofLabel(value)]);
    numClasses = isRegression ? numClasses : Math.max(2, ...taken.map((point) => point[2] + 1));
    return taken;
  }

  function stop() {
    // Whatever is clicked next, such as "Run", finds all points.
    send.flush();
    isOn = false;
    plot.showPoints(undefined);
    plot.freeze(false);
    drawTools();
  }

  const show = () => plot.showPoints({ points, isRegression, range });

  const send = throttled(() => {
    const task = isRegression ? "regression" : "classification";
    const isEnough = points.length >= LEAST_POINTS && (isRegression || new Set(points.map((point) => point[2])).size > 1);
    hint.textContent = isEnough ? wordsOfCount() : isRegression ? `Paint at least ${LEAST_POINTS} points.` : `Paint at least ${LEAST_POINTS} points of two classes.`;
    if (isEnough) {
      app.set(changesForDataset(app, { name: "points", points: points.map((point) => [...point]), task }));
    }
  }, PAUSE);

  const wordsOfCount = () => `${points.length.toLocaleString("en")} points. Drag to paint; arrow keys and Enter paint too.`;

  // ---- Strokes ----

  let last; // pixels of the last dab of the stroke
  const rounded = (x) => Number(x.toPrecision(5));

  function dab(point) {
    const [px, py] = plot.pixelsOf(point);
    if (last && Math.hypot(px - last[0], py - last[1]) < (isErasing ? 2 : SPACING)) {
      return;
    }
    last = [px, py];
    if (isErasing) {
      points = points.filter(([x, y]) => {
        const [qx, qy] = plot.pixelsOf([x, y]);
        return Math.hypot(qx - px, qy - py) > RADIUS;
      });
    } else {
      const target = isRegression ? value : brush;
      const [origin, unit] = [plot.pixelsOf([0, 0]), plot.pixelsOf([1, 1])];
      const perPixel = [1 / (unit[0] - origin[0]), 1 / (unit[1] - origin[1])];
      for (let i = 0; i < (isSpray ? 3 : 1) && points.length < MOST_POINTS; i++) {
        const [angle, way] = [2 * Math.PI * Math.random(), isSpray ? RADIUS * Math.sqrt(Math.random()) : 0];
        const moved = [point[0] + way * Math.cos(angle) * perPixel[0], point[1] + way * Math.sin(angle) * perPixel[1]];
        if (plot.isInside(moved)) {
          points.push([rounded(moved[0]), rounded(moved[1]), target]);
        }
      }
    }
    show();
    send();
  }

  plot.surface.addEventListener("pointerdown", (event) => {
    if (isOn && event.button === 0 && plot.isInside(plot.pointOf(event))) {
      plot.surface.setPointerCapture(event.pointerId);
      event.preventDefault();
      plot.surface.focus();
      last = undefined;
      dab(plot.pointOf(event));
    }
  });
  plot.surface.addEventListener("pointermove", (event) => {
    if (isOn && event.buttons & 1 && plot.surface.hasPointerCapture(event.pointerId)) {
      for (const one of event.getCoalescedEvents?.() ?? [event]) {
        dab(plot.pointOf(one));
      }
    }
  });
  plot.surface.addEventListener("keydown", (event) => {
    if (isOn && event.key === "Enter" && plot.cursor()) {
      last = undefined;
      dab(plot.cursor());
    }
  });

  // ---- Tools ----

  function drawTools() {
    start.setAttribute("aria-pressed", String(isOn));
    start.textContent = isOn ? "Stop painting" : "Paint points";
    panel.hidden = !isOn;
    plot.surface.classList.toggle("is-painted", isOn);
    if (!isOn) {
      return;
    }
    const pressed = (isPressed, label, onclick, ...inner) =>
      element("button", { class: "button small", type: "button", "aria-pressed": String(isPressed), "aria-label": label, title: label, onclick }, ...inner);
    const redraw = (change) => () => {
      change();
      drawTools();
    };
    const task = element(
      "div",
      { class: "segmented", role: "group", "aria-label": "What to paint" },
      pressed(!isRegression, "Points of classes", redraw(() => setTask(false)), "Classes"),
      pressed(isRegression, "Points with values", redraw(() => setTask(true)), "Values"),
    );
    const classes = Array.from({ length: numClasses }, (_, number) => {
      const dot = element("span", { class: "dot" });
      dot.style.background = `var(--${series(number)})`;
      const isChosen = !isErasing && brush === number;
      return pressed(isChosen, `Paint class ${number}`, redraw(() => ((brush = number), (isErasing = false))), dot, String(number));
    });
    if (numClasses < MOST_CLASSES) {
      const add = () => ((brush = numClasses), (numClasses += 1), (isErasing = false));
      classes.push(element("button", { class: "button icon small", type: "button", "aria-label": "One more class", title: "One more class", onclick: redraw(add) }, icon("plus")));
    }
    panel.replaceChildren(
      element("div", { class: "row" }, task),
      isRegression ? valuePicker() : element("div", { class: "row", role: "group", "aria-label": "Class of the brush" }, ...classes),
      element(
        "div",
        { class: "row" },
        element(
          "div",
          { class: "segmented", role: "group", "aria-label": "Brush" },
          pressed(!isErasing && !isSpray, "One point at a time", redraw(() => ((isSpray = false), (isErasing = false))), "Point"),
          pressed(!isErasing && isSpray, "Several points at a time", redraw(() => ((isSpray = true), (isErasing = false))), "Spray"),
          pressed(isErasing, "Erase points", redraw(() => (isErasing = true)), "Eraser"),
        ),
        element("button", { class: "button small", type: "button", onclick: clear }, "Clear"),
      ),
      hint,
    );
    hint.textContent = points.length ? wordsOfCount() : "Drag over the picture to paint points.";
  }

  function setTask(wanted) {
    if (wanted === isRegression) {
      return;
    }
    // Classes 0 and 1 become the ends of the range, and values the nearer end.
    points = points.map(([x, y, target]) => [x, y, wanted ? Math.min(target, 1) * 2 - 1 : Number(target > (range[0] + range[1]) / 2)]);
    isRegression = wanted;
    range = [-1, 1];
    show();
    send();
  }

  function valuePicker() {
    const [low, high] = range;
    value = Math.max(low, Math.min(high, value));
    const slider = element("input", { type: "range", min: low, max: high, step: (high - low) / 40 || 1, value, "aria-label": "Value of the brush" });
    const text = element("output", { class: "number" });
    const dot = element("span", { class: "dot" });
    const update = () => {
      text.textContent = readable(value);
      dot.style.background = plot.colorOfPoint(value);
    };
    slider.oninput = () => {
      value = Number(slider.value);
      isErasing = false;
      update();
    };
    update();
    return element("div", { class: "row value-picker" }, element("span", { class: "small" }, "Value"), slider, dot, text);
  }

  function clear() {
    points = [];
    show();
    hint.textContent = "Drag over the picture to paint points.";
  }

  // Another data set ends the painting.
  let before;
  app.on("setting", () => {
    const isOther = app.value("dataset.name") !== "points" && app.value("dataset.name") !== before;
    before = app.value("dataset.name");
    if (isOn && isOther) {
      stop();
    }
  });
}
