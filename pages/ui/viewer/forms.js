// What tells models apart beside their colour, and sides of the body: forms of joints, cores of limbs.
// Pictures and videos to keep are drawn in the same way: estimators/render/marks.py, legend.py.

export const LEFT_WORDS = "left and middle: solid, filled", RIGHT_WORDS = "right: dashed, ringed";
const LIGHT_CORE = "#ffffff", DARK_CORE = "#10141b";
// Thinner limbs have no room for a core.
const CORE_FROM = 2.5;
/** @type {[number, number][][]} corners around (0, 0), of about the circle's area; none for the circle */
const FORMS = [
  [],
  [[-0.9, -0.9], [0.9, -0.9], [0.9, 0.9], [-0.9, 0.9]],
  [[0, -1.3], [1.3, 0], [0, 1.3], [-1.3, 0]],
  [[0, -1.35], [1.25, 0.85], [-1.25, 0.85]],
];

/**
 * The outline of a joint, to be filled and stroked by the caller.
 * @param {number} variant which of its family the model is @param {number} x @param {number} y
 * @param {number} radius
 */
export function jointPath(variant, x, y, radius) {
  const path = new Path2D(), corners = FORMS[variant % FORMS.length];
  if (!corners.length) path.arc(x, y, radius, 0, 2 * Math.PI);
  corners.forEach(([dx, dy], i) => path[i ? "lineTo" : "moveTo"](x + dx * radius, y + dy * radius));
  path.closePath();
  return path;
}

/** @param {number} radius of the joint @returns {number} of the light middle of a right one */
export const holeOf = (radius) => Math.max(1, radius * 0.75 - 1);

/**
 * What runs along the middle of a limb; the limb's own dashes stay set where it is a right one.
 * @param {CanvasRenderingContext2D} ctx @param {Path2D} line @param {number} width of the limb
 * @param {number} variant
 */
export function drawCore(ctx, line, width, variant) {
  const core = variant % FORMS.length;
  if (!core || width < CORE_FROM) return;
  const dashes = ctx.getLineDash(), cap = ctx.lineCap;
  ctx.lineWidth = Math.max(1, width / 3);
  ctx.strokeStyle = core === 2 ? DARK_CORE : LIGHT_CORE;
  if (core === 3) {
    ctx.setLineDash([0.1, width * 2]);
    ctx.lineCap = "round";
  }
  ctx.stroke(line);
  ctx.setLineDash(dashes);
  ctx.lineCap = cap;
}

/** @param {string} tag @param {Record<string, string | number>} attributes */
function drawn(tag, attributes) {
  const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  return node;
}

/** @param {number} variant @param {number} radius @param {string} fill */
function drawnJoint(variant, radius, fill) {
  const corners = FORMS[variant % FORMS.length], [x, y] = [17, 7];
  if (!corners.length) return drawn("circle", { cx: x, cy: y, r: radius, fill });
  return drawn("polygon", {
    points: corners.map(([dx, dy]) => `${x + dx * radius},${y + dy * radius}`).join(" "), fill,
  });
}

/**
 * A piece of a limb with its joint, for headings and legends.
 * @param {string} colour @param {number} variant @param {boolean} right
 */
export function swatch(colour, variant, right = false) {
  const core = variant % FORMS.length, line = { x1: 2, x2: 32, y1: 7, y2: 7 };
  const node = drawn("svg", { class: "swatch", viewBox: "0 0 34 14", "aria-hidden": "true" });
  node.append(drawn("line", { ...line, stroke: colour, "stroke-width": 4, "stroke-dasharray": right ? "6 6" : "none" }));
  if (core) node.append(drawn("line", {
    ...line, stroke: core === 2 ? DARK_CORE : LIGHT_CORE, "stroke-width": 1.4,
    "stroke-dasharray": core === 3 ? "1.4 4" : "none",
  }));
  node.append(drawnJoint(variant, 5, colour));
  if (right) node.append(drawnJoint(variant, holeOf(5), LIGHT_CORE));
  return node;
}
