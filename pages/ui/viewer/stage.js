// The grid of canvases that the picture viewer and the clip player share: panels, tooltip, keyboard
// choice of joints, announcements and redrawing.

import { button, element } from "./dom.js";
import { LEFT_WORDS, RIGHT_WORDS, swatch } from "./forms.js";
import {
  HIDDEN, counterpart, drawLayer, drawRing, drawTrack, jointLines, jointOf, jointState, layersText,
  nearestJoint, onCanvas, personOf, visibleJoints,
} from "./overlay.js";
import { followPointers } from "./pointers.js";
import { HOME, clamp, columnsFor, fitted, movedBy, placeOf, zoomedAt } from "./view.js";

/**
 * @import {
 *   Grab, Layer, Memory, NamedJoint, Options, Panel, PanelData, Place, Point, Ref, SentOptions, Size,
 *   Track, View
 * } from "./types.js"
 *
 * @typedef {Size & {id?: string}} ShownPicture
 */

const REACH = 24;
const PAN_STEP = 40;
const EDGE = 30;
const GREY = "#8a93a3";
// A single picture ends above the fold, unless that leaves less than this.
const LOWEST = 320, MARGIN = 12;
const KEYS_HELP = "Plus and minus zoom, arrow keys move, 0 shows the whole picture, "
  + "n and p choose a joint, Enter picks it, Escape lets go";

/** @param {HTMLCanvasElement} canvas */
export function contextOf(canvas) {
  return /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
}

export class Stage {
  /**
   * @param {HTMLElement} root
   * @param {object} acts
   * @param {(joint: NamedJoint | null) => void} acts.onPick
   * @param {(ctx: CanvasRenderingContext2D, place: Place) => void} acts.drawBackdrop paints the picture
   * @param {HTMLElement} [acts.whole] what goes full screen
   * @param {() => number} [acts.heightBelow] height of what stands under the panels, in CSS pixels
   */
  constructor(root, { onPick, drawBackdrop, whole = root, heightBelow = () => 0 }) {
    this.root = root;
    this.onPick = onPick;
    this.drawBackdrop = drawBackdrop;
    this.whole = whole;
    this.heightBelow = heightBelow;
    /** @type {ShownPicture} */
    this.picture = { width: 1, height: 1 };
    /** @type {Memory & Record<string, any>} */
    this.memory = { id: "", view: HOME, chosen: null, picked: null };
    /** @type {Record<string, Layer>} */
    this.layers = {};
    /** @type {Options} */
    this.options = {
      weak: "hidden", labels: false, points: true, bones: true, boxes: false, joints: null, lineWidth: 3,
    };
    /** @type {Panel[]} */
    this.panels = [];
    /** @type {Record<string, Track>} */
    this.tracks = {};
    this.quiet = false;
    /** @type {Panel | null} */
    this.tipPanel = null;
    /** @type {Record<string, () => void>} */
    this.extraKeys = {};
    /** @type {number | undefined} */
    this.pending = undefined;
    this.backdrop = document.createElement("canvas");
    this.grid = element("div", { class: "grid" });
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
    this.zoomText = element("output", { class: "zoom", "aria-label": "Zoom" });
    this.bar = this.buildBar();
    root.replaceChildren(this.bar, this.grid, this.live);
    root.addEventListener("keydown", (event) => event.stopPropagation());
    this.resized = new ResizeObserver(() => this.redraw());
    this.resized.observe(root);
    // Of a window that becomes higher or lower the viewer's own size tells nothing.
    this.onResize = () => this.redraw();
    addEventListener("resize", this.onResize);
    this.lastScroll = -Infinity;
    /** @param {Event} event */
    this.onWheel = (event) => { if (!event.composedPath().includes(this.grid)) this.leaveToPage(); };
    document.addEventListener("wheel", this.onWheel, { capture: true, passive: true });
  }

  buildBar() {
    return element("div", { class: "bar", role: "toolbar", "aria-label": "View" },
      button("−", "Zoom out", () => this.zoomBy(1 / 1.5)),
      this.zoomText,
      button("+", "Zoom in", () => this.zoomBy(1.5)),
      button("Fit", "Fit the whole picture", () => this.setView(HOME)),
      button("Full screen", "Full screen", () => this.toggleFullScreen()),
      element("span", { class: "sides" },
        element("span", {}, swatch(GREY, 0), LEFT_WORDS), element("span", {}, swatch(GREY, 0, true), RIGHT_WORDS)),
    );
  }

  close() {
    this.resized.disconnect();
    removeEventListener("resize", this.onResize);
    document.removeEventListener("wheel", this.onWheel, { capture: true });
    if (this.pending !== undefined) cancelAnimationFrame(this.pending);
  }

