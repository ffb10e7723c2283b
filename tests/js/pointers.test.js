// Fingers and the mouse on a canvas: a tap counts, whatever became of the pointer before it.

import assert from "node:assert/strict";
import test from "node:test";

import { followPointers } from "../../pages/ui/viewer/pointers.js";
import { HOME } from "../../pages/ui/viewer/view.js";

/** @import { View } from "../../pages/ui/viewer/types.js" */

/** A canvas and what its stage hears. */
function stage() {
  const canvas = Object.assign(new EventTarget(), {
    setPointerCapture: () => {},
    getBoundingClientRect: () => ({ left: 10, top: 20 }),
  });
  const heard = /** @type {string[]} */ ([]);
  const viewer = /** @type {any} */ ({
    view: { ...HOME, zoom: 4 },
    picture: { width: 100, height: 100 },
    place: () => ({ scale: 1, dx: 0, dy: 0, width: 100, height: 100 }),
    setView: (/** @type {View} */ { cx, zoom }) => heard.push(`view ${zoom} ${cx.toFixed(2)}`),
    hover: () => {},
    pick: (/** @type {any} */ _, /** @type {number[]} */ [x, y]) => heard.push(`pick ${x} ${y}`),
    grab: (/** @type {any} */ _, /** @type {number[]} */ [x]) => (x > 50 ? null : {
      move: (/** @type {number[]} */ [dx]) => heard.push(`move ${dx}`),
      drop: (/** @type {boolean} */ kept) => heard.push(kept ? "kept" : "let go"),
    }),
  });
  followPointers(/** @type {any} */ (canvas), viewer);
  /** @param {string} type @param {number} x @param {object} [more] */
  const send = (type, x, more = {}) => canvas.dispatchEvent(Object.assign(
    new Event(type), { button: 0, pointerId: 1, pointerType: "touch", isPrimary: true, clientX: x, clientY: 50, ...more }));
  return { send, heard };
}

test("a drag is kept and the tap after it is a tap", () => {
  const { send, heard } = stage();
  send("pointerdown", 30);
  send("pointermove", 45);
  send("pointerup", 45);
  send("lostpointercapture", 45);
  send("pointerdown", 80);
  send("pointerup", 80);
  assert.deepEqual(heard, ["move 15", "kept", "pick 70 30"]);
});

test("a pointer that left without a word makes no pinch of the next tap", () => {
  for (const next of [1, 2]) { // a mouse has one number for ever, a finger each its own
    const { send, heard } = stage();
    send("pointerdown", 30);
    send("pointermove", 45);
    send("pointerdown", 80, { pointerId: next });
    send("pointerup", 80, { pointerId: next });
    assert.deepEqual(heard, ["move 15", "let go", "pick 70 30"]);
  }
});

test("a drag that the browser takes away is taken back", () => {
  for (const end of ["pointercancel", "lostpointercapture"]) {
    const { send, heard } = stage();
    send("pointerdown", 30);
    send("pointermove", 45);
    send(end, 45);
    assert.deepEqual(heard, ["move 15", "let go"]);
  }
});

test("a second finger lets go of the joint and makes a pinch", () => {
  const { send, heard } = stage();
  send("pointerdown", 30);
  send("pointerdown", 80, { pointerId: 2, isPrimary: false });
  send("pointermove", 90, { pointerId: 2, isPrimary: false });
  send("pointerup", 90, { pointerId: 2, isPrimary: false });
  assert.deepEqual(heard, ["let go", "view 4 0.45", "view 4.8 0.50"]);
});

test("a finger that trembles taps, and one that sets out takes the joint along all the way", () => {
  const { send, heard } = stage();
  send("pointerdown", 30);
  for (const x of [33, 28, 34, 27, 31]) send("pointermove", x);
  send("pointerup", 31);
  assert.deepEqual(heard.splice(0), ["let go", "pick 21 30"]);
  send("pointerdown", 30);
  for (const x of [34, 38, 40, 44]) send("pointermove", x);
  send("pointerup", 44);
  assert.deepEqual(heard.splice(0), ["move 10", "move 4", "kept"]);
  send("pointerdown", 30, { pointerType: "mouse" });
  send("pointermove", 34, { pointerType: "mouse" });
  send("pointerup", 34, { pointerType: "mouse" });
  assert.deepEqual(heard, ["move 4", "kept"]);
});

test("the finger that a pinch leaves goes on from where it is", () => {
  const { send, heard } = stage();
  send("pointerdown", 80);
  send("pointerdown", 60, { pointerId: 2, isPrimary: false });
  send("pointermove", 40, { pointerId: 2, isPrimary: false });
  send("pointerup", 40, { pointerId: 2, isPrimary: false });
  heard.splice(0);
  send("pointermove", 82);
  assert.deepEqual(heard, ["view 4 0.48"]);
});
