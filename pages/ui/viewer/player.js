// Clip player: one hidden video plays once; each panel shows its frame with its models' poses.

const REPORT_EVERY = 300;

class Player {
  constructor(root) {
    this.report = () => {};
    this.settings = { options: {}, thresholds: {}, group: "all" };
    this.loaded = {};
    this.layers = [];
    this.image = document.createElement("canvas");
    this.video = element("video", {
      class: "unseen", playsinline: true, preload: "auto", "aria-hidden": "true", tabindex: -1,
    });
    this.video.muted = true;
    const stage = element("div");
    this.stage = new Stage(stage, {
      whole: root,
      onPick: (joint) => this.report("selected", joint),
      drawBackdrop: (ctx, place) => this.drawImage(ctx, place),
    });
    this.clock = new FrameClock(this.video, {
      capture: () => this.capture(),
      onFrame: (frame) => this.showFrame(frame),
      onRest: (frame) => this.rest(frame),
      onPlaying: (playing) => this.transport.setPlaying(playing),
    });
    this.transport = new Transport({
      toggle: () => this.clock.toggle(),
      step: (by) => this.clock.step(by),
      seek: (frame) => { this.video.pause(); this.clock.seek(frame); },
      mark: (direction) => this.toMark(direction),
      speed: (rate) => { this.video.defaultPlaybackRate = this.video.playbackRate = rate; },
      sound: (on) => { this.video.muted = !on; },
    });
    this.stage.extraKeys = this.keys();
    this.drawing = element("div");
    root.replaceChildren(stage, this.transport.node, this.drawing, this.video);
    root.addEventListener("keydown", (event) => this.onKey(event));
    this.video.addEventListener("error", () => this.cannotPlay(this.video.error));
    this.video.addEventListener("loadedmetadata", () => {
      if (!this.video.videoWidth) this.cannotPlay({ message: "it finds no pictures in it" });
    });
  }

  keys() {
    return {
      " ": () => this.clock.toggle(), k: () => this.clock.toggle(),
      ",": () => this.clock.step(-1), ".": () => this.clock.step(1),
      ArrowLeft: () => this.clock.step(-1), ArrowRight: () => this.clock.step(1),
      Home: () => this.clock.step(-Infinity), End: () => this.clock.step(Infinity),
      d: () => this.toMark(1), D: () => this.toMark(-1),
    };
  }

