// The player's controls: play, step, speed, scrubber with marks, and what is drawn.

const SPEEDS = [0.1, 0.25, 0.5, 1, 1.5, 2];
const FACE = /nose|eye|ear|mouth/;
const HANDS_AND_FEET = /pinky|index|thumb|heel|foot/;

const seconds = (time) => `${time.toFixed(3)} s`;

// A check box with its label; act(checked).
function checkBox(label, checked, act) {
  const box = element("input", { type: "checkbox" });
  box.checked = checked;
  box.addEventListener("change", () => act(box.checked));
  return element("label", {}, box, ` ${label}`);
}

// A list to choose from; choices: [[value, text]]; act(value).
function choiceOf(label, choices, value, act) {
  const list = element("select", { "aria-label": label });
  list.append(...choices.map(([v, text]) => element("option", { value: v, selected: v === value }, text)));
  list.addEventListener("change", () => act(list.value));
  return list;
}

class Transport {
  // acts: toggle(), step(by), seek(frame), mark(direction), speed(rate), sound(on)
  constructor(acts) {
    const button = (text, label, act) =>
      element("button", { type: "button", title: label, "aria-label": label, onclick: act }, text);
    this.play = button("▶", "Play", acts.toggle);
    this.scrubber = element("input", { type: "range", min: 0, max: 0, step: 1, value: 0, "aria-label": "Frame" });
    this.scrubber.addEventListener("input", () => acts.seek(Number(this.scrubber.value)));
    this.marks = element("div", { class: "marks" });
    this.text = element("span", { class: "time" });
    this.disputed = element("span", { class: "disputed", hidden: true },
      button("⟨ !", "Previous disputed frame", () => acts.mark(-1)),
      button("! ⟩", "Next disputed frame", () => acts.mark(1)));
    this.node = element("div", { class: "transport", role: "toolbar", "aria-label": "Playback" },
      element("div", { class: "track" }, this.marks, this.scrubber),
      element("div", { class: "bar" },
        this.play,
        button("◂|", "One frame back", () => acts.step(-1)),
        button("|▸", "One frame on", () => acts.step(1)),
        this.disputed,
        choiceOf("Speed", SPEEDS.map((s) => [String(s), `${s}×`]), "1", (s) => acts.speed(Number(s))),
        this.text,
        checkBox("Sound", false, acts.sound)));
    this.acts = acts;
  }

  setLength(timestamps) {
    this.timestamps = timestamps;
    this.scrubber.max = timestamps.length - 1;
  }

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

  setPlaying(playing) {
    const label = playing ? "Pause" : "Play";
    this.play.textContent = playing ? "❚❚" : "▶";
    this.play.title = label;
    this.play.setAttribute("aria-label", label);
  }

  setFrame(frame, dragging) {
    const time = this.timestamps[frame] - this.timestamps[0];
    if (!dragging) this.scrubber.value = frame;
    this.scrubber.setAttribute(
      "aria-valuetext", `frame ${frame} of 0 to ${this.scrubber.max}, ${seconds(time)}`);
    this.text.textContent = `frame ${frame} / ${this.scrubber.max} · ${seconds(time)}`;
  }
}

const GROUPS = {
  all: ["All joints", () => true],
  body: ["Body only", (joint) => !FACE.test(joint) && !HANDS_AND_FEET.test(joint)],
  arms: ["Arms", (joint) => /shoulder|elbow|wrist/.test(joint)],
  legs: ["Legs", (joint) => /hip|knee|ankle|heel|foot/.test(joint)],
  face: ["Face", (joint) => FACE.test(joint)],
};

// What is drawn. `settings` is changed in place: {options, thresholds, group}; changed() redraws.
function settingsPanel(layers, settings, changed) {
  const set = (name) => (value) => { settings.options[name] = value; changed(); };
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

function thresholdSlider(layer, settings, changed) {
  const [low, high] = layer.range;
  const text = (value) => `${layer.kind} ≥ ${Number(value).toFixed(layer.kind === "logit" ? 1 : 2)}`;
  const shown = element("span", { class: "value" }, text(settings.thresholds[layer.key]));
  const slider = element("input", {
    type: "range", min: low, max: high, step: (high - low) / 100, "aria-label": `Threshold of ${layer.title}`,
  });
  slider.value = settings.thresholds[layer.key];
  slider.addEventListener("input", () => {
    settings.thresholds[layer.key] = Number(slider.value);
    shown.textContent = text(slider.value);
    changed();
  });
  const mark = element("span", { class: "mark", style: `background: ${layer.colour}` });
  return element("label", {}, element("span", {}, mark, layer.title), slider, shown);
}
