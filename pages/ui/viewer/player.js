// Clip player: one hidden video plays once; each panel shows its frame with its models' poses.

import { addressOf } from "./addresses.js";
import { FrameClock } from "./clock.js";
import { GROUPS, Transport, settingsPanel } from "./controls.js";
import { element } from "./dom.js";
import { posesAt, trackOf, unpackPoses } from "./numbers.js";
import { memoryOf } from "./memory.js";
import { followSliders, sliderReadings } from "./sliders.js";
import { Stage, contextOf } from "./stage.js";

/**
 * @import {
 *   Host, Layer, Memory, NamedJoint, PanelData, Picture, Place, SentOptions, Skeleton, Track
 * } from "./types.js"
 * @import { Adjustable, Settings } from "./controls.js"
 * @import { PackedClip } from "./numbers.js"
 *
 * @typedef {Omit<Adjustable, "hasSmooth"> & {
 *   subtitle: string, threshold: number, trust: number | null, message: string, skeleton: Skeleton | null,
 * }} SentLayer
 *
 * @typedef {object} Seek
 * @property {number} frame
 * @property {number} seq
 * @property {NamedJoint | null} pick
 *
 * @typedef {object} Sent
 * @property {string} key
 * @property {Picture} clip
 * @property {string} numbers
 * @property {SentLayer[]} layers
 * @property {Record<string, number>} thresholds
 * @property {SentOptions & {smooth: boolean, trail: number}} options
 * @property {[number, string][]} marks
 * @property {Seek | null} seek
 * @property {boolean} sound the clip has some
 * @property {boolean} together one panel with all models
 */

const REPORT_EVERY = 300;

