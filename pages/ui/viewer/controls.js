// The player's controls: play, step, speed, scrubber with marks, and what is drawn.

import { button, checkBox, choiceOf, element } from "./dom.js";
import { swatch } from "./forms.js";

/**
 * @typedef {object} Acts
 * @property {() => void} toggle
 * @property {(by: number) => void} step
 * @property {(frame: number) => void} seek
 * @property {(direction: number) => void} mark
 * @property {(rate: number) => void} speed
 * @property {(on: boolean) => void} sound
 *
 * A model as far as its settings go.
 * @typedef {object} Adjustable
 * @property {string} key
 * @property {string} title
 * @property {string} colour
 * @property {number} variant
 * @property {string} kind
 * @property {[number, number]} range
 * @property {boolean} hasSmooth
 *
 * Changed in place.
 * @typedef {object} Settings
 * @property {Record<string, any>} options
 * @property {Record<string, number>} thresholds
 * @property {string} group
 */

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];
const FACE = /nose|eye|ear|mouth/;
const HANDS_AND_FEET = /pinky|index|thumb|heel|foot/;

/** @param {number} time */
const seconds = (time) => `${time.toFixed(3)} s`;

export class Transport {
  /** @param {Acts} acts */
  constructor(acts) {
    /** @type {ArrayLike<number>} */
    this.timestamps = [];
    this.marksText = "";
    this.play = button("▶", "Play", acts.toggle);
    this.scrubber = element("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Frame" });
    this.scrubber.addEventListener("input", () => acts.seek(Number(this.scrubber.value)));
    this.marks = element("div", { class: "marks" });
    this.text = element("span", { class: "time" });
    this.disputed = element("span", { class: "disputed", hidden: true },
      button("⟨ !", "Previous disputed frame", () => acts.mark(-1)),
      button("! ⟩", "Next disputed frame", () => acts.mark(1)));
    this.sound = checkBox("Sound", false, acts.sound);
    this.node = element("div", { class: "transport", role: "toolbar", "aria-label": "Playback" },
      element("div", { class: "track" }, this.marks, this.scrubber),
      element("div", { class: "bar" },
        this.play,
        button("◂|", "One frame back", () => acts.step(-1)),
        button("|▸", "One frame on", () => acts.step(1)),
        this.disputed,
        choiceOf("Speed", SPEEDS.map((s) => [String(s), `${s}×`]), "1", (s) => acts.speed(Number(s))),
        this.text,
        this.sound));
    this.acts = acts;
  }

  /** @param {ArrayLike<number>} timestamps */
  setLength(timestamps) {
    this.timestamps = timestamps;
    this.scrubber.max = String(timestamps.length - 1);
  }

  /** @param {[number, string][]} marks */
  setMarks(marks) {
    const text = JSON.stringify([marks, this.scrubber.max]);
    if (text === this.marksText) return;
    this.marksText = text;
    this.disputed.hidden = !marks.length;
    // For the pointer only: the keyboard has the two buttons and d / D.
    this.marks.replaceChildren(...marks.map(([frame, why]) => element("button", {
      type: "button", class: "mark-at", tabindex: -1, "data-frame": frame,
      title: `Frame ${frame}: ${why}`, "aria-label": `Go to disputed frame ${frame}: ${why}`,
      style: `--at: ${frame / Math.max(1, Number(this.scrubber.max))}`,
      onclick: () => this.acts.seek(frame),
    })));
  }

  /** @param {boolean} playing */
  setPlaying(playing) {
    const label = playing ? "Pause" : "Play";
    this.play.textContent = playing ? "❚❚" : "▶";
    this.play.title = label;
    this.play.setAttribute("aria-label", label);
  }

  /** @param {number} frame @param {boolean} dragging */
  setFrame(frame, dragging) {
    const time = this.timestamps[frame] - this.timestamps[0];
    if (!dragging) this.scrubber.value = String(frame);
    this.scrubber.setAttribute(
      "aria-valuetext", `frame ${frame} of 0 to ${this.scrubber.max}, ${seconds(time)}`);
    this.text.textContent = `frame ${frame} / ${this.scrubber.max} · ${seconds(time)}`;
  }
}

/** @type {Record<string, [string, (joint: string) => boolean]>} */
export const GROUPS = {
  all: ["All joints", () => true],
  body: ["Body only", (joint) => !FACE.test(joint) && !HANDS_AND_FEET.test(joint)],
  arms: ["Arms", (joint) => /shoulder|elbow|wrist/.test(joint)],
  legs: ["Legs", (joint) => /hip|knee|ankle|heel|foot/.test(joint)],
  face: ["Face", (joint) => FACE.test(joint)],
};

/**
 * What is drawn; changed() redraws.
 * @param {Adjustable[]} layers @param {Settings} settings @param {() => void} changed
 */
export function settingsPanel(layers, settings, changed) {
  const set = (/** @type {string} */ name) => (/** @type {any} */ value) => { settings.options[name] = value; changed(); };
  const hasSmooth = layers.some((layer) => layer.hasSmooth);
  const groups = Object.entries(GROUPS).map(([name, [text]]) => [name, text]);
  if (settings.options.joints) groups.unshift(["page", "Joints as on this page"]);
  return element("details", { class: "settings" }, element("summary", {}, "What is drawn"),
    element("div", { class: "thresholds" }, ...layers.map((l) => thresholdSlider(l, settings, changed))),
    element("div", { class: "bar" },
      choiceOf("Joints", groups, settings.group, (name) => { settings.group = name; changed(); }),
      checkBox("Weak joints faint", settings.options.weak === "faint",
        (on) => set("weak")(on ? "faint" : "hidden")),
      checkBox("Numbers of people", settings.options.labels, set("labels")),
      checkBox("Boxes", settings.options.boxes, set("boxes")),
      checkBox("Track of the picked joint", settings.options.trail > 0, (on) => set("trail")(on ? 30 : 0)),
      ...(hasSmooth ? [checkBox("Smoothed, as thin white lines", settings.options.smooth, set("smooth"))] : [])));
}

/** @param {Adjustable} layer @param {Settings} settings @param {() => void} changed */
function thresholdSlider(layer, settings, changed) {
  const [low, high] = layer.range;
  /** @param {string | number} value */
  const text = (value) => `${layer.kind} ≥ ${Number(value).toFixed(layer.kind === "logit" ? 1 : 2)}`;
  const shown = element("span", { class: "value" }, text(settings.thresholds[layer.key]));
  const slider = element("input", {
    type: "range", min: low, max: high, step: (high - low) / 100, "aria-label": `Threshold of ${layer.title}`,
  });
  slider.value = String(settings.thresholds[layer.key]);
  slider.addEventListener("input", () => {
    settings.thresholds[layer.key] = Number(slider.value);
    shown.textContent = text(slider.value);
    changed();
  });
  const name = element("span", {}, swatch(layer.colour, layer.variant), layer.title);
  return element("label", {}, name, slider, shown);
}
