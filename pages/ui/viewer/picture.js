// Picture viewer: one still picture behind the panels.

import { followSliders, sliderReadings } from "./sliders.js";
import { Stage } from "./stage.js";
import { Still } from "./still.js";

/**
 * @import { Host, NamedJoint } from "./types.js"
 * @import { Sent } from "./still.js"
 *
 * @typedef {object} Commands
 * @property {(NamedJoint & {seq: number}) | null} pick
 * @property {{key: string, box: number[]} | null} focus
 * @property {number} come
 */

/**
 * Does what the page asks for, once for each new `seq`.
 * @param {Stage} stage @param {Commands} commands
 */
function obey(stage, { pick, focus, come }) {
  if (pick && pick.seq !== stage.memory.seq) {
    stage.memory.seq = pick.seq;
    stage.pickNamed(pick);
  }
  if (focus && focus.key !== stage.memory.focused) {
    stage.memory.focused = focus.key;
    requestAnimationFrame(() => stage.fitBox(focus.box));
  }
  stage.comeTo(come);
}

/** @param {Host} parentElement */
function mount(parentElement) {
  const root = /** @type {HTMLElement} */ (parentElement.querySelector(".viewer"));
  const viewer = {
    send: (/** @type {object | null} */ _joint) => {},
    still: new Still((drawBackdrop) => new Stage(root, {
      drawBackdrop,
      onPick: (joint) => viewer.send(joint && { ...joint, picture: viewer.still.stage.picture.id }),
    })),
    unfollow: followSliders((model, threshold) => viewer.still.stage.setThreshold(model, threshold)),
  };
  return viewer;
}

/** @param {{data: Sent & Commands, parentElement: Host, setStateValue: (name: string, value: any) => void}} component */
export default function ({ data, parentElement, setStateValue }) {
  /** @type {ReturnType<typeof mount>} */
  const viewer = (parentElement.__poseViewer ??= mount(parentElement));
  viewer.send = (joint) => setStateValue("selected", joint);
  const { stage } = viewer.still;
  viewer.still.update(data, ({ memory, layers, panels }) => {
    // What was picked on the last picture must not come back together with it.
    if (memory !== stage.memory && stage.memory.picked) viewer.send(null);
    stage.show({ picture: data.picture, memory, layers, panels, options: data.options });
    // The server may have answered to where a slider was a moment ago.
    for (const reading of sliderReadings()) stage.setThreshold(...reading);
    obey(stage, data);
  });
  return () => {
    viewer.unfollow();
    stage.close();
    delete parentElement.__poseViewer;
  };
}
