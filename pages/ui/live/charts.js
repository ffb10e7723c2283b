// Light charts for figures that change every second: Streamlit mounts a Plotly chart anew for each
// change, which flickers and costs the video its pictures.

import { jointPath } from "../viewer/forms.js";

/**
 * @typedef {[number, number]} Point seconds before now (negative), value
 * @typedef {{title: string, colour: string, variant: number, points: Point[]}} Series
 *
 * @typedef {object} ChartData
 * @property {string} title
 * @property {string} y
 * @property {boolean} log
 * @property {string} alt
 * @property {string} file
 * @property {Series[]} series
 * @property {number} window_s
 *
 * @typedef {{ticks: number[], place: (y: number) => number}} Axis
 * @typedef {(point: Point) => Point} At
 * @typedef {{ink: string, font: string, area: {width: number, height: number}, axis: Axis, at: At}} Look
 */

const HEIGHT = 220, LEFT = 58, RIGHT = 12, TOP = 30, BOTTOM = 40;
const ROW = 20, SAMPLE = 26;
/** @type {number[][]} of a family's variants, as in the other charts over time */
const DASHES = [[], [7, 4], [2, 3], [7, 3, 2, 3]];

/** @param {number} low @param {number} high */
function logTicks(low, high) {
  const ticks = [];
  for (let power = Math.floor(Math.log10(low)); 10 ** power <= high; power++) {
    for (const digit of [1, 2, 5]) ticks.push(digit * 10 ** power);
  }
  const inside = ticks.filter((tick) => tick >= low && tick <= high);
  return inside.length > 7 ? inside.filter((tick) => Number.isInteger(Math.log10(tick))) : inside;
}

/** @param {number} high */
function linearTicks(high) {
  const step = [1, 2, 5, 10, 20, 50, 100].find((size) => high / size <= 5) ?? 200;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, i) => i * step);
}

/** @param {ChartData} chart @returns {Axis} */
function yAxis(chart) {
  const values = chart.series.flatMap((one) => one.points.map(([, y]) => y)).filter((y) => y > 0);
  if (!chart.log) {
    const high = Math.max(5, ...values) * 1.1;
    return { ticks: linearTicks(high), place: (y) => y / high };
  }
  const low = Math.min(...values, 10) / 1.3;
  const high = Math.max(...values, 20) * 1.3;
  const span = Math.log(high / low);
  return { ticks: logTicks(low, high), place: (y) => Math.log(Math.max(y, low) / low) / span };
}

/**
 * Where the names stand under a chart: [left, row] of each.
 * @param {number[]} widths of the names @param {number} room
 * @returns {[number, number][]}
 */
export function legendPlaces(widths, room) {
  let [x, row] = [0, 0];
  return widths.map((width) => {
    const needed = SAMPLE + width + 24;
    if (x > 0 && x + needed > room) [x, row] = [0, row + 1];
    /** @type {[number, number]} */
    const place = [x, row];
    x += needed;
    return place;
  });
}

class Chart {
  /** @param {HTMLElement} root */
  constructor(root) {
    this.canvas = /** @type {HTMLCanvasElement} */ (root.querySelector("canvas"));
    /** @type {ChartData | null} */
    this.chart = null;
    root.querySelector("button")?.addEventListener("click", () => this.save());
    this.resized = new ResizeObserver(() => this.draw());
    this.resized.observe(this.canvas);
  }

  close() { this.resized.disconnect(); }

  /** @param {ChartData} chart */
  show(chart) {
    this.chart = chart;
    this.draw();
  }

