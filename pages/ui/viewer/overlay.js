// Skeletons drawn on a 2-D canvas from numbers. Shared by the picture viewer and the clip player.

import { drawCore, holeOf, jointPath } from "./forms.js";
import { clamp } from "./view.js";

/**
 * @import { Layer, Options, Person, Place, Point, Ref, Track } from "./types.js"
 *
 * @typedef {CanvasRenderingContext2D} Context
 * @typedef {{place: Place, states: number[], width: number}} Look
 */

export const HIDDEN = 0, WEAK = 1, STRONG = 2;
const HALO = "rgba(255, 255, 255, 0.75)";
const WEAK_ALPHA = 0.3, STALE_ALPHA = 0.55;

/**
 * @param {Layer} layer @param {Person} person @param {number} k
 * @param {Pick<Options, "joints" | "weak">} options
 */
export function jointState(layer, person, k, options) {
  const x = person.xy[2 * k], y = person.xy[2 * k + 1];
  if (!Number.isFinite(x) || !Number.isFinite(y)) return HIDDEN;
  if (options.joints && !options.joints.has(layer.skeleton.joints[k])) return HIDDEN;
  if (person.score[k] >= layer.threshold) return STRONG;
  return options.weak === "faint" ? WEAK : HIDDEN;
}

/**
 * Weak joints are faint, and so is what stems from another frame than the one on show.
 * @param {Layer} layer @param {number} state
 */
function alphaOf(layer, state) {
  return (state === WEAK ? WEAK_ALPHA : 1) * (layer.stale ? STALE_ALPHA : 1);
}

/** @param {Place} place @param {ArrayLike<number>} xy @param {number} k @returns {Point} */
export function onCanvas(place, xy, k) {
  return [xy[2 * k] * place.scale + place.dx, xy[2 * k + 1] * place.scale + place.dy];
}

/** @param {Context} ctx @param {Layer} layer @param {Place} place @param {Options} options */
export function drawLayer(ctx, layer, place, options) {
  for (const person of layer.people) {
    const states = layer.skeleton.joints.map((_, k) => jointState(layer, person, k, options));
    const look = { place, states, width: widthOf(person, place, options) };
    if (options.boxes && person.box) drawBox(ctx, layer, person.box, place);
    if (options.bones) drawBones(ctx, layer, person, look);
    if (options.points) drawJoints(ctx, layer, person, look);
    if (person.smooth) drawSmooth(ctx, layer, person.smooth, look);
    if (person.doubts) drawDoubts(ctx, person.doubts, person, look);
    if (options.labels) drawLabel(ctx, layer, person, look);
  }
}

/**
 * Of the limbs in CSS pixels: small people get thinner lines, so that they stay recognisable.
 * @param {Person} person @param {Place} place @param {Options} options
 */
function widthOf(person, place, options) {
  let low = Infinity, high = -Infinity;
  for (let k = 1; k < person.xy.length; k += 2) {
    low = Math.min(low, Number.isNaN(person.xy[k]) ? low : person.xy[k]);
    high = Math.max(high, Number.isNaN(person.xy[k]) ? high : person.xy[k]);
  }
  return clamp((high - low) * place.scale / 25, 1.2, options.lineWidth);
}

/**
 * Left and middle limbs are solid, right ones dashed; a light rim keeps them visible on any picture.
 * A family's further variants have something in the middle of their limbs.
 * @param {Context} ctx @param {Layer} layer @param {Person} person @param {Look} look
 */
function drawBones(ctx, layer, person, { place, states, width }) {
  for (const [i, j, isRight] of layer.skeleton.bones) {
    const state = Math.min(states[i], states[j]);
    if (state === HIDDEN) continue;
    ctx.globalAlpha = alphaOf(layer, state);
    ctx.lineCap = isRight ? "butt" : "round";
    ctx.setLineDash(isRight ? [width * 2.5, width * 1.5] : []);
    const line = new Path2D();
    line.moveTo(...onCanvas(place, person.xy, i));
    line.lineTo(...onCanvas(place, person.xy, j));
    ctx.lineWidth = width + Math.min(2, width);
    ctx.strokeStyle = HALO;
    ctx.stroke(line);
    ctx.lineWidth = width;
    ctx.strokeStyle = layer.colour;
    ctx.stroke(line);
    drawCore(ctx, line, width, layer.variant ?? 0);
  }
  ctx.setLineDash([]);
  ctx.globalAlpha = 1;
}

/**
 * Left and middle joints are filled, right ones rings; their form tells variants of a family apart.
 * @param {Context} ctx @param {Layer} layer @param {Person} person @param {Look} look
 */
function drawJoints(ctx, layer, person, { place, states, width }) {
  ctx.lineWidth = Math.min(1.5, width / 2);
  ctx.strokeStyle = HALO;
  const variant = layer.variant ?? 0, radius = width * 1.2 + 0.5;
  states.forEach((state, k) => {
    if (state === HIDDEN) return;
    ctx.globalAlpha = alphaOf(layer, state);
    const [x, y] = onCanvas(place, person.xy, k), path = jointPath(variant, x, y, radius);
    ctx.fillStyle = layer.colour;
    ctx.fill(path);
    ctx.stroke(path);
    if (!layer.skeleton.right?.includes(k) || radius <= 2) return;
    ctx.fillStyle = "#ffffff";
    ctx.fill(jointPath(variant, x, y, holeOf(radius)));
  });
  ctx.globalAlpha = 1;
}

