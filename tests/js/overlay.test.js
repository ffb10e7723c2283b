// Which joint is meant: by pointer, by keyboard, by name, and in another model.

import assert from "node:assert/strict";
import test from "node:test";

import {
  HIDDEN, STRONG, WEAK, counterpart, jointLines, jointOf, jointState, layersText, nearestJoint, onCanvas,
  visibleJoints,
} from "../../pages/ui/viewer/overlay.js";

/** @import { Layer, Options, Person } from "../../pages/ui/viewer/types.js" */

/** @type {Options} */
const OPTIONS = {
  weak: "hidden", labels: false, points: true, bones: true, boxes: false, joints: null, lineWidth: 3,
};
const PLACE = { scale: 2, dx: 10, dy: 0 };

/** @param {string} key @param {Person[]} people @param {Partial<Layer>} more @returns {Layer} */
function layer(key, people, more = {}) {
  const skeleton = { joints: ["nose", "left_wrist"], bones: [] };
  return { key, title: key, colour: "#000000", kind: "confidence", threshold: 0.5, skeleton, people, ...more };
}

/** @param {number} id @param {number[]} xy @param {number[]} score @returns {Person} */
const person = (id, xy, score = [0.9, 0.5]) => ({ id, xy, score });

test("a joint is hidden, weak or strong", () => {
  const one = person(1, [0, 0, 5, 5], [0.9, 0.4]), l = layer("a", [one]);
  assert.equal(jointState(l, one, 0, OPTIONS), STRONG);
  assert.equal(jointState(l, person(1, [0, 0, 5, 5]), 1, OPTIONS), STRONG); // at the threshold
  assert.equal(jointState(l, one, 1, OPTIONS), HIDDEN);
  assert.equal(jointState(l, one, 1, { ...OPTIONS, weak: "faint" }), WEAK);
  assert.equal(jointState(l, one, 0, { ...OPTIONS, joints: new Set(["left_wrist"]) }), HIDDEN);
  assert.equal(jointState(l, person(1, [0, NaN, 1, 1]), 0, OPTIONS), HIDDEN);
});

test("the nearest joint on show within reach is meant", () => {
  const l = layer("a", [person(4, [10, 10, 20, 10]), person(5, [13, 10, 90, 90])]);
  assert.deepEqual(onCanvas(PLACE, [10, 10, 20, 10], 1), [50, 20]);
  assert.deepEqual(nearestJoint([l], PLACE, [31, 20], 24, OPTIONS), { layer: "a", person: 4, joint: 0 });
  assert.deepEqual(nearestJoint([l], PLACE, [35, 20], 24, OPTIONS), { layer: "a", person: 5, joint: 0 });
  assert.equal(nearestJoint([l], PLACE, [36, 44], 24, OPTIONS), null); // exactly out of reach
});

test("the keyboard goes through what is on show", () => {
  const l = layer("a", [person(1, [0, 0, 1, 1], [0.9, 0.1]), person(2, [0, 0, 1, 1])]);
  assert.deepEqual(visibleJoints([l], OPTIONS).map((r) => [r.person, r.joint]), [[1, 0], [2, 0], [2, 1]]);
});

test("without a name the surest joint on show is meant", () => {
  const sure = person(1, [0, 0, 1, 1], [0.6, 0.8]), l = layer("a", [sure]);
  assert.equal(jointOf(l, sure, "", OPTIONS), 1);
  assert.equal(jointOf(l, person(1, [0, 0, NaN, 1], [0.6, 0.8]), "", OPTIONS), 0);
  assert.equal(jointOf(l, person(1, [0, 0, 1, 1], [0.1, 0.1]), "", OPTIONS), -1);
  assert.equal(jointOf(l, sure, "nose", OPTIONS), 0);
  assert.equal(jointOf(l, sure, "tail", OPTIONS), -1);
});

test("the same joint in another model: by number where people are matched, else by place", () => {
  const from = layer("a", [person(1, [0, 0, 5, 5])]);
  const people = [person(2, [1, 1, 5, 5]), person(1, [50, 50, 60, 60])];
  const ref = { layer: "a", person: 1, joint: 0 };
  const found = (/** @type {Partial<Layer>} */ more) =>
    counterpart(layer("b", [...people], more), { ...from, ...more }, ref, OPTIONS)?.person;
  assert.equal(found({ matched: true }), 1);
  assert.equal(found({ matched: false }), 2);
  const short = layer("c", people, { skeleton: { joints: ["tail", "left_wrist"], bones: [] } });
  assert.equal(counterpart(short, from, ref, OPTIONS), null);
});

test("words for a joint and for a picture", () => {
  const l = layer("a", [{ ...person(1, [1, 2, 3, 4]), doubts: [[1, "too long"]] }, person(-2, [0, 0, 0, 0])]);
  assert.deepEqual(jointLines(l, { layer: "a", person: 1, joint: 1 }),
    ["left wrist, person 1", "a", "confidence 0.50", "x 3.0 px, y 4.0 px", "too long"]);
  assert.match(jointLines(l, { layer: "a", person: -2, joint: 0 })[0], /person not followed/);
  assert.equal(layersText([l], OPTIONS), "a: 1 person, 4 joints with confidence of at least 0.5");
  assert.equal(layersText([layer("b", [])], OPTIONS), "b: nobody counts as found");
  assert.equal(layersText([], OPTIONS), "no poses drawn");
});
