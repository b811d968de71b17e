// Moves the pictures of a network's inside through the epochs: one slider for all of them.
"use strict";
for (const root of document.querySelectorAll(".timeline")) {
  const data = JSON.parse(root.querySelector(":scope > script").textContent);
  const [slider, button, said] = ["input", "button", "output"].map((name) => root.querySelector(`.player ${name}`));
  const SVG = "http://www.w3.org/2000/svg";
  const last = data.epochs.length - 1;
  const short = (x) => x === null ? "NaN" : Number(x.toPrecision(3)).toString();

  // Numbers of 8 bits: (byte - 128) / 127, and predictions: byte / 255.
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const shares = (hex) => Uint8Array.from(hex.match(/../g) ?? [], (two) => parseInt(two, 16));

  // Colours as the style sheet has them, light or dark.
  const swatches = document.createElementNS(SVG, "svg");
  swatches.setAttribute("class", "picture");
  swatches.setAttribute("width", 0);
  swatches.setAttribute("height", 0);
  swatches.style.position = "absolute";
  for (const colour of data.colours) {
    const dot = document.createElementNS(SVG, "rect");
    dot.setAttribute("fill", colour);
    swatches.append(dot);
  }
  root.append(swatches);
  const rgb = (text) => text.match(/[\d.]+/g).slice(0, 3).map(Number);
  let colours = [];
  let ink = {};
  const readColours = () => {
    colours = Array.from(swatches.children, (dot) => rgb(getComputedStyle(dot).fill));
    const named = (name) => {
      root.style.color = `var(--${name})`;
      return rgb(getComputedStyle(root).color);
    };
    ink = { paper: named("paper"), text: named("muted"), rule: named("rule"), bar: named("accent") };
    root.style.color = "";
  };
  const css = (colour, alpha = 1) => `rgb(${colour.join(" ")} / ${alpha})`;
  const mixed = (from, to, share) => from.map((x, i) => x + (to[i] - x) * share);
  const diverging = (value) => mixed(ink.paper, colours[value < 0 ? 0 : 1], Math.abs(value));

  // A canvas with a drawing area in CSS pixels, sharp on every screen.
  const area = (canvas, width, height) => {
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.height = `${height}px`;
    const context = canvas.getContext("2d");
    context.scale(ratio, ratio);
    return context;
  };
  const stamp = document.createElement("canvas");
  const image = (context, width, height, colourAt, [x, y, w, h], isSmooth) => {
    stamp.width = width;
    stamp.height = height;
    const own = stamp.getContext("2d");
    const pixels = own.createImageData(width, height);
    for (let i = 0; i < width * height; i++) {
      pixels.data.set(colourAt(i), 4 * i);
      pixels.data[4 * i + 3] = 255;
    }
    own.putImageData(pixels, 0, 0);
    context.imageSmoothingEnabled = isSmooth;
    context.drawImage(stamp, x, y, w, h);
  };

  // Small pictures side by side: those of a map go from the bottom to the top.
  const tiles = (canvas, maps, width, height, isUpward) => {
    const count = maps.scales.length;
    const values = bytes(maps.values);
    const room = canvas.clientWidth;
    const gap = 3;
    const wanted = count <= 4 ? 110 : count <= 16 ? 66 : count <= 40 ? 48 : 34;
    const most = Math.max(1, Math.min(count, Math.floor((room + gap) / (wanted + gap))));
    const columns = Math.ceil(count / Math.ceil(count / most)); // rows of about the same length
    const side = Math.min(wanted, (room + gap) / columns - gap);
    const tall = side * height / width;
    const context = area(canvas, room, Math.ceil(count / columns) * (tall + gap) - gap);
    for (let unit = 0; unit < count; unit++) {
      const first = unit * width * height;
      const at = (i) => {
        const row = Math.floor(i / width);
        const source = isUpward ? (height - 1 - row) * width + i % width : i;
        return diverging((values[first + source] - 128) / 127);
      };
      const left = unit % columns * (side + gap);
      const top = Math.floor(unit / columns) * (tall + gap);
      image(context, width, height, at, [left, top, side, tall], isUpward);
      context.strokeStyle = css(ink.rule);
      context.strokeRect(left + .5, top + .5, side - 1, tall - 1);
    }
  };

  const classColour = (number) => colours[number % colours.length];
  const dots = (context, points, classes, place, radius) => {
    points.forEach((point, i) => {
      const [x, y] = place(point);
      context.beginPath();
      context.arc(x, y, radius, 0, 2 * Math.PI);
      context.fillStyle = css(classColour(classes[i] ?? 0), .85);
      context.fill();
      context.strokeStyle = css(ink.paper);
      context.lineWidth = .7;
      context.stroke();
    });
  };

  const boundary = (canvas, cells) => {
    const { region } = data.header;
    const size = Math.min(canvas.clientWidth, 320);
    const context = area(canvas, size, size);
    const certain = shares(cells.probabilities);
    const classes = cells.kind === "binary" ? null : shares(cells.classes);
    const at = (i) => {
      const row = region.side - 1 - Math.floor(i / region.side);
      const place = row * region.side + i % region.side;
      const p = certain[place] / 255;
      const colour = classes ? classColour(classes[place]) : classColour(p > .5 ? 1 : 0);
      return mixed(ink.paper, colour, .62 * (classes ? p : Math.abs(2 * p - 1)));
    };
    image(context, region.side, region.side, at, [0, 0, size, size], !classes);
    const place = ([x, y]) => [
      size * (x - region.x.from) / (region.x.to - region.x.from),
      size * (region.y.to - y) / (region.y.to - region.y.from),
    ];
    dots(context, region.points, region.classes, place, 2.6);
  };

  const view = (canvas, seen) => {
    const size = Math.min(canvas.clientWidth, 260);
    const context = area(canvas, size, size);
    const numbers = bytes(seen.points);
    const points = [];
    for (let i = 0; i < numbers.length; i += 2) points.push([(numbers[i] - 128) / 127, (numbers[i + 1] - 128) / 127]);
    context.strokeStyle = css(ink.rule);
    context.strokeRect(.5, .5, size - 1, size - 1);
    context.beginPath();
    context.moveTo(size / 2, 0);
    context.lineTo(size / 2, size);
    context.moveTo(0, size / 2);
    context.lineTo(size, size / 2);
    context.stroke();
    const reach = size / 2 - 6;
    dots(context, points, data.header.classes, ([x, y]) => [size / 2 + reach * x, size / 2 - reach * y], 2.8);
    const percent = seen.explained.map((share) => `${Math.round(100 * share)} %`);
    canvas.parentElement.querySelector(".explained").textContent = `, ${percent.join(" and ")} of the variance`;
  };

  // An image of the data, in grey or in colour.
  const sample = (canvas, { shape: [channels, height, width], pixels }) => {
    const values = shares(pixels);
    const wide = canvas.clientWidth;
    const tall = wide * height / width;
    const plane = height * width;
    const at = (i) => [0, 1, 2].map((channel) => values[(channels === 3 ? channel * plane : 0) + i]);
    image(area(canvas, wide, tall), width, height, at, [0, 0, wide, tall], false);
  };

  const histogram = (canvas, [low, high, counts]) => {
    const [width, height] = [canvas.clientWidth, 70];
    const context = area(canvas, width, height);
    // A bin of zeros, as after a ReLU, would flatten all others: heights are square roots.
    const most = Math.sqrt(Math.max(1, ...counts));
    const step = width / counts.length;
    context.fillStyle = css(ink.bar);
    counts.forEach((count, i) => {
      const tall = (height - 2) * Math.sqrt(count) / most;
      context.fillRect(i * step, height - 1 - tall, Math.max(1, step - 1), tall);
    });
    context.fillStyle = css(ink.rule);
    context.fillRect(0, height - 1, width, 1);
    canvas.parentElement.querySelector(".range").textContent = `, ${short(low)} to ${short(high)}`;
  };

  // A line in each chart at the epoch of the slider.
  const cursors = Array.from(root.querySelectorAll(".chart > svg"), (picture) => {
    const plot = picture.querySelector("svg.plot");
    const line = document.createElementNS(SVG, "line");
    line.setAttribute("class", "cursor");
    line.setAttribute("y1", plot.y.baseVal.value);
    line.setAttribute("y2", plot.y.baseVal.value + plot.height.baseVal.value);
    picture.append(line);
    const [from, to] = plot.dataset.x.split(" ").map(Number);
    return (epoch) => {
      const share = Math.max(0, Math.min(1, (epoch - from) / (to - from)));
      const x = plot.x.baseVal.value + share * plot.width.baseVal.value;
      line.setAttribute("x1", x);
      line.setAttribute("x2", x);
    };
  });

  // The newest frame that is not younger than the moment; the first one before that.
  const frameAt = (step) => data.frames.findLast((frame) => frame.step <= step) ?? data.frames[0];
  const layersOf = new Map(data.layers.map((layer) => [layer.name, layer]));
  const ofLayer = (canvas, frame) => frame?.layers.find((layer) => layer.layer === canvas.dataset.layer);
  const draw = {
    boundary: (canvas, i, frame) => frame?.boundary && boundary(canvas, frame.boundary),
    maps: (canvas, i, frame) => {
      const own = ofLayer(canvas, frame);
      if (own?.maps) tiles(canvas, own.maps, data.header.region.side, data.header.region.side, true);
    },
    view: (canvas, i, frame) => {
      const own = ofLayer(canvas, frame);
      if (own?.view) view(canvas, own.view);
    },
    sample: (canvas) => sample(canvas, data.header.sample),
    features: (canvas, i, frame) => {
      const own = ofLayer(canvas, frame)?.features;
      // A run that an earlier version began has none at first.
      if (own) tiles(canvas, own.maps, own.size[1], own.size[0], false);
      else area(canvas, canvas.clientWidth, 0);
    },
    weights: (canvas, i, frame) => {
      // The same name stands for the histogram of a layer, and for the pictures of the first one.
      if (canvas.dataset.layer) histogram(canvas, layersOf.get(canvas.dataset.layer).weights[i]);
      else if (frame?.weights) tiles(canvas, frame.weights, data.header.image[1], data.header.image[0], false);
    },
    activations: (canvas, i) => histogram(canvas, layersOf.get(canvas.dataset.layer).activations[i]),
    gradients: (canvas, i) => histogram(canvas, layersOf.get(canvas.dataset.layer).gradients[i]),
  };
  const canvases = Array.from(root.querySelectorAll("canvas"));
  const show = (i) => {
    const [epoch, step] = [data.epochs[i], data.steps[i]];
    said.textContent = `epoch ${short(epoch)} of ${short(data.epochs[last])}, step ${step}`;
    slider.setAttribute("aria-valuetext", said.textContent);
    root.dataset.epoch = epoch;
    for (const move of cursors) move(epoch);
    const frame = frameAt(step);
    for (const canvas of canvases) draw[canvas.dataset.kind](canvas, i, frame);
  };

  let playing = null;
  const stop = () => {
    clearInterval(playing);
    playing = null;
    button.textContent = "▶";
    button.setAttribute("aria-label", "Play");
  };
  button.addEventListener("click", () => {
    if (playing !== null) return stop();
    if (Number(slider.value) === last) slider.value = 0;
    show(Number(slider.value));
    button.textContent = "❚❚";
    button.setAttribute("aria-label", "Pause");
    playing = setInterval(() => {
      slider.value = Number(slider.value) + 1;
      show(Number(slider.value));
      if (Number(slider.value) === last) stop();
    }, Math.max(60, Math.min(350, 9000 / (last + 1))));
  });
  slider.addEventListener("input", () => {
    stop();
    show(Number(slider.value));
  });
  slider.max = last;
  slider.value = last;
  const nav = document.querySelector("nav");
  const again = () => {
    if (nav) root.style.setProperty("--below", `${nav.offsetHeight}px`);
    readColours();
    show(Number(slider.value));
  };
  again();
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  let width = root.clientWidth;
  addEventListener("resize", () => {
    if (root.clientWidth === width) return;
    width = root.clientWidth;
    again();
  });
}
