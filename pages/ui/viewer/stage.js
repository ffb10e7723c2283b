// The grid of canvases that the picture viewer and the clip player share: panels, tooltip, keyboard
// choice of joints, announcements and redrawing.

const REACH = 24;
const PAN_STEP = 40;
const ROOM = 1.5, FIT_MAX = 12, EDGE = 30;
const KEYS_HELP = "Plus and minus zoom, arrow keys move, 0 shows the whole picture, "
  + "n and p choose a joint, Enter picks it, Escape lets go";

function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (value !== false && value !== null) node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

// Kept across reruns and remounts, by the component's key.
function memoryOf(key, id) {
  const all = (globalThis.__poseViewers ??= new Map());
  if (all.get(key)?.id !== id) all.set(key, { id, view: HOME, chosen: null, picked: null });
  return all.get(key);
}

class Stage {
  // onPick(name | null) is told {model, person, joint}; drawBackdrop(ctx, place) paints the picture.
  // whole: the element that goes full screen.
  constructor(root, { onPick, drawBackdrop, whole = root }) {
    Object.assign(this, { root, onPick, drawBackdrop, whole });
    this.picture = { width: 1, height: 1 };
    this.memory = { view: HOME, chosen: null, picked: null };
    this.layers = {};
    this.options = {};
    this.panels = [];
    this.tracks = {};
    this.backdrop = document.createElement("canvas");
    this.grid = element("div", { class: "grid" });
    this.live = element("div", { class: "unseen", "aria-live": "polite" });
    this.zoomText = element("output", { class: "zoom", "aria-label": "Zoom" });
    this.bar = this.buildBar();
    root.replaceChildren(this.bar, this.grid, this.live);
    root.addEventListener("keydown", (event) => event.stopPropagation());
    this.resized = new ResizeObserver(() => this.redraw());
    this.resized.observe(root);
    this.lastScroll = -Infinity;
    this.onWheel = (event) => { if (!event.composedPath().includes(this.grid)) this.leaveToPage(); };
    document.addEventListener("wheel", this.onWheel, { capture: true, passive: true });
  }

  buildBar() {
    const button = (text, label, act) =>
      element("button", { type: "button", title: label, "aria-label": label, onclick: act }, text);
    return element("div", { class: "bar", role: "toolbar", "aria-label": "View" },
      button("−", "Zoom out", () => this.zoomBy(1 / 1.5)),
      this.zoomText,
      button("+", "Zoom in", () => this.zoomBy(1.5)),
      button("Fit", "Show the whole picture", () => this.setView(HOME)),
      button("Full screen", "Full screen", () => this.toggleFullScreen()),
    );
  }

  close() {
    this.resized.disconnect();
    document.removeEventListener("wheel", this.onWheel, { capture: true });
    cancelAnimationFrame(this.pending);
  }

  // picture: {width, height}; memory: from memoryOf; layers: by key; panels: as sent by Python;
  // tracks: the ways of a joint by layer; quiet: alternative texts wait until things stand still.
  show({ picture, memory, layers, panels, options, tracks = {}, quiet = false }) {
    Object.assign(this, { picture, memory, layers, tracks, quiet });
    this.options = { ...options, joints: options.joints && new Set(options.joints) };
    if (panels.length !== this.panels.length) {
      this.panels = panels.map(() => this.buildPanel());
      this.grid.replaceChildren(...this.panels.map((panel) => panel.figure));
    }
    panels.forEach((data, i) => this.fillPanel(this.panels[i], data));
    this.redraw();
  }

  buildPanel() {
    const panel = {};
    panel.canvas = element("canvas", { role: "img" });
    panel.tip = element("div", { class: "tip", hidden: true });
    panel.message = element("div", { class: "message", role: "status", hidden: true });
    panel.heading = element("figcaption");
    panel.note = element("div", { class: "note", hidden: true });
    panel.figure = element("figure", { tabindex: 0, role: "group", title: "" },
      panel.heading,
      element("div", { class: "sheet" }, panel.canvas, panel.note, panel.message, panel.tip));
    panel.figure.addEventListener("keydown", (event) => this.onKey(event, panel));
    panel.canvas.panel = panel;
    followPointers(panel.canvas, this);
    return panel;
  }