  /** @param {string} ground colour under the chart, "" for none */
  draw(ground = "") {
    const { canvas, chart } = this;
    if (!chart || !canvas.clientWidth) return;
    const ratio = window.devicePixelRatio || 1;
    const width = canvas.clientWidth;
    canvas.width = width * ratio;
    const ctx = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
    const style = getComputedStyle(canvas);
    const ink = style.getPropertyValue("--st-text-color").trim() || "#444444";
    const font = style.getPropertyValue("--st-font").trim() || "sans-serif";
    ctx.font = `12px ${font}`;
    const places = legendPlaces(chart.series.map(({ title }) => ctx.measureText(title).width), width);
    const height = HEIGHT + ROW * Math.max(0, ...places.map(([, row]) => row + 1));
    canvas.style.height = `${height}px`;
    canvas.height = height * ratio;
    ctx.scale(ratio, ratio);
    if (ground) {
      ctx.fillStyle = ground;
      ctx.fillRect(0, 0, width, height);
    }
    const area = { width: width - LEFT - RIGHT, height: HEIGHT - TOP - BOTTOM };
    const axis = yAxis(chart);
    /** @type {At} */
    const at = ([x, y]) => [
      LEFT + (1 + x / chart.window_s) * area.width,
      TOP + (1 - axis.place(y)) * area.height,
    ];
    this.frame(ctx, chart, { ink, font, area, axis, at });
    for (const one of chart.series) this.series(ctx, one, { log: chart.log, at });
    ctx.font = `12px ${font}`;
    chart.series.forEach((one, i) => {
      const [x, row] = places[i], y = HEIGHT + ROW * (row + 0.5);
      /** @type {At} */
      const here = ([along]) => [x + along * SAMPLE, y];
      this.series(ctx, { ...one, points: chart.log ? [[0.5, 0]] : [[0, 0], [1, 0]] }, { log: chart.log, at: here });
      ctx.fillStyle = ink;
      ctx.fillText(one.title, x + SAMPLE + 6, y + 4);
    });
    canvas.setAttribute("aria-label", chart.alt);
  }

  /** @param {CanvasRenderingContext2D} ctx @param {ChartData} chart @param {Look} look */
  frame(ctx, chart, { ink, font, area, axis, at }) {
    ctx.fillStyle = ctx.strokeStyle = ink;
    ctx.font = `600 15px ${font}`;
    ctx.fillText(chart.title, 2, 16);
    ctx.font = `12px ${font}`;
    ctx.textAlign = "right";
    for (const tick of axis.ticks) {
      const [, y] = at([0, tick]);
      ctx.globalAlpha = 0.15;
      ctx.fillRect(LEFT, Math.round(y), area.width, 1);
      ctx.globalAlpha = 0.8;
      ctx.fillText(String(tick), LEFT - 6, y + 4);
    }
    ctx.textAlign = "center";
    for (let ago = 0; ago <= chart.window_s; ago += 10) {
      ctx.fillText(ago ? `−${ago}` : "now", at([-ago, 1])[0], TOP + area.height + 16);
    }
    ctx.fillText("time, s", LEFT + area.width / 2, HEIGHT - 6);
    ctx.save();
    ctx.translate(12, TOP + area.height / 2);
    ctx.rotate(-Math.PI / 2);
    ctx.fillText(chart.y, 0, 0);
    ctx.restore();
    ctx.globalAlpha = 1;
    ctx.textAlign = "left";
  }

  /** @param {CanvasRenderingContext2D} ctx @param {Series} series @param {{log: boolean, at: At}} how */
  series(ctx, { colour, variant, points }, { log, at }) {
    ctx.fillStyle = ctx.strokeStyle = colour;
    if (log) {
      for (const point of points) ctx.fill(jointPath(variant, ...at(point), 3));
      return;
    }
    ctx.lineWidth = 2;
    ctx.setLineDash(DASHES[variant % DASHES.length]);
    ctx.beginPath();
    points.forEach((point, i) => ctx[i ? "lineTo" : "moveTo"](...at(point)));
    ctx.stroke();
    ctx.setLineDash([]);
  }

  save() {
    if (!this.chart) return;
    this.draw(getComputedStyle(this.canvas).getPropertyValue("--st-background-color").trim());
    const link = document.createElement("a");
    link.href = this.canvas.toDataURL("image/png");
    link.download = this.chart.file;
    link.click();
    this.draw();
  }
}

/** @param {{data: {charts: ChartData[]}, parentElement: HTMLElement & {poseCharts?: Chart[]}}} component */
export default function ({ data, parentElement }) {
  parentElement.poseCharts ??= [...parentElement.querySelectorAll("figure")].map((f) => new Chart(f));
  parentElement.poseCharts.forEach((chart, i) => chart.show(data.charts[i]));
  return () => {
    for (const chart of parentElement.poseCharts ?? []) chart.close();
    delete parentElement.poseCharts;
  };
}
