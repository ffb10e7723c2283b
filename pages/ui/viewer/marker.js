// Marking the truth: one picture on which a person puts keypoints where they are.

import { checkBox, choiceOf, element } from "./dom.js";
import { HIDDEN_THERE, Marks, NOT_THERE, OPEN, SEEN } from "./marks.js";
import { drawRing, nearestJoint, onCanvas, personOf } from "./overlay.js";
import { Later } from "./sending.js";
import { Stage, contextOf } from "./stage.js";
import { Still } from "./still.js";

/**
 * @import { Grab, Host, Layer, Panel, Place, Point, Skeleton } from "./types.js"
 * @import { JointOf, Kept, Mark, Marking } from "./marks.js"
 * @import { Sent } from "./still.js"
 */

const STATE_WORDS = ["open", "hidden", "marked", "not there"];
/** @type {Record<string, number>} */
const GRAB = { mouse: 12, touch: 24, pen: 16 };
// Before another control of the page acts, which may take the picture away, all is told.
const ELSEWHERE = ["pointerdown", "keydown"];
const LOUPE = { radius: 56, zoom: 3 };

/** @param {string} joint */
const plainName = (joint) => joint.replaceAll("_", " ");

class Marker extends Stage {
  /**
   * @param {HTMLElement} root
   * @param {(told: object) => void} onChange
   * @param {(ctx: CanvasRenderingContext2D, place: Place) => void} drawBackdrop
   */
  constructor(root, onChange, drawBackdrop) {
    super(root, { onPick: () => {}, drawBackdrop });
    /** @type {Later<object>} */
    this.sending = new Later(onChange);
    /** @param {Event} event */
    this.onElsewhere = (event) => { if (!event.composedPath().includes(root)) this.sending.now(); };
    for (const kind of ELSEWHERE) document.addEventListener(kind, this.onElsewhere, { capture: true });
    /** @type {Point | null} */
    this.loupe = null;
    /** @type {Skeleton} */
    this.skeleton = { joints: [], bones: [] };
    this.colour = "";
    this.controlsShown = "";
    /** @type {Marks} */
    this.marks = new Marks(
      { joints: [], people: [], revision: 0, sources: [], asked: [], colour: "", come: 0 },
      { marks: [], before: [], undone: [], asked: null }, this.picture);
    this.above = element("div", { class: "marking" });
    this.below = element("div", { class: "marks" });
    this.bar.after(this.above);
    this.grid.after(this.below);
    this.extraKeys = {
      n: () => this.ask(this.marks.next(1)), p: () => this.ask(this.marks.next(-1)),
      Enter: () => this.confirm(SEEN), h: () => this.confirm(HIDDEN_THERE),
      x: () => this.confirm(NOT_THERE), a: () => this.confirm(NOT_THERE),
      u: () => this.undo(), r: () => this.redo(),
      ArrowLeft: () => this.nudge(-1, 0), ArrowRight: () => this.nudge(1, 0),
      ArrowUp: () => this.nudge(0, -1), ArrowDown: () => this.nudge(0, 1),
    };
  }

  /** @override */
  close() {
    for (const kind of ELSEWHERE) document.removeEventListener(kind, this.onElsewhere, { capture: true });
    this.sending.now();
    super.close();
  }

