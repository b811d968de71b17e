// Shows the values of a chart at the epoch (or threshold) under the mouse, or moved to with the arrow keys.
"use strict";
for (const chart of document.querySelectorAll(".chart")) {
  const values = JSON.parse(chart.querySelector("script").textContent);
  const picture = chart.querySelector("svg");
  const plot = picture.querySelector("svg.plot");
  const readout = chart.querySelector(".readout");
  const [from, to] = plot.dataset.x.split(" ").map(Number);
  const isLog = plot.dataset.xScale === "log";
  const share = (x) => isLog ? Math.log(x / from) / Math.log(to / from) : (x - from) / (to - from);
  const at = (x) => plot.x.baseVal.value + share(x) * plot.width.baseVal.value;
  const short = (y) => y === null ? "NaN" : Number(y.toPrecision(4)).toString();
  let line = null;
  let place = -1;

  const hide = () => {
    readout.hidden = true;
    line?.remove();
    line = null;
    place = -1;
  };

  const show = (i) => {
    if (i === place) return;
    place = i;
    const x = at(values.x[i]);
    if (!line) {
      line = document.createElementNS("http://www.w3.org/2000/svg", "line");
      line.setAttribute("class", "crosshair");
      line.setAttribute("y1", plot.y.baseVal.value);
      line.setAttribute("y2", plot.y.baseVal.value + plot.height.baseVal.value);
      picture.append(line);
    }
    line.setAttribute("x1", x);
    line.setAttribute("x2", x);
    const head = document.createElement("b");
    head.textContent = `${values.x_name} ${short(values.x[i])}`;
    const rows = values.series.map((series) => {
      const row = document.createElement("span");
      const name = document.createElement("i");
      name.textContent = series.name;
      const band = series.low ? ` [${short(series.low[i])}, ${short(series.high[i])}]` : "";
      row.append(name, short(series.y[i]) + band);
      return row;
    });
    readout.replaceChildren(head, ...rows);
    readout.hidden = false;
    const scale = picture.getBoundingClientRect().width / picture.viewBox.baseVal.width;
    const room = chart.clientWidth - readout.offsetWidth;
    const beside = x * scale + (x > picture.viewBox.baseVal.width / 2 ? -readout.offsetWidth - 14 : 14);
    readout.style.left = `${Math.max(0, Math.min(room, beside))}px`;
    readout.style.top = `${plot.y.baseVal.value * scale}px`;
  };

  chart.addEventListener("pointermove", (event) => {
    const box = picture.getBoundingClientRect();
    const x = (event.clientX - box.left) * picture.viewBox.baseVal.width / box.width;
    let nearest = 0;
    values.x.forEach((value, i) => {
      if (Math.abs(at(value) - x) < Math.abs(at(values.x[nearest]) - x)) nearest = i;
    });
    show(nearest);
  });
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("blur", hide);
  chart.addEventListener("keydown", (event) => {
    const last = values.x.length - 1;
    const page = Math.max(1, Math.round(last / 10));
    const moves = {
      ArrowRight: place + 1,
      ArrowLeft: place < 0 ? last : place - 1,
      PageUp: place + page,
      PageDown: place < 0 ? last : place - page,
      Home: 0,
      End: last,
    };
    if (event.key === "Escape") return hide();
    if (!(event.key in moves)) return;
    event.preventDefault();
    show(Math.max(0, Math.min(last, moves[event.key])));
  });
}
