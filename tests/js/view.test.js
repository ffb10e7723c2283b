// Zoom and position: what is under the pointer stays there, and nothing is lost out of sight.

import assert from "node:assert/strict";
import test from "node:test";

import { HOME, clamp, columnsFor, fitted, movedBy, placeOf, zoomedAt } from "../../pages/ui/viewer/view.js";

const PICTURE = { width: 400, height: 200 };

test("the whole picture lies in the middle of any canvas", () => {
  assert.deepEqual(placeOf(HOME, PICTURE, 200, 200), { scale: 0.5, dx: 0, dy: 50 });
  assert.deepEqual(placeOf(HOME, PICTURE, 800, 300), { scale: 1.5, dx: 100, dy: 0 });
});

test("the point under the pointer stays when the wheel turns", () => {
  const place = placeOf(HOME, PICTURE, 200, 100), at = /** @type {[number, number]} */ ([150, 20]);
  const view = zoomedAt(HOME, place, PICTURE, 2.5, at);
  const after = placeOf(view, PICTURE, 200, 100);
  assert.equal(view.zoom, 2.5);
  assert.ok(Math.abs((at[0] - place.dx) / place.scale - (at[0] - after.dx) / after.scale) < 1e-9);
  assert.ok(Math.abs((at[1] - place.dy) / place.scale - (at[1] - after.dy) / after.scale) < 1e-9);
});

test("zoom has its limits", () => {
  const place = placeOf(HOME, PICTURE, 200, 100);
  assert.equal(zoomedAt(HOME, place, PICTURE, 1e6, [0, 0]).zoom, 40);
  assert.equal(zoomedAt(HOME, place, PICTURE, 1e-6, [0, 0]).zoom, 0.5);
});

test("a drag moves the picture with the pointer, at most to its edge", () => {
  const place = placeOf(HOME, PICTURE, 200, 100);
  assert.deepEqual(movedBy(HOME, place, PICTURE, [20, -10]), { zoom: 1, cx: 0.4, cy: 0.6 });
  assert.deepEqual(movedBy(HOME, place, PICTURE, [-9999, 9999]), { zoom: 1, cx: 1, cy: 0 });
});

test("a box fills the canvas with room around, and never less than the whole picture is shown", () => {
  const view = fitted([100, 50, 140, 90], PICTURE, 400, 200);
  assert.deepEqual([view.cx, view.cy], [0.3, 0.35]);
  const place = placeOf(view, PICTURE, 400, 200);
  assert.ok(Math.abs(40 * place.scale * 1.5 - 200) < 1e-9);
  assert.equal(fitted([0, 0, 400, 200], PICTURE, 400, 200).zoom, 1);
  // In a corner the picture's edge is the canvas' edge.
  const corner = fitted([0, 160, 40, 200], PICTURE, 400, 200), there = placeOf(corner, PICTURE, 400, 200);
  assert.ok(Math.abs(there.dx) < 1e-9);
  assert.ok(Math.abs(200 * there.scale + there.dy - 200) < 1e-9);
  assert.equal(fitted([7, 7, 7, 7], PICTURE, 400, 200).zoom, 12);
});

test("clamp", () => {
  assert.deepEqual([-1, 0.5, 9].map((v) => clamp(v, 0, 1)), [0, 0.5, 1]);
});

test("no place stays empty, and four stand two by two", () => {
  assert.deepEqual([1, 2, 3, 4].map((count) => columnsFor(count, 1088)), [1, 2, 3, 2]);
  assert.deepEqual([1, 2, 3, 4].map((count) => columnsFor(count, 358)), [1, 1, 1, 1]); // a phone
  assert.equal(columnsFor(3, 600), 1); // two columns would leave a place
});
