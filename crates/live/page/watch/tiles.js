// Small pictures side by side, one for each unit. Arrow keys go from one to the next.

import { element, readable } from "../dom.js";
import { drawPicture, placeTip } from "../drawing/maps.js";

/** The most pictures that are shown until all are asked for. */
const FEW = 24;

/** One tip for all pictures of the page. */
const tip = element("div", { class: "tip", role: "tooltip", id: "unit-tip", hidden: true });
document.body.append(tip);

/** The pictures of a layer, each of one `part`. Returns their element, and a function that fills it. */
export function mount(title, part = "unit") {
  const group = element("div", { class: "tiles", role: "group", "aria-label": `${title}: arrow keys go from ${part} to ${part}` });
  const more = element("button", { type: "button", class: "button plain small", onclick: () => {
    isWhole = !isWhole;
    draw();
  } });
  const root = element("div", { hidden: true }, element("p", { class: "note" }, title), group, more);
  let [isWhole, pointed, shows] = [false, null, null];
  let buttons = [];

  function build(count) {
    buttons = Array.from({ length: count }, (_, unit) => {
      const button = element("button", { type: "button", class: "unit", tabIndex: unit === 0 ? 0 : -1, "aria-label": `${part} ${unit + 1}`, "aria-describedby": "unit-tip" },
        element("canvas", { class: "map" }));
      button.onpointerenter = button.onfocus = () => point(unit);
      button.onpointerleave = button.onblur = () => point(null);
      return button;
    });
    group.replaceChildren(...buttons);
  }

  function point(unit) {
    pointed = unit;
    tip.hidden = unit === null;
    if (unit !== null) {
      fillTip();
      placeTip(tip, buttons[unit].getBoundingClientRect());
    }
  }

  function paint(canvas, unit, full) {
    const { pictures, size: [height, width], isUpward } = shows;
    const length = height * width;
    const bytes = pictures.bytes.subarray(unit * length, (unit + 1) * length);
    drawPicture(canvas, bytes, [height, width], isUpward, pictures.scales[unit], full);
  }

  function fillTip() {
    const scale = shows.pictures.scales[pointed];
    const canvas = element("canvas", { class: `map big${shows.isUpward ? "" : " pixels"}` });
    paint(canvas, pointed, scale);
    tip.replaceChildren(
      element("strong", {}, `${part[0].toUpperCase()}${part.slice(1)} ${pointed + 1} of ${shows.layer}`), canvas,
      element("p", { class: "note number" }, `from −${readable(scale)} (blue) to ${readable(scale)} (orange)`));
  }

  function draw() {
    root.hidden = !shows;
    if (!shows) {
      return;
    }
    group.classList.toggle("pixels", !shows.isUpward);
    const { scales } = shows.pictures;
    const count = isWhole ? scales.length : Math.min(scales.length, FEW);
    if (count !== buttons.length) {
      build(count);
    }
    more.hidden = scales.length <= FEW;
    more.textContent = isWhole ? "Show fewer" : `Show all ${scales.length}`;
    // Colours of one layer can be compared.
    const full = Math.max(...scales);
    buttons.forEach((button, unit) => paint(button.firstChild, unit, full));
    if (pointed !== null) {
      fillTip();
    }
  }

  group.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      point(null);
      return;
    }
    const way = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const from = buttons.indexOf(document.activeElement);
    const next = buttons[from + way];
    if (!way) {
      return;
    }
    event.preventDefault();
    if (next) {
      buttons[from].tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
    }
  });

  return {
    root,
    /**
     * Shows the pictures of a layer, each of `size`, height and width; hides all if there are none. Those that go upward are
     * smooth; those that go downward show their pixels, as images do.
     */
    fill(layer, pictures, size, isUpward) {
      shows = pictures ? { layer, pictures, size, isUpward } : null;
      draw();
    },
  };
}
