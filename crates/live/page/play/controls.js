// Controls of keys of the experiment.
//
// A control shows the value that the program has, sends changes, and shows why the program refuses one. The program answers
// every change with all values, or with a problem; after a problem the control goes back to the value that is in force.

import { element } from "../dom.js";
import { choicesOf, kindOf, nodeOf } from "../schema.js";
import { words } from "./words.js";

/** Controls on the page: `{ key, field, refresh }`. */
const controls = new Set();

/** Values of parameters that a choice needs and that have no default. */
const FIRST_VALUES = {
  step_size: 50,
  gamma: 0.9,
  num_steps: 100,
  milestones: [{ at: 50, factor: 0.3 }, { at: 100, factor: 0.1 }],
};

/** Ranges of sliders for parameters of data sets: lowest, highest, step. */
const RANGES = {
  num_samples: [20, 2000, 10],
  noise: [0, 0.5, 0.01],
  factor: [0, 0.95, 0.05],
  turns: [0.25, 4, 0.25],
  std: [0.1, 5, 0.1],
  class_sep: [0.1, 3, 0.1],
  flip_y: [0, 0.5, 0.01],
};

let numControls = 0;

/** Listens to the program. Call it once, before the first control. */
export function startControls(app) {
  app.on("setting", () => {
    for (const control of present()) {
      showProblem(control, "");
      control.refresh();
    }
  });
  app.on("problem", ({ key, message }) => {
    const control = nearest(key);
    for (const each of present()) {
      each.refresh(true);
    }
    if (control) {
      showProblem(control, message);
      app.tell("announce", message);
    } else {
      app.tell("unclaimed-problem", message);
    }
  });
}

/** The controls that are still on the page. */
function present() {
  for (const control of controls) {
    if (!control.field.isConnected) {
      controls.delete(control);
    }
  }
  return [...controls];
}

/** The visible control of a key, or else of the longest table around it. */
function nearest(key) {
  const fits = present().filter((one) => key && (key === one.key || key.startsWith(`${one.key}.`) || key.startsWith(`${one.key}[`)));
  const visible = fits.filter((one) => one.field.offsetParent);
  return visible.sort((a, b) => b.key.length - a.key.length)[0];
}

function showProblem({ field }, message) {
  const shown = field.querySelector(":scope > .problem");
  const input = field.querySelector("input, select");
  input?.toggleAttribute("aria-invalid", false);
  if (!message) {
    shown?.remove();
    return;
  }
  input?.setAttribute("aria-invalid", "true");
  const text = shown ?? field.appendChild(element("p", { class: "problem" }));
  text.textContent = message;
}

/** Registers a control, and shows its value. `refresh(isUndone)` shows the value that is in force. */
export function register(app, key, field, refresh) {
  controls.add({ key, field, refresh });
  if (app.state.setting) {
    refresh();
  }
  return field;
}

function fieldOf(label, help, ...inner) {
  const id = `control-${++numControls}`;
  const input = inner[0];
  input.id = id;
  return element("div", { class: "field", title: help }, element("label", { for: id }, label), ...inner);
}

/** The name in a value that is a name or a table with a `name`, or a list of them. */
export function nameOf(value) {
  const one = Array.isArray(value) ? value[0] : value;
  return typeof one === "object" ? one?.name : one;
}

/** The value of a key that stands for another choice; keeps parameters that both choices have. */
function chosen(choice, present) {
  if (choice.isText) {
    return choice.name;
  }
  const value = { name: choice.name };
  const kept = typeof present === "object" && !Array.isArray(present) ? present : {};
  for (const [key, old] of Object.entries(kept)) {
    // Keys that are in no alternative are shared by all of them, such as the learning rate.
    if (key === "learning_rate" || key === "reduction") {
      value[key] = old;
    }
  }
  for (const key of choice.required ?? []) {
    if (key !== "name") {
      value[key] = FIRST_VALUES[key] ?? 1;
    }
  }
  return value;
}

/**
 * A menu of a key. `send(name)` replaces the usual change, `read()` the usual value.
 */
