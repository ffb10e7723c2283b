// What is marked on one picture: people, their joints and how sure each is; undo and redo.
//
// Only what somebody has confirmed counts; a joint that was copied from a model stays OPEN until it
// was moved, placed or agreed to.

import { clamp } from "./view.js";

/**
 * @import { Size } from "./types.js"
 *
 * Flat positions in pixels of the picture, null where there is none, and a state a joint.
 * @typedef {{id: number, from: string, xy: (number | null)[], state: number[]}} Mark
 *
 * @typedef {{person: number, joint: number}} JointOf
 * @typedef {{key: string, title: string, people: Record<string, (number | null)[]>}} Source
 *
 * What Python sends.
 * @typedef {object} Marking
 * @property {string[]} joints
 * @property {Mark[]} people
 * @property {number} revision goes up when Python changes the people
 * @property {Source[]} sources
 * @property {[number, number][]} asked person and joint of those that decide most
 * @property {string} colour
 * @property {number} come
 *
 * Kept across reruns.
 * @typedef {object} Kept
 * @property {number} [revision]
 * @property {Mark[]} marks
 * @property {Mark[][]} before
 * @property {Mark[][]} undone
 * @property {JointOf | null} asked
 */

export const OPEN = 0, HIDDEN_THERE = 1, SEEN = 2, NOT_THERE = 3;
const MOST_UNDONE = 200;

/** @template T @param {T} value @returns {T} */
const copyOf = (value) => JSON.parse(JSON.stringify(value));

/** @param {JointOf | null} a @param {JointOf | null} b */
function sameJoint(a, b) { return Boolean(a && b) && a?.person === b?.person && a?.joint === b?.joint; }

export class Marks {
  /** @param {Marking} data @param {Kept} kept @param {Size} picture */
  constructor(data, kept, picture) {
    this.data = data;
    this.kept = kept;
    this.picture = picture;
    if (kept.revision === undefined || data.revision > kept.revision) {
      Object.assign(kept, {
        revision: data.revision, marks: copyOf(data.people), undone: [], before: [], asked: null,
      });
    }
    this.askAgain();
  }

  get people() { return this.kept.marks; }

  get asked() { return this.kept.asked; }

  set asked(ref) { this.kept.asked = ref; }

  /** @param {number} id */
  person(id) { return this.people.find((mark) => mark.id === id); }

  /** The person of the joint that is asked for. */
  get current() { return this.asked ? this.person(this.asked.person) : undefined; }

  // --- what is asked ---
  /** Where the person that was asked about is gone, another one is. */
  askAgain() {
    if (!this.current) this.asked = this.first();
  }

  /** @returns {JointOf | null} */
  first() {
    return this.suggestions()[0] ?? (this.people[0] ? this.openOf(this.people[0].id) : null);
  }

  /** The joints worth most that are still open. */
  suggestions() {
    return this.data.asked
      .map(([person, joint]) => ({ person, joint }))
      .filter(({ person, joint }) => (this.person(person)?.state[joint] ?? SEEN) === OPEN);
  }

  /** @param {number} id @returns {JointOf} the first open joint of a person */
  openOf(id) {
    const joint = this.person(id)?.state.indexOf(OPEN) ?? 0;
    return { person: id, joint: Math.max(0, joint) };
  }

  /**
   * Suggested joints come first, then the open ones of the same person, then everybody's in order.
   * @param {number} by 1 forwards, -1 back through all joints
   * @returns {JointOf | null}
   */
  next(by) {
    const now = this.asked, count = this.data.joints.length;
    const suggested = this.suggestions().filter((ref) => !sameJoint(ref, now));
    if (by > 0 && suggested.length) return suggested[0];
    const all = this.people.flatMap((mark) =>
      this.data.joints.map((_, joint) => ({ person: mark.id, joint })));
    if (!all.length) return null;
    const at = now ? this.people.findIndex((m) => m.id === now.person) * count + now.joint : -1;
    for (let i = 1; i <= all.length; i++) {
      const ref = all[(at + by * i + all.length * 2) % all.length];
      if (by < 0 || this.person(ref.person)?.state[ref.joint] === OPEN) return ref;
    }
    return all[(at + by + all.length) % all.length];
  }

  // --- changes ---
  /** @param {() => void} act */
  change(act) {
    const { kept } = this;
    kept.before.push(copyOf(kept.marks));
    if (kept.before.length > MOST_UNDONE) kept.before.shift();
    kept.undone = [];
    act();
  }

