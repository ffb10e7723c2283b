// Tells when the page has got another theme, so that what Python colours follows at once.

/** @import { Host } from "./viewer/types.js" */

/** @param {{parentElement: Host, setTriggerValue: (name: string, value: string) => void}} component */
export default function ({ parentElement, setTriggerValue }) {
  const app = document.querySelector("[data-testid=stApp]");
  parentElement.__poseTheme?.disconnect();
  if (!app) return;
  let seen = getComputedStyle(app).colorScheme;
  const watch = parentElement.__poseTheme = new MutationObserver(() => {
    const now = getComputedStyle(app).colorScheme;
    if (now === seen) return;
    seen = now;
    setTriggerValue("switched", now);
  });
  watch.observe(app, { attributes: true, attributeFilter: ["class"] });
}