export function menuField(app, key, label, { send, read } = {}) {
  const select = element("select");
  const field = fieldOf(label, "", select);
  const choices = () => choicesOf(nodeOf(key, app.state.setting?.values));
  select.onchange = () => {
    if (send) {
      send(select.value);
    } else {
      const choice = choices().find(({ name }) => name === select.value);
      app.set({ [key]: chosen(choice, app.value(key)) });
    }
  };
  return register(app, key, field, () => {
    const all = choices();
    const name = read?.() ?? nameOf(app.value(key)) ?? nameOf(nodeOf(key, app.state.setting?.values)?.default);
    if (name && !all.some((one) => one.name === name)) {
      all.push({ name, help: "" });
    }
    fillMenu(select, all.map((one) => [one.name, words(one.name, key)]), name);
    field.title = all.find((one) => one.name === name)?.help ?? "";
  });
}

/** Gives a menu its options, each a value and a text, if they have changed; chooses one. */
export function fillMenu(select, options, value) {
  const text = JSON.stringify(options);
  if (select.dataset.options !== text) {
    select.dataset.options = text;
    select.replaceChildren(...options.map(([value, text]) => element("option", { value }, text)));
  }
  select.value = value ?? "";
}

/** A number of a key. An empty field removes the key if that is allowed. */
export function numberField(app, key, label, { help, min, max, step = "any", mayBeEmpty = false, send, read } = {}) {
  const input = element("input", { type: "number", min, max, step, inputMode: "decimal" });
  const field = fieldOf(label, help, input);
  const change = send ?? ((value) => app.set({ [key]: value }));
  input.onchange = () => {
    if (input.value === "" && !mayBeEmpty) {
      refresh(true);
    } else {
      change(input.value === "" ? null : Number(input.value));
    }
  };
  input.onkeydown = (event) => {
    if (event.key === "Escape") {
      refresh(true);
    }
  };
  const refresh = (isUndone) => {
    const value = read ? read() : app.value(key);
    // What is being typed is not overwritten by values of other keys.
    if (isUndone || document.activeElement !== input || Number(input.value) === value) {
      input.value = value ?? "";
    }
  };
  return register(app, key, field, refresh);
}

/**
 * A slider with its number. With `isLogarithmic`, equal distances are equal factors. With `isLive` it sends while it is dragged, else at
 * the end, so that the training has one change and not many.
 */
export function sliderField(app, key, label, { help, min, max, step = "any", isLogarithmic = false, isLive = true, send, read, format } = {}) {
  const to = isLogarithmic ? Math.log10 : (value) => value;
  const from = isLogarithmic ? (value) => Number((10 ** value).toPrecision(2)) : (value) => Number(value.toPrecision(6));
  const slider = element("input", {
    type: "range",
    min: to(min),
    max: to(max),
    step: isLogarithmic ? (to(max) - to(min)) / 100 : step,
  });
  const number = format
    ? element("output", { class: "number" })
    : element("input", { type: "number", min: isLogarithmic ? undefined : min, step: "any", inputMode: "decimal", "aria-label": `${label}, number` });
  const field = fieldOf(label, help, slider);
  field.replaceChildren(field.firstChild, element("div", { class: "row slider" }, slider, number));
  const change = throttled(send ?? ((value) => app.set({ [key]: value })));
  const show = (value) => {
    if (format) {
      number.textContent = format(value);
      slider.setAttribute("aria-valuetext", format(value));
    } else {
      slider.setAttribute("aria-valuetext", String(value));
      number.value = value;
    }
  };
  slider.oninput = () => {
    const value = from(Number(slider.value));
    show(value);
    if (isLive) {
      change(value);
    }
  };
  slider.onchange = () => change(from(Number(slider.value)));
  if (!format) {
    number.onchange = () => (number.value === "" ? refresh(true) : change(Number(number.value)));
  }
  const refresh = (isUndone) => {
    const value = read ? read() : app.value(key);
    const isBusy = slider.matches(":active") || change.isPending();
    if (typeof value === "number" && (isUndone || !isBusy)) {
      slider.value = to(Math.max(value, isLogarithmic ? min : -Infinity));
      if (isUndone || document.activeElement !== number) {
        show(value);
      }
    }
  };
  return register(app, key, field, refresh);
}

