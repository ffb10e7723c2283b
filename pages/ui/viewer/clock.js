// Which frame of the clip is on show, exactly. Frames are told apart by their timestamps: frame
// rates vary, and a browser's own clock runs between frames.

import { lastAtMost } from "./numbers.js";
import { clamp } from "./view.js";

/**
 * What the clock needs of a video element.
 * @typedef {Pick<HTMLVideoElement, "paused" | "seeking" | "currentTime" | "pause" | "play" |
 *   "addEventListener" | "requestVideoFrameCallback">} Video
 *
 * @typedef {object} Acts
 * @property {() => void} capture copies the picture on show
 * @property {(frame: number) => void} onFrame is told which frame was copied
 * @property {(frame: number) => void} onTarget which frame is to be shown: a clock that takes this
 *   one's place before it is there begins with it
 * @property {(frame: number) => void} onRest where the clip came to rest
 * @property {(playing: boolean) => void} onPlaying
 */

const TIME_TOLERANCE = 0.0005;
const NO_FRAME_AFTER = 400;

// Where within a frame's time to seek to, one after the other until the right frame is on show. Its
// start may be rounded into the frame before. With a variable rate and B-frames browsers take a
// frame to end too early, because containers give durations in the order of decoding.
/** @type {((lasts: number) => number)[]} */
const PLACES = [
  (lasts) => lasts / 2,
  (lasts) => Math.min(lasts / 2, 0.001),
  (lasts) => lasts * 0.9,
];

export class FrameClock {
  /** @param {Video} video @param {Acts} acts */
  constructor(video, { capture, onFrame, onTarget, onRest, onPlaying }) {
    this.video = video;
    this.capture = capture;
    this.onFrame = onFrame;
    this.onTarget = onTarget;
    this.onRest = onRest;
    this.onPlaying = onPlaying;
    /** @type {ArrayLike<number> | null} */
    this.timestamps = null;
    /** @type {number | null} */
    this.wanted = null;
    /** @type {number | null} */
    this.seeking = null;
    this.frame = -1;
    this.tries = 0;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.late = undefined;
    const watch = () => video.requestVideoFrameCallback((_, meta) => {
      this.shown(meta.mediaTime);
      watch();
    });
    watch();
    video.addEventListener("play", () => this.onPlaying(true));
    video.addEventListener("pause", () => { this.onPlaying(false); this.rest(); });
    video.addEventListener("seeked", () => this.onSeeked());
  }

  forget() {
    this.timestamps = this.wanted = this.seeking = null;
    this.frame = -1;
    clearTimeout(this.late);
  }

  /**
   * Ascending times of all frames; then `frame` is shown.
   * @param {ArrayLike<number>} timestamps @param {number} frame
   */
  begin(timestamps, frame) {
    this.timestamps = timestamps;
    this.seek(frame);
  }

  get last() { return this.timestamps ? this.timestamps.length - 1 : 0; }

  /**
   * The exact time of the frame on show. The callback's own time runs ahead on clips with a
   * variable rate; VideoFrame needs a secure context.
   * @param {number | null} mediaTime
   */
  exactTime(mediaTime) {
    try {
      const frame = new VideoFrame(/** @type {HTMLVideoElement} */ (this.video));
      const time = frame.timestamp / 1e6;
      frame.close();
      return time;
    } catch {
      return mediaTime ?? this.video.currentTime;
    }
  }

  /** @param {number | null} mediaTime */
  shown(mediaTime) {
    if (!this.timestamps) return;
    // In play the next frame may come between asking for the time and copying the picture.
    let time, now = this.exactTime(mediaTime);
    for (let tries = 0; time !== now && tries < 3; tries++) {
      time = now;
      this.capture();
      now = this.exactTime(mediaTime);
    }
    this.frame = clamp(lastAtMost(this.timestamps, now + TIME_TOLERANCE), 0, this.last);
    this.onTarget(this.target);
    this.onFrame(this.frame);
    if (this.seeking === this.frame || (this.seeking !== null && !this.video.seeking)) this.arrive();
  }

  // A seek that ends on the frame already on show brings no new frame.
  onSeeked() {
    if (this.seeking === null || this.video.seeking) return;
    if (this.seeking === this.frame) return this.arrive();
    clearTimeout(this.late);
    this.late = setTimeout(() => this.shown(null), NO_FRAME_AFTER);
  }

  arrive() {
    clearTimeout(this.late);
    if (this.frame !== this.seeking && this.wanted === null && this.tries < PLACES.length) {
      return this.aim();
    }
    this.seeking = null;
    if (this.wanted !== null) this.startSeek();
    else this.rest();
  }

  rest() {
    if (this.video.paused && this.seeking === null) this.onRest(this.frame);
  }

  aim() {
    const times = this.timestamps, frame = this.seeking;
    if (!times || frame === null) return;
    const usual = times.length > 1 ? (times[this.last] - times[0]) / this.last : 0.04;
    const lasts = frame < this.last ? times[frame + 1] - times[frame] : usual;
    this.video.currentTime = times[frame] + PLACES[this.tries++](lasts);
  }

  /**
   * While a seek is under way only the newest target is kept.
   * @param {number} frame
   */
  seek(frame) {
    this.wanted = clamp(Math.round(frame), 0, this.last);
    if (!this.timestamps) return;
    this.onTarget(this.wanted);
    if (this.seeking === null) this.startSeek();
  }

  startSeek() {
    this.seeking = this.wanted;
    this.wanted = null;
    this.tries = 0;
    this.aim();
  }

  get target() { return this.wanted ?? this.seeking ?? this.frame; }

  /** @param {number} by */
  step(by) {
    this.video.pause();
    this.seek(this.target + by);
  }

  toggle() {
    if (!this.video.paused) return this.video.pause();
    if (this.target >= this.last) this.seek(0);
    return this.video.play();
  }
}