  fillPanel(panel, data) {
    const same = JSON.stringify(data) === JSON.stringify(panel.data);
    panel.data = data;
    if (same) return this.describe(panel);
    panel.note.textContent = data.note ?? "";
    panel.note.hidden = !data.note || Boolean(data.message);
    const mark = element("span", { class: "mark", style: `background: ${data.colour || "transparent"}` });
    panel.heading.replaceChildren(
      ...(data.colour ? [mark] : []),
      element("strong", {}, data.title), " ", element("span", { class: "subtitle" }, data.subtitle));
    panel.figure.setAttribute("aria-label", `${data.title}. ${KEYS_HELP}`);
    panel.figure.removeAttribute("title");
    panel.message.hidden = !data.message;
    panel.message.className = `message ${data.tone}`;
    if (panel.message.textContent !== data.message) panel.message.textContent = data.message;
    this.describe(panel);
  }

  describe(panel) {
    panel.canvas.style.aspectRatio = `${this.picture.width} / ${this.picture.height}`;
    if (this.quiet) return;
    const text = panel.data.message || layersText(this.layersOf(panel), this.options);
    panel.canvas.setAttribute("aria-label", `${panel.data.title}. ${text}`);
  }

  layersOf(panel) {
    return panel.data.message ? [] : panel.data.layers.map((key) => this.layers[key]).filter(Boolean);
  }

  // --- view ---
  get view() { return this.memory.view; }

  setView(view) {
    this.memory.view = view;
    this.redraw();
  }

  place(canvas) {
    return placeOf(this.view, this.picture, canvas.clientWidth, canvas.clientHeight);
  }

  zoomBy(factor) {
    const canvas = this.panels[0].canvas;
    const middle = [canvas.clientWidth / 2, canvas.clientHeight / 2];
    this.setView(zoomedAt(this.view, this.place(canvas), this.picture, factor, middle));
  }

  // The box [left, top, right, bottom] of the picture fills the canvas, with some room around.
  fitBox([left, top, right, bottom]) {
    const { clientWidth, clientHeight } = this.panels[0].canvas, { width, height } = this.picture;
    if (!clientWidth) return;
    const side = ROOM * Math.max(right - left, bottom - top, 1);
    const wanted = Math.min(clientWidth / side, clientHeight / side);
    const whole = Math.min(clientWidth / width, clientHeight / height);
    const zoom = clamp(wanted / whole, 1, FIT_MAX);
    // Nothing beside the picture is shown while there is enough of the picture.
    const centre = (middle, all, seen) => {
      const half = Math.min(0.5, seen / all / whole / zoom / 2);
      return clamp(middle / all, half, 1 - half);
    };
    this.setView({
      zoom,
      cx: centre((left + right) / 2, width, clientWidth), cy: centre((top + bottom) / 2, height, clientHeight),
    });
  }

  // A place that is out of sight comes to the middle.
  centre(xy, k) {
    const canvas = this.panels[0].canvas, [x, y] = onCanvas(this.place(canvas), xy, k);
    const inside = x > EDGE && y > EDGE && x < canvas.clientWidth - EDGE && y < canvas.clientHeight - EDGE;
    if (inside) return;
    this.setView({
      ...this.view, cx: xy[2 * k] / this.picture.width, cy: xy[2 * k + 1] / this.picture.height,
    });
  }

  // Once for each new number.
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
  hover(canvas, point) {
    const panel = canvas.panel;
    const ref = point && nearestJoint(
      this.layersOf(panel), this.place(canvas), point, REACH, this.options);
    this.choose(ref ? panel : null, ref ?? this.memory.picked);
  }

  pick(canvas, point) {
    const panel = canvas.panel;
    panel.figure.focus({ preventScroll: true });
    const ref = nearestJoint(this.layersOf(panel), this.place(canvas), point, REACH, this.options);
    this.choose(ref ? panel : null, ref);
    this.keep(ref);
  }