/**
 * A question mark on yellow, which no model has for its colour.
 * @param {Context} ctx @param {[number, string][]} doubts @param {Person} person
 * @param {Look} look
 */
function drawDoubts(ctx, doubts, person, { place, states, width }) {
  const radius = Math.max(6, width * 2);
  ctx.font = `700 ${Math.round(radius * 1.6)}px sans-serif`;
  ctx.textAlign = "center";
  ctx.textBaseline = "middle";
  for (const k of new Set(doubts.map(([joint]) => joint))) {
    if (states[k] !== STRONG) continue;
    const [x, y] = onCanvas(place, person.xy, k);
    ctx.beginPath();
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
    ctx.fillStyle = "#FFE14D";
    ctx.fill();
    ctx.lineWidth = 1.5;
    ctx.strokeStyle = "#000000";
    ctx.stroke();
    ctx.fillStyle = "#000000";
    ctx.fillText("?", x, y + radius * 0.08);
  }
}

/**
 * The smoothed pose is a thin line of its own on top of the raw one, never instead of it. It has no
 * place for joints that were hidden when it was made.
 * @param {Context} ctx @param {Layer} layer @param {ArrayLike<number>} smooth @param {Look} look
 */
function drawSmooth(ctx, layer, smooth, { place, states }) {
  /** @type {[string, number][]} */
  const lines = [["rgba(0, 0, 0, 0.8)", 3.5], ["#ffffff", 1.5]];
  for (const [colour, width] of lines) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    for (const [i, j] of layer.skeleton.bones) {
      if (states[i] !== STRONG || states[j] !== STRONG) continue;
      if (Number.isNaN(smooth[2 * i]) || Number.isNaN(smooth[2 * j])) continue;
      ctx.moveTo(...onCanvas(place, smooth, i));
      ctx.lineTo(...onCanvas(place, smooth, j));
    }
    ctx.stroke();
  }
}

/**
 * The way of a joint up to now: raw in the model's colour, smoothed as a thin white line.
 * @param {Context} ctx @param {Layer} layer @param {Track} track @param {Place} place
 */
export function drawTrack(ctx, layer, { raw, smooth }, place) {
  /** @type {[string, number, number[]][]} */
  const lines = [["rgba(255, 255, 255, 0.75)", 5, raw], [layer.colour, 3, raw]];
  if (smooth) lines.push(["#000000", 3, smooth], ["#ffffff", 1.5, smooth]);
  ctx.lineJoin = "round";
  for (const [colour, width, xy] of lines) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    for (let i = 0; i < xy.length / 2; i++) {
      const broken = i === 0 || Number.isNaN(xy[2 * i - 2]) || Number.isNaN(xy[2 * i]);
      if (!Number.isNaN(xy[2 * i])) ctx[broken ? "moveTo" : "lineTo"](...onCanvas(place, xy, i));
    }
    ctx.stroke();
  }
}

/**
 * @param {Context} ctx @param {Layer} layer @param {ArrayLike<number>} box @param {Place} place
 */
function drawBox(ctx, layer, box, place) {
  const [x0, y0] = onCanvas(place, box, 0);
  const [x1, y1] = onCanvas(place, box, 1);
  ctx.strokeStyle = layer.colour;
  ctx.lineWidth = 1.5;
  ctx.strokeRect(x0, y0, x1 - x0, y1 - y0);
}

/** @param {Context} ctx @param {Layer} layer @param {Person} person @param {Look} look */
function drawLabel(ctx, layer, person, { place, states }) {
  const top = states.reduce((best, state, k) => (
    state === STRONG && (best < 0 || person.xy[2 * k + 1] < person.xy[2 * best + 1]) ? k : best), -1);
  if (top < 0) return;
  const [x, y] = onCanvas(place, person.xy, top);
  ctx.font = "600 13px sans-serif";
  ctx.textAlign = "center";
  ctx.textBaseline = "bottom";
  ctx.lineWidth = 4;
  ctx.strokeStyle = "#ffffff";
  const text = person.id < 0 ? "?" : String(person.id);
  ctx.strokeText(text, x, y - 8);
  ctx.fillStyle = layer.colour;
  ctx.fillText(text, x, y - 8);
}

/**
 * @param {Context} ctx @param {Layer} layer @param {Person} person @param {number} k
 * @param {Place} place
 */
export function drawRing(ctx, layer, person, k, place) {
  const [x, y] = onCanvas(place, person.xy, k);
  /** @type {[string, number][]} */
  const circles = [["#000000", 5], ["#ffffff", 3], [layer.colour, 1.5]];
  for (const [colour, width] of circles) {
    ctx.strokeStyle = colour;
    ctx.lineWidth = width;
    ctx.beginPath();
    ctx.arc(x, y, 9, 0, 2 * Math.PI);
    ctx.stroke();
  }
}

