// Saving and sharing: TOML, run folders, links that hold the whole setting, pictures, and pages for slides.

import { color, colorOfClass, css, divergingScale, series } from "../colors.js";
import { element } from "../dom.js";
import { tick } from "../drawing/charts.js";
import { download, planeCanvas, svg } from "./parts.js";

/** Where a link has its setting. */
const FRAGMENT = "#s=";
/** Panels that a page for slides lacks at first. */
const NOT_ON_SLIDES = ["lessons", "compare", "share"];
/** Data that stand in a file beside the experiment. */
const FILES = ["csv", "image_folder"];

// ---- Links ----

async function through(transform, bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(transform);
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** Text as deflated base64url. */
async function packed(text) {
  const bytes = await through(new CompressionStream("deflate"), new TextEncoder().encode(text));
  const letters = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  return letters.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** The text in a deflated base64url string. */
async function unpacked(letters) {
  const bytes = Uint8Array.from(atob(letters.replaceAll("-", "+").replaceAll("_", "/")), (letter) => letter.charCodeAt(0));
  return new TextDecoder().decode(await through(new DecompressionStream("deflate"), bytes));
}

/** Loads the setting of the page's address once, then takes it out of the address, so that a reload does not undo changes. */
async function openLink(app) {
  if (!location.hash.startsWith(FRAGMENT)) {
    return;
  }
  const letters = location.hash.slice(FRAGMENT.length);
  history.replaceState(null, "", location.pathname + location.search);
  try {
    app.send({ type: "load", text: await unpacked(letters) });
  } catch {
    app.tell("unclaimed-problem", "The link holds no whole setting. It was probably cut off.");
  }
}

/** Opens the setting in the page's address as soon as the program is there, and whenever another one is put into it. */
export function openLinks(app) {
  if (app.opensLinks) {
    return;
  }
  app.opensLinks = true;
  let isGreeted = false;
  app.on("hello", () => {
    // The program greets again after a broken connection.
    if (!isGreeted) {
      isGreeted = true;
      openLink(app);
    }
  });
  window.addEventListener("hashchange", () => openLink(app));
}

// ---- Pictures ----

/** The prediction over the plane, or nothing if there is none or it is a curve. */
function fieldOf({ frame, scene }) {
  return scene && frame?.scene === scene.scene && scene.columns.length > 1 ? frame.field : null;
}

/** The prediction over the plane as a picture, a pixel for each point. */
function fieldImage({ frame, scene }) {
  const { field } = frame;
  const { side } = field;
  const canvas = element("canvas", { width: side, height: side });
  const image = new ImageData(side, side);
  const scale = divergingScale("series-0", "series-1", 0.62);
  const paper = color("paper");
  const shares = field.probabilities && frame.bytes(field.probabilities);
  const classes = field.classes && frame.bytes(field.classes);
  const values = field.values && frame.floats(field.values);
  const [low, high] = scene.targets ?? [0, 1];
  const colorAt = (i) => {
    if (classes) {
      const ink = color(series(colorOfClass(scene, classes[i])));
      return paper.map((part, channel) => part + (0.62 * shares[i] * (ink[channel] - part)) / 255);
    }
    const level = values ? (255 * (values[i] - low)) / (high - low || 1) : shares[i];
    const place = 4 * Math.min(255, Math.max(1, Math.round(level)));
    return scale.subarray(place, place + 3);
  };
  for (let i = 0; i < side * side; i++) {
    // The lowest row of the field comes first, that of a picture last.
    const place = 4 * ((side - 1 - Math.floor(i / side)) * side + (i % side));
    image.data.set(colorAt(i), place);
    image.data[place + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return canvas.toDataURL("image/png");
}

/** The plane as SVG: the prediction as a picture, points and axes as shapes. */
function planeSvg(app) {
  const { scene } = app.state;
  const [size, left, top, right, bottom] = [440, 60, 16, 16, 48];
  const [width, height] = [left + size + right, top + size + bottom];
  const x = (value) => left + (size * (value - scene.x.from)) / (scene.x.to - scene.x.from);
  const y = (value) => top + size - (size * (value - scene.y.from)) / (scene.y.to - scene.y.from);
  const text = (attributes, words) => svg("text", { fill: css("muted"), "font-family": "sans-serif", "font-size": 12, ...attributes }, words);
  const round = (number) => Number(number.toFixed(2));
  const root = svg("svg", { xmlns: "http://www.w3.org/2000/svg", viewBox: `0 0 ${width} ${height}`, width, height });
  root.append(
    svg("title", {}, `${scene.dataset}: the prediction over ${scene.x.name} and ${scene.y.name}`),
    svg("rect", { width, height, fill: css("paper") }),
    svg("image", { href: fieldImage(app.state), x: left, y: top, width: size, height: size, preserveAspectRatio: "none" }));
  const points = app.state.scene.floats(scene.points);
  const labels = scene.floats(scene.values);
  const splits = scene.bytes(scene.splits);
  const scale = divergingScale();
  const colorOf = (value) => {
    if (!scene.targets) {
      return css(series(colorOfClass(scene, value)));
    }
    const [low, high] = scene.targets;
    const place = 4 * Math.min(255, Math.max(1, Math.round((255 * (value - low)) / (high - low || 1))));
    return `rgb(${[...scale.subarray(place, place + 3)].join(" ")})`;
  };
  const group = svg("g", { "stroke-width": 1.2 });
  labels.forEach((label, n) => {
    const [px, py] = [x(points[2 * n]), y(points[2 * n + 1])];
    if (px < left || px > left + size || py < top || py > top + size) {
      return;
    }
    const look = splits[n] === 0 ? { fill: colorOf(label), stroke: css("paper") } : { fill: css("paper"), stroke: colorOf(label) };
    group.append(svg("circle", { cx: round(px), cy: round(py), r: 3.2, ...look }));
  });
  root.append(group, svg("rect", { x: left, y: top, width: size, height: size, fill: "none", stroke: css("edge") }));
  for (let n = 0; n <= 4; n++) {
    const [h, v] = [scene.x, scene.y].map(({ from, to }) => from + ((to - from) * n) / 4);
    root.append(
      text({ x: x(h), y: top + size + 18, "text-anchor": "middle" }, tick(Number(h.toPrecision(3)))),
      text({ x: left - 8, y: y(v) + 4, "text-anchor": "end" }, tick(Number(v.toPrecision(3)))));
  }
  root.append(
    text({ x: left + size / 2, y: height - 10, "text-anchor": "middle" }, scene.x.name),
    text({ x: 14, y: top + size / 2, "text-anchor": "middle", transform: `rotate(-90 14 ${top + size / 2})` }, scene.y.name));
  return new XMLSerializer().serializeToString(root);
}

/** The network as it stands on the page: its canvases and its words. */
function networkParts() {
  const net = document.querySelector('[data-panel="network"] .net');
  const isDrawn = (part) => part.tagName === "CANVAS" || (part.childElementCount === 0 && part.textContent.trim() && !part.closest("svg"));
  return [...(net?.querySelectorAll("*") ?? [])]
    .filter((part) => part.getClientRects().length && isDrawn(part))
    .map((part) => ({ part, box: part.getBoundingClientRect(), style: getComputedStyle(part) }))
    .filter(({ box }) => box.width > 1 && box.height > 1);
}

function drawPart(context, { part, box, style }) {
  context.globalAlpha = Number(style.opacity);
  if (part.tagName === "CANVAS") {
    context.drawImage(part, box.left, box.top, box.width, box.height);
    if (part.classList.contains("map")) {
      context.strokeStyle = css("edge");
      context.strokeRect(box.left, box.top, box.width, box.height);
    }
  } else {
    context.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    context.fillStyle = style.color;
    context.textAlign = "center";
    context.textBaseline = "middle";
    context.fillText(part.textContent, box.left + box.width / 2, box.top + box.height / 2);
  }
  context.globalAlpha = 1;
}

/** The network and the plane beside each other. */
function picture() {
  const plane = planeCanvas();
  const parts = networkParts();
  const boxes = parts.map(({ box }) => box);
  const ratio = window.devicePixelRatio || 1;
  const gap = 16;
  const [left, top] = boxes.length ? [Math.min(...boxes.map((box) => box.left)), Math.min(...boxes.map((box) => box.top))] : [0, 0];
  const width = boxes.length ? Math.max(...boxes.map((box) => box.right)) - left + gap : 0;
  const height = boxes.length ? Math.max(...boxes.map((box) => box.bottom)) - top : 0;
  const [planeWidth, planeHeight] = [(plane?.width ?? 0) / ratio, (plane?.height ?? 0) / ratio];
  const canvas = element("canvas", {
    width: Math.ceil(ratio * (width + planeWidth + 2 * gap)),
    height: Math.ceil(ratio * (Math.max(height, planeHeight) + 2 * gap)),
  });
  const context = canvas.getContext("2d");
  context.fillStyle = css("paper");
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.scale(ratio, ratio);
  context.translate(gap, gap);
  if (plane) {
    context.drawImage(plane, width, 0, planeWidth, planeHeight);
  }
  context.translate(-left, -top);
  for (const part of parts) {
    drawPart(context, part);
  }
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

// ---- The panel ----

/** Copies text; where the browser does not allow it, selects the text of a field to be copied by hand. */
async function copyText(text, field) {
  try {
    await navigator.clipboard.writeText(text);
    return "Copied.";
  } catch {
    field.focus();
    field.select();
    return "Selected. Press Ctrl+C to copy it.";
  }
}

function button(text, onclick, kind = "") {
  return element("button", { type: "button", class: `button ${kind}`, onclick }, text);
}

export function mount(panel, app) {
  const name = () => String(app.value("name") || "experiment").replaceAll(/[^\w.-]+/g, "_");
  const toml = () => app.state.setting?.toml ?? "";
  const status = element("p", { class: "note share-status", role: "status" });
  const say = (text) => {
    status.textContent = text;
  };

  // The text.
  const text = element("textarea", { readOnly: true, rows: 14, "aria-label": "The setting as TOML", spellcheck: false });
  const view = element("details", { ontoggle: () => {
    text.value = toml();
  } }, element("summary", {}, "Show the text"), text);
  const downloadToml = button("Download .toml", () => download(`${name()}.toml`, new Blob([toml()], { type: "application/toml" })));
  const copyToml = button("Copy as TOML", async () => {
    view.open = true;
    text.value = toml();
    say(await copyText(toml(), text));
  });

  // The run folder.
  const run = element("input", { type: "text", placeholder: "time and seed", "aria-label": "Name of the run", class: "share-name" });
  const save = button("Save as run", () => {
    say("Saving …");
    app.send({ type: "save", name: run.value.trim() || null });
  });
  app.on("saved", ({ run: saved, path }) => say(`Saved as ${saved} in ${path}. Try: emberlab report ${saved}`));
  app.on("problem", () => {
    if (status.textContent === "Saving …") {
      say("");
    }
  });

  // The link.
  const link = element("input", { type: "text", readOnly: true, "aria-label": "Link with the whole setting" });
  const warning = element("p", { class: "note" });
  const address = async (hidden) => {
    const query = hidden.length ? `?hide=${hidden.join(",")}` : "";
    return `${location.origin}${location.pathname}${query}${FRAGMENT}${await packed(toml())}`;
  };
  const copyLink = button("Copy link", async () => {
    link.value = await address([]);
    say(await copyText(link.value, link));
  });

  // The picture.
  const png = button("Picture as PNG", async () => download(`${name()}.png`, await picture()));
  const vector = button("Plane as SVG", () => download(`${name()}.svg`, new Blob([planeSvg(app)], { type: "image/svg+xml" })));

  // Slides.
  const alreadyHidden = new URLSearchParams(location.search).get("hide")?.split(",").filter(Boolean) ?? [];
  const boxes = [...document.querySelectorAll("[data-panel]")].map((part) => {
    const input = element("input", { type: "checkbox", checked: !NOT_ON_SLIDES.includes(part.dataset.panel), value: part.dataset.panel });
    return { input, label: element("label", { class: "check small" }, input, part.getAttribute("aria-label") ?? part.dataset.panel) };
  });
  const slide = element("input", { type: "text", readOnly: true, "aria-label": "Link for slides" });
  const slides = element("details", {},
    element("summary", {}, "A page for slides"),
    element("div", { class: "stack" },
      element("fieldset", { class: "share-panels" }, element("legend", { class: "small muted" }, "Show"), ...boxes.map(({ label }) => label)),
      element("div", { class: "row share-line" }, button("Copy link", async () => {
        const hidden = boxes.filter(({ input }) => !input.checked).map(({ input }) => input.value);
        slide.value = await address([...alreadyHidden, ...hidden]);
        say(await copyText(slide.value, slide));
      }), slide)));

  panel.append(
    element("h2", {}, "Save and share"),
    element("div", { class: "stack" },
      element("div", { class: "row" }, copyToml, downloadToml, png, vector),
      view,
      element("div", { class: "row share-line" }, save, run),
      element("div", { class: "row share-line" }, copyLink, link),
      warning, slides, status));

  function draw() {
    const { setting, scene } = app.state;
    for (const some of [copyToml, downloadToml, copyLink, save]) {
      some.disabled = !setting;
    }
    png.disabled = !scene;
    vector.disabled = !fieldOf(app.state);
    if (view.open && text.value !== toml()) {
      text.value = toml();
    }
    link.value = slide.value = "";
    warning.textContent = FILES.includes(app.value("dataset.name"))
      ? "The link holds the setting without your data. Whoever opens it needs the same file."
      : "The link holds the whole setting and opens wherever emberlab play runs at this address. Tables of your own are not in it.";
  }

  app.on("setting", draw);
  app.on("scene", draw);
  // The first frame of a scene makes the picture possible.
  app.on("frame", () => {
    if (vector.disabled) {
      draw();
    }
  });
  openLinks(app);
  draw();
}
