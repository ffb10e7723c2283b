// The poses of a clip as clip.py packs them; its docstring describes the layout.

/**
 * @typedef {{values: ArrayLike<number>, low: number, step: number}} Steps
 *
 * @typedef {object} PackedModel
 * @property {number} joints
 * @property {ArrayLike<number>} frames
 * @property {ArrayLike<number>} starts
 * @property {ArrayLike<number>} ids
 * @property {Set<number>} failed
 * @property {Steps} score
 * @property {Steps} xy
 * @property {Steps | null} [smooth]
 * @property {Steps | null} [box]
 * @property {Steps | null} [trust]
 *
 * @typedef {{timestamps: ArrayLike<number>, models: Record<string, PackedModel>}} PackedClip
 * @typedef {"float64" | "int32" | "uint16"} Kind
 * @typedef {[Kind, number, number]} Slice
 */

const ARRAYS = { float64: Float64Array, int32: Int32Array, uint16: Uint16Array };
const NO_NUMBER = 65535;

/** @param {ArrayBuffer} buffer @returns {PackedClip} */
export function unpackPoses(buffer) {
  const magic = new TextDecoder().decode(new Uint8Array(buffer, 0, 8));
  if (magic !== "POSECLP1") throw new Error("the poses of this clip came in an unknown form");
  const length = new DataView(buffer).getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 12, length)));
  /** @param {Slice} slice */
  const array = ([type, offset, count]) => new ARRAYS[type](buffer, 12 + length + offset, count);
  /** @param {[Slice, number, number] | null} packed */
  const optional = (packed) => packed && steps(packed);
  /** @param {[Slice, number, number]} packed @returns {Steps} */
  const steps = (packed) => ({ values: array(packed[0]), low: packed[1], step: packed[2] });
  /** @type {Record<string, PackedModel>} */
  const models = {};
  for (const [key, model] of Object.entries(header.models)) {
    models[key] = {
      joints: model.joints,
      frames: array(model.frames),
      starts: array(model.starts),
      ids: array(model.ids),
      failed: new Set(array(model.failed)),
      score: steps(model.score),
      xy: steps(model.xy),
      smooth: optional(model.smooth),
      box: optional(model.box),
      trust: optional(model.trust),
    };
  }
  return { timestamps: array(header.timestamps), models };
}

/** @param {Steps} steps @param {number} from @param {number} count */
function floats({ values, low, step }, from, count) {
  const out = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    const value = values[from + i];
    out[i] = value === NO_NUMBER ? NaN : low + value * step;
  }
  return out;
}

/**
 * Position of the last element of the ascending `values` that is at most `value`, or -1.
 * @param {ArrayLike<number>} values
 * @param {number} value
 */
export function lastAtMost(values, value) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= value) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

/**
 * What a model says at a frame: the frame it really stems from (the last one it answered), whether
 * it failed at this one, and its people, those trusted less than `trust` left out.
 * @param {PackedModel} model
 * @param {number} frame
 * @param {number | null} trust
 * @param {boolean} withSmooth
 */
export function posesAt(model, frame, trust, withSmooth) {
  const at = lastAtMost(model.frames, frame);
  const failed = model.failed.has(frame);
  if (at < 0) return { from: null, failed, people: [] };
  const people = [];
  for (let row = model.starts[at]; row < model.starts[at + 1]; row++) {
    // A hair of tolerance for the steps that the numbers were packed in; NaN is nobody's judgement.
    const doubtful = model.trust && trust !== null
      && floats(model.trust, row, 1)[0] < trust - model.trust.step;
    if (!doubtful) people.push(personAt(model, row, withSmooth));
  }
  return { from: model.frames[at], failed, people };
}

/** @param {PackedModel} model @param {number} row @param {boolean} withSmooth */
function personAt(model, row, withSmooth) {
  const k = model.joints;
  return {
    id: model.ids[row],
    xy: floats(model.xy, row * 2 * k, 2 * k),
    score: floats(model.score, row * k, k),
    smooth: withSmooth && model.smooth ? floats(model.smooth, row * 2 * k, 2 * k) : null,
    box: model.box ? floats(model.box, row * 4, 4) : null,
  };
}

/**
 * The track of one joint of one person over the last `length` answered frames up to `frame`, oldest
 * first, NaN where the person is missing.
 * @param {PackedModel} model
 * @param {{id: number, joint: number}} of
 * @param {number} frame
 * @param {number} length
 * @returns {import("./types.js").Track}
 */
export function trackOf(model, { id, joint }, frame, length) {
  const last = lastAtMost(model.frames, frame);
  /** @type {number[]} */
  const raw = [];
  /** @type {number[]} */
  const smooth = [];
  for (let at = Math.max(0, last - length + 1); at <= last; at++) {
    let row = model.starts[at];
    while (row < model.starts[at + 1] && model.ids[row] !== id) row++;
    const from = (row * model.joints + joint) * 2;
    const there = row < model.starts[at + 1];
    raw.push(...(there ? floats(model.xy, from, 2) : [NaN, NaN]));
    if (model.smooth) smooth.push(...(there ? floats(model.smooth, from, 2) : [NaN, NaN]));
  }
  return { raw, smooth: model.smooth && smooth };
}
