// What a person left behind in a picture or a clip: where it stood, how it was zoomed.

import { HOME } from "./view.js";

/** @typedef {import("./types.js").Memory} Memory */

// Those not looked at for the longest are forgotten.
const MOST_REMEMBERED = 50;

/**
 * Kept across reruns and remounts, by the component's key, for each thing that it has shown.
 * @param {string} key @param {string} id of the picture or clip
 * @returns {Memory & Record<string, any>}
 */
export function memoryOf(key, id) {
  const page = /** @type {{__poseViewers?: Map<string, Memory>}} */ (globalThis);
  const all = (page.__poseViewers ??= new Map());
  const name = JSON.stringify([key, id]);
  const memory = all.get(name) ?? { id, view: HOME, chosen: null, picked: null };
  all.delete(name);
  all.set(name, memory);
  if (all.size > MOST_REMEMBERED) all.delete(all.keys().next().value ?? "");
  return memory;
}
