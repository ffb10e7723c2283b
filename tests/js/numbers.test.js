// The poses of a clip: packed as clip.py does it, read at any frame.

import assert from "node:assert/strict";
import test from "node:test";

import { lastAtMost, posesAt, trackOf, unpackPoses } from "../../pages/ui/viewer/numbers.js";

const NO_NUMBER = 65535;

/**
 * A clip in which one model of two joints answered frames 0 and 2 (nobody, then two people) and
 * failed at 4. Positions: low 10, steps of 0.5.
 */
function packed() {
  const arrays = {
    timestamps: Float64Array.from([0, 0.1, 0.2, 0.3, 0.4]),
    frames: Int32Array.from([0, 2]), starts: Int32Array.from([0, 0, 2]), ids: Int32Array.from([7, -1]),
    failed: Int32Array.from([4]),
    xy: Uint16Array.from([0, 2, 4, NO_NUMBER, 20, 22, 24, 26]), score: Uint16Array.from([0, 10, 5, NO_NUMBER]),
    trust: Uint16Array.from([9, 2]),
  };
  /** @type {Record<string, [string, number, number]>} */
  const at = {};
  let offset = 0;
  const types = { Float64Array: "float64", Int32Array: "int32", Uint16Array: "uint16" };
  for (const [name, array] of Object.entries(arrays)) {
    at[name] = [types[/** @type {keyof typeof types} */ (array.constructor.name)], offset, array.length];
    offset += Math.ceil(array.byteLength / 8) * 8;
  }
  const header = { timestamps: at.timestamps, models: { m: {
    joints: 2, frames: at.frames, starts: at.starts, ids: at.ids, failed: at.failed,
    score: [at.score, 0, 0.1], xy: [at.xy, 10, 0.5], smooth: null, box: null, trust: [at.trust, 0, 0.1],
  } } };
  let text = JSON.stringify(header);
  text += " ".repeat((8 - ((12 + text.length) % 8)) % 8);
  const buffer = new ArrayBuffer(12 + text.length + offset), bytes = new Uint8Array(buffer);
  bytes.set(new TextEncoder().encode("POSECLP1"));
  new DataView(buffer).setUint32(8, text.length, true);
  bytes.set(new TextEncoder().encode(text), 12);
  for (const [name, array] of Object.entries(arrays)) {
    bytes.set(new Uint8Array(array.buffer), 12 + text.length + at[name][1]);
  }
  return buffer;
}

test("what was packed is read", () => {
  const { timestamps, models } = unpackPoses(packed());
  assert.deepEqual([...Array.from(timestamps)], [0, 0.1, 0.2, 0.3, 0.4]);
  const { people, from, failed } = posesAt(models.m, 2, null, false);
  assert.deepEqual([from, failed, people.length], [2, false, 2]);
  assert.deepEqual([...people[0].xy], [10, 11, 12, NaN]);
  assert.deepEqual([...people[1].xy], [20, 21, 22, 23]);
  assert.deepEqual([people[0].id, people[1].id], [7, -1]);
  assert.ok(Number.isNaN(people[1].score[1]));
});

test("between answers the last one stands, before the first there is none", () => {
  const { m } = unpackPoses(packed()).models;
  assert.equal(posesAt(m, 1, null, false).from, 0);
  assert.equal(posesAt(m, 3, null, false).from, 2);
  assert.equal(posesAt(m, -1, null, false).from, null);
  assert.deepEqual([posesAt(m, 4, null, false).failed, posesAt(m, 4, null, false).from], [true, 2]);
});

test("people who are trusted less are left out, with a hair of tolerance", () => {
  const { m } = unpackPoses(packed()).models;
  const ids = (/** @type {number} */ trust) => posesAt(m, 2, trust, false).people.map((p) => p.id);
  assert.deepEqual(ids(0.25), [7, -1]); // 0.2 was packed in steps of 0.1
  assert.deepEqual(ids(0.5), [7]);
  assert.deepEqual(ids(1.1), []);
});

test("a track has a gap where the person is missing", () => {
  const { m } = unpackPoses(packed()).models;
  assert.deepEqual(trackOf(m, { id: 7, joint: 0 }, 3, 10).raw, [NaN, NaN, 10, 11]);
  assert.deepEqual(trackOf(m, { id: 7, joint: 0 }, 3, 1).raw, [10, 11]);
});

test("something else is refused", () => {
  assert.throws(() => unpackPoses(new ArrayBuffer(64)), /unknown form/);
});

test("the last one at most", () => {
  const values = [1, 3, 3, 8];
  assert.deepEqual([0, 1, 2, 3, 7, 8, 9].map((v) => lastAtMost(values, v)), [-1, 0, 0, 2, 2, 3, 3]);
  assert.equal(lastAtMost([], 1), -1);
});
