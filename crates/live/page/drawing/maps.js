// Small pictures: maps of units over the plane, weights as images.

import { divergingScale, THEME_CHANGED } from "../colors.js";

let scale;
window.addEventListener(THEME_CHANGED, () => (scale = undefined));

/**
 * Draws the map of one unit: bytes from 1, minus `own`, to 255, `own`, the lowest row first. Colours are full at `full`, so that
 * the maps of one layer can be compared.
 */
export function drawMap(canvas, bytes, side, own, full) {
  drawPicture(canvas, bytes, [side, side], true, own, full);
}

/** The same for a picture of any size, height and width, whose rows go upward or, as those of images, downward. */
export function drawPicture(canvas, bytes, [height, width], isUpward, own, full) {
  scale ??= divergingScale();
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const image = new ImageData(width, height);
  const words = new Uint32Array(image.data.buffer);
  const colors = new Uint32Array(scale.buffer);
  const factor = full > 0 ? own / full : 0;
  for (let row = 0; row < height; row++) {
    const to = (isUpward ? height - 1 - row : row) * width;
    for (let column = 0; column < width; column++) {
      words[to + column] = colors[128 + Math.round((bytes[row * width + column] - 128) * factor)];
    }
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/** Draws an image of the data: brightness from 0 to 255 by channel, row and column, in grey or, with three channels, in colour. */
export function drawImage(canvas, bytes, [channels, height, width]) {
  canvas.width = width;
  canvas.height = height;
  const image = new ImageData(width, height);
  const plane = height * width;
  for (let i = 0; i < plane; i++) {
    image.data.set([0, 1, 2].map((channel) => bytes[(channels === 3 ? channel * plane : 0) + i]), 4 * i);
    image.data[4 * i + 3] = 255;
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
}

/**
 * The bytes of one unit of the maps of a layer.
 *
 * @param {import("../messages.js").Frame} frame
 * @param {import("../messages.js").UnitMaps} maps
 */
export function bytesOf(frame, maps, unit) {
  const size = maps.side * maps.side;
  return frame.bytes(maps.values).subarray(unit * size, (unit + 1) * size);
}

/** Puts a tip beside a box, inside the window. */
export function placeTip(tip, box) {
  const { offsetWidth: width, offsetHeight: height } = tip;
  const right = box.right + 12;
  const left = right + width < window.innerWidth - 8 ? right : Math.max(8, box.left - width - 12);
  const top = Math.max(8, Math.min(window.innerHeight - height - 8, box.top + box.height / 2 - height / 2));
  tip.style.left = `${left}px`;
  tip.style.top = `${top}px`;
}
