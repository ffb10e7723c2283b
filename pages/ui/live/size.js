// Why the app gets pictures of another size than the camera was asked for.

/**
 * What the browser's statistics say of the video that it sends (webrtc-stats, outbound-rtp).
 * @typedef {{frameWidth: number, frameHeight: number, qualityLimitationReason?: string}} Sent
 */

/** @type {Record<string, string>} */
const SMALLER_BECAUSE = {
  cpu: "this computer is too slow for more right now",
  bandwidth: "the way to the app carries no more right now",
};

/**
 * Why pictures have another size than was asked for; "" where they have it, upright or not.
 * @param {[number, number]} wanted @param {[number, number]} camera @param {Sent | null} sent
 */
export function sizeNote(wanted, camera, sent) {
  const same = (/** @type {number[]} */ a, /** @type {number[]} */ b) =>
    Math.max(...a) === Math.max(...b) && Math.min(...a) === Math.min(...b);
  const words = (/** @type {number[]} */ [w, h]) => `${w} × ${h}`;
  const out = /** @type {[number, number]} */ (sent ? [sent.frameWidth, sent.frameHeight] : camera);
  if (!out[0] || same(out, wanted)) return "";
  if (!camera[0] || same(out, camera)) {
    return `The camera gives ${words(out)} pixels; it was asked for ${words(wanted)}.`;
  }
  const why = SMALLER_BECAUSE[sent?.qualityLimitationReason ?? ""] ?? "it decided so";
  return `The browser sends ${words(out)} pixels instead of ${words(wanted)}: ${why}.`;
}
