import assert from "node:assert/strict";
import test from "node:test";

import { legendPlaces } from "../../pages/ui/live/charts.js";
import { sizeNote } from "../../pages/ui/live/size.js";

test("names stand beside each other as long as there is room", () => {
  assert.deepEqual(legendPlaces([], 300), []);
  assert.deepEqual(legendPlaces([50, 50], 300), [[0, 0], [100, 0]]);
  assert.deepEqual(legendPlaces([50, 50, 50, 50], 300), [[0, 0], [100, 0], [200, 0], [0, 1]]);
});

test("a name that is wider than the chart has a row of its own", () => {
  assert.deepEqual(legendPlaces([500, 50, 500], 300), [[0, 0], [0, 1], [0, 2]]);
});

/** @type {[number, number]} */
const WANTED = [640, 480];
/** @param {number} frameWidth @param {number} frameHeight @param {string} [qualityLimitationReason] */
const sent = (frameWidth, frameHeight, qualityLimitationReason) =>
  ({ frameWidth, frameHeight, qualityLimitationReason });

test("nothing is said of the size that was asked for, upright or not, or not known yet", () => {
  assert.equal(sizeNote(WANTED, [640, 480], sent(640, 480)), "");
  assert.equal(sizeNote(WANTED, [480, 640], sent(480, 640)), "");
  assert.equal(sizeNote(WANTED, [640, 480], null), "");
  assert.equal(sizeNote(WANTED, [0, 0], null), "");
});

test("a camera that has another size is named", () => {
  const words = "The camera gives 1280 × 720 pixels; it was asked for 640 × 480.";
  assert.equal(sizeNote(WANTED, [1280, 720], sent(1280, 720)), words);
  assert.equal(sizeNote(WANTED, [1280, 720], null), words);
  assert.equal(sizeNote(WANTED, [0, 0], sent(1280, 720)), words);
});

test("a browser that sends less says why", () => {
  const begin = "The browser sends 480 × 360 pixels instead of 640 × 480: ";
  assert.equal(sizeNote(WANTED, [640, 480], sent(480, 360, "cpu")),
    `${begin}this computer is too slow for more right now.`);
  assert.equal(sizeNote(WANTED, [640, 480], sent(480, 360, "bandwidth")),
    `${begin}the way to the app carries no more right now.`);
  assert.equal(sizeNote(WANTED, [1280, 720], sent(480, 360, "none")), `${begin}it decided so.`);
});
