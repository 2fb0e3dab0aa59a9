// Strokes on a canvas, by mouse, pen, touch or keyboard.

import { make } from "./dom.js";

const STEP = 12; // pixels that an arrow key moves the pen; a quarter with Shift
const SENT_SIDE = 448; // pixels of the longer side of what is sent to be read
const SENT_STROKE = 100; // pixels of the tallest stroke in it: larger ones are read no better, only later

/**
 * A sheet to draw on. Dispatches "begin" when a stroke begins, and "change" when one ends or is taken back.
 * Strokes are kept as lists of points, so the sheet can be drawn anew at any size.
 */
export class Ink extends EventTarget {
  strokes = [];
  width = 14;
  erasing = false;
  #canvas;
  #context;
  #cursor;
  #pen = null; // { x, y } of the keyboard's pen
  #pointer = null;
  #size = [0, 0]; // width and height in which strokes are seen

  constructor(canvas, cursor) {
    super();
    this.#canvas = canvas;
    this.#context = canvas.getContext("2d");
    this.#cursor = cursor;
    canvas.addEventListener("pointerdown", (event) => this.#down(event));
    canvas.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) canvas.addEventListener(name, (event) => this.#up(event));
    canvas.addEventListener("keydown", (event) => this.#key(event));
    canvas.addEventListener("blur", () => this.#lift());
    new ResizeObserver(() => this.#resize()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.redraw());
  }

  undo() {
    this.#stop();
    if (this.strokes.pop()) this.#changed();
  }

  clear() {
    this.#stop();
    this.strokes = [];
    this.#changed();
  }

  /** What is drawn, black on white and cut to the ink: `{ file, left, top, scale }`, or null if there is none. */
  picture() {
    const written = this.strokes.filter((stroke) => !stroke.erasing);
    const points = written.flatMap((stroke) => stroke.points);
    if (!points.length) return null;
    const xs = points.map((point) => point.x);
    const ys = points.map((point) => point.y);
    const [left, top, right, bottom] = [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
    const margin = 20 + 0.2 * Math.min(bottom - top, right - left) + this.width;
    const [width, height] = [right - left + 2 * margin, bottom - top + 2 * margin];
    const tallest = Math.max(...written.map(heightOf));
    const scale = Math.min(1, SENT_SIDE / Math.max(width, height), SENT_STROKE / tallest);
    const canvas = make("canvas", { width: Math.ceil(width * scale), height: Math.ceil(height * scale) });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.setTransform(scale, 0, 0, scale, (margin - left) * scale, (margin - top) * scale);
    for (const stroke of this.strokes) trace(context, stroke, "#000");
    const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
    if (!data.some((value) => value > 127)) return null; // all erased
    context.globalCompositeOperation = "destination-over";
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#fff";
    context.fillRect(0, 0, canvas.width, canvas.height);
    return { file: encoded(canvas), left: left - margin, top: top - margin, scale };
  }

  redraw() {
    const { width, height } = this.#canvas;
    this.#context.setTransform(1, 0, 0, 1, 0, 0);
    this.#context.clearRect(0, 0, width, height);
    this.#context.setTransform(devicePixelRatio, 0, 0, devicePixelRatio, 0, 0);
    for (const stroke of this.strokes) trace(this.#context, stroke, this.#color());
  }

  #color() {
    return getComputedStyle(this.#canvas).color;
  }

  #resize() {
    const { clientWidth, clientHeight } = this.#canvas;
    if (!clientWidth) return; // not shown
    this.#canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.#canvas.height = Math.round(clientHeight * devicePixelRatio);
    const scale = this.#shrinking([clientWidth, clientHeight]);
    this.#size = [clientWidth, clientHeight];
    if (scale === 1) this.redraw();
    else this.#shrink(scale);
  }

  /** How much smaller strokes have to be so that those which were seen are seen on a sheet of another size. */
  #shrinking([width, height]) {
    const points = this.strokes.flatMap((stroke) => stroke.points.map(({ x, y }) => [x + 2 * stroke.width, y + 2 * stroke.width])); // and their marks
    const ends = [0, 1].map((axis) => Math.min(this.#size[axis], Math.max(1, ...points.map((point) => point[axis]))));
    return Math.min(1, width / ends[0], height / ends[1]);
  }

  #shrink(scale) {
    for (const stroke of this.strokes) stroke.width *= scale;
    for (const point of [...this.strokes.flatMap((stroke) => stroke.points), this.#pen ?? {}]) {
      point.x *= scale;
      point.y *= scale;
    }
    this.#changed();
  }

  #begin(x, y, pressure) {
    const width = this.erasing ? Math.max(28, 2 * this.width) : this.width;
    this.strokes.push({ erasing: this.erasing, width, points: [{ x, y, pressure }] });
    this.dispatchEvent(new Event("begin"));
    this.#drawLast(1);
  }

  #extend(x, y, pressure) {
    this.strokes.at(-1).points.push({ x, y, pressure });
  }

  /** Draw the last stroke from one of its points on. */
  #drawLast(from) {
    trace(this.#context, this.strokes.at(-1), this.#color(), Math.max(0, from - 2));
  }

  #changed() {
    this.redraw();
    this.dispatchEvent(new Event("change"));
  }

  #down(event) {
    if (this.#pointer !== null || event.button !== 0) return;
    this.#lift();
    this.#pointer = event.pointerId;
    this.#canvas.setPointerCapture(event.pointerId);
    this.#begin(event.offsetX, event.offsetY, force(event));
  }

  #move(event) {
    if (event.pointerId !== this.#pointer) return;
    const from = this.strokes.at(-1).points.length;
    const moves = event.getCoalescedEvents?.() ?? [];
    for (const each of moves.length ? moves : [event]) this.#extend(each.offsetX, each.offsetY, force(each));
    this.#drawLast(from);
  }

  #up(event) {
    if (event.pointerId !== this.#pointer) return;
    this.#pointer = null;
    this.#changed();
  }

  /** Let go of the stroke that is being drawn, if one is: it is about to be taken back. */
  #stop() {
    this.#pointer = null;
    if (this.#pen) this.#pen.down = false;
    this.#cursor.classList.remove("down");
  }

  #key(event) {
    const { key } = event;
    if (key === "Delete") this.clear();
    else if (key === " ") this.#toggle();
    else if (key === "Escape") this.#lift();
    else if (key.startsWith("Arrow")) this.#steer(key, event.shiftKey ? STEP / 4 : STEP);
    else return;
    event.preventDefault();
  }

  #steer(key, step) {
    const { clientWidth, clientHeight } = this.#canvas;
    const pen = (this.#pen ??= { x: clientWidth / 2, y: clientHeight / 3, down: false });
    const across = { ArrowLeft: -step, ArrowRight: step }[key] ?? 0;
    const along = { ArrowUp: -step, ArrowDown: step }[key] ?? 0;
    pen.x = Math.min(clientWidth, Math.max(0, pen.x + across));
    pen.y = Math.min(clientHeight, Math.max(0, pen.y + along));
    if (pen.down) {
      this.#extend(pen.x, pen.y, 1);
      this.#drawLast(this.strokes.at(-1).points.length - 1);
    }
    this.#showCursor();
  }

  #toggle() {
    this.#pen ??= { x: this.#canvas.clientWidth / 2, y: this.#canvas.clientHeight / 3, down: false };
    this.#pen.down = !this.#pen.down;
    if (this.#pen.down) this.#begin(this.#pen.x, this.#pen.y, 1);
    else this.#changed();
    this.#showCursor();
  }

  #lift() {
    if (this.#pen?.down) {
      this.#pen.down = false;
      this.#changed();
    }
    this.#cursor.hidden = true;
  }

  #showCursor() {
    this.#cursor.hidden = false;
    this.#cursor.classList.toggle("down", this.#pen.down);
    this.#cursor.style.transform = `translate(${this.#pen.x}px, ${this.#pen.y}px)`;
  }
}