/**
 * The visible joint nearest to (x, y) on the canvas, within `reach` CSS pixels, or null.
 * @param {Layer[]} layers @param {Place} place @param {Point} point @param {number} reach
 * @param {Options} options @returns {Ref | null}
 */
export function nearestJoint(layers, place, [x, y], reach, options) {
  /** @type {Ref | null} */
  let best = null;
  let bestDistance = reach;
  for (const layer of layers) {
    for (const person of layer.people) {
      for (let k = 0; k < layer.skeleton.joints.length; k++) {
        if (jointState(layer, person, k, options) === HIDDEN) continue;
        const [jx, jy] = onCanvas(place, person.xy, k);
        const distance = Math.hypot(jx - x, jy - y);
        if (distance < bestDistance) {
          bestDistance = distance;
          best = { layer: layer.key, person: person.id, joint: k };
        }
      }
    }
  }
  return best;
}

/**
 * All visible joints of the layers in reading order, for choosing with the keyboard.
 * @param {Layer[]} layers @param {Options} options @returns {Ref[]}
 */
export function visibleJoints(layers, options) {
  /** @type {Ref[]} */
  const found = [];
  for (const layer of layers) {
    for (const person of layer.people) {
      layer.skeleton.joints.forEach((_, k) => {
        if (jointState(layer, person, k, options) !== HIDDEN) {
          found.push({ layer: layer.key, person: person.id, joint: k });
        }
      });
    }
  }
  return found;
}

/**
 * Position of the joint called `name`; of the surest one on show for ""; -1 where there is none.
 * @param {Layer} layer @param {Person} person @param {string} name @param {Options} options
 * @returns {number}
 */
export function jointOf(layer, person, name, options) {
  if (name) return layer.skeleton.joints.indexOf(name);
  return layer.skeleton.joints.reduce((best, _, k) => {
    if (jointState(layer, person, k, options) === HIDDEN) return best;
    return best < 0 || person.score[k] > person.score[best] ? k : best;
  }, -1);
}

/** @param {Layer} layer @param {{person: number}} ref */
export function personOf(layer, ref) {
  return layer.people.find((person) => person.id === ref.person);
}

/**
 * The same joint of the same person as another model sees it: by the person's id where people were
 * matched, else by position in the picture; null where that model shows no such joint.
 * @param {Layer} layer @param {Layer} from @param {Ref} ref @param {Options} options
 * @returns {Ref | null}
 */
export function counterpart(layer, from, ref, options) {
  if (layer.key === from.key) return ref;
  const k = layer.skeleton.joints.indexOf(from.skeleton.joints[ref.joint]);
  if (k < 0) return null;
  const source = personOf(from, ref)?.xy;
  if (!source) return null;
  /** @param {Person} person */
  const distance = ({ xy }) =>
    Math.hypot(xy[2 * k] - source[2 * ref.joint], xy[2 * k + 1] - source[2 * ref.joint + 1]);
  const seen = layer.people.filter((person) => jointState(layer, person, k, options) !== HIDDEN);
  const found = layer.matched && from.matched && ref.person >= 0
    ? seen.find((person) => person.id === ref.person)
    : seen.sort((a, b) => distance(a) - distance(b))[0];
  return found ? { layer: layer.key, person: found.id, joint: k } : null;
}

/** @param {string} kind @param {number} score */
function scoreText(kind, score) {
  return `${kind} ${score.toFixed(kind === "logit" ? 1 : 2)}`;
}

/**
 * What is told about a joint: [name and person, model, score with its kind, position].
 * @param {Layer} layer @param {Ref} ref
 */
export function jointLines(layer, ref) {
  const person = personOf(layer, ref), k = ref.joint;
  if (!person) return [];
  const name = layer.skeleton.joints[k].replaceAll("_", " ");
  const weak = person.score[k] < layer.threshold ? " (under the threshold)" : "";
  return [
    person.id < 0 ? `${name}, person not followed` : `${name}, person ${person.id}`,
    layer.title,
    scoreText(layer.kind, person.score[k]) + weak,
    `x ${person.xy[2 * k].toFixed(1)} px, y ${person.xy[2 * k + 1].toFixed(1)} px`,
    ...(person.doubts ?? []).filter(([joint]) => joint === k).map(([, text]) => text),
  ];
}

/**
 * The alternative text of a canvas.
 * @param {Layer[]} layers @param {Options} options
 */
export function layersText(layers, options) {
  if (!layers.length) return "no poses drawn";
  return layers.map((layer) => {
    const people = layer.people.filter((person) => person.id >= 0).length;
    const strong = layer.people.reduce((sum, person) => sum + layer.skeleton.joints.filter(
      (_, k) => jointState(layer, person, k, options) === STRONG).length, 0);
    const who = people === 0 ? "nobody counts as found" : people === 1 ? "1 person" : `${people} people`;
    const joints = people ? `, ${strong} joints with ${layer.kind} of at least ${layer.threshold}` : "";
    return `${layer.title}: ${who}${joints}`;
  }).join("; ");
}