  /** @override @param {KeyboardEvent} event @param {Panel} panel */
  onKey(event, panel) {
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || !"zy".includes(key)) return super.onKey(event, panel);
    event.preventDefault();
    if (key === "z" && !event.shiftKey) this.undo();
    else this.redo();
  }

  /** @param {Marking} data @param {Skeleton} skeleton @param {Kept} kept */
  load(data, skeleton, kept) {
    this.skeleton = skeleton;
    this.colour = data.colour;
    this.marks = new Marks(data, kept, this.picture);
  }

  // --- what is asked ---
  /** @param {JointOf | null} ref */
  ask(ref) {
    this.marks.asked = ref;
    if (ref) {
      this.bringIntoView(ref);
      this.announce(this.question());
    }
    this.refresh();
  }

  question() {
    const ref = this.marks.asked;
    if (!ref) return "Add a person to begin.";
    return `Person ${ref.person}: where is the ${plainName(this.skeleton.joints[ref.joint])}?`;
  }

  /**
   * The person fills the canvas: a click is as exact as the picture is large.
   * @param {JointOf} ref
   */
  bringIntoView({ person, joint }) {
    if (person !== this.memory.fitted) {
      this.memory.fitted = person;
      const box = this.marks.boxOf(person);
      if (box) this.fitBox(box);
      return;
    }
    const layer = this.truthLayer(), marked = personOf(layer, { person });
    if (this.view.zoom > 1 && marked && !Number.isNaN(marked.xy[2 * joint])) this.centre(marked.xy, joint);
  }

  // --- changes ---
  changed() {
    this.sending.later({ picture: this.picture.id, ...this.marks.told() });
    this.refresh();
  }

  undo() { this.swapped(this.marks.undo(), "Undone"); }

  redo() { this.swapped(this.marks.redo(), "Done again"); }

  /** @param {boolean} done @param {string} words */
  swapped(done, words) {
    this.announce(done ? words : "Nothing more");
    if (done) this.changed();
  }

  /** @param {number} state */
  confirm(state) {
    const ref = this.marks.asked;
    if (!ref) return;
    const named = plainName(this.skeleton.joints[ref.joint]);
    if (!this.marks.confirm(ref, state)) return this.announce(`Click where the ${named} is first`);
    this.changed();
    this.announce(`${named}: ${STATE_WORDS[state]}`);
    this.ask(this.marks.next(1));
  }

  /** @param {number} dx @param {number} dy */
  nudge(dx, dy) {
    const step = Math.max(1, 1 / this.place(this.panels[0].canvas).scale);
    if (this.marks.nudge(dx * step, dy * step)) this.changed();
    else this.announce("Click where it is first");
  }

  // --- pointers ---
  /** @override */
  hover() {}

  /** @override @param {HTMLCanvasElement} canvas @param {Point} point */
  pick(canvas, point) {
    this.panelOf(canvas).figure.focus({ preventScroll: true });
    const ref = this.marks.asked;
    if (!ref) return this.announce("Add a person first");
    const place = this.place(canvas);
    this.marks.change(() => this.marks.put(
      ref, (point[0] - place.dx) / place.scale, (point[1] - place.dy) / place.scale));
    this.changed();
    this.ask(this.marks.next(1));
  }

  /**
   * @override
   * @param {HTMLCanvasElement} canvas
   * @param {Point} point
   * @param {string} kind
   * @returns {Grab | null}
   */
  grab(canvas, point, kind) {
    const reach = GRAB[kind] ?? GRAB.mouse;
    const ref = nearestJoint([this.layers.truth], this.place(canvas), point, reach, this.options);
    const mark = ref && this.marks.person(ref.person);
    if (!mark) return null;
    const end = this.marks.drag();
    let begun = false;
    return {
      move: ([dx, dy]) => {
        if (!begun) this.marks.asked = { person: ref.person, joint: ref.joint };
        begun = true;
        const place = this.place(canvas);
        this.marks.put(ref, Number(mark.xy[2 * ref.joint]) + dx / place.scale,
          Number(mark.xy[2 * ref.joint + 1]) + dy / place.scale);
        this.layers.truth = this.truthLayer();
        const moved = personOf(this.layers.truth, ref);
        this.loupe = moved ? onCanvas(place, moved.xy, ref.joint) : null;
        this.redraw();
      },
      drop: (kept) => {
        this.loupe = null;
        if (!begun) return;
        end(kept);
        if (kept) this.changed();
        else this.refresh();
      },
    };
  }

  // --- what is to be seen ---
  refresh() {
    this.layers.truth = this.truthLayer();
    for (const layer of Object.values(this.layers)) {
      layer.hidden = layer !== this.layers.truth && !this.memory.models;
    }
    for (const { heading } of this.panels) heading.classList.toggle("alone", !this.memory.models);
    this.fillControls();
    this.redraw();
    if (this.panels.length) this.describe(this.panels[0]);
  }

  /** @returns {Layer} */
  truthLayer() {
    const { skeleton, colour } = this;
    const people = this.marks.people.map((mark) => ({
      id: mark.id,
      xy: Float32Array.from(mark.xy, (value, i) =>
        (value === null || mark.state[i >> 1] === NOT_THERE ? NaN : value)),
      score: mark.state.map((state) => (state === OPEN ? 0 : 1)),
    }));
    return { key: "truth", title: "Marked", colour, kind: "marked", threshold: 0.5, skeleton, people };
  }

  /** @override @param {Panel} panel */
  layersOf(panel) {
    return super.layersOf(panel).filter((layer) => !layer.hidden);
  }

  /** @override @param {Panel} panel */
  drawPanel(panel) {
    super.drawPanel(panel);
    const ctx = contextOf(panel.canvas), place = this.place(panel.canvas), { truth } = this.layers;
    for (const mark of this.marks.people) {
      const person = personOf(truth, { person: mark.id });
      mark.state.forEach((state, k) => {
        if (state === HIDDEN_THERE && person) this.drawHidden(ctx, onCanvas(place, person.xy, k));
      });
    }
    const ref = this.marks.asked, asked = ref && personOf(truth, ref);
    if (asked && !Number.isNaN(asked.xy[2 * ref.joint])) drawRing(ctx, truth, asked, ref.joint, place);
    if (this.loupe) this.drawLoupe(ctx, panel.canvas, place, this.loupe);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Point} point */
  drawHidden(ctx, [x, y]) {
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 2;
    ctx.strokeRect(x - 5, y - 5, 10, 10);
  }

  /**
   * What lies under the finger, larger, in the corner that the finger is not in.
   * @param {CanvasRenderingContext2D} ctx @param {HTMLCanvasElement} canvas @param {Place} place
   * @param {Point} point
   */
  drawLoupe(ctx, canvas, place, [x, y]) {
    const { radius, zoom } = LOUPE;
    const cx = x < canvas.clientWidth / 2 ? canvas.clientWidth - radius - 6 : radius + 6;
    const cy = radius + 6;
    ctx.save();
    ctx.beginPath();
    ctx.arc(cx, cy, radius, 0, 2 * Math.PI);
    ctx.fillStyle = "#000000";
    ctx.fill();
    ctx.save();
    ctx.clip();
    const scale = place.scale * zoom;
    this.drawBackdrop(ctx, {
      scale, dx: cx - (x - place.dx) * zoom, dy: cy - (y - place.dy) * zoom,
    });
    ctx.restore();
    ctx.strokeStyle = this.colour;
    ctx.lineWidth = 2;
    ctx.stroke();
    ctx.beginPath();
    ctx.moveTo(cx - 10, cy);
    ctx.lineTo(cx + 10, cy);
    ctx.moveTo(cx, cy - 10);
    ctx.lineTo(cx, cy + 10);
    ctx.strokeStyle = "#ffffff";
    ctx.stroke();
    ctx.restore();
  }

  /** All that the controls show. */
  controlsShow() {
    const { kept, people, data } = this.marks;
    return JSON.stringify([
      this.picture.id, people.map(({ id, from, state }) => [id, from, state]), this.marks.asked,
      this.marks.suggestions().length, kept.before.length > 0, kept.undone.length > 0,
      Boolean(this.memory.models), data.sources.map((source) => [source.key, Object.keys(source.people)]),
    ]);
  }

  /**
   * Only made anew where they change: a button that was replaced under a finger hears no click.
   * Whoever works with the keyboard stays on the control they used.
   */
  fillControls() {
    const shown = this.controlsShow();
    if (shown === this.controlsShown) return;
    this.controlsShown = shown;
    /** @param {HTMLElement} box @returns {(HTMLElement & {disabled: boolean})[]} */
    const nodes = (box) => [...box.querySelectorAll("button, select, input")].map(
      (node) => /** @type {HTMLButtonElement} */ (node));
    const all = () => [...nodes(this.above), ...nodes(this.below)];
    const shadow = /** @type {ShadowRoot | Document} */ (this.root.getRootNode());
    const before = all(), at = before.findIndex((node) => node === shadow.activeElement);
    const words = at >= 0 ? before[at].textContent : "";
    const mark = this.marks.current;
    this.above.replaceChildren(...(mark ? [this.questionBar(mark)] : []));
    this.below.replaceChildren(this.peopleBar(mark), ...(mark ? [this.jointBar(mark)] : []));
    if (at < 0) return;
    const now = all();
    (now.find((node) => node.textContent === words && !node.disabled) ?? now[at])?.focus();
  }

  /** @param {Mark | undefined} mark */
  peopleBar(mark) {
    const bar = element("div", { class: "bar", role: "toolbar", "aria-label": "People" });
    for (const { id } of this.marks.people) {
      bar.append(element("button", {
        type: "button", "aria-pressed": String(mark?.id === id),
        onclick: () => this.ask(this.marks.openOf(id)),
      }, `Person ${id}`));
    }
    const add = () => { this.marks.addPerson(); this.changed(); this.ask(this.marks.asked); };
    bar.append(element("button", { type: "button", onclick: add }, "Add a person"));
    if (mark) {
      const choices = [["", "nothing"], ...this.marks.data.sources
        .filter(({ people }) => people[mark.id]).map(({ key, title }) => [key, title])];
      const list = choiceOf("Open joints start from", choices, mark.from ?? "",
        (from) => { this.marks.startFrom(mark.id, from); this.changed(); });
      const remove = () => {
        this.marks.removePerson(mark.id);
        this.changed();
        this.ask(this.marks.asked);
      };
      bar.append(
        element("label", {}, "start from ", list),
        element("button", { type: "button", onclick: remove }, "Remove"));
    }
    bar.append(checkBox("Show the models", Boolean(this.memory.models), (on) => {
      this.memory.models = on;
      this.refresh();
    }));
    return bar;
  }

  /** @param {Mark} mark */
  questionBar(mark) {
    /** @param {string} text @param {string} title @param {() => void} act */
    const button = (text, title, act, disabled = false) => {
      const node = element("button", { type: "button", title, onclick: act }, text);
      node.disabled = disabled;
      return node;
    };
    const left = this.marks.suggestions().length, { kept } = this.marks;
    const why = left ? ` ${left} left of those that decide most.` : "";
    const agree = () => {
      this.marks.agree(mark.id);
      this.changed();
      this.announce(`All other joints of person ${mark.id} are as drawn`);
    };
    return element("div", { class: "bar asked", role: "toolbar", "aria-label": "The joint asked for" },
      element("strong", {}, this.question()),
      element("span", { class: "subtitle" }, `Click it, or drag it there.${why}`),
      button("It is right", "Enter", () => this.confirm(SEEN)),
      button("Hidden, about here", "h", () => this.confirm(HIDDEN_THERE)),
      button("Not in the picture", "x or a", () => this.confirm(NOT_THERE)),
      button("Skip", "n", () => this.ask(this.marks.next(1))),
      button("Undo", "u or Ctrl+Z", () => this.undo(), !kept.before.length),
      button("Redo", "r or Ctrl+Y", () => this.redo(), !kept.undone.length),
      button("All the rest is right", "Every open joint of this person is as drawn", agree));
  }

  /** @param {Mark} mark */
  jointBar(mark) {
    const bar = element("div", { class: "bar joints", role: "toolbar", "aria-label": "Joints" });
    this.skeleton.joints.forEach((joint, k) => {
      const state = mark.state[k];
      bar.append(element("button", {
        type: "button", class: `state-${state}`, "aria-pressed": String(this.marks.asked?.joint === k),
        "aria-label": `${plainName(joint)}: ${STATE_WORDS[state]}`,
        onclick: () => this.ask({ person: mark.id, joint: k }),
      }, plainName(joint)));
    });
    return bar;
  }
}

