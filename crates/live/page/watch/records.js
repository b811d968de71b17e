// What a run has recorded of its inside while it learned: `layers.csv` and `frames.jsonl`, read as they grow.

/** With more moments than this, every second one is forgotten. */
const MOST_MOMENTS = 4000;
/** An answer that is shorter is the last one: the program sends up to 4 MB at a time. */
const SHORT = 1_000_000;

/**
 * The layers at one moment; see messages.js.
 *
 * @typedef {{ epoch: number, step: number, layers: (import("../messages.js").LayerState & { activation: string, units: number })[] }} Moment
 */

/**
 * Small pictures of one size, such as one for each unit: bytes from 1, minus the scale of the picture, to 255, its scale.
 *
 * @typedef {{ scales: number[], bytes: Uint8Array }} Pictures
 */

/**
 * The pictures of one moment. `field`, `bytes` and `floats` are as in the messages of the playground.
 *
 * @typedef {Object} Frame
 * @property {number} step Steps done.
 * @property {import("../messages.js").Field | null} field The prediction over the region.
 * @property {Map<string, Pictures>} maps The maps of units by layers.
 * @property {Map<string, Pictures & { pixels: number[], size: number[] }>} features Feature maps by convolutions: height and width of
 *   the outputs, and of the pictures.
 * @property {Map<string, { scale: number, explained: number[], points: Uint8Array }>} views Principal components by layers.
 * @property {Pictures | null} weights First-layer weights as images.
 */

const fromBase64 = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
const fromHex = (text) => Uint8Array.from({ length: text.length / 2 }, (_, n) => Number.parseInt(text.slice(2 * n, 2 * n + 2), 16));
const pictures = ({ scales, values }) => ({ scales, bytes: fromBase64(values) });

/** A number of a table, or `null` for NaN and infinities. */
function finite(text) {
  const number = Number(text);
  return Number.isFinite(number) ? number : null;
}

function layerOf(names, cells) {
  const cell = Object.fromEntries(names.map((name, n) => [name, cells[n]]));
  const bins = (name) => ({ low: finite(cell[`${name}_low`]), high: finite(cell[`${name}_high`]), counts: cell[`${name}_bins`].split(" ").map(Number) });
  const numbers = ["activation_mean", "activation_std", "dead", "saturated", "weight_norm", "gradient_norm", "update_ratio"];
  return {
    layer: cell.layer,
    activation: cell.activation,
    units: Number(cell.units),
    ...Object.fromEntries(numbers.map((name) => [name, finite(cell[name])])),
    activations: bins("activation"),
    weights: bins("weight"),
    gradients: bins("gradient"),
  };
}

function frameOf({ step, layers, boundary, weights }, { region }) {
  const maps = new Map(layers.filter((layer) => layer.maps).map((layer) => [layer.layer, pictures(layer.maps)]));
  const features = layers.filter((layer) => layer.features).map(({ layer, features }) => [layer, { ...features, ...pictures(features.maps) }]);
  const views = layers.filter((layer) => layer.view).map(({ layer, view }) => [layer, { ...view, points: fromBase64(view.points) }]);
  let field = null;
  const output = maps.get(layers.at(-1)?.layer);
  if (boundary) {
    field = { side: region.side, ...boundary };
  } else if (output?.scales.length === 1) {
    // A regression: its output is the map of its only unit there.
    field = { side: region.side, kind: "values", values: Float32Array.from(output.bytes, (byte) => ((byte - 128) / 127) * output.scales[0]) };
  }
  return { step, field, maps, features: new Map(features), views: new Map(views), weights: weights ? pictures(weights) : null, bytes: fromHex, floats: (values) => values };
}

/** The records of one run. */
export class Records {
  /** @type {Moment[]} */
  moments = [];
  /** @type {Frame[]} */
  frames = [];
  /** The first line of `frames.jsonl`: classes, the region of maps, the size of pictures of weights, the image of feature maps. */
  header = null;
  #names = [];
  #reading = Promise.resolve();
  #places = { frames: 0, layers: 0, generation: 0 };

  constructor(run) {
    this.run = run;
  }

  /** Reads what was added, after what is being read. */
  follow(ask) {
    const read = this.#reading.then(() => this.#read(ask));
    // What was wrong with one answer does not keep the next one from being read.
    this.#reading = read.catch(() => {});
    return read;
  }

  async #read(ask) {
    for (;;) {
      const query = new URLSearchParams({ run: this.run, ...this.#places });
      const found = await ask(`/run/inside?${query}`);
      if (!found) {
        return;
      }
      this.#places = { frames: found.frames.next, layers: found.layers.next, generation: found.generation };
      this.#addLayers(found.layers);
      this.#addFrames(found.frames);
      if (found.layers.text.length < SHORT && found.frames.text.length < SHORT) {
        return;
      }
    }
  }

  /** The image that feature maps are of: its pixels as bytes, and its class in words; nothing if there is none. */
  get sample() {
    const { sample, classes, class_names: names } = this.header ?? {};
    const label = classes?.[0];
    return sample && { bytes: fromHex(sample.pixels), shape: sample.shape, class: label === undefined ? "" : `class ${names[label] ?? label}` };
  }

  /** The newest frame that is not younger than a moment; the first one before that. */
  frameAt(step) {
    return this.frames.findLast((frame) => frame.step <= step) ?? this.frames[0];
  }

  #addLayers({ text, is_first: isFirst }) {
    const lines = text.split("\n").filter(Boolean);
    if (isFirst) {
      this.moments = [];
      this.#names = lines.shift()?.split(",") ?? [];
    }
    for (const line of lines) {
      const cells = line.split(",");
      const [epoch, step] = [Number(cells[0]), Number(cells[1])];
      if (this.moments.at(-1)?.step !== step) {
        this.moments.push({ epoch, step, layers: [] });
      }
      this.moments.at(-1).layers.push(layerOf(this.#names, cells));
    }
    if (this.moments.length > MOST_MOMENTS) {
      const last = this.moments.length - 1;
      this.moments = this.moments.filter((_, n) => (last - n) % 2 === 0);
    }
  }

  #addFrames({ text, is_first: isFirst }) {
    const lines = text.split("\n").filter(Boolean).map((line) => JSON.parse(line));
    if (isFirst) {
      this.frames = [];
      this.header = lines.shift() ?? null;
    }
    this.frames.push(...lines.map((line) => frameOf(line, this.header)));
  }
}
