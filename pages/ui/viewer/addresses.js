/**
 * Media addresses come as /media/...; the app itself may live below a path of its server.
 * @param {string} path
 */
export function addressOf(path) {
  /** @type {HTMLScriptElement | null} */
  const script = document.querySelector('script[src*="static/js/"]');
  const base = script ? script.src.slice(0, script.src.indexOf("static/js/")) : document.baseURI;
  return new URL(path.replace(/^\//, ""), base).href;
}