/** @param {Host} parentElement */
function mount(parentElement) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".viewer"));
  const viewer = {
    send: (/** @type {object} */ _told) => {},
    still: new Still((draw) => new Marker(root, (told) => viewer.send(told), draw)),
  };
  return viewer;
}

/**
 * @param {{data: Sent & {marking: Marking}, parentElement: Host, setStateValue: (name: string, value: any) => void}} component
 */
export default function ({ data, parentElement, setStateValue }) {
  /** @type {ReturnType<typeof mount>} */
  const viewer = (parentElement.__poseMarker ??= mount(parentElement));
  viewer.send = (told) => setStateValue("marked", told);
  const { stage } = viewer.still;
  viewer.still.update(data, ({ memory, layers, panels: [panel] }) => {
    const { marking, picture, options, skeletons } = data;
    stage.picture = picture;
    stage.load(marking, skeletons.coco17, /** @type {any} */ (memory));
    for (const layer of Object.values(layers)) layer.stale = true;
    layers.truth = stage.truthLayer();
    stage.show({
      picture, memory, layers, options: { ...options, weak: "faint", labels: true },
      panels: [{ ...panel, layers: [...panel.layers, "truth"] }],
    });
    stage.refresh();
    stage.comeTo(marking.come);
    const { asked } = stage.marks;
    if (asked && stage.memory.fitted === undefined) requestAnimationFrame(() => stage.bringIntoView(asked));
  });
  return () => {
    stage.close();
    delete parentElement.__poseMarker;
  };
}
