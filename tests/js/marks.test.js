// Marking: what counts, what is asked, and that every change can be taken back.

import assert from "node:assert/strict";
import test from "node:test";

import { HIDDEN_THERE, Marks, NOT_THERE, OPEN, SEEN } from "../../pages/ui/viewer/marks.js";

/** @import { Kept } from "../../pages/ui/viewer/marks.js" */

const JOINTS = ["nose", "left_wrist", "right_wrist"];
const SOURCES = [
  { key: "middle", title: "the middle", people: { 1: [10, 10, 20, 20, 30, 30], 2: [50, 50, 60, 60, null, null] } },
  { key: "model", title: "a model", people: { 1: [11, 11, 21, 21, 31, 31] } },
];

/** @param {number} revision @param {Kept} kept */
function marking(revision = 0, kept = { marks: [], before: [], undone: [], asked: null }) {
  const xy = [...SOURCES[0].people[1]];
  const people = [{ id: 1, from: "middle", xy, state: [OPEN, OPEN, OPEN] }];
  const asked = /** @type {[number, number][]} */ ([[1, 2], [1, 0], [2, 1]]);
  return new Marks(
    { joints: JOINTS, people, revision, sources: SOURCES, asked, colour: "", come: 0 }, kept,
    { width: 100, height: 80 });
}

test("the joints that decide most are asked first, then the other open ones", () => {
  const marks = marking();
  const order = [marks.asked?.joint];
  for (let i = 0; i < 2; i++) {
    marks.confirm(/** @type {any} */ (marks.asked), SEEN);
    marks.asked = marks.next(1);
    order.push(marks.asked?.joint);
  }
  assert.deepEqual(order, [2, 0, 1]);
  assert.deepEqual(marks.suggestions(), []);
});

test("what is placed counts and stays in the picture; hidden stays hidden when it is moved", () => {
  const marks = marking(), ref = { person: 1, joint: 1 };
  marks.change(() => marks.put(ref, 120, -5));
  assert.deepEqual(marks.person(1)?.xy.slice(2, 4), [100, 0]);
  assert.deepEqual(marks.person(1)?.state, [OPEN, SEEN, OPEN]);
  marks.confirm(ref, HIDDEN_THERE);
  marks.put(ref, 5, 5);
  assert.equal(marks.person(1)?.state[1], HIDDEN_THERE);
});

test("a joint without a place is not confirmed, but may be absent", () => {
  const marks = marking();
  marks.addPerson();
  const ref = { person: 2, joint: 2 };
  assert.equal(marks.confirm(ref, SEEN), false);
  assert.equal(marks.confirm(ref, NOT_THERE), true);
  assert.equal(marks.person(2)?.state[2], NOT_THERE);
});

test("to agree takes over what has a place and is open", () => {
  const marks = marking();
  marks.addPerson();
  marks.confirm({ person: 2, joint: 0 }, NOT_THERE);
  marks.agree(2);
  assert.deepEqual(marks.person(2)?.state, [NOT_THERE, SEEN, OPEN]);
});

test("another start moves open joints only", () => {
  const marks = marking();
  marks.change(() => marks.put({ person: 1, joint: 0 }, 1, 2));
  marks.startFrom(1, "model");
  assert.deepEqual(marks.person(1)?.xy, [1, 2, 21, 21, 31, 31]);
  marks.startFrom(1, "");
  assert.deepEqual(marks.person(1)?.xy, [1, 2, null, null, null, null]);
});

test("every change can be taken back and done again, a drag in one step", () => {
  const marks = marking(), begin = JSON.stringify(marks.people);
  const end = marks.drag();
  for (const x of [40, 41, 42]) marks.put({ person: 1, joint: 0 }, x, 40);
  end(true);
  marks.nudge(1, 0); // of the joint asked for, the right wrist
  marks.addPerson();
  marks.removePerson(1);
  assert.deepEqual(marks.asked, { person: 2, joint: 1 });
  const done = JSON.stringify(marks.people);
  for (let i = 0; i < 4; i++) assert.equal(marks.undo(), true);
  assert.equal(JSON.stringify(marks.people), begin);
  assert.equal(marks.undo(), false);
  for (let i = 0; i < 4; i++) assert.equal(marks.redo(), true);
  assert.equal(JSON.stringify(marks.people), done);
  assert.equal(marks.redo(), false);
});

test("a drag that was given up leaves nothing", () => {
  const marks = marking(), begin = JSON.stringify(marks.people);
  const end = marks.drag();
  marks.put({ person: 1, joint: 0 }, 40, 40);
  end(false);
  assert.equal(JSON.stringify(marks.people), begin);
  assert.equal(marks.undo(), false);
});

test("people keep their numbers: first those whom models found, then new ones", () => {
  const marks = marking();
  marks.addPerson();
  marks.addPerson();
  assert.deepEqual(marks.people.map((mark) => mark.id), [1, 2, 3]);
  assert.deepEqual(marks.person(3)?.xy, Array(6).fill(null));
});

test("a rerun keeps what was marked, a newer revision from Python replaces it", () => {
  /** @type {Kept} */
  const kept = { marks: [], before: [], undone: [], asked: null };
  marking(0, kept).confirm({ person: 1, joint: 0 }, SEEN);
  assert.equal(marking(0, kept).person(1)?.state[0], SEEN);
  const fresh = marking(1, kept);
  assert.equal(fresh.person(1)?.state[0], OPEN);
  assert.equal(fresh.undo(), false);
});

test("the box around a person", () => {
  const marks = marking();
  assert.deepEqual(marks.boxOf(1), [10, 10, 30, 30]);
  marks.startFrom(1, "");
  assert.equal(marks.boxOf(1), null);
});
