// When to draw: with the next picture of the screen, seldom, and only what can be seen.

/** A function that calls `draw` once before the next picture of the screen, however often it is called. */
export function eachFrame(draw) {
  let isWaiting = false;
  return () => {
    if (isWaiting) {
      return;
    }
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      draw();
    });
  };
}

/** A function that calls `draw` at most once in `milliseconds`, and once more after the last call. */
export function seldom(milliseconds, draw) {
  let timer = null;
  let last = -Infinity;
  return () => {
    timer ??= setTimeout(() => {
      timer = null;
      last = performance.now();
      draw();
    }, Math.max(0, last + milliseconds - performance.now()));
  };
}

/** Whether a part of the page can be seen, so that it is worth drawing. */
export function isShown(part) {
  return part.isConnected && part.getClientRects().length > 0;
}
