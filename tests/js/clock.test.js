// Which frame is on show: seeks go to the middle of a frame, and only the newest wish is kept.

import assert from "node:assert/strict";
import test from "node:test";

import { FrameClock } from "../../pages/ui/viewer/clock.js";

/** Plays nothing; tells of a frame when the test says so. */
class StandInVideo extends EventTarget {
  paused = true;
  seeking = false;
  times = /** @type {number[]} */ ([]);
  /** @type {((now: number, meta: {mediaTime: number}) => void) | null} */
  waiting = null;
  #time = 0;

  get currentTime() { return this.#time; }

  set currentTime(time) {
    this.#time = time;
    this.times.push(time);
    this.seeking = true;
  }

  /** @param {any} tell */
  requestVideoFrameCallback(tell) { this.waiting = tell; return 0; }

  /** The browser has shown the frame of that time. @param {number} mediaTime */
  arrive(mediaTime) {
    this.seeking = false;
    this.#time = mediaTime;
    this.waiting?.(0, { mediaTime });
  }

  pause() { this.paused = true; }

  async play() { this.paused = false; }
}

const TIMES = [0, 0.1, 0.2, 0.4, 0.5];

function clockOver(times = TIMES, first = 0) {
  const video = new StandInVideo(), seen = { frames: /** @type {number[]} */ ([]), rests: /** @type {number[]} */ ([]), target: -1 };
  const clock = new FrameClock(/** @type {any} */ (video), {
    capture: () => {}, onFrame: (f) => seen.frames.push(f),
    onTarget: (f) => { seen.target = f; }, onRest: (f) => seen.rests.push(f), onPlaying: () => {},
  });
  clock.begin(times, first);
  return { clock, video, seen };
}

test("a frame is sought in the middle of its time, however long that is", () => {
  const { clock, video, seen } = clockOver(TIMES, 2);
  assert.ok(Math.abs(video.times[0] - 0.3) < 1e-9);
  video.arrive(0.2);
  assert.deepEqual([clock.frame, seen.frames, seen.rests], [2, [2], [2]]);
});

test("a time a hair before a frame's own is that frame", () => {
  const { clock, video } = clockOver();
  video.arrive(0.0998);
  assert.equal(clock.frame, 1);
  video.arrive(0.0994);
  assert.equal(clock.frame, 0);
});

test("a seek that ends beside its frame is tried again elsewhere in the frame, then given up", () => {
  const { clock, video, seen } = clockOver(TIMES, 3);
  video.arrive(0.2);
  assert.equal(video.times.length, 2);
  assert.ok(Math.abs(video.times[1] - 0.401) < 1e-9);
  video.arrive(0.2);
  assert.ok(Math.abs(video.times[2] - 0.49) < 1e-9);
  video.arrive(0.2);
  assert.deepEqual([video.times.length, clock.frame, seen.rests], [3, 2, [2]]);
});

test("while a seek is under way only the newest wish is kept", () => {
  const { clock, video, seen } = clockOver();
  for (const frame of [1, 2, 3]) clock.seek(frame);
  assert.deepEqual([video.times.length, clock.target], [1, 3]);
  video.arrive(0);
  assert.ok(Math.abs(video.times[1] - 0.45) < 1e-9);
  video.arrive(0.4);
  assert.deepEqual([seen.frames, seen.rests], [[0, 3], [3]]);
});

test("steps count from the wish and stay within the clip", () => {
  const { clock, video } = clockOver();
  clock.step(1);
  clock.step(1);
  assert.equal(clock.target, 2);
  clock.step(Infinity);
  assert.equal(clock.target, 4);
  clock.step(-Infinity);
  assert.equal(clock.target, 0);
  video.arrive(0);
});

test("play at the end begins anew", async () => {
  const { clock, video } = clockOver(TIMES, 4);
  video.arrive(0.5);
  await clock.toggle();
  assert.equal(clock.target, 0);
  assert.equal(video.paused, false);
  clock.toggle();
  assert.equal(video.paused, true);
});

test("where it was told to go is known before it is there, and no frame on the way takes its place", () => {
  const { clock, video, seen } = clockOver();
  video.arrive(0);
  assert.equal(seen.target, 0);
  clock.seek(3);
  assert.equal(seen.target, 3);
  video.seeking = true;
  video.waiting?.(0, { mediaTime: 0.1 });
  assert.deepEqual([seen.frames.at(-1), seen.target], [1, 3]);
  clock.seek(2);
  assert.equal(seen.target, 2);
});

test("in play the frame on show is where it is", () => {
  const { clock, video, seen } = clockOver();
  video.arrive(0);
  void clock.toggle();
  video.waiting?.(0, { mediaTime: 0.2 });
  assert.equal(seen.target, 2);
});