class Player {
  /** @param {HTMLElement} root @param {Sent} data */
  constructor(root, data) {
    this.data = data;
    /** @type {Memory & Record<string, any>} */
    this.memory = memoryOf(data.key, data.clip.id);
    this.report = (/** @type {string} */ _name, /** @type {any} */ _value) => {};
    /** @type {Settings} */
    this.settings = { options: {}, thresholds: {}, group: "all" };
    /** @type {{clip?: string, numbers?: string}} */
    this.loaded = {};
    /** @type {PackedClip | null} */
    this.numbers = null;
    this.ready = false;
    this.problem = "";
    /** @type {Layer[]} */
    this.layers = [];
    /** @type {{frame: number, pick: NamedJoint} | null} */
    this.toPick = null;
    /** @type {Promise<unknown> | null} */
    this.canSeek = null;
    /** @type {ReturnType<typeof setTimeout> | undefined} */
    this.resting = undefined;
    this.reported = -1;
    this.asked = "";
    this.image = document.createElement("canvas");
    this.video = element("video", {
      class: "unseen", playsinline: true, preload: "auto", "aria-hidden": "true", tabindex: -1,
    });
    this.video.muted = true;
    const stage = element("div");
    this.stage = new Stage(stage, {
      whole: root,
      heightBelow: () => this.transport.node.offsetHeight + this.drawing.offsetHeight,
      onPick: (joint) => this.report("selected", joint),
      drawBackdrop: (ctx, place) => this.drawImage(ctx, place),
    });
    this.clock = new FrameClock(this.video, {
      capture: () => this.capture(),
      onFrame: (frame) => this.showFrame(frame),
      onTarget: (frame) => { this.memory.frame = frame; },
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
    this.unfollow = followSliders((model, threshold) => {
      if (!(model in this.settings.thresholds)) return;
      this.settings.thresholds[model] = threshold;
      this.buildSettings();
      this.refresh();
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

  /** @returns {Record<string, () => void>} */
  keys() {
    return {
      " ": () => this.clock.toggle(), k: () => this.clock.toggle(),
      ",": () => this.clock.step(-1), ".": () => this.clock.step(1),
      ArrowLeft: () => this.clock.step(-1), ArrowRight: () => this.clock.step(1),
      Home: () => this.clock.step(-Infinity), End: () => this.clock.step(Infinity),
      d: () => this.toMark(1), D: () => this.toMark(-1),
    };
  }

  /**
   * Beside the panels, which hear all keys, those that no button or slider needs work everywhere.
   * @param {KeyboardEvent} event
   */
  onKey(event) {
    event.stopPropagation();
    const target = /** @type {Element} */ (event.target);
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest("figure, select")) return;
    if (",.kdD".includes(event.key)) this.stage.extraKeys[event.key]();
  }

  /** @param {Sent} data */
  async update(data) {
    this.data = data;
    this.memory = memoryOf(data.key, data.clip.id);
    this.adoptSettings(data);
    this.showPanels("Loading the clip …", "waiting");
    if (this.loaded.clip !== data.clip.url) this.loadClip(data);
    if (this.loaded.numbers !== data.numbers) await this.loadNumbers(data);
    if (this.data !== data || !this.numbers) return;
    this.transport.sound.hidden = !data.sound;
    this.transport.setMarks(data.marks);
    this.obey(data.seek);
    this.refresh();
  }

  /** @param {Sent} data */
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

  /** @param {Sent} data */
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
      const why = error instanceof Error ? error.message : String(error);
      this.fail(`The poses could not be loaded: ${why}. Reload the page to try again.`);
    }
  }

  /**
   * What Python asks for counts until somebody changes it here, and again once Python changes it.
   * @param {Sent} data
   */
  adoptSettings(data) {
    const asked = JSON.stringify([data.options, data.thresholds, data.layers.map((l) => [l.key, l.threshold])]);
    if (this.memory.asked !== asked) {
      this.memory.asked = asked;
      const thresholds = Object.fromEntries(data.layers.map((l) => [l.key, l.threshold]));
      this.memory.settings = {
        options: { ...data.options },
        thresholds: { ...thresholds, ...data.thresholds, ...this.sidebarThresholds(data) },
        group: data.options.joints ? "page" : "all",
      };
    }
    if (this.settings === this.memory.settings) return;
    this.settings = this.memory.settings;
    this.buildSettings();
  }

  /**
   * Where the sidebar's sliders stand now; the server may have answered to a moment ago.
   * @param {Sent} data @returns {Record<string, number>}
   */
  sidebarThresholds(data) {
    const shown = data.layers.map((layer) => layer.key);
    return Object.fromEntries(sliderReadings().filter(([model]) => shown.includes(model)));
  }

  buildSettings() {
    if (!this.numbers) return;
    const { models } = this.numbers;
    const open = this.drawing.querySelector("details")?.open ?? false;
    const layers = this.data.layers.filter((l) => models[l.key])
      .map((l) => ({ ...l, hasSmooth: Boolean(models[l.key].smooth) }));
    const panel = settingsPanel(layers, this.settings, () => this.refresh());
    panel.open = open;
    this.drawing.replaceChildren(panel);
  }

  /** @param {Seek | null} seek */
  obey(seek) {
    if (!seek || seek.seq === this.memory.seq) return;
    this.memory.seq = seek.seq;
    this.video.pause();
    this.clock.seek(seek.frame);
    this.toPick = seek.pick ? { frame: seek.frame, pick: seek.pick } : null;
  }

  /** @param {number} direction */
  toMark(direction) {
    const frames = this.data.marks.map(([frame]) => frame), now = this.clock.target;
    const next = direction > 0 ? frames.find((f) => f > now) : frames.findLast((f) => f < now);
    if (next === undefined) return this.stage.announce("No further disputed frame in this direction");
    this.video.pause();
    this.clock.seek(next);
    this.stage.announce(`Frame ${next}: ${this.data.marks.find(([f]) => f === next)?.[1]}`);
  }

  // --- drawing ---
  capture() {
    const { videoWidth, videoHeight } = this.video;
    if (this.image.width !== videoWidth || this.image.height !== videoHeight) {
      Object.assign(this.image, { width: videoWidth, height: videoHeight });
    }
    contextOf(this.image).drawImage(this.video, 0, 0);
    this.ready = true;
    if (this.misshapen(videoWidth, videoHeight)) this.askForCopy();
  }

  /**
   * Whether the browser takes the pixels' shape, a turn or a change of size for another one than
   * Python did: poses would lie beside the people.
   * @param {number} shownWidth @param {number} shownHeight
   */
  misshapen(shownWidth, shownHeight) {
    const { width, height } = this.data.clip;
    /** @param {number} shown @param {number} expected */
    const off = (shown, expected) => Math.abs(shown - expected) > Math.max(2, 0.03 * expected);
    return off(shownWidth, shownHeight * width / height) && off(shownHeight, shownWidth * height / width);
  }

  /** @param {number} frame */
  showFrame(frame) {
    this.transport.setFrame(frame, this.clock.target !== frame);
    this.refresh();
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Place} place */
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

  /** @param {SentLayer} layer @param {number} frame @returns {Layer} */
  layerAt(layer, frame) {
    const model = this.numbers?.models[layer.key], { skeleton } = layer;
    if (!model || !skeleton) return { ...layer, people: [], skeleton: { joints: [], bones: [] } };
    const { from, failed, people } = posesAt(
      model, frame, layer.trust, this.settings.options.smooth);
    const old = from === null ? "no poses yet" : from === frame ? "" : `poses from frame ${from}`;
    return {
      ...layer, skeleton, people, matched: true, threshold: this.settings.thresholds[layer.key],
      stale: from !== frame, note: failed ? `failed on this frame; ${old}` : old,
    };
  }

  /** @param {string} message @param {string} tone */
  showPanels(message, tone) {
    const { data } = this;
    if (message && this.ready && !this.problem) return;
    /** @type {PanelData[]} */
    const panels = data.together ? [] : data.layers.map((layer, i) => ({
      title: layer.title, subtitle: layer.subtitle, colour: layer.colour, layers: [layer.key],
      message: message || layer.message, tone: message ? tone : "failed", note: this.layers[i]?.note ?? "",
      variant: layer.variant,
    }));
    const { width, height } = data.clip;
    // Three wide pictures make a block with a place left.
    if (data.together || (panels.length === 3 && width > height)) panels.push(this.allInOne(message, tone));
    this.stage.show({
      picture: data.clip, memory: this.memory, panels, options: this.currentOptions(),
      layers: Object.fromEntries(this.layers.map((layer) => [layer.key, layer])),
      quiet: !this.video.paused, tracks: this.tracks(),
    });
  }

  /** @param {string} message @param {string} tone @returns {PanelData} */
  allInOne(message, tone) {
    const { layers } = this.data;
    const notes = [
      ...layers.filter((l) => l.message).map((l) => `${l.title}: ${l.message}`),
      ...this.layers.filter((l) => l.note && !l.message).map((l) => `${l.title}: ${l.note}`),
    ];
    return {
      title: "All in one", subtitle: "", colour: "", layers: layers.map((l) => l.key),
      message, tone, note: notes.join("\n"), legend: layers.filter((layer) => !layer.message),
    };
  }

  /** @returns {SentOptions} */
  currentOptions() {
    const { group } = this.settings;
    const options = /** @type {SentOptions} */ (this.settings.options);
    if (group === "page") return options;
    const joints = this.data.layers.flatMap((layer) => layer.skeleton?.joints ?? []).filter(GROUPS[group][1]);
    return { ...options, joints: group === "all" ? null : joints };
  }

  /**
   * The picked joint's way over the last frames, for every model that follows the same person.
   * @returns {Record<string, Track>}
   */
  tracks() {
    const ref = this.memory.picked, length = this.settings.options.trail;
    const from = ref && this.layers.find((layer) => layer.key === ref.layer);
    if (!length || !ref || !from) return {};
    const name = from.skeleton.joints[ref.joint];
    /** @type {Record<string, Track>} */
    const tracks = {};
    for (const layer of this.layers) {
      const joint = layer.skeleton.joints.indexOf(name), model = this.numbers?.models[layer.key];
      if (joint < 0 || !model) continue;
      tracks[layer.key] = trackOf(model, { id: ref.person, joint }, this.clock.frame, length);
    }
    return tracks;
  }

  // --- telling Python ---
  /** @param {number} frame */
  rest(frame) {
    this.refresh();
    if (this.toPick?.frame === frame) this.stage.pickNamed(this.toPick.pick);
    this.toPick = null;
    clearTimeout(this.resting);
    this.resting = setTimeout(() => {
      if (this.video.paused && this.reported !== frame) this.report("frame", this.reported = frame);
    }, REPORT_EVERY);
  }

  /** @param {{message: string, code?: number} | null} error */
  cannotPlay(error) {
    this.fail(`This browser cannot play the clip (${error?.message || "unknown format"}).`);
    if (error?.code !== MediaError.MEDIA_ERR_NETWORK) this.askForCopy();
  }

  askForCopy() {
    if (this.asked === this.data.clip.id) return;
    this.report("unplayable", this.asked = this.data.clip.id);
  }

  /** @param {string} problem */
  fail(problem) {
    this.problem = problem;
    this.showPanels(problem, "failed");
    this.report("problem", problem);
  }

  close() {
    clearTimeout(this.resting);
    this.unfollow();
    this.stage.close();
    this.video.pause();
    this.video.removeAttribute("src");
    this.video.load();
  }
}

/** @param {{data: Sent, parentElement: Host, setStateValue: (name: string, value: any) => void}} component */
export default function ({ data, parentElement, setStateValue }) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".viewer"));
  /** @type {Player} */
  const player = (parentElement.__posePlayer ??= new Player(root, data));
  player.report = setStateValue;
  player.update(data);
  return () => {
    player.close();
    delete parentElement.__posePlayer;
  };
}
