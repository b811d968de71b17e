// Guided lessons: a question, a prediction, steps to do, and the answer.

import { element } from "../dom.js";
import { LESSONS } from "./lessons_data.js";
import { asLine, recall, remember } from "./parts.js";

/** A change as a line of TOML. Long lists are shortened. */
function lineOf(key, value) {
  const isLong = Array.isArray(value) && value.length > 6;
  return isLong ? `${key} = [${value[0]}, ${value[1]}, …], ${value.length} numbers` : asLine({ key, value });
}

export function mount(panel, app) {
  /** For each lesson the number of the choice, and whether the answer is revealed. */
  const progress = recall("lessons", {});
  const view = element("article", { class: "lesson" });
  const buttons = LESSONS.map((lesson, n) => {
    const mark = element("span", { class: "lesson-mark", "aria-hidden": "true" });
    const button = element("button", { type: "button", class: "button plain small", onclick: () => open(lesson) },
      element("span", {}, `${n + 1}. ${lesson.title}`), mark);
    return { lesson, button, mark };
  });
  const isWide = window.matchMedia("(min-width: 1100px)");
  /** Whether the reader wants the lessons below the network. */
  let isPutBelow = false;
  const dock = element("button", { type: "button", class: "button small lesson-dock", onclick: () => {
    isPutBelow = isDocked();
    setDocked(!isPutBelow);
  } });
  panel.append(
    element("div", { class: "panel-head" }, element("h2", {}, "Lessons"), element("span", { class: "spacer" }), dock),
    element("div", { class: "lessons" },
      element("ul", { class: "lesson-list", "aria-label": "Lessons" }, ...buttons.map(({ button }) => element("li", {}, button))),
      view));

  const isDocked = () => "docked" in document.documentElement.dataset;

  /** Puts the lessons beside the network, so that both are in view, or back below it. */
  function setDocked(wanted) {
    const root = document.documentElement;
    if (wanted) {
      const bar = document.querySelector(".bar");
      root.style.setProperty("--bar-height", `${bar ? bar.offsetHeight : 0}px`);
      root.dataset.docked = "lessons";
      window.scrollTo({ top: 0 });
    } else {
      delete root.dataset.docked;
      panel.scrollIntoView();
    }
    dock.textContent = wanted ? "Put below" : "Put beside the network";
  }

  function keep(lesson, changes) {
    progress[lesson.id] = { ...progress[lesson.id], ...changes };
    remember("lessons", progress);
    mark();
  }

  function mark(opened) {
    for (const { lesson, button, mark } of buttons) {
      const isDone = progress[lesson.id]?.isRevealed;
      mark.textContent = isDone ? "✓" : "";
      button.title = isDone ? "You have seen its answer." : "";
      if (opened) {
        button.setAttribute("aria-current", String(lesson === opened));
      }
    }
  }

  /** Loads the experiment of a lesson, with changes, and sets the pace at which it can be watched. */
  function load(lesson, changes) {
    app.send({ type: "load", text: lesson.toml });
    if (changes) {
      app.set(changes);
    }
    app.send({ type: "pace", epochs_per_second: lesson.pace });
    if (isWide.matches && !isDocked() && !isPutBelow) {
      setDocked(true);
    }
  }

  function step(lesson, { text, changes, look }) {
    const train = () => {
      load(lesson, changes);
      app.send({ type: "run" });
      app.tell("announce", `Training: ${text}`);
    };
    const keys = Object.entries(changes ?? {}).map(([key, value]) => element("code", {}, lineOf(key, value)));
    return element("li", {},
      element("p", {}, text),
      keys.length ? element("div", { class: "lesson-keys" }, ...keys) : null,
      element("div", { class: "row" },
        element("button", { type: "button", class: "button small", "aria-label": `Train: ${text}`, onclick: train }, "Train"),
        element("button", { type: "button", class: "button small plain", "aria-label": `Pin the result: ${text}`, onclick: () => app.tell("pin") }, "Pin the result")),
      element("p", { class: "note" }, look));
  }

  function answer(lesson) {
    const { choice } = progress[lesson.id];
    const isRight = choice === lesson.right;
    const { caption, head, rows } = lesson.figures;
    return element("div", { class: "lesson-answer", tabIndex: -1 },
      element("p", { class: "lesson-verdict" }, isRight
        ? `You predicted “${lesson.choices[choice]}”, and that is right.`
        : `You predicted “${lesson.choices[choice]}”. It is “${lesson.choices[lesson.right]}”.`),
      ...lesson.answer.map((text) => element("p", {}, text)),
      element("div", { class: "scroll", tabIndex: 0, role: "group", "aria-label": caption },
        element("table", { class: "table" },
          element("caption", { class: "note" }, caption),
          element("thead", {}, element("tr", {}, ...head.map((text) => element("th", { scope: "col" }, text)))),
          element("tbody", {}, ...rows.map((cells) => element("tr", {}, ...cells.map((text) => element("td", {}, text))))))),
      element("p", { class: "note" }, "With all commands, intervals and further reading: ", element("code", {}, lesson.page)));
  }

  function open(lesson) {
    const chosen = progress[lesson.id]?.choice;
    const rest = element("div", { class: "stack" });
    const choices = lesson.choices.map((text, n) => {
      const input = element("input", { type: "radio", name: `lesson-${lesson.id}`, checked: n === chosen, onchange: () => {
        keep(lesson, { choice: n });
        showRest();
      } });
      return element("label", { class: "check" }, input, text);
    });
    const heading = element("h3", { tabIndex: -1 }, lesson.title);

    function showRest() {
      const known = progress[lesson.id] ?? {};
      if (known.choice === undefined) {
        rest.replaceChildren(element("p", { class: "note" }, "Choose what you expect. Then the experiment opens."));
        return;
      }
      const place = element("div");
      const reveal = element("button", { type: "button", class: "button", onclick: () => {
        keep(lesson, { isRevealed: true });
        const shown = answer(lesson);
        place.replaceChildren(shown);
        shown.focus();
      } }, "Show the answer");
      place.append(known.isRevealed ? answer(lesson) : reveal);
      rest.replaceChildren(
        element("div", { class: "row" },
          element("button", { type: "button", class: "button primary", onclick: () => {
            load(lesson);
            app.tell("announce", `The experiment of the lesson “${lesson.title}” is set up.`);
          } }, "Set it up"),
          element("span", { class: "note" }, "It replaces the present setting."),
          element("a", { href: "#stage", class: "small lesson-up" }, "Go up to the network")),
        element("ol", { class: "lesson-steps" }, ...lesson.steps.map((some) => step(lesson, some))),
        place);
    }

    view.replaceChildren(
      heading,
      element("p", {}, lesson.question),
      element("fieldset", { class: "lesson-choices" }, element("legend", {}, `Predict first. ${lesson.prediction}`), ...choices),
      rest);
    mark(lesson);
    showRest();
    heading.focus({ preventScroll: true });
  }

  dock.textContent = "Put beside the network";
  view.append(element("p", { class: "muted" }, "Twelve questions about training. For each of them predict the answer, do the experiment, and then see what ten seeds say."));
  mark();
}
