// The state of the page, and who is told of changes.

import { connect } from "./connection.js";

/**
 * The application: the newest message of each type, and a way to send.
 *
 * A panel is a module with `mount(element, app)`. It draws what `app.state` holds, and listens with `app.on(type, draw)`.
 */
export class App extends EventTarget {
  /** The newest message of each type, such as `state.frame`; `state.epochs` holds all rows. */
  state = { epochs: { rows: [] } };

  /** The experiment as the program has sent it. */
  #inForce;

  /** The frames that have come since the last picture of the screen. */
  #waiting = [];

  /** Calls `listener(message)` after every message of a type, or after an event of the page that `tell` raised. */
  on(type, listener) {
    this.addEventListener(type, (event) => listener(event.detail));
  }

  /** Tells all listeners of `type`. */
  tell(type, detail) {
    this.dispatchEvent(new CustomEvent(type, { detail }));
  }

  /** Sends a message to the program; see messages.js. */
  send(message) {
    this.transmit(message);
  }

  /**
   * Changes keys of the experiment: `app.set({ "optimizer.learning_rate": 0.1 })`. `null` removes a key.
   *
   * `value` has the new values at once, so that a second change builds on the first one before the program has answered.
   */
  set(changes) {
    const list = Object.entries(changes).map(([key, value]) => ({ key, value }));
    if (this.state.setting) {
      const values = structuredClone(this.state.setting.values);
      list.forEach(({ key, value }) => assign(values, key.split("."), value));
      this.state.setting = { ...this.state.setting, values };
    }
    this.send({ type: "set", changes: list });
  }

  /** The value of a key of the experiment, such as `model.activation`. */
  value(key) {
    return key.split(".").reduce((value, name) => value?.[name], this.state.setting?.values);
  }

  /** Connects to the program. */
  start() {
    this.transmit = connect({
      onMessage: (message) => this.receive(message),
      onState: (state) => this.tell("connection", state),
    });
  }

  receive(message) {
    const { type } = message;
    if (type === "frame") {
      this.receiveFrame(message);
      return;
    }
    if (type === "epochs" && !message.is_whole) {
      this.state.epochs.rows.push(...message.rows);
      this.state.epochs.scene = message.scene;
    } else {
      this.state[type] = message;
    }
    if (type === "setting") {
      this.#inForce = message;
    } else if (type === "problem") {
      // Nothing has changed.
      this.state.setting = this.#inForce;
    }
    this.tell(type, message);
  }

  /**
   * Shows the newest frame with the next picture of the screen. The program sends another one for each that is not needed any
   * more; a page that is hidden has no next picture, and so gets none.
   */
  receiveFrame(message) {
    this.#waiting.push(message);
    if (this.#waiting.length > 1) {
      return;
    }
    requestAnimationFrame(() => {
      const frames = this.#waiting.splice(0);
      const newest = frames.at(-1);
      if (newest.scene === this.state.scene?.scene) {
        this.state.frame = newest;
        this.tell("frame", newest);
      }
      frames.forEach(({ frame }) => this.send({ type: "shown", frame }));
    });
  }
}

function assign(values, [name, ...rest], value) {
  if (rest.length > 0) {
    // A name alone, such as that of an activation, becomes a table with further keys.
    const inner = values[name];
    values[name] = inner === null || typeof inner !== "object" ? {} : inner;
    assign(values[name], rest, value);
  } else if (value === null) {
    delete values[name];
  } else {
    values[name] = value;
  }
}