/** A yes or no of a key. */
export function checkField(app, key, label, { help } = {}) {
  const input = element("input", { type: "checkbox" });
  const field = element("div", { class: "field check-field", title: help }, element("label", { class: "check" }, input, label));
  input.onchange = () => app.set({ [key]: input.checked });
  return register(app, key, field, () => {
    input.checked = app.value(key) === true;
  });
}

/** Calls a function at once, then at most every `pause` milliseconds, and finally with the last value. */
export function throttled(call, pause = 120) {
  let timer = 0;
  let waiting;
  const run = () => {
    timer = 0;
    if (waiting) {
      const [value] = waiting;
      waiting = undefined;
      timer = setTimeout(run, pause);
      call(value);
    }
  };
  const later = (value) => {
    waiting = [value];
    if (!timer) {
      run();
    }
  };
  later.isPending = () => timer !== 0;
  /** Calls it now with the last value, if that still waits. */
  later.flush = () => {
    if (waiting) {
      clearTimeout(timer);
      run();
    }
  };
  return later;
}

/**
 * The parameters of what a key has chosen, such as `momentum` of the optimiser, as controls that follow the choice. `first` is
 * the number of controls that are always shown; the others are behind "More". `skips(name, choice)` leaves parameters out.
 * `extra(name, value)` are changes that go with one of a parameter.
 */
export function parameterFields(app, key, { skips = () => false, first = Infinity, sliders = false, extra = () => ({}) } = {}) {
  const holder = element("div", { class: "parameters", hidden: true });
  let shownFor = "";
  const rebuild = () => {
    const value = app.value(key);
    const name = nameOf(value);
    if (Array.isArray(value)) {
      // Each layer has a choice of its own, and none of them has fields here.
      shownFor = "";
      holder.hidden = true;
      return;
    }
    if (name === shownFor) {
      return;
    }
    shownFor = name;
    const choice = choicesOf(nodeOf(key, app.state.setting.values)).find((one) => one.name === name);
    const names = Object.keys(choice?.parameters ?? {}).filter((one) => !skips(one, name));
    const fields = names.map((one) => parameterField(app, key, one, choice.parameters[one], { sliders, extra })).filter(Boolean);
    const [always, more] = [fields.slice(0, first), fields.slice(first)];
    holder.replaceChildren(element("div", { class: "fields" }, ...always));
    if (more.length) {
      holder.append(element("details", {}, element("summary", {}, "More of the data"), element("div", { class: "fields" }, ...more)));
    }
    holder.hidden = fields.length === 0;
  };
  app.on("setting", rebuild);
  if (app.state.setting) {
    rebuild();
  }
  return holder;
}

/** The control of one parameter; none if it is no single value. */
function parameterField(app, key, name, node, { sliders, extra }) {
  const { kind, help, default: usual } = kindOf(node);
  const path = `${key}.${name}`;
  const read = () => app.value(path) ?? usual;
  const send = (value) => {
    const present = app.value(key);
    // A name alone becomes a table with the parameter.
    const change = typeof present === "object" ? { [path]: value } : { [key]: { name: present, [name]: value } };
    app.set({ ...change, ...extra(name, value) });
  };
  const range = RANGES[name];
  if (kind === "boolean") {
    return checkField(app, path, words(name), { help });
  }
  if (kind === "menu") {
    return menuField(app, path, words(name), { send });
  }
  if ((kind === "number" || kind === "integer") && sliders && range) {
    const [min, max, step] = range;
    return sliderField(app, path, words(name), { help, min, max, step, send, read });
  }
  if (kind === "number" || kind === "integer") {
    const step = kind === "integer" ? 1 : "any";
    return numberField(app, path, words(name), { help, step, mayBeEmpty: usual === undefined, send, read });
  }
  return null;
}
