// The connection to the program: text to it, binary messages from it.

const VERSION = 1;

/** Reads a binary message: its JSON, and a function that reads its arrays. See messages.js for the types. */
export function decode(buffer) {
  const bytes = new DataView(buffer);
  if (bytes.getUint8(0) !== VERSION) {
    throw new Error(`This page speaks version ${VERSION} of the messages. Reload it.`);
  }
  const length = bytes.getUint32(4, true);
  const message = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
  const start = 8 + length;
  message.bytes = (slice) => new Uint8Array(buffer, start + slice.start, slice.length);
  message.floats = (slice) => new Float32Array(buffer, start + slice.start, slice.length / 4);
  return message;
}

/** Opens the connection and opens it again whenever it breaks. Returns a function that sends a message. */
export function connect({ onMessage, onState }) {
  let socket;
  let wait = 250;
  const open = () => {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    socket = new WebSocket(`${scheme}://${location.host}/live`);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      wait = 250;
      onState("open");
    };
    socket.onmessage = (event) => onMessage(decode(event.data));
    socket.onclose = () => {
      onState("closed");
      setTimeout(open, wait);
      wait = Math.min(2 * wait, 5000);
    };
  };
  open();
  return (message) => {
    if (socket.readyState === WebSocket.OPEN) {
      socket.send(JSON.stringify(message));
    }
  };
}
