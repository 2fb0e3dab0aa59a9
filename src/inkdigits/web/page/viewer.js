// A picture with boxes over it, to zoom and to move.

import { byId, make } from "./dom.js";
import { describe, kindOf } from "./reading.js";

const MOST = 12; // times the whole picture's size
const STEP = 1.5;
const MOVE = 60; // pixels that an arrow key moves the picture
const SLACK = 5; // pixels that a finger moves in a tap

export class Viewer {
  #root;
  #stage = make("div", { class: "stage" });
  #problem = make("p", { class: "problem", role: "status" });
  #page = null;
  #fit = 1; // of the whole picture in the viewer
  #zoom = 1; // times that
  #x = 0;
  #y = 0;
  #pointers = new Map();
  #callbacks;
  #labeled = 0; // the scale that labels were last placed for

  /** `callbacks`: onDigit(digit, number), onNumber(number) */
  constructor(root, callbacks) {
    this.#root = root;
    this.#callbacks = callbacks;
    root.append(this.#stage, this.#problem);
    root.addEventListener("wheel", (event) => this.#wheel(event), { passive: false });
    root.addEventListener("pointerdown", (event) => this.#down(event));
    root.addEventListener("pointermove", (event) => this.#move(event));
    for (const name of ["pointerup", "pointercancel"]) root.addEventListener(name, (event) => this.#pointers.delete(event.pointerId));
    root.addEventListener("dblclick", (event) => this.#zoomBy(STEP * STEP, event.clientX, event.clientY));
    root.addEventListener("keydown", (event) => this.#key(event));
    new ResizeObserver(() => this.#resize()).observe(root);
  }

  /** Show a page over its picture's address; without a page yet, the picture alone; nothing for null. */
  show(url, page, fallback) {
    const isNew = page !== this.#page;
    this.#page = page;
    this.#stage.replaceChildren();
    this.#problem.textContent = "";
    this.#root.classList.toggle("waiting", !page);
    this.#root.setAttribute("aria-label", page ? `Picture ${page.source ?? ""}, ${page.numbers.length} numbers` : "Picture");
    if (!page) return;
    const image = make("img", { alt: `${page.source ?? "Picture"}, page ${page.page}`, draggable: "false" });
    if (fallback) image.addEventListener("error", () => this.#replace(image, fallback), { once: true });
    image.src = url;
    this.#stage.style.width = `${page.width}px`;
    this.#stage.style.height = `${page.height}px`;
    this.#stage.append(image, ...page.numbers.map((number) => this.#number(number)));
    this.#labeled = 0;
    if (isNew) this.whole();
    else this.#apply();
  }

  async #replace(image, fallback) {
    try {
      image.src = await fallback();
    } catch (error) {
      if (image.isConnected) this.#problem.textContent = `The picture cannot be shown. ${error.message}`;
    }
  }

  /** Write a corrected number on its mark. */
  rename(number) {
    const index = this.#page.numbers.indexOf(number);
    write(number, this.#stage.querySelectorAll(".mark")[index]);
    this.#placeLabels(this.#labeled);
  }

  /** Mark one number. */
  mark(number) {
    const index = this.#page?.numbers.indexOf(number) ?? -1;
    [...this.#stage.querySelectorAll(".mark")].forEach((element, i) => element.classList.toggle("chosen", i === index));
  }

  whole() {
    this.#zoom = 1;
    this.#resize();
  }

  larger = () => this.#zoomBy(STEP);
  smaller = () => this.#zoomBy(1 / STEP);

  #number(number) {
    const label = make("button", { type: "button", class: "label above", tabindex: "-1", title: "Correct" });
    label.addEventListener("click", () => this.#callbacks.onNumber(number));
    const element = make("div", { class: "mark" }, make("div", { class: "frame" }), label);
    write(number, element);
    place(element, number.box, [0, 0]);
    for (const digit of number.digits) {
      if (!digit.box) continue;
      const spot = make("button", { type: "button", class: digit.doubtful ? "spot doubt" : "spot", tabindex: "-1", "aria-label": describe(digit) });
      place(spot, digit.box, number.box);
      for (const name of ["pointerenter", "focus", "click"]) spot.addEventListener(name, () => this.#callbacks.onDigit(digit, number));
      element.append(spot);
    }
    return element;
  }

  #resize() {
    if (!this.#page || !this.#root.clientWidth) return;
    this.#fit = Math.min(this.#root.clientWidth / this.#page.width, this.#root.clientHeight / this.#page.height);
    this.#apply();
  }

  #apply() {
    if (!this.#page) return;
    const scale = this.#fit * this.#zoom;
    const { clientWidth, clientHeight } = this.#root;
    this.#x = within(this.#x, clientWidth, this.#page.width * scale);
    this.#y = within(this.#y, clientHeight, this.#page.height * scale);
    this.#root.classList.toggle("zoomed", this.#zoom > 1);
    if (scale !== this.#labeled) this.#placeLabels(scale);
    this.#stage.style.transform = `translate(${this.#x}px, ${this.#y}px) scale(${scale})`;
    this.#stage.style.setProperty("--one", 1 / scale); // a pixel of the screen, in pixels of the picture
    byId("zoom").textContent = `${Math.round(scale * 100)}\u00a0%`;
  }

  /** Put each label where it hides no number and no other label; where there is no such place, it shows when asked for. */
  #placeLabels(scale) {
    this.#labeled = scale;
    const taken = this.#page.numbers.map(({ box: [x, y, width, height] }) => [x * scale - 4, y * scale - 4, (x + width) * scale + 4, (y + height) * scale + 4]);
    const edges = [this.#page.width * scale, this.#page.height * scale];
    this.#page.numbers.forEach((number, index) => {
      const [left, top, right, bottom] = taken[index];
      const label = this.#stage.querySelectorAll(".label")[index];
      const width = 8.6 * label.textContent.length + 16;
      const middle = (top + bottom) / 2;
      const places = {
        above: [left, top - 26, left + width, top - 1],
        right: [right + 3, middle - 12, right + width + 3, middle + 12],
        left: [left - width - 3, middle - 12, left - 3, middle + 12],
        below: [left, bottom + 1, left + width, bottom + 26],
      };
      const isFree = ([x0, y0, x1, y1]) =>
        x0 >= 0 && y0 >= 0 && x1 <= edges[0] && y1 <= edges[1] && !taken.some((other, i) => i !== index && x0 < other[2] && x1 > other[0] && y0 < other[3] && y1 > other[1]);
      const place = Object.keys(places).find((name) => isFree(places[name]));
      label.className = `label ${place ?? "crowded"}`;
      if (place) taken.push(places[place]);
    });
  }

  #zoomBy(factor, clientX, clientY) {
    const box = this.#root.getBoundingClientRect();
    const x = clientX === undefined ? box.width / 2 : clientX - box.left;
    const y = clientY === undefined ? box.height / 2 : clientY - box.top;
    const zoom = Math.min(MOST, Math.max(1, this.#zoom * factor));
    this.#x = x - (x - this.#x) * (zoom / this.#zoom);
    this.#y = y - (y - this.#y) * (zoom / this.#zoom);
    this.#zoom = zoom;
    this.#apply();
  }

  #wheel(event) {
    if (!event.ctrlKey && !event.metaKey) return; // the page scrolls
    event.preventDefault();
    this.#zoomBy(Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
  }

  #down(event) {
    this.#pointers.set(event.pointerId, event);
  }

  #move(event) {
    if (!event.buttons) this.#pointers.delete(event.pointerId); // let go outside
    const before = this.#pointers.get(event.pointerId);
    if (!before) return;
    if (!this.#root.hasPointerCapture(event.pointerId)) {
      if (Math.hypot(event.clientX - before.clientX, event.clientY - before.clientY) < SLACK) return;
      this.#root.setPointerCapture(event.pointerId); // a drag clicks no digit or label that it began on
    }
    const other = [...this.#pointers.values()].find((each) => each.pointerId !== event.pointerId);
    if (other) {
      const distance = (one) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
      this.#zoomBy(distance(event) / Math.max(1, distance(before)), (event.clientX + other.clientX) / 2, (event.clientY + other.clientY) / 2);
    } else {
      this.#x += event.clientX - before.clientX;
      this.#y += event.clientY - before.clientY;
      this.#apply();
    }
    this.#pointers.set(event.pointerId, event);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey) return;
    const move = { ArrowLeft: [MOVE, 0], ArrowRight: [-MOVE, 0], ArrowUp: [0, MOVE], ArrowDown: [0, -MOVE] }[event.key];
    if (move) {
      this.#x += move[0];
      this.#y += move[1];
      this.#apply();
    } else if (event.key === "+" || event.key === "=") this.larger();
    else if (event.key === "-") this.smaller();
    else if (event.key === "0") this.whole();
    else return;
    event.preventDefault();
  }
}

const SIGNS = { sure: "", doubt: "\u2009?", fixed: "\u2009✓", struck: "" };

/** Write a number, and how it is known, on its mark. */
function write(number, mark) {
  const kind = kindOf(number);
  for (const each of Object.keys(SIGNS)) mark.classList.toggle(each, each === kind);
  mark.querySelector(".label").textContent = `${number.text || number.readAs}${SIGNS[kind]}`;
}

function place(element, [x, y, width, height], [left, top]) {
  Object.assign(element.style, { left: `${x - left}px`, top: `${y - top}px`, width: `${width}px`, height: `${height}px` });
}

/** Keep a side of the picture in the viewer: centered where it is smaller, without a gap where it is larger. */
const within = (offset, room, size) => (size <= room ? (room - size) / 2 : Math.min(0, Math.max(room - size, offset)));