  /** Takes the last change back; false where there is none. */
  undo() { return this.swap(this.kept.before, this.kept.undone); }

  redo() { return this.swap(this.kept.undone, this.kept.before); }

  /** @param {Mark[][]} from @param {Mark[][]} to */
  swap(from, to) {
    const marks = from.pop();
    if (!marks) return false;
    to.push(copyOf(this.kept.marks));
    this.kept.marks = marks;
    this.askAgain();
    return true;
  }

  /**
   * Puts a joint somewhere in the picture, without a way back.
   * @param {JointOf} ref
   * @param {number} x
   * @param {number} y
   */
  put(ref, x, y) {
    const mark = this.person(ref.person);
    if (!mark) return;
    mark.xy[2 * ref.joint] = clamp(x, 0, this.picture.width);
    mark.xy[2 * ref.joint + 1] = clamp(y, 0, this.picture.height);
    if (mark.state[ref.joint] !== HIDDEN_THERE) mark.state[ref.joint] = SEEN;
  }

  /**
   * Moves the joint that is asked for; false where it has no place yet.
   * @param {number} dx
   * @param {number} dy
   */
  nudge(dx, dy) {
    const ref = this.asked, mark = this.current;
    const x = ref && mark?.xy[2 * ref.joint], y = ref && mark?.xy[2 * ref.joint + 1];
    if (!ref || typeof x !== "number" || typeof y !== "number") return false;
    this.change(() => this.put(ref, x + dx, y + dy));
    return true;
  }

  /**
   * Says what the joint is; false where it has no place yet.
   * @param {JointOf} ref
   * @param {number} state
   */
  confirm(ref, state) {
    const mark = this.person(ref.person);
    if (!mark || (state !== NOT_THERE && mark.xy[2 * ref.joint] === null)) return false;
    this.change(() => { mark.state[ref.joint] = state; });
    return true;
  }

  /** All open joints of a person that have a place are as drawn. @param {number} id */
  agree(id) {
    this.change(() => {
      const mark = this.person(id);
      if (!mark) return;
      mark.state = mark.state.map((state, k) => (state === OPEN && mark.xy[2 * k] !== null ? SEEN : state));
    });
  }

  /** @param {number} id @param {string} from key of a source, or "" for nothing */
  startFrom(id, from) {
    const xy = this.data.sources.find(({ key }) => key === from)?.people[id] ?? this.nowhere();
    this.change(() => {
      const mark = this.person(id);
      if (!mark) return;
      mark.xy = mark.xy.map((value, i) => (mark.state[i >> 1] === OPEN ? xy[i] : value));
      mark.from = from;
    });
  }

  /** Somebody whom a model found and nobody marked, else somebody new. */
  addPerson() {
    const known = new Set(this.data.sources.flatMap(({ people }) => Object.keys(people).map(Number)));
    for (const mark of this.people) known.delete(mark.id);
    const id = known.size ? Math.min(...known) : Math.max(0, ...this.people.map((m) => m.id)) + 1;
    const source = this.data.sources.find(({ people }) => people[id]);
    const xy = [...(source?.people[id] ?? this.nowhere())];
    const state = this.data.joints.map(() => OPEN);
    this.change(() => this.people.push({ id, from: source?.key ?? "", xy, state }));
    this.asked = this.suggestions().find((ref) => ref.person === id) ?? this.openOf(id);
  }

  /** @param {number} id */
  removePerson(id) {
    this.change(() => { this.kept.marks = this.people.filter((mark) => mark.id !== id); });
    this.askAgain();
  }

  /** @returns {null[]} */
  nowhere() { return this.data.joints.flatMap(() => [null, null]); }

  /**
   * For a drag, which is one change however far it goes.
   * @returns {(kept: boolean) => void} ends it
   */
  drag() {
    const started = copyOf(this.people);
    return (isKept) => {
      const moved = this.kept.marks;
      this.kept.marks = started;
      if (isKept) this.change(() => { this.kept.marks = moved; });
    };
  }

  /** The box around a person, null without two joints. @param {number} id */
  boxOf(id) {
    /** @type {number[]} */
    const xs = [];
    /** @type {number[]} */
    const ys = [];
    this.person(id)?.xy.forEach((value, i) => { if (value !== null) (i % 2 ? ys : xs).push(value); });
    return xs.length < 2 ? null : [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
  }

  /** For Python. */
  told() {
    return { revision: this.kept.revision, people: copyOf(this.people) };
  }
}
