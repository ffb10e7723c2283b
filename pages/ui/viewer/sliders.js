// The sidebar's thresholds, followed while a slider moves: Streamlit tells the server only when it
// rests, and the server's answer takes its time.

// Streamlit writes a widget's key into the class of its container (pages/ui/sidebar.py).
const KEY = /(?:^|\s)st-key-joint_threshold_(\S+)/;
const OURS = "[class*='st-key-joint_threshold_']";

/** @param {Element} slider @returns {[string, number] | null} model and threshold */
export function readingOf(slider) {
  const model = slider.closest(OURS)?.className.match(KEY)?.[1];
  const value = Number(/** @type {HTMLInputElement} */ (slider).value);
  return model && Number.isFinite(value) ? [model, value] : null;
}

/** @returns {[string, number][]} where all sliders stand, by model */
export function sliderReadings() {
  return [...document.querySelectorAll(`${OURS} input[type=range]`)].map(readingOf).filter((r) => r !== null);
}

/**
 * Calls moved(model, threshold) whenever a slider moves, until the function that it returns is called.
 * @param {(model: string, threshold: number) => void} moved @returns {() => void}
 */
export function followSliders(moved) {
  const observer = new MutationObserver((records) => {
    for (const { target } of records) {
      const reading = readingOf(/** @type {Element} */ (target));
      if (reading) moved(...reading);
    }
  });
  observer.observe(document.body, { subtree: true, attributeFilter: ["aria-valuetext"] });
  return () => observer.disconnect();
}
