// Drawing: every stroke is read at once.

import { announce, byId, make, shape } from "./dom.js";
import { Ink } from "./ink.js";
import { chip, linesOf, characters, showDigit, summarize } from "./reading.js";
import { classify, explainPage, readPages } from "./service.js";

const card = { bars: byId("draw-bars"), text: byId("draw-digit-text") };
const ink = new Ink(byId("canvas"), byId("cursor"));
const SEEN = {
  lines: "Each line, made straight and 32 pixels high, with what is read there",
  digit: "A single digit in MNIST’s form, 28 by 28 pixels",
};
let pending = new AbortController();
let numbers = []; // in reading order

/** What is on the sheet now, as a page for “How it works”: `{ file, index }`; null if nothing is. */
export function drawing() {
  const picture = ink.picture();
  return picture && { file: picture.file, index: 0 };
}

export const redraw = () => ink.redraw();

export function start() {
  ink.addEventListener("begin", () => {
    byId("hint").hidden = true;
    byId("marks").classList.add("old");
  });
  ink.addEventListener("change", () => read(performance.now()));
  byId("undo").addEventListener("click", () => ink.undo());
  byId("clear").addEventListener("click", () => ink.clear());
  for (const radio of document.querySelectorAll("input[name=pen]")) {
    radio.addEventListener("change", () => {
      ink.erasing = radio.value === "eraser";
      if (!ink.erasing) ink.width = Number(radio.value);
    });
  }
  document.addEventListener("keydown", (event) => {
    if (byId("draw").hidden || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return; // "Z" with Caps Lock
    event.preventDefault();
    ink.undo();
  });
  show(null, null);
}

/** Read the sheet, and show the answer unless another stroke has been drawn meanwhile. */
async function read(begun) {
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  const isEmpty = !ink.strokes.length;
  byId("undo").disabled = byId("clear").disabled = isEmpty;
  byId("hint").hidden = !isEmpty;
  const picture = ink.picture();
  if (!picture) {
    show(null, null);
    return;
  }
  let page = null;
  try {
    [page] = await readPages(picture.file, signal);
    if (!page.numbers.length) page = await asDigit(page, picture.file, signal);
    show(page, picture);
    byId("time").textContent = `${Math.round(performance.now() - begun)}\u00a0ms`;
    const { steps } = await explainPage(picture.file, 1, ["lines", "digit"], signal);
    showSeen(steps, page);
  } catch (error) {
    if (error.name === "AbortError") return;
    if (page) showSeen([], page);
    else show(null, null); // what was read before is not what is there now
    byId("draw-summary").textContent = error.message;
  }
}

/** A page without numbers, with the one digit that it surely is: only who knows that one was drawn takes any stroke for a 1. */
async function asDigit(page, file, signal) {
  const digit = await classify(file, signal);
  if (digit.doubtful) return page;
  const [text, doubt] = [String(digit.value), { ...digit, doubtful: true }];
  return { ...page, text, numbers: [{ ...doubt, text, line: 1, column: 1, digits: [doubt], isSingle: true }] };
}

function show(page, picture) {
  numbers = page?.numbers ?? [];
  const digits = numbers.flatMap((number) => number.digits);
  const lines = page ? linesOf(page) : [];
  byId("draw-text").replaceChildren(...lines.map((line) => make("p", {}, ...line.map(written))));
  byId("draw-summary").textContent = page ? summarize(numbers) : "Nothing is written yet.";
  byId("canvas").setAttribute("aria-label", page ? `Sheet to draw on. Read: ${page.text || "no digits"}` : "Sheet to draw on");
  if (page) announce(`Read: ${page.text || "no digits"}`);
  byId("marks").classList.remove("old");
  byId("marks").replaceChildren(...digits.map((digit) => mark(digit, picture)));
  if (!page) {
    byId("time").textContent = "";
    showSeen([], null);
  }
  choose(digits.find((digit) => digit.doubtful) ?? digits.at(-1) ?? null);
}

/** A number as buttons for its digits, with its signs between them. */
function written(number) {
  const parts = characters(number).map(({ text, digit }) => (digit ? chip(digit, choose) : make("span", { class: "sign" }, text)));
  return make("span", { class: number.doubtful ? "number doubt" : "number" }, ...parts, number.doubtful ? make("sup", {}, "?") : null);
}

/** Show a digit's probabilities, and which one it is in the answer and on the sheet. */
function choose(digit) {
  const digits = numbers.flatMap((number) => number.digits);
  showDigit(digit, numbers.find((number) => number.digits.includes(digit)), card);
  for (const each of [byId("draw-text").querySelectorAll(".chip"), byId("marks").children]) {
    [...each].forEach((element, index) => element.classList.toggle("chosen", digits[index] === digit));
  }
}

function mark(digit, { left, top, scale }) {
  const [x, y, width, height] = digit.box.map((value) => value / scale);
  const label = `${digit.value}${digit.doubtful ? "?" : ""}`;
  return shape(
    "g",
    { class: digit.doubtful ? "doubt" : "sure" },
    shape("rect", { x: x + left - 5, y: y + top - 5, width: width + 10, height: height + 10, rx: 4 }),
    shape("text", { x: x + left - 4, y: y + top - 11 }, label),
  );
}

/** Show the lines as they are read, and MNIST's form where one digit is all there is. */
function showSeen(steps, page) {
  const one = page && page.numbers.length === 1 && page.numbers[0].text.length === 1;
  const figures = steps
    .filter((step) => step.name === "lines" || one)
    .map((step) =>
      make(
        "figure",
        { class: step.name },
        make("figcaption", { class: "fine" }, SEEN[step.name]), // above, where no picture that loads moves it
        make("img", { src: `data:image/png;base64,${step.png}`, alt: "" }),
      ),
    );
  const promise = "Each line, made straight and 32 pixels high: that is all the network reads.";
  byId("draw-seen").replaceChildren(...(figures.length ? figures : [make("p", { class: "fine" }, promise)]));
}
