// One zoom and position for all canvases of a viewer, in fractions of the picture, so that it fits
// canvases of any size; zoom 1 shows the whole picture.

/** @import { Place, Point, Size, View } from "./types.js" */

const ZOOM_MIN = 0.5, ZOOM_MAX = 40;
const NARROWEST = 240;
const ROOM = 1.5, FIT_MAX = 12;

/** @type {Readonly<View>} */
export const HOME = Object.freeze({ zoom: 1, cx: 0.5, cy: 0.5 });

/**
 * In how many columns `count` panels stand, so that people are large and no place stays empty: four
 * two by two, three of tall pictures in a row.
 * @param {number} count @param {number} width of the grid in CSS pixels
 */
export function columnsFor(count, width) {
  if (width < 2 * NARROWEST) return 1;
  if (count === 4) return 2;
  if (count === 3) return width < 3 * NARROWEST ? 1 : 3;
  return Math.min(count, Math.floor(width / NARROWEST));
}

/** @param {number} value @param {number} low @param {number} high */
export function clamp(value, low, high) {
  return Math.min(high, Math.max(low, value));
}

/**
 * Where the picture lies on a canvas of `width` x `height` CSS pixels.
 * @param {View} view @param {Size} picture @param {number} width @param {number} height
 * @returns {Place}
 */
export function placeOf(view, picture, width, height) {
  const scale = view.zoom * Math.min(width / picture.width, height / picture.height);
  return {
    scale,
    dx: width / 2 - view.cx * picture.width * scale,
    dy: height / 2 - view.cy * picture.height * scale,
  };
}

/**
 * The view zoomed by `factor` with the point (x, y) of that canvas staying where it is.
 * @param {View} view @param {Place} place @param {Size} picture @param {number} factor @param {Point} point
 * @returns {View}
 */
export function zoomedAt(view, place, picture, factor, [x, y]) {
  const zoom = clamp(view.zoom * factor, ZOOM_MIN, ZOOM_MAX);
  const change = zoom / view.zoom;
  const px = (x - place.dx) / place.scale / picture.width;
  const py = (y - place.dy) / place.scale / picture.height;
  return {
    zoom,
    cx: clamp(px + (view.cx - px) / change, 0, 1),
    cy: clamp(py + (view.cy - py) / change, 0, 1),
  };
}

/**
 * The view after the picture was dragged by (dx, dy) CSS pixels.
 * @param {View} view @param {Place} place @param {Size} picture @param {Point} by
 * @returns {View}
 */
export function movedBy(view, place, picture, [dx, dy]) {
  return {
    zoom: view.zoom,
    cx: clamp(view.cx - dx / place.scale / picture.width, 0, 1),
    cy: clamp(view.cy - dy / place.scale / picture.height, 0, 1),
  };
}

/**
 * The view in which a box of the picture fills the canvas, with some room around.
 * @param {number[]} box left, top, right, bottom in pixels of the picture
 * @param {Size} picture @param {number} width @param {number} height of the canvas in CSS pixels
 * @returns {View}
 */
export function fitted([left, top, right, bottom], picture, width, height) {
  const side = ROOM * Math.max(right - left, bottom - top, 1);
  const wanted = Math.min(width / side, height / side);
  const whole = Math.min(width / picture.width, height / picture.height);
  const zoom = clamp(wanted / whole, 1, FIT_MAX);
  return {
    zoom,
    cx: middleOf((left + right) / 2 / picture.width, width / picture.width / whole / zoom),
    cy: middleOf((top + bottom) / 2 / picture.height, height / picture.height / whole / zoom),
  };
}

/**
 * Nothing beside the picture is shown while there is enough of the picture.
 * @param {number} wanted middle, in fractions of the picture @param {number} seen share on the canvas
 */
function middleOf(wanted, seen) {
  const half = Math.min(0.5, seen / 2);
  return clamp(wanted, half, 1 - half);
}
