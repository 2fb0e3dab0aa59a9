// How readings look, wherever they are shown: doubt in words and shape as well as color.

import { count, make, percent } from "./dom.js";

const HIGH = 0.95; // confidence that leaves no doubt by itself: above the threshold of the model that comes with inkdigits

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

/** Whether a number was corrected, or struck out: then it has no text any more. */
export const isFixed = (number) => number.readAs !== undefined;

/** How a number is known. */
export const kindOf = (number) => (isFixed(number) ? (number.text ? "fixed" : "struck") : number.doubtful ? "doubt" : "sure");

/** Those that were not struck out. */
export const kept = (numbers) => numbers.filter(({ text }) => text);

/** "2 numbers, 8 digits, 1 number doubtful" */
export function summarize(numbers) {
  if (!numbers.length) return "No digits found.";
  const digits = numbers.flatMap(({ text }) => text.match(/\d/g) ?? []).length;
  const doubtful = numbers.filter((number) => number.doubtful && !isFixed(number)).length;
  return `${count(kept(numbers).length, "number")}, ${count(digits, "digit")}, ${doubtful ? `${doubtful} doubtful` : "none doubtful"}.`;
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

/** Write what is known of a digit of a number: ten bars, and a sentence or two. */
export function showDigit(digit, number, { bars, text }) {
  if (!digit) {
    bars.replaceChildren(chart(Array(10).fill(0), null));
    text.textContent = "";
    return;
  }
  const ranked = digit.probabilities.map((share, value) => ({ share, value })).sort((a, b) => b.share - a.share);
  const [best, second] = ranked;
  bars.replaceChildren(chart(digit.probabilities, digit));
  const next = second.share >= 0.0005 ? `${digit.doubtful ? " or" : ", then"} ${second.value} with ${percent(second.share)}` : "";
  text.textContent = `${digit.doubtful ? "In doubt: " : ""}${best.value} with ${percent(best.share)}${next}.${reasons(digit, number)}`;
}

/** Why a number is in doubt, where the probabilities of its digit do not tell. */
function reasons(digit, number) {
  const { digits, confidence } = number;
  if (!number.doubtful || isFixed(number)) return "";
  if (number.isSingle) return " It was read as a single digit; the page reader found none.";
  const alone = digit.doubtful && digit.confidence >= HIGH ? " Only one of the two networks saw it." : "";
  const unnamed = confidence >= HIGH && !digits.some((each) => each.doubtful) ? " Something beside or in it could not be named." : "";
  return `${alone}${unnamed} The number as a whole: ${percent(confidence)}.`;
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
