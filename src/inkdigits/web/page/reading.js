// How readings look, wherever they are shown: doubt in words and shape as well as color.

import { count, make, percent } from "./dom.js";

/** Pair each character of a number with its digit; signs have none. */
export function characters(number) {
  let next = 0;
  return [...number.text].map((text) => ({ text, digit: /\d/.test(text) ? number.digits[next++] : null }));
}

/** The numbers of a page, line by line. */
export function linesOf(page) {
  const lines = new Map();
  for (const number of page.numbers) {
    if (!lines.has(number.line)) lines.set(number.line, []);
    lines.get(number.line).push(number);
  }
  return [...lines.values()];
}

/** "7, 99.6 %, sure" */
export const describe = (digit) => `${digit.value}, ${percent(digit.confidence)}, ${digit.doubtful ? "doubtful" : "sure"}`;

/** "2 numbers, 8 digits, 1 number doubtful" */
export function summarize(numbers) {
  if (!numbers.length) return "No digits found.";
  const digits = numbers.reduce((sum, number) => sum + number.digits.length, 0);
  const doubtful = numbers.filter((number) => number.doubtful && number.readAs === undefined).length;
  return `${count(numbers.length, "number")}, ${count(digits, "digit")}, ${doubtful ? `${doubtful} doubtful` : "none doubtful"}.`;
}

/** A digit to point at, tap or focus. */
export function chip(digit, onShow) {
  const button = make(
    "button",
    { type: "button", class: digit.doubtful ? "chip doubt" : "chip sure", "aria-label": describe(digit) },
    String(digit.value),
  );
  for (const event of ["pointerenter", "focus", "click"]) button.addEventListener(event, () => onShow(digit, button));
  return button;
}

/** Write what is known of a digit: ten bars, and a sentence. */
export function showDigit(digit, { bars, text }) {
  if (!digit) {
    bars.replaceChildren(chart(Array(10).fill(0), null));
    text.textContent = "";
    return;
  }
  const ranked = digit.probabilities.map((share, value) => ({ share, value })).sort((a, b) => b.share - a.share);
  const [best, second] = ranked;
  bars.replaceChildren(chart(digit.probabilities, digit));
  const next = second.share >= 0.0005 ? `${digit.doubtful ? " or" : ", then"} ${second.value} with ${percent(second.share)}` : "";
  text.textContent = `${digit.doubtful ? "In doubt: " : ""}${best.value} with ${percent(best.share)}${next}.`;
}

function chart(probabilities, digit) {
  const columns = probabilities.map((share, value) => {
    const bar = make("i");
    bar.style.height = `${Math.max(share * 100, share >= 0.0005 ? 2 : 0)}%`;
    const kind = digit?.value === value ? (digit.doubtful ? "best doubt" : "best sure") : null;
    return make("span", { class: kind }, make("b", {}, bar), String(value));
  });
  return make("div", { class: "bars", "aria-hidden": "true" }, ...columns);
}