  /**
   * @param {object} shown
   * @param {ShownPicture} shown.picture
   * @param {Memory & Record<string, any>} shown.memory from memoryOf
   * @param {Record<string, Layer>} shown.layers
   * @param {PanelData[]} shown.panels
   * @param {SentOptions} shown.options
   * @param {Record<string, Track>} [shown.tracks] the ways of a joint by layer
   * @param {boolean} [shown.quiet] alternative texts wait until things stand still
   */
  show({ picture, memory, layers, panels, options, tracks = {}, quiet = false }) {
    Object.assign(this, { picture, memory, layers, tracks, quiet });
    this.options = { ...options, joints: options.joints ? new Set(options.joints) : null };
    if (panels.length !== this.panels.length) {
      this.panels = panels.map(() => this.buildPanel());
      this.grid.replaceChildren(...this.panels.map((panel) => panel.figure));
    }
    panels.forEach((data, i) => this.fillPanel(this.panels[i], data));
    this.redraw();
  }

  /** @returns {Panel} */
  buildPanel() {
    const canvas = element("canvas", { role: "img" });
    const tip = element("div", { class: "tip", hidden: true });
    const message = element("div", { class: "message", role: "status", hidden: true });
    const heading = element("figcaption");
    const note = element("div", { class: "note", hidden: true });
    const figure = element("figure", { tabindex: 0, role: "group", title: "" },
      heading, element("div", { class: "sheet" }, canvas, note, message, tip));
    const data = { title: "", subtitle: "", colour: "", layers: [], message: "", tone: "info" };
    const panel = { canvas, tip, message, heading, note, figure, data };
    figure.addEventListener("keydown", (event) => this.onKey(event, panel));
    followPointers(canvas, this);
    return panel;
  }

  /** @param {Panel} panel @param {PanelData} data */
  fillPanel(panel, data) {
    const same = JSON.stringify(data) === JSON.stringify(panel.data);
    panel.data = data;
    if (same) return this.describe(panel);
    panel.note.textContent = data.note ?? "";
    panel.note.hidden = !data.note || Boolean(data.message);
    panel.heading.replaceChildren(
      ...(data.colour ? [swatch(data.colour, data.variant ?? 0)] : []),
      element("strong", {}, data.title), " ", element("span", { class: "subtitle" }, data.subtitle),
      ...(data.legend ?? []).map(({ title, colour, variant = 0 }) => element(
        "span", { class: "entry", "data-model": title }, swatch(colour, variant), title)));
    panel.figure.setAttribute("aria-label", `${data.title}. ${KEYS_HELP}`);
    panel.figure.removeAttribute("title");
    panel.message.hidden = !data.message;
    panel.message.className = `message ${data.tone}`;
    if (panel.message.textContent !== data.message) panel.message.textContent = data.message;
    this.describe(panel);
  }

  /** @param {Panel} panel */
  describe(panel) {
    panel.canvas.style.aspectRatio = `${this.picture.width} / ${this.picture.height}`;
    if (this.quiet) return;
    const text = panel.data.message || layersText(this.layersOf(panel), this.options);
    panel.canvas.setAttribute("aria-label", `${panel.data.title}. ${text}`);
  }

  /**
   * At once, before the server has answered.
   * @param {string} model @param {number} threshold
   */
  setThreshold(model, threshold) {
    const layer = this.layers[model];
    if (!layer || layer.threshold === threshold) return;
    layer.threshold = threshold;
    this.panels.forEach((panel) => this.describe(panel));
    this.redraw();
  }

  /** @param {Panel} panel */
  layersOf(panel) {
    return panel.data.message ? [] : panel.data.layers.map((key) => this.layers[key]).filter(Boolean);
  }

  // --- view ---
  /** @returns {View} */
  get view() { return this.memory.view; }

  /** @param {View} view */
  setView(view) {
    this.memory.view = view;
    this.redraw();
  }

  /** @param {HTMLCanvasElement} canvas */
  place(canvas) {
    return placeOf(this.view, this.picture, canvas.clientWidth, canvas.clientHeight);
  }

  /** @param {number} factor */
  zoomBy(factor) {
    const canvas = this.panels[0].canvas;
    /** @type {Point} */
    const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    this.setView(zoomedAt(this.view, this.place(canvas), this.picture, factor, middle));
  }

  /**
   * The box [left, top, right, bottom] of the picture fills the canvas, with some room around.
   * @param {number[]} box
   */
  fitBox(box) {
    const { clientWidth, clientHeight } = this.panels[0].canvas;
    if (clientWidth) this.setView(fitted(box, this.picture, clientWidth, clientHeight));
  }

