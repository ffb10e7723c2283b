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

/** @param {HTMLCanvasElement} canvas @param {Viewer} stage */
export function followPointers(canvas, stage) {
  /** @type {Map<number, Point>} */
  const pointers = new Map();
  let moved = 0;
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
    if (pointers.size === 0) {
      moved = 0;
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
      moved = Infinity;
      return;
    }
    moved += Math.hypot(now[0] - before[0], now[1] - before[1]);
    pointers.set(event.pointerId, now);
    if (moved <= 3) return;
    if (grabbed) grabbed.move([now[0] - before[0], now[1] - before[1]]);
    else drag(before, now);
  });
  /** @param {PointerEvent} event */
  const release = (event) => {
    if (!pointers.delete(event.pointerId)) return;
    const tapped = event.type === "pointerup" && moved <= 3;
    letGo(event.type === "pointerup" && !tapped);
    if (tapped) stage.pick(canvas, at(event));
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
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
