// Wheel, drag, pinch and double click on a canvas.

import { HOME, clamp, movedBy, zoomedAt } from "./view.js";

/**
 * @import { Grab, Place, Point, Size, View } from "./types.js"
 *
 * @typedef {object} Viewer
 * @property {View} view
 * @property {Size} picture
 * @property {(canvas: HTMLCanvasElement) => Place} place
 * @property {(view: View) => void} setView
 * @property {() => boolean} pageScrolls
 * @property {() => void} leaveToPage
 * @property {(canvas: HTMLCanvasElement, point: Point | null) => void} hover
 * @property {(canvas: HTMLCanvasElement, point: Point) => void} pick
 * @property {(canvas: HTMLCanvasElement, point: Point, kind: string) => Grab | null} grab
 */

// So far a pointer may go from where it went down and is a tap still; a finger is never quite still.
/** @type {Record<string, number>} */
const SLOP = { mouse: 3, pen: 5, touch: 8 };

/** @param {HTMLCanvasElement} canvas @param {Viewer} stage */
export function followPointers(canvas, stage) {
  /** @type {Map<number, Point>} */
  const pointers = new Map();
  /** @type {Point} where the pointer went down, then where it was last followed to */
  let anchor = [0, 0];
  let moving = false;
  /** @type {Grab | null} */
  let grabbed = null;
  /** @param {boolean} kept */
  const letGo = (kept) => {
    grabbed?.drop(kept);
    grabbed = null;
  };
  /** @param {MouseEvent} event @returns {Point} */
  const at = (event) => {
    const box = canvas.getBoundingClientRect();
    return [event.clientX - box.left, event.clientY - box.top];
  };
  /** @returns {{length: number, middle: Point}} */
  const spread = () => {
    const [a, b] = [...pointers.values()];
    return { length: Math.hypot(a[0] - b[0], a[1] - b[1]), middle: [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2] };
  };
  /** @param {Point} from @param {Point} to */
  const drag = (from, to) => {
    stage.setView(movedBy(stage.view, stage.place(canvas), stage.picture, [to[0] - from[0], to[1] - from[1]]));
  };

  canvas.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    canvas.setPointerCapture(event.pointerId);
    // The first finger on the screen: one that is still counted left without our being told, and
    // would make a pinch of every tap from now on.
    if (event.isPrimary) {
      pointers.clear();
      letGo(false);
    }
    if (pointers.size === 0) {
      moving = false;
      anchor = at(event);
      grabbed = stage.grab(canvas, at(event), event.pointerType);
    } else {
      letGo(false); // the second finger of a pinch
    }
    pointers.set(event.pointerId, at(event));
  });
  canvas.addEventListener("pointermove", (event) => {
    const now = at(event), before = pointers.get(event.pointerId);
    if (!before) return stage.hover(canvas, now);
    if (pointers.size === 2) {
      const old = spread();
      pointers.set(event.pointerId, now);
      const fresh = spread();
      drag(old.middle, fresh.middle);
      stage.setView(zoomedAt(
        stage.view, stage.place(canvas), stage.picture, fresh.length / old.length, fresh.middle));
      moving = true;
      anchor = now;
      return;
    }
    pointers.set(event.pointerId, now);
    moving ||= Math.hypot(now[0] - anchor[0], now[1] - anchor[1]) > (SLOP[event.pointerType] ?? SLOP.mouse);
    if (!moving) return;
    if (grabbed) grabbed.move([now[0] - anchor[0], now[1] - anchor[1]]);
    else drag(anchor, now);
    anchor = now;
  });
  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    const tapped = event.type === "pointerup" && !moving;
    anchor = [...pointers.values()][0] ?? anchor; // what a pinch leaves goes on from where it is
    letGo(event.type === "pointerup" && !tapped);
    if (tapped) stage.pick(canvas, at(event));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("lostpointercapture", release); // after a pointerup it is known no more
  canvas.addEventListener("pointerleave", () => stage.hover(canvas, null));
  canvas.addEventListener("dblclick", () => stage.setView(HOME));
  canvas.addEventListener("wheel", (event) => {
    // Somebody who scrolls the page past the picture keeps scrolling the page.
    const outward = event.deltaY > 0 && stage.view.zoom <= 1;
    if (!event.ctrlKey && (outward || stage.pageScrolls())) return stage.leaveToPage();
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 16 : 1;
    const factor = Math.exp(-clamp(event.deltaY * lines, -200, 200) * (event.ctrlKey ? 0.01 : 0.002));
    stage.setView(zoomedAt(stage.view, stage.place(canvas), stage.picture, factor, at(event)));
  }, { passive: false });
}
