// Marking the truth: one picture on which a person puts keypoints where they are.
//
// A mark is {id, xy, state}: the person's number, flat positions in pixels of the picture (null where
// there is none), and a state a joint. Only what somebody has confirmed counts; a joint that was
// copied from a model stays OPEN until it was moved, placed or agreed to.

const OPEN = 0, HIDDEN_THERE = 1, SEEN = 2, NOT_THERE = 3;
const STATE_WORDS = ["open", "hidden", "marked", "not there"];
const GRAB = { mouse: 12, touch: 24, pen: 16 };
const LOUPE = { radius: 56, zoom: 3 };
const SEND_AFTER_MS = 250;

const copyOf = (value) => JSON.parse(JSON.stringify(value));
const plainName = (joint) => joint.replaceAll("_", " ");

class Marker extends Stage {
  constructor(root, { onChange, drawBackdrop }) {
    super(root, { onPick: () => {}, drawBackdrop });
    this.onChange = onChange;
    this.above = element("div", { class: "marking" });
    this.below = element("div", { class: "marks" });
    this.bar.after(this.above);
    this.grid.after(this.below);
    this.extraKeys = {
      n: () => this.ask(this.nextOpen(1)), p: () => this.ask(this.nextOpen(-1)),
      Enter: () => this.confirm(SEEN), h: () => this.confirm(HIDDEN_THERE),
      x: () => this.confirm(NOT_THERE), u: () => this.undo(), r: () => this.redo(),
      ArrowLeft: () => this.nudge(-1, 0), ArrowRight: () => this.nudge(1, 0),
      ArrowUp: () => this.nudge(0, -1), ArrowDown: () => this.nudge(0, 1),
    };
  }

  get marks() { return this.memory.marks; }

  // data: {joints, people, revision, sources: [{key, title, people: {id: xy}}], asked: [[id, joint]]}
  load(data, memory) {
    this.data = data;
    if (memory.revision === undefined || data.revision > memory.revision) {
      Object.assign(memory, {
        revision: data.revision, marks: copyOf(data.people), undone: [], before: [], asked: null,
      });
    }
    this.memory = memory;
    if (memory.asked === null || !this.markOf(memory.asked.person)) memory.asked = this.firstAsked();
  }

  markOf(id) { return this.marks.find((mark) => mark.id === id); }

  // --- what is asked ---
  firstAsked() {
    return this.suggestions()[0] ?? (this.marks[0] ? { person: this.marks[0].id, joint: 0 } : null);
  }

  // The joints worth most that are still open.
  suggestions() {
    return this.data.asked
      .map(([person, joint]) => ({ person, joint }))
      .filter(({ person, joint }) => (this.markOf(person)?.state[joint] ?? SEEN) === OPEN);
  }

  // Suggested joints come first, then the open ones of the same person, then everybody's in order.
  nextOpen(by) {
    const now = this.memory.asked, count = this.data.joints.length;
    const suggested = this.suggestions().filter((ref) => !sameJoint(ref, now));
    if (by > 0 && suggested.length) return suggested[0];
    const all = this.marks.flatMap((mark) =>
      this.data.joints.map((_, joint) => ({ person: mark.id, joint })));
    if (!all.length) return null;
    const at = now ? this.marks.findIndex((m) => m.id === now.person) * count + now.joint : -1;
    for (let i = 1; i <= all.length; i++) {
      const ref = all[(at + by * i + all.length * 2) % all.length];
      if (by < 0 || this.markOf(ref.person).state[ref.joint] === OPEN) return ref;
    }
    return all[(at + by + all.length) % all.length];
  }

  ask(ref) {
    this.memory.asked = ref;
    if (ref) {
      this.bringIntoView(ref);
      this.announce(this.question());
    }
    this.refresh();
  }

  question() {
    const ref = this.memory.asked;
    if (!ref) return "Add a person to begin.";
    return `Person ${ref.person}: where is the ${plainName(this.data.joints[ref.joint])}?`;
  }

