// How it works: the steps on the current picture, and the cards of the networks.

import { byId, make, percent } from "./dom.js";
import { describeModels, explainPage } from "./service.js";

const PARTS = {
  finder: ["The finder", "Looks at the page in several sizes and says where digits and signs are."],
  lines: ["The line reader", "Reads each straight line from left to right, so that neighbors help with what touches or is broken."],
  classifier: ["The classifier", "Names a single digit in MNIST's form; what “classify” uses."],
};
const FIGURES = {
  accuracy: ["right answers", percent],
  exact: ["lines read without any mistake", percent],
  digit_f1: ["digits found (F1)", percent],
  loss: ["loss", (value) => value.toPrecision(3)],
  expected_calibration_error: ["calibration error", (value) => `${(value * 100).toFixed(2)}\u00a0%`],
};
let shownModels = false;
let pending = new AbortController();

/** Show the steps on a page (a promise of `{ file, index }`, or of null), unless another is asked for meanwhile. */
export async function show(page) {
  if (!shownModels) showModels();
  pending.abort();
  pending = new AbortController();
  const { signal } = pending;
  byId("steps").setAttribute("aria-busy", "true");
  const cards = await explain(page, signal);
  if (!cards) return; // the other one is on its way
  byId("steps").replaceChildren(...cards);
  byId("steps").removeAttribute("aria-busy");
}

async function explain(page, signal) {
  if (!page) return [note("Write something, or open a picture: its way to the answer is shown here.")];
  try {
    const { steps, error } = await explainPage(page.file, page.index + 1, [], signal);
    return steps?.map(card) ?? [note(error)];
  } catch (error) {
    return error.name === "AbortError" ? null : [note(error.message)];
  }
}

const note = (sentence) => make("li", { class: "empty" }, make("p", {}, sentence));

function card({ name, text, png }) {
  const picture = make("img", { src: `data:image/png;base64,${png}`, alt: "" }); // the caption says it
  return make("li", { class: name }, make("figure", {}, make("figcaption", {}, text), picture));
}

async function showModels() {
  shownModels = true;
  try {
    const cards = await describeModels();
    byId("models").replaceChildren(...Object.entries(PARTS).map(([part, words]) => model(part, cards[part], words)));
  } catch (error) {
    shownModels = false;
    byId("models").replaceChildren(make("p", {}, error.message));
  }
}

function model(part, card, [title, text]) {
  const { evaluation } = card;
  const measured = { ...evaluation, ...evaluation.figures };
  const rows = Object.entries(FIGURES)
    .filter(([name]) => name in measured)
    .map(([name, [words, format]]) => [words, format(measured[name])]);
  const samples = evaluation.images ?? evaluation.samples;
  rows.push(
    ["measured on", `${samples.toLocaleString("en")} ${evaluation.split} ${evaluation.images ? "images" : "samples"}`],
    ["learned numbers", card.parameters.toLocaleString("en")],
    [part === "finder" ? "found from" : "doubtful below", percent(card.doubt_threshold)],
    ["trained", `${card.recipe.epochs} epochs, seed ${card.seed}, ${card.date.slice(0, 10)}`],
  );
  const curves = `page/learned-${part}.png`;
  const image = make("img", { src: curves, width: 1400, height: 980, loading: "lazy", alt: "Loss and accuracy, epoch by epoch, enlarged" });
  const mean = part === "finder" ? "; its weights are the mean of those of two" : "";
  return make(
    "article",
    { class: "card" },
    make("h3", {}, title),
    make("p", {}, text),
    make("dl", {}, ...rows.map(([words, value]) => make("div", {}, make("dt", {}, words), make("dd", {}, value)))),
    make(
      "figure",
      {},
      make("figcaption", {}, `The last training of the one that comes with inkdigits${mean}`),
      make("a", { href: curves, target: "_blank" }, image),
    ),
  );
}