  // Beside the panels, which hear all keys, those that no button or slider needs work everywhere.
  onKey(event) {
    event.stopPropagation();
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("figure, select")) return;
    if (",.kdD".includes(event.key)) this.stage.extraKeys[event.key]();
  }

  async update(data) {
    this.data = data;
    this.memory = memoryOf(data.key, data.clip.id);
    this.adoptSettings(data);
    this.showPanels("Loading the clip …", "waiting");
    if (this.loaded.clip !== data.clip.url) this.loadClip(data);
    if (this.loaded.numbers !== data.numbers) await this.loadNumbers(data);
    if (this.data !== data || !this.numbers) return;
    this.transport.setMarks(data.marks);
    this.obey(data.seek);
    this.refresh();
  }

  loadClip(data) {
    this.loaded = { clip: data.clip.url };
    this.numbers = null;
    this.ready = false;
    this.clock.forget();
    if (this.problem) this.report("problem", this.problem = "");
    this.canSeek = new Promise((resolve) => {
      this.video.addEventListener("loadedmetadata", resolve, { once: true });
    });
    this.video.src = addressOf(data.clip.url);
  }

  async loadNumbers(data) {
    try {
      const response = await fetch(addressOf(data.numbers));
      if (!response.ok) throw new Error(`the server answered ${response.status}`);
      const numbers = unpackPoses(await response.arrayBuffer());
      await this.canSeek;
      if (this.data !== data) return;
      this.numbers = numbers;
      this.loaded.numbers = data.numbers;
      this.transport.setLength(numbers.timestamps);
      this.clock.begin(numbers.timestamps, this.memory.frame ?? 0);
      this.buildSettings();
    } catch (error) {
      this.fail(`The poses could not be loaded: ${error.message}. Reload the page to try again.`);
    }
  }

  // What Python asks for counts until somebody changes it here, and again once Python changes it.
  adoptSettings(data) {
    const asked = JSON.stringify([data.options, data.thresholds, data.layers.map((l) => [l.key, l.threshold])]);
    if (this.memory.asked !== asked) {
      this.memory.asked = asked;
      const thresholds = Object.fromEntries(data.layers.map((l) => [l.key, l.threshold]));
      this.memory.settings = {
        options: { ...data.options },
        thresholds: { ...thresholds, ...data.thresholds },
        group: data.options.joints ? "page" : "all",
      };
    }
    if (this.settings === this.memory.settings) return;
    this.settings = this.memory.settings;
    this.buildSettings();
  }

  buildSettings() {
    if (!this.numbers) return;
    const open = this.drawing.querySelector("details")?.open ?? false;
    const layers = this.data.layers.filter((l) => this.numbers.models[l.key])
      .map((l) => ({ ...l, hasSmooth: Boolean(this.numbers.models[l.key].smooth) }));
    this.drawing.replaceChildren(settingsPanel(layers, this.settings, () => this.refresh()));
    this.drawing.querySelector("details").open = open;
  }

  obey(seek) {
    if (!seek || seek.seq === this.memory.seq) return;
    this.memory.seq = seek.seq;
    this.video.pause();
    this.clock.seek(seek.frame);
    this.toPick = seek.pick && { frame: seek.frame, pick: seek.pick };
  }

  toMark(direction) {
    const frames = this.data.marks.map(([frame]) => frame), now = this.clock.target;
    const next = direction > 0 ? frames.find((f) => f > now) : frames.findLast((f) => f < now);
    if (next === undefined) return this.stage.announce("No further disputed frame in this direction");
    this.video.pause();
    this.clock.seek(next);
    this.stage.announce(`Frame ${next}: ${this.data.marks.find(([f]) => f === next)[1]}`);
  }

  // --- drawing ---
  capture() {
    const { videoWidth, videoHeight } = this.video;
    if (this.image.width !== videoWidth || this.image.height !== videoHeight) {
      Object.assign(this.image, { width: videoWidth, height: videoHeight });
    }
    this.image.getContext("2d").drawImage(this.video, 0, 0);
    this.ready = true;
    if (this.misshapen(videoWidth, videoHeight)) this.askForCopy();
  }

  // Whether the browser takes the pixels' shape, a turn or a change of size for another one than
  // Python did: poses would lie beside the people.
  misshapen(shownWidth, shownHeight) {
    const { width, height } = this.data.clip;
    const off = (shown, expected) => Math.abs(shown - expected) > Math.max(2, 0.03 * expected);
    return off(shownWidth, shownHeight * width / height) && off(shownHeight, shownWidth * height / width);
  }

  showFrame(frame) {
    this.memory.frame = frame;
    this.transport.setFrame(frame, this.clock.target !== frame);
    this.refresh();
  }

  drawImage(ctx, place) {
    if (!this.ready) return;
    const { width, height } = this.stage.picture;
    ctx.drawImage(this.image, place.dx, place.dy, width * place.scale, height * place.scale);
  }

  refresh() {
    if (!this.ready || !this.numbers || this.problem) return;
    this.layers = this.data.layers.map((layer) => this.layerAt(layer, this.clock.frame));
    this.showPanels("", "info");
  }

  layerAt(layer, frame) {
    const model = this.numbers.models[layer.key];
    if (!model || !layer.skeleton) return { ...layer, people: [], skeleton: { joints: [], bones: [] } };
    const { from, failed, people } = posesAt(
      model, frame, layer.trust, this.settings.options.smooth);
    const old = from === null ? "no poses yet" : from === frame ? "" : `poses from frame ${from}`;
    return {
      ...layer, people, matched: true, threshold: this.settings.thresholds[layer.key],
      stale: from !== frame, note: failed ? `failed on this frame; ${old}` : old,
    };
  }

  showPanels(message, tone) {
    const { data } = this;
    if (message && this.ready && !this.problem) return;
    const panels = data.layers.map((layer, i) => ({
      title: layer.title, subtitle: layer.subtitle, colour: layer.colour, layers: [layer.key],
      message: message || layer.message, tone: message ? tone : "failed", note: this.layers[i]?.note ?? "",
    }));
    const notes = this.layers.filter((l) => l.note && !l.message).map((l) => `${l.title}: ${l.note}`);
    panels.push({
      title: "All in one", subtitle: "", colour: "", layers: data.layers.map((l) => l.key),
      message, tone, note: notes.join("\n"),
    });
    this.stage.show({
      picture: data.clip, memory: this.memory, panels, options: this.currentOptions(),
      layers: Object.fromEntries(this.layers.map((layer) => [layer.key, layer])),
      quiet: !this.video.paused, tracks: this.tracks(),
    });
  }

  currentOptions() {
    const { options, group } = this.settings;
    if (group === "page") return options;
    const joints = this.data.layers.flatMap((layer) => layer.skeleton?.joints ?? []).filter(GROUPS[group][1]);
    return { ...options, joints: group === "all" ? null : joints };
  }

  // The picked joint's way over the last frames, for every model that follows the same person.
  tracks() {
    const ref = this.memory.picked, length = this.settings.options.trail;
    const from = ref && this.layers.find((layer) => layer.key === ref.layer);
    if (!length || !from) return {};
    const name = from.skeleton.joints[ref.joint];
    const tracks = {};
    for (const layer of this.layers) {
      const joint = layer.skeleton.joints.indexOf(name), model = this.numbers.models[layer.key];
      if (joint >= 0 && model) tracks[layer.key] = trackOf(model, ref.person, joint, this.clock.frame, length);
    }
    return tracks;
  }

  // --- telling Python ---
  rest(frame) {
    this.refresh();
    if (this.toPick?.frame === frame) this.stage.pickNamed(this.toPick.pick);
    this.toPick = null;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      if (this.video.paused && this.reported !== frame) this.report("frame", this.reported = frame);
    }, REPORT_EVERY);
  }

  cannotPlay(error) {
    this.fail(`This browser cannot play the clip (${error?.message || "unknown format"}).`);
    if (error?.code !== MediaError.MEDIA_ERR_NETWORK) this.askForCopy();
  }

  askForCopy() {
    if (this.asked === this.data.clip.id) return;
    this.report("unplayable", this.asked = this.data.clip.id);
  }

  fail(problem) {
    this.problem = problem;
    this.showPanels(problem, "failed");
    this.report("problem", problem);
  }

  close() {
    clearTimeout(this.resting);
    this.stage.close();
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }
}

export default function ({ data, parentElement, setStateValue }) {
  const root = parentElement.querySelector(".viewer");
  const player = (parentElement.__posePlayer ??= new Player(root));
  player.report = setStateValue;
  player.update(data);
  return () => {
    player.close();
    delete parentElement.__posePlayer;
  };
}