  // The person fills the canvas: a click is as exact as the picture is large.
  fitPerson(id) {
    const all = this.markOf(id).xy, xs = all.filter((v, i) => v !== null && i % 2 === 0);
    const ys = all.filter((v, i) => v !== null && i % 2 === 1);
    if (xs.length < 2) return;
    this.fitBox([Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)]);
  }

  bringIntoView({ person, joint }) {
    if (person !== this.memory.fitted) {
      this.memory.fitted = person;
      return this.fitPerson(person);
    }
    const { xy } = this.markOf(person);
    if (this.view.zoom > 1 && xy[2 * joint] !== null) this.centre(xy, joint);
  }

  // --- changes ---
  change(act) {
    const memory = this.memory;
    memory.before.push(copyOf(memory.marks));
    if (memory.before.length > 200) memory.before.shift();
    memory.undone = [];
    act();
    this.changed();
  }

  changed() {
    clearTimeout(this.sending);
    this.sending = setTimeout(() => this.onChange(this.told()), SEND_AFTER_MS);
    this.refresh();
  }

  told() {
    return { picture: this.picture.id, revision: this.memory.revision, people: copyOf(this.marks) };
  }

  undo() { this.swap("before", "undone", "Undone"); }

  redo() { this.swap("undone", "before", "Done again"); }

  swap(from, to, words) {
    const memory = this.memory;
    if (!memory[from].length) return this.announce("Nothing more");
    memory[to].push(copyOf(memory.marks));
    memory.marks = memory[from].pop();
    if (memory.asked && !this.markOf(memory.asked.person)) memory.asked = this.firstAsked();
    this.announce(words);
    this.changed();
  }

  put(ref, x, y) {
    const mark = this.markOf(ref.person);
    mark.xy[2 * ref.joint] = clamp(x, 0, this.picture.width);
    mark.xy[2 * ref.joint + 1] = clamp(y, 0, this.picture.height);
    if (mark.state[ref.joint] !== HIDDEN_THERE) mark.state[ref.joint] = SEEN;
  }

  confirm(state) {
    const ref = this.memory.asked;
    if (!ref) return;
    const mark = this.markOf(ref.person), named = plainName(this.data.joints[ref.joint]);
    if (state !== NOT_THERE && mark.xy[2 * ref.joint] === null) {
      return this.announce(`Click where the ${named} is first`);
    }
    this.change(() => { mark.state[ref.joint] = state; });
    this.announce(`${named}: ${STATE_WORDS[state]}`);
    this.ask(this.nextOpen(1));
  }

  nudge(dx, dy) {
    const ref = this.memory.asked, mark = ref && this.markOf(ref.person);
    if (!mark || mark.xy[2 * ref.joint] === null) return this.announce("Click where it is first");
    const step = Math.max(1, 1 / this.place(this.panels[0].canvas).scale);
    this.change(() => this.put(
      ref, mark.xy[2 * ref.joint] + dx * step, mark.xy[2 * ref.joint + 1] + dy * step));
  }

  // from: key of a source, or "" for nothing.
  startFrom(person, from) {
    const source = this.data.sources.find(({ key }) => key === from);
    const xy = source?.people[person] ?? this.data.joints.flatMap(() => [null, null]);
    this.change(() => {
      const mark = this.markOf(person);
      mark.xy = mark.xy.map((value, i) => (mark.state[i >> 1] === OPEN ? xy[i] : value));
      mark.from = from;
    });
  }

  addPerson() {
    const known = new Set(this.data.sources.flatMap(({ people }) => Object.keys(people).map(Number)));
    for (const mark of this.marks) known.delete(mark.id);
    const id = known.size ? Math.min(...known) : Math.max(0, ...this.marks.map((m) => m.id)) + 1;
    const source = this.data.sources.find(({ people }) => people[id]);
    const nowhere = this.data.joints.flatMap(() => [null, null]);
    this.change(() => this.marks.push({
      id, from: source?.key ?? "", xy: [...(source?.people[id] ?? nowhere)],
      state: this.data.joints.map(() => OPEN),
    }));
    this.ask({ person: id, joint: 0 });
  }

  removePerson(id) {
    this.change(() => { this.memory.marks = this.marks.filter((mark) => mark.id !== id); });
    this.ask(this.firstAsked());
  }

  agree(person) {
    this.change(() => {
      const mark = this.markOf(person);
      mark.state = mark.state.map((state, k) =>
        (state === OPEN && mark.xy[2 * k] !== null ? SEEN : state));
    });
    this.announce(`All other joints of person ${person} are as drawn`);
  }

  // --- pointers ---
  hover() {}

  pick(canvas, point) {
    canvas.panel.figure.focus({ preventScroll: true });
    const ref = this.memory.asked;
    if (!ref) return this.announce("Add a person first");
    const place = this.place(canvas);
    this.change(() => this.put(
      ref, (point[0] - place.dx) / place.scale, (point[1] - place.dy) / place.scale));
    this.ask(this.nextOpen(1));
  }

  grab(canvas, point, kind) {
    const ref = nearestJoint(
      [this.layers.truth], this.place(canvas), point, GRAB[kind] ?? GRAB.mouse, this.options);
    if (!ref) return null;
    const started = copyOf(this.marks), mark = this.markOf(ref.person);
    let place = this.place(canvas), begun = false;
    return {
      move: ([dx, dy]) => {
        if (!begun) this.memory.asked = { person: ref.person, joint: ref.joint };
        begun = true;
        place = this.place(canvas);
        this.put(ref, mark.xy[2 * ref.joint] + dx / place.scale,
          mark.xy[2 * ref.joint + 1] + dy / place.scale);
        this.loupe = onCanvas(place, mark.xy, ref.joint);
        this.layers.truth = this.truthLayer();
        this.redraw();
      },
      drop: (kept) => {
        this.loupe = null;
        if (!begun) return;
        const moved = this.marks;
        this.memory.marks = started;
        if (kept) this.change(() => { this.memory.marks = moved; });
        this.refresh();
      },
    };
  }

  // --- what is to be seen ---
  refresh() {
    this.layers.truth = this.truthLayer();
    for (const layer of Object.values(this.layers)) {
      layer.hidden = layer !== this.layers.truth && !this.memory.models;
    }
    this.fillControls();
    this.redraw();
    if (this.panels.length) this.describe(this.panels[0]);
  }

  truthLayer() {
    const { skeleton, colour } = this.data;
    const people = this.marks.map((mark) => ({
      id: mark.id,
      xy: Float32Array.from(mark.xy, (value, i) =>
        (value === null || mark.state[i >> 1] === NOT_THERE ? NaN : value)),
      score: mark.state.map((state) => (state === OPEN ? 0 : 1)),
      box: null,
    }));
    return { key: "truth", title: "Marked", colour, kind: "marked", threshold: 0.5, skeleton, people };
  }

  layersOf(panel) {
    return super.layersOf(panel).filter((layer) => !layer.hidden);
  }

  drawPanel(panel) {
    super.drawPanel(panel);
    const ctx = panel.canvas.getContext("2d"), place = this.place(panel.canvas);
    for (const mark of this.marks) {
      mark.state.forEach((state, k) => {
        if (state === HIDDEN_THERE) this.drawHidden(ctx, onCanvas(place, mark.xy, k));
      });
    }
    const ref = this.memory.asked, asked = ref && personOf(this.layers.truth, ref);
    if (asked && !Number.isNaN(asked.xy[2 * ref.joint])) {
      drawRing(ctx, this.layers.truth, asked, ref.joint, place);
    }
    if (this.loupe) this.drawLoupe(ctx, panel.canvas, place);
  }

  drawHidden(ctx, [x, y]) {
    ctx.strokeStyle = "#ffffff";
    ctx.lineWidth = 2;
    ctx.strokeRect(x - 5, y - 5, 10, 10);
  }

  // What lies under the finger, larger, in the corner that the finger is not in.
  drawLoupe(ctx, canvas, place) {
    const [x, y] = this.loupe, { radius, zoom } = LOUPE;
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
    ctx.strokeStyle = this.data.colour;
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

  // Whoever works with the keyboard stays on the control they used.
  fillControls() {
    const nodes = (box) => [...box.querySelectorAll("button, select, input")];
    const all = () => [...nodes(this.above), ...nodes(this.below)];
    const before = all(), at = before.indexOf(this.root.getRootNode().activeElement);
    const text = at >= 0 ? before[at].textContent : "";
    const ref = this.memory.asked, mark = ref && this.markOf(ref.person);
    this.above.replaceChildren(...(mark ? [this.questionBar(ref)] : []));
    this.below.replaceChildren(this.peopleBar(mark), ...(mark ? [this.jointBar(mark)] : []));
    if (at < 0) return;
    const now = all();
    (now.find((node) => node.textContent === text && !node.disabled) ?? now[at])?.focus();
  }

  peopleBar(mark) {
    const bar = element("div", { class: "bar", role: "toolbar", "aria-label": "People" });
    for (const { id } of this.marks) {
      bar.append(element("button", {
        type: "button", "aria-pressed": String(mark?.id === id),
        onclick: () => this.ask(this.openOf(id)),
      }, `Person ${id}`));
    }
    bar.append(element("button", { type: "button", onclick: () => this.addPerson() }, "Add a person"));
    if (mark) {
      const choices = [["", "nothing"], ...this.data.sources
        .filter(({ people }) => people[mark.id]).map(({ key, title }) => [key, title])];
      const list = choiceOf("Open joints start from", choices, mark.from ?? "",
        (from) => this.startFrom(mark.id, from));
      bar.append(
        element("label", {}, "start from ", list),
        element("button", { type: "button", onclick: () => this.removePerson(mark.id) }, "Remove"));
    }
    bar.append(checkBox("Show the models", Boolean(this.memory.models), (on) => {
      this.memory.models = on;
      this.refresh();
    }));
    return bar;
  }

  openOf(id) {
    const joint = this.markOf(id).state.indexOf(OPEN);
    return { person: id, joint: Math.max(0, joint) };
  }

  questionBar(ref) {
    const button = (text, title, act, disabled = false) => {
      const node = element("button", { type: "button", title, onclick: act }, text);
      node.disabled = disabled;
      return node;
    };
    const left = this.suggestions().length, memory = this.memory;
    const why = left ? ` ${left} left of those that decide most.` : "";
    return element("div", { class: "bar asked", role: "toolbar", "aria-label": "The joint asked for" },
      element("strong", {}, this.question()), element("span", { class: "subtitle" }, `Click it.${why}`),
      button("It is right", "Enter", () => this.confirm(SEEN)),
      button("Hidden, about here", "h", () => this.confirm(HIDDEN_THERE)),
      button("Not in the picture", "x", () => this.confirm(NOT_THERE)),
      button("Skip", "n", () => this.ask(this.nextOpen(1))),
      button("Undo", "u", () => this.undo(), !memory.before.length),
      button("Redo", "r", () => this.redo(), !memory.undone.length),
      button("All the rest is right", "Every open joint of this person is as drawn",
        () => this.agree(ref.person)));
  }

  jointBar(mark) {
    const asked = this.memory.asked;
    const bar = element("div", { class: "bar joints", role: "toolbar", "aria-label": "Joints" });
    this.data.joints.forEach((joint, k) => {
      const state = mark.state[k];
      bar.append(element("button", {
        type: "button", class: `state-${state}`, "aria-pressed": String(asked.joint === k),
        "aria-label": `${plainName(joint)}: ${STATE_WORDS[state]}`,
        onclick: () => this.ask({ person: mark.id, joint: k }),
      }, plainName(joint)));
    });
    return bar;
  }
}