  choose(panel, ref) {
    this.memory.chosen = ref;
    this.tipPanel = panel;
    this.redraw();
  }

  keep(ref) {
    if (JSON.stringify(ref) === JSON.stringify(this.memory.picked)) return;
    this.memory.picked = ref;
    const layer = ref && this.layers[ref.layer];
    this.onPick(layer && {
      model: layer.key, person: ref.person, joint: layer.skeleton.joints[ref.joint],
    });
  }

  // Picks the joint that the page names, "" for the one that the model is surest of.
  pickNamed({ model, person, joint }) {
    const layer = this.layers[model], found = layer && personOf(layer, { person });
    const k = found ? jointOf(layer, found, joint, this.options) : -1;
    if (k < 0) return;
    const ref = { layer: model, person, joint: k };
    this.choose(this.panels.find((panel) => panel.data.layers.includes(model)) ?? null, ref);
    this.keep(ref);
    if (this.view.zoom > 1) this.centre(found.xy, k);
    this.root.scrollIntoView({ block: "nearest", behavior: "smooth" });
  }

  step(panel, by) {
    const all = visibleJoints(this.layersOf(panel), this.options);
    if (!all.length) return this.announce("No joints to choose from");
    const key = JSON.stringify(this.memory.chosen);
    const now = all.findIndex((ref) => JSON.stringify(ref) === key);
    const next = now < 0 ? (by > 0 ? 0 : all.length - 1) : (now + by + all.length) % all.length;
    this.choose(panel, all[next]);
    this.announce(jointLines(this.layers[all[next].layer], all[next]).join(", "));
  }

  announce(text) { this.live.textContent = text; }

  onKey(event, panel) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const pan = (dx, dy) => this.setView(
      movedBy(this.view, this.place(panel.canvas), this.picture, dx, dy));
    const moves = {
      ArrowLeft: () => pan(PAN_STEP, 0), ArrowRight: () => pan(-PAN_STEP, 0),
      ArrowUp: () => pan(0, PAN_STEP), ArrowDown: () => pan(0, -PAN_STEP),
    };
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

  draw() {
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

  // The picture is scaled once and copied to the other canvases of the same size.
  paintBackdrop(width, height, place) {
    Object.assign(this.backdrop, { width, height });
    const ctx = this.backdrop.getContext("2d");
    ctx.scale(devicePixelRatio, devicePixelRatio);
    ctx.imageSmoothingEnabled = place.scale * devicePixelRatio < 4;
    ctx.imageSmoothingQuality = "high";
    this.drawBackdrop(ctx, place);
  }

  drawPanel(panel) {
    const ctx = panel.canvas.getContext("2d");
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
      const own = counterpart(layer, this.layers[ref.layer], ref, this.options);
      if (own) drawRing(ctx, layer, personOf(layer, own), own.joint, place);
    }
    this.placeTip(panel, ref, place);
  }

  validChoice() {
    const ref = this.memory.chosen, layer = ref && this.layers[ref.layer];
    const person = layer && personOf(layer, ref);
    return person && jointState(layer, person, ref.joint, this.options) !== HIDDEN ? ref : null;
  }

  placeTip(panel, ref, place) {
    panel.tip.hidden = !ref || panel !== this.tipPanel;
    if (panel.tip.hidden) return;
    const layer = this.layers[ref.layer];
    const [first, ...rest] = jointLines(layer, ref);
    panel.tip.replaceChildren(element("strong", {}, first), ...rest.map((line) => element("div", {}, line)));
    const [x, y] = onCanvas(place, personOf(layer, ref).xy, ref.joint);
    const { clientWidth, clientHeight } = panel.canvas;
    const { offsetWidth, offsetHeight } = panel.tip;
    const left = x + 16 + offsetWidth > clientWidth ? x - 16 - offsetWidth : x + 16;
    panel.tip.style.left = `${clamp(left, 0, Math.max(0, clientWidth - offsetWidth))}px`;
    panel.tip.style.top = `${clamp(y + 12, 0, Math.max(0, clientHeight - offsetHeight))}px`;
  }
}