function heightOf({ points }) {
  const ys = points.map((point) => point.y);
  return Math.max(...ys) - Math.min(...ys);
}

/** A canvas as a PNG file, at once: asked for a blob, Chromium may wait a second until it is idle. */
function encoded(canvas) {
  const [, base64] = canvas.toDataURL().split(",");
  return new Blob([Uint8Array.from(atob(base64), (byte) => byte.charCodeAt(0))], { type: "image/png" });
}

/** A pen's pressure as a factor of the width; mouse and finger have none. */
function force(event) {
  return event.pointerType === "pen" && event.pressure ? 0.5 + event.pressure : 1;
}

/** Draw a stroke from one of its points on, as curves through the middles between points. */
function trace(context, { points, width, erasing }, color, from = 0) {
  context.globalCompositeOperation = erasing ? "destination-out" : "source-over";
  context.strokeStyle = context.fillStyle = color;
  context.lineCap = context.lineJoin = "round";
  const [first] = points;
  if (points.length === 1) {
    context.beginPath();
    context.arc(first.x, first.y, (width * first.pressure) / 2, 0, 2 * Math.PI);
    context.fill();
  }
  for (let i = Math.max(1, from); i < points.length; i += 1) {
    const [before, point] = [points[i - 1], points[i]];
    const start = i > 1 ? middle(points[i - 2], before) : before;
    const end = i < points.length - 1 ? middle(before, point) : point;
    context.lineWidth = (width * (before.pressure + point.pressure)) / 2;
    context.beginPath();
    context.moveTo(start.x, start.y);
    context.quadraticCurveTo(before.x, before.y, end.x, end.y);
    context.stroke();
  }
  context.globalCompositeOperation = "source-over";
}

const middle = (one, other) => ({ x: (one.x + other.x) / 2, y: (one.y + other.y) / 2 });
