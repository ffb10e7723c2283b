// One still picture behind the panels of a stage, and its poses as the server sends them.

import { addressOf } from "./addresses.js";
import { memoryOf } from "./memory.js";

/**
 * @import { Layer, Memory, PanelData, Person, Picture, Place, SentOptions, Skeleton } from "./types.js"
 * @import { Stage } from "./stage.js"
 *
 * @typedef {Omit<Layer, "people" | "skeleton"> & {skeleton: string, people: Person[]}} SentLayer
 *
 * @typedef {object} Sent
 * @property {string} key
 * @property {Picture} picture
 * @property {PanelData[]} panels
 * @property {Record<string, SentLayer>} layers
 * @property {Record<string, Skeleton>} skeletons
 * @property {SentOptions} options
 */

/** @param {string} path */
async function loadBitmap(path) {
  const response = await fetch(addressOf(path));
  if (!response.ok) throw new Error(`the server answered ${response.status}`);
  return createImageBitmap(await response.blob());
}

/** @param {Sent} data @returns {Record<string, Layer>} */
function layersFrom(data) {
  /** @type {Record<string, Layer>} */
  const layers = {};
  for (const [key, layer] of Object.entries(data.layers)) {
    const people = layer.people.map((person) => ({
      ...person,
      xy: Float32Array.from(person.xy, (tenths) => (tenths === null ? NaN : tenths / 10)),
      box: person.box && Array.from(person.box, (tenths) => tenths / 10),
    }));
    layers[key] = { ...layer, people, skeleton: data.skeletons[layer.skeleton] };
  }
  return layers;
}

/**
 * A stage over one picture. The old picture stays until the new one is there, and both change
 * together with their poses.
 * @template {Stage} S
 */
export class Still {
  /** @param {(drawBackdrop: (ctx: CanvasRenderingContext2D, place: Place) => void) => S} makeStage */
  constructor(makeStage) {
    /** @type {ImageBitmap | null} */
    this.bitmap = null;
    /** @type {Sent | null} */
    this.newest = null;
    this.stage = makeStage((ctx, place) => this.draw(ctx, place));
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Place} place */
  draw(ctx, place) {
    if (!this.bitmap) return;
    const { width, height } = this.stage.picture;
    ctx.drawImage(this.bitmap, place.dx, place.dy, width * place.scale, height * place.scale);
  }

  /**
   * Loads what `data` names; then() shows it, with the reason where the picture could not be loaded.
   * @template {Sent} D
   * @param {D} data
   * @param {(shown: {data: D, memory: Memory, layers: Record<string, Layer>, panels: PanelData[]}) => void} then
   */
  async update(data, then) {
    this.newest = data;
    const memory = memoryOf(data.key, data.picture.id);
    let { panels } = data;
    try {
      memory.bitmap ??= await loadBitmap(data.picture.url);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      const message = `The picture could not be loaded: ${why}. Reload the page to try again.`;
      panels = panels.map((panel) => ({ ...panel, message, tone: "failed" }));
    }
    if (this.newest !== data) return;
    this.bitmap = memory.bitmap ?? null;
    then({ data, memory, layers: layersFrom(data), panels });
  }
}
