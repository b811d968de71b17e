// The inputs of the network: which there are, which are chosen, and a small map of each.

import { element, icon } from "../dom.js";
import { bytesOf, drawMap } from "../drawing/maps.js";

const MAP_SIDE = 40;
/** The most columns of a table that have a tile. */
const MOST_TILES = 8;

/** Features of two columns: as the program writes them, and as a function. */
const OF_PLANE = [
  [(a) => a, (x) => x],
  [(_, b) => b, (_, y) => y],
  [(a) => `${a}^2`, (x) => x * x],
  [(_, b) => `${b}^2`, (_, y) => y * y],
  [(a, b) => `${a}*${b}`, (x, y) => x * y],
  [(a) => `sin(${a})`, (x) => Math.sin(x)],
  [(_, b) => `sin(${b})`, (_, y) => Math.sin(y)],
];

const POWERS = { "^2": "²", "^3": "³", "*": "·" };

/** A feature as people write it. */
export function written(feature) {
  return feature.replace(/\^2|\^3|\*/g, (found) => POWERS[found]);
}

/**
 * Mounts the column of features. Raises `features-drawn` when tiles have come or gone. A tile whose feature is an input of the
 * network has its number in `data-input`.
 */
export function mount(column, app) {
  const tiles = element("div", { class: "units feature-tiles", role: "group", "aria-label": "Features" });
  const hint = element("p", { class: "note" }, "Choose the inputs");
  column.append(
    element("div", { class: "column-head" }, element("h3", {}, "Features"), hint),
    tiles,
  );
  const chooser = element("details", { class: "columns-chooser", hidden: true });
  let drawnFor = "";

  const chosen = () => app.value("features") ?? app.state.scene.columns;

  function choose(name, isOn) {
    const all = available();
    const next = all.filter((one) => (one === name ? isOn : chosen().includes(one)));
    if (next.length === 0) {
      app.tell("unclaimed-problem", "The network needs at least one feature.");
      draw(true);
      return;
    }
    const { columns } = app.state.scene;
    const isUsual = next.length === columns.length && next.every((one, i) => one === columns[i]);
    app.set({ features: isUsual ? null : next });
  }

  function available() {
    const { columns } = app.state.scene;
    const offered = columns.length === 2 ? OF_PLANE.map(([name]) => name(...columns)) : columns;
    // Features of the text that are not among those offered stay as they are.
    return [...new Set([...offered, ...chosen()])];
  }

  function tile(name) {
    const canvas = element("canvas", { class: "map", "aria-hidden": "true" });
    canvas.width = canvas.height = MAP_SIDE;
    const button = element("button", { class: "unit feature", type: "button", "aria-pressed": "false" }, element("span", { class: "name" }, written(name)), canvas);
    button.onclick = () => choose(name, button.getAttribute("aria-pressed") !== "true");
    button.dataset.feature = name;
    return button;
  }

  function draw(isForced) {
    const { scene } = app.state;
    if (!scene || !app.state.setting) {
      return;
    }
    const all = available();
    const isOfPlane = scene.columns.length <= 2;
    // The inputs of the network come first where not all columns have a tile.
    const shown = isOfPlane ? all : [...all.filter((one) => chosen().includes(one)), ...all.filter((one) => !chosen().includes(one))].slice(0, MOST_TILES);
    const key = JSON.stringify([scene.scene, shown, chosen()]);
    if (key === drawnFor && !isForced) {
      return;
    }
    drawnFor = key;
    const focused = document.activeElement?.dataset?.feature;
    tiles.replaceChildren(...shown.map(tile));
    const rest = all.length - shown.length;
    if (rest > 0) {
      tiles.append(element("p", { class: "note more" }, `+${rest}`));
    }
    for (const button of tiles.querySelectorAll(".feature")) {
      const { feature } = button.dataset;
      const input = scene.inputs.indexOf(feature);
      const isOn = chosen().includes(feature);
      button.setAttribute("aria-pressed", String(isOn));
      button.title = isOn ? `${written(feature)} is an input; press to leave it out` : `Press to add ${written(feature)}`;
      if (isOn && input >= 0) {
        button.dataset.input = input;
      } else if (isOfPlane) {
        drawOwnMap(button.querySelector("canvas"), feature);
      }
      if (feature === focused) {
        button.focus();
      }
    }
    hint.hidden = all.length < 2;
    chooser.hidden = isOfPlane || all.length < 2;
    fillChooser(all);
    drawMaps();
    app.tell("features-drawn");
  }

  function fillChooser(all) {
    const isOpen = chooser.open;
    const boxes = all.slice(0, 200).map((name) => {
      const input = element("input", { type: "checkbox", checked: chosen().includes(name) });
      input.onchange = () => choose(name, input.checked);
      return element("label", { class: "check small" }, input, written(name));
    });
    const allColumns = element("button", { class: "button small", type: "button" }, icon("reset"), "All columns");
    allColumns.onclick = () => app.set({ features: null });
    chooser.replaceChildren(
      element("summary", {}, `Choose columns (${chosen().length} of ${all.length})`),
      element("div", { class: "stack" }, allColumns, element("div", { class: "boxes" }, ...boxes)),
    );
    chooser.open = isOpen;
  }

  /** The map of a feature that is no input of the network, from its formula. */
  function drawOwnMap(canvas, feature) {
    const { scene } = app.state;
    const found = scene.columns.length === 2 && OF_PLANE.find(([name]) => name(...scene.columns) === feature);
    if (!found) {
      return;
    }
    const values = new Float64Array(MAP_SIDE * MAP_SIDE);
    const at = (axis, i) => axis.from + ((axis.to - axis.from) * i) / (MAP_SIDE - 1);
    let size = 0;
    for (let row = 0; row < MAP_SIDE; row++) {
      for (let column = 0; column < MAP_SIDE; column++) {
        const value = found[1](at(scene.x, column), at(scene.y, row));
        values[row * MAP_SIDE + column] = value;
        size = Math.max(size, Math.abs(value));
      }
    }
    drawMap(canvas, Uint8Array.from(values, (value) => 128 + Math.round((127 * value) / (size || 1))), MAP_SIDE, 1, 1);
  }

  /** The scene whose maps are drawn. */
  let mapsOf;

  function drawMaps() {
    const { frame, scene } = app.state;
    const maps = frame?.scene === scene?.scene ? frame?.maps[0] : undefined;
    if (!maps) {
      return;
    }
    mapsOf = frame.scene;
    for (const button of tiles.querySelectorAll("[data-input]")) {
      const unit = Number(button.dataset.input);
      if (unit < maps.units) {
        drawMap(button.querySelector("canvas"), bytesOf(frame, maps, unit), maps.side, 1, 1);
      }
    }
  }

  app.on("scene", () => draw());
  app.on("setting", () => draw());
  app.on("problem", () => draw(true));
  // The maps of the inputs stay the same as long as the scene does.
  app.on("frame", ({ scene }) => {
    if (scene !== mapsOf) {
      drawMaps();
    }
  });
  return chooser;
}