function sameJoint(a, b) { return Boolean(a && b) && a.person === b.person && a.joint === b.joint; }

function mountMarker(parentElement) {
  const root = parentElement.querySelector(".viewer");
  const viewer = { bitmap: null, send: () => {} };
  viewer.stage = new Marker(root, {
    onChange: (told) => viewer.send(told),
    drawBackdrop: (ctx, place) => {
      if (!viewer.bitmap) return;
      const { width, height } = viewer.stage.picture;
      ctx.drawImage(viewer.bitmap, place.dx, place.dy, width * place.scale, height * place.scale);
    },
  });
  return viewer;
}

async function updateMarker(viewer, data) {
  viewer.newest = data;
  const memory = memoryOf(data.key, data.picture.id);
  let problem = "";
  try {
    memory.bitmap ??= await loadBitmap(data.picture.url);
  } catch (error) {
    problem = `The picture could not be loaded: ${error.message}. Reload the page to try again.`;
  }
  if (viewer.newest !== data) return;
  viewer.bitmap = memory.bitmap ?? null;
  const stage = viewer.stage;
  stage.picture = data.picture;
  stage.load({ ...data.marking, skeleton: data.skeletons.coco17 }, memory);
  const layers = layersFrom(data);
  layers.truth = { key: "truth", title: "Marked", people: [], skeleton: data.skeletons.coco17 };
  for (const layer of Object.values(layers)) layer.stale = layer.key !== "truth";
  const [panel] = data.panels;
  const shown = { ...panel, layers: [...panel.layers, "truth"] };
  stage.show({
    picture: data.picture, memory, layers, options: { ...data.options, weak: "faint", labels: true },
    panels: [problem ? { ...shown, message: problem, tone: "failed" } : shown],
  });
  stage.refresh();
  stage.comeTo(data.marking.come);
  if (memory.asked && memory.fitted === undefined) {
    requestAnimationFrame(() => stage.bringIntoView(memory.asked));
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const viewer = (parentElement.__poseMarker ??= mountMarker(parentElement));
  viewer.send = (told) => setStateValue("marked", told);
  updateMarker(viewer, data);
  return () => {
    clearTimeout(viewer.stage.sending);
    viewer.stage.close();
    delete parentElement.__poseMarker;
  };
}