  /**
   * A place that is out of sight comes to the middle.
   * @param {ArrayLike<number>} xy @param {number} k
   */
  centre(xy, k) {
    const canvas = this.panels[0].canvas, [x, y] = onCanvas(this.place(canvas), xy, k);
    const inside = x > EDGE && y > EDGE && x < canvas.clientWidth - EDGE && y < canvas.clientHeight - EDGE;
    if (inside) return;
    this.setView({
      ...this.view, cx: xy[2 * k] / this.picture.width, cy: xy[2 * k + 1] / this.picture.height,
    });
  }

  /**
   * Once for each new number.
   * @param {number} number
   */
  comeTo(number) {
    if (!number || this.memory.come === number) return;
    this.memory.come = number;
    this.root.scrollIntoView({ block: "start", behavior: "smooth" });
  }

  // A wheel that set out to scroll the page goes on doing so when the picture comes under it.
  pageScrolls() { return performance.now() - this.lastScroll < 250; }

  leaveToPage() { this.lastScroll = performance.now(); }

  toggleFullScreen() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.whole.requestFullscreen();
  }

  // --- joints ---
  /** @param {HTMLCanvasElement} canvas @returns {Panel} */
  panelOf(canvas) {
    const panel = this.panels.find((each) => each.canvas === canvas);
    if (!panel) throw new Error("a canvas of no panel");
    return panel;
  }

  /**
   * What begins where a pointer goes down; nothing can be dragged here but the picture.
   * @param {HTMLCanvasElement} _canvas @param {Point} _point @param {string} _kind of pointer
   * @returns {Grab | null}
   */
  grab(_canvas, _point, _kind) { return null; }

  /** @param {HTMLCanvasElement} canvas @param {Point | null} point */
  hover(canvas, point) {
    const panel = this.panelOf(canvas);
    const ref = point && nearestJoint(
      this.layersOf(panel), this.place(canvas), point, REACH, this.options);
    this.choose(ref ? panel : null, ref ?? this.memory.picked);
  }

  /** @param {HTMLCanvasElement} canvas @param {Point} point */
  pick(canvas, point) {
    const panel = this.panelOf(canvas);
    panel.figure.focus({ preventScroll: true });
    const ref = nearestJoint(this.layersOf(panel), this.place(canvas), point, REACH, this.options);
    this.choose(ref ? panel : null, ref);
    this.keep(ref);
  }

  /** @param {Panel | null} panel @param {Ref | null} ref */
  choose(panel, ref) {
    this.memory.chosen = ref;
    this.tipPanel = panel;
    this.redraw();
  }

  /** @param {Ref | null} ref */
  keep(ref) {
    if (JSON.stringify(ref) === JSON.stringify(this.memory.picked)) return;
    this.memory.picked = ref;
    const layer = ref && this.layers[ref.layer];
    this.onPick(ref && layer && {
      model: layer.key, person: ref.person, joint: layer.skeleton.joints[ref.joint],
    });
  }

  /**
   * Picks the joint that the page names, "" for the one that the model is surest of.
   * @param {NamedJoint} named
   */
  pickNamed({ model, person, joint }) {
    const layer = this.layers[model], found = layer && personOf(layer, { person });
    if (!found) return;
    const k = jointOf(layer, found, joint, this.options);
    if (k < 0) return;
    const ref = { layer: model, person, joint: k };
    this.choose(this.panels.find((panel) => panel.data.layers.includes(model)) ?? null, ref);
    this.keep(ref);
    if (this.view.zoom > 1) this.centre(found.xy, k);
    this.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  /** @param {Panel} panel @param {number} by */
  step(panel, by) {
    const all = visibleJoints(this.layersOf(panel), this.options);
    if (!all.length) return this.announce("No joints to choose from");
    const key = JSON.stringify(this.memory.chosen);
    const now = all.findIndex((ref) => JSON.stringify(ref) === key);
    const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length;
    this.choose(panel, all[next]);
    this.announce(jointLines(this.layers[all[next].layer], all[next]).join(", "));
  }

  /** @param {string} text */
  announce(text) { this.live.textContent = text; }

  /** @param {KeyboardEvent} event @param {Panel} panel */
  onKey(event, panel) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    /** @param {number} dx @param {number} dy */
    const pan = (dx, dy) => this.setView(
      movedBy(this.view, this.place(panel.canvas), this.picture, [dx, dy]));
    const moves = {
      ArrowLeft: () => pan(PAN_STEP, 0), ArrowRight: () => pan(-PAN_STEP, 0),
      ArrowUp: () => pan(0, PAN_STEP), ArrowDown: () => pan(0, -PAN_STEP),
    };
    /** @type {Record<string, () => void>} */
    const acts = {
      ...moves,
      "+": () => this.zoomBy(1.5), "=": () => this.zoomBy(1.5), "-": () => this.zoomBy(1 / 1.5),
      "0": () => this.setView(HOME),
      n: () => this.step(panel, 1), "]": () => this.step(panel, 1),
      p: () => this.step(panel, -1), "[": () => this.step(panel, -1),
      Enter: () => this.keep(this.memory.chosen),
      Escape: () => { this.choose(null, null); this.keep(null); },
      ...this.extraKeys,
      ...(event.shiftKey ? moves : {}),
    };
    if (!acts[event.key]) return;
    event.preventDefault();
    acts[event.key]();
  }

  // --- drawing ---
  redraw() {
    this.pending ??= requestAnimationFrame(() => {
      this.pending = undefined;
      this.draw();
    });
  }

  /** Columns, and how high a picture may be that stands alone. */
  arrange() {
    const count = this.panels.length, columns = columnsFor(count, this.grid.clientWidth);
    this.grid.style.gridTemplateColumns = `repeat(${columns}, minmax(0, 1fr))`;
    const single = count === 1 ? this.panels[0].canvas : null;
    if (!single) return;
    const page = document.querySelector("[data-testid=stMain]") ?? document.documentElement;
    const scrolled = document.fullscreenElement ? 0 : page.scrollTop;
    const top = single.getBoundingClientRect().top + scrolled;
    const room = Math.max(LOWEST, innerHeight - top - this.heightBelow() - MARGIN);
    if (Math.abs(room - parseFloat(single.style.maxHeight || "0")) > 2) single.style.maxHeight = `${room}px`;
  }

  draw() {
    this.arrange();
    this.zoomText.textContent = `${Math.round(this.view.zoom * 100)} %`;
    this.grid.classList.toggle("zoomed", this.view.zoom > 1);
    let painted = "";
    for (const panel of this.panels) {
      const { canvas } = panel;
      const width = Math.round(canvas.clientWidth * devicePixelRatio);
      const height = Math.round(canvas.clientHeight * devicePixelRatio);
      if (!width || !height) continue;
      if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
      if (painted !== `${width}x${height}`) {
        this.paintBackdrop(width, height, this.place(canvas));
        painted = `${width}x${height}`;
      }
      this.drawPanel(panel);
    }
  }

  /**
   * The picture is scaled once and copied to the other canvases of the same size.
   * @param {number} width @param {number} height @param {Place} place
   */
  paintBackdrop(width, height, place) {
    Object.assign(this.backdrop, { width, height });
    const ctx = contextOf(this.backdrop);
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.imageSmoothingEnabled = place.scale * devicePixelRatio < 4;
    ctx.imageSmoothingQuality = "high";
    this.drawBackdrop(ctx, place);
  }

  /** @param {Panel} panel */
  drawPanel(panel) {
    const ctx = contextOf(panel.canvas);
    ctx.setTransform(1, 0, 0, 1, 0, 0);
    ctx.clearRect(0, 0, panel.canvas.width, panel.canvas.height);
    ctx.drawImage(this.backdrop, 0, 0);
    ctx.scale(devicePixelRatio, devicePixelRatio);
    const place = this.place(panel.canvas), layers = this.layersOf(panel);
    for (const layer of layers) {
      drawLayer(ctx, layer, place, this.options);
      if (this.tracks[layer.key]) drawTrack(ctx, layer, this.tracks[layer.key], place);
    }
    const ref = this.validChoice();
    for (const layer of ref ? layers : []) {
      const own = ref && counterpart(layer, this.layers[ref.layer], ref, this.options);
      const person = own && personOf(layer, own);
      if (person) drawRing(ctx, layer, person, own.joint, place);
    }
    this.placeTip(panel, ref, place);
  }

  /** @returns {Ref | null} */
  validChoice() {
    const ref = this.memory.chosen, layer = ref && this.layers[ref.layer];
    const person = layer && personOf(layer, ref);
    return person && jointState(layer, person, ref.joint, this.options) !== HIDDEN ? ref : null;
  }

  /** @param {Panel} panel @param {Ref | null} ref @param {Place} place */
  placeTip(panel, ref, place) {
    panel.tip.hidden = !ref || panel !== this.tipPanel;
    const layer = ref && this.layers[ref.layer], person = layer && personOf(layer, ref);
    if (panel.tip.hidden || !person) return;
    const [first, ...rest] = jointLines(layer, ref);
    panel.tip.replaceChildren(element("strong", {}, first), ...rest.map((line) => element("div", {}, line)));
    const [x, y] = onCanvas(place, person.xy, ref.joint);
    const { clientWidth, clientHeight } = panel.canvas;
    const { offsetWidth, offsetHeight } = panel.tip;
    const left = x + 16 + offsetWidth > clientWidth ? x - 16 - offsetWidth : x + 16;
    panel.tip.style.left = `${clamp(left, 0, Math.max(0, clientWidth - offsetWidth))}px`;
    panel.tip.style.top = `${clamp(y + 12, 0, Math.max(0, clientHeight - offsetHeight))}px`;
  }
}
