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

  /** Changes keys of the experiment: `app.set({ "optimizer.learning_rate": 0.1 })`. */
  set(changes) {
    const list = Object.entries(changes).map(([key, value]) => ({ key, value }));
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
    this.tell(type, message);
  }

  /** Shows a frame with the next picture of the screen, and asks for another one. */
  receiveFrame(message) {
    requestAnimationFrame(() => {
      if (message.scene === this.state.scene?.scene) {
        this.state.frame = message;
        this.tell("frame", message);
      }
      this.send({ type: "shown", frame: message.frame });
    });
  }
}
