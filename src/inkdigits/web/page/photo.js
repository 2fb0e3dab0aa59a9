// Photos: many at once, each read on its own; numbers to look at, to correct and to take along.

import { announce, byId, count, make } from "./dom.js";
import { copy, save, toCsv, toJson, toText } from "./export.js";
import { chip, kept, kindOf, linesOf, showDigit, summarize } from "./reading.js";
import { explainPage, readPages } from "./service.js";
import { Viewer } from "./viewer.js";

const AT_ONCE = 2; // pictures on their way to the service
const NUMBER = /^(-?[\d.,/:-]*\d[\d.,/:-]*)?$/; // or nothing, to strike it out

const card = { bars: byId("photo-bars"), text: byId("photo-digit-text") };
const entries = []; // { file, url, state: "waiting" | "reading" | "read" | "failed", pages, problem, items, drawn, stop }
const buttons = new WeakMap(); // of the numbers in the table
let shown = null; // { entry, index } of a page
let chosen = null; // the number whose digits are shown
let isPressed = false; // from a pointer's down to its click
let isUnsaved = false; // whether a correction would be lost with the page
let viewer;

/** The page that is looked at, `{ file, index }`, or null. */
export const current = () => shown && { file: shown.entry.file, index: shown.index };

export function start(onArrival) {
  viewer = new Viewer(byId("viewer"), { onDigit: (digit, number) => choose(number, digit), onNumber: edit });
  byId("zoom-in").addEventListener("click", viewer.larger);
  byId("zoom-out").addEventListener("click", viewer.smaller);
  byId("zoom-fit").addEventListener("click", () => viewer.whole());
  for (const id of ["files", "camera"]) {
    byId(id).addEventListener("change", ({ target }) => {
      add([...target.files]);
      target.value = "";
    });
  }
  const take = (files, event) => {
    if (!files.length) return;
    event.preventDefault();
    onArrival();
    add([...files]);
  };
  document.addEventListener("paste", (event) => take(event.clipboardData.files, event));
  document.addEventListener("dragover", (event) => {
    event.preventDefault();
    document.body.classList.add("dragging");
  });
  document.addEventListener("dragleave", (event) => {
    if (!event.relatedTarget) document.body.classList.remove("dragging");
  });
  document.addEventListener("drop", (event) => {
    event.preventDefault();
    document.body.classList.remove("dragging");
    take(event.dataTransfer.files, event);
  });
  byId("copy").addEventListener("click", async () => {
    taken((await copy(toText(allPages()))) ? "Copied." : "This browser does not let the page copy. Save the CSV instead.");
  });
  const saveAs = (content, name, type) => {
    save(content, name, type);
    isUnsaved = false;
    taken(`${name} saved.`);
  };
  byId("csv").addEventListener("click", () => saveAs(toCsv(allPages()), "numbers.csv", "text/csv"));
  byId("json").addEventListener("click", () => saveAs(toJson(allPages()), "numbers.json", "application/json"));
  addEventListener("beforeunload", (event) => {
    if (isUnsaved && entries.length) event.preventDefault(); // the browser asks
  });
  addEventListener("pointerdown", ({ button }) => (isPressed = button === 0), { capture: true });
  for (const name of ["click", "pointercancel"]) addEventListener(name, () => (isPressed = false), { capture: true });
}

const allPages = () => entries.flatMap((entry) => entry.pages ?? []).filter((page) => !page.error);
const taken = (sentence) => (byId("taken").textContent = sentence);

function add(files) {
  for (const file of files) {
    entries.push({ file, url: URL.createObjectURL(file), state: "waiting", items: [], drawn: [], stop: new AbortController() });
  }
  list();
  readNext();
}

async function readNext() {
  const entry = entries.find(({ state }) => state === "waiting");
  if (!entry || entries.filter(({ state }) => state === "reading").length >= AT_ONCE) return;
  entry.state = "reading";
  list();
  readNext();
  try {
    entry.pages = await readPages(entry.file, entry.stop.signal);
    entry.state = "read";
  } catch (error) {
    const others = error.status === 401 ? entries.filter(({ state }) => state === "waiting") : []; // or each asks for the token again
    for (const each of [entry, ...others]) Object.assign(each, { state: "failed", problem: error.message });
  }
  if (!entries.includes(entry)) return; // removed meanwhile
  announce(`${entry.file.name}: ${entry.problem ?? summarize(entry.pages.flatMap((page) => page.numbers ?? []))}`);
  if (!shown || shown.entry === entry || (shown.entry.state === "failed" && entry.state === "read")) open(entry, 0);
  list();
  readNext();
}

function remove(entry) {
  const place = entries.indexOf(entry);
  entries.splice(place, 1);
  entry.stop.abort();
  URL.revokeObjectURL(entry.url);
  for (const each of entry.items) each.remove();
  const next = entries[place] ?? entries.at(-1);
  if (shown?.entry === entry) open(next ?? null, 0);
  list();
  readNext();
  (next?.items[0].firstChild ?? byId("files")).focus();
}

/** Write the list of pictures, a button for each page; buttons that are there stay, and the focus with them. */
function list() {
  byId("drop").classList.toggle("small", entries.length > 0);
  byId("desk").hidden = !entries.length;
  const items = entries.flatMap((entry) => (entry.pages ?? [null]).map((page, index) => item(entry, page, index)));
  items.forEach((each, place) => {
    const there = byId("list").children[place];
    if (each !== there) byId("list").insertBefore(each, there ?? null);
  });
  const done = entries.filter(({ state }) => state === "read" || state === "failed").length;
  document.title = done < entries.length ? `${done} of ${entries.length} – inkdigits` : "inkdigits";
}

const STATES = { waiting: "waits", reading: "being read…", failed: "could not be read" };

function item(entry, page, index) {
  const { name } = entry.file;
  const removal = () => make("button", { type: "button", class: "remove", "aria-label": `Remove ${name}`, title: `Remove ${name}`, onclick: () => remove(entry) }, "×");
  const element = (entry.items[index] ??= make(
    "li",
    {},
    make("button", { type: "button", onclick: () => open(entry, index) }, make("b"), make("span")),
    index ? null : removal(),
  ));
  const button = element.firstChild;
  const state = page?.error ? "failed" : entry.state;
  const words = page?.numbers ? count(kept(page.numbers).length, "number") : STATES[state];
  button.className = `open ${state}`;
  button.ariaCurrent = shown?.entry === entry && shown.index === index ? "true" : null;
  button.firstChild.textContent = name + ((entry.pages?.length ?? 1) > 1 ? `, page ${index + 1}` : "");
  button.lastChild.textContent = words;
  return element;
}

/** Show a page; nothing for no entry. */
function open(entry, index) {
  shown = entry && { entry, index };
  const page = entry?.pages?.[index] ?? null;
  list();
  choose(null);
  if (!page?.numbers) {
    const problem = entry?.problem ?? page?.error;
    viewer.show("", null);
    byId("photo-summary").textContent = "";
    byId("numbers").replaceChildren(make("p", { class: problem ? "problem" : "fine" }, problem ?? STATES[entry?.state]));
    return;
  }
  viewer.show(index ? "" : entry.url, page, () => draw(entry, index)); // what no browser shows, and later pages, the service draws
  byId("photo-summary").textContent = summarize(page.numbers);
  byId("numbers").replaceChildren(table(page));
  choose(page.numbers.find((number) => number.doubtful) ?? page.numbers[0] ?? null);
}

/** The address of a page's picture as the service draws it. */
async function draw(entry, index) {
  entry.drawn[index] ??= explainPage(entry.file, index + 1, ["upright-gray"]);
  try {
    return `data:image/png;base64,${(await entry.drawn[index]).steps[0].png}`;
  } catch (error) {
    entry.drawn[index] = null; // another try may succeed
    throw error;
  }
}

/** The numbers of a page in its rows and columns. */
function table(page) {
  if (!page.numbers.length) return make("p", { class: "fine" }, "No digits found.");
  const columns = [...new Set(page.numbers.map(({ column }) => column))].sort((a, b) => a - b);
  const rows = linesOf(page).map((line) =>
    make(
      "tr",
      {},
      make("th", { scope: "row" }, String(line[0].line)),
      ...columns.map((column) => make("td", {}, ...line.filter((number) => number.column === column).map(cell))),
    ),
  );
  const heads = columns.map((column) => make("th", { scope: "col" }, columns.length > 1 ? letters(column) : "Number"));
  return make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Line"), ...heads)), make("tbody", {}, ...rows));
}

/** A column's name as in spreadsheets: A to Z, then AA, AB, and on. */
const letters = (column) => (column > 26 ? letters(Math.floor((column - 1) / 26)) : "") + String.fromCharCode(65 + ((column - 1) % 26));

const SIGNS = { doubt: "?", fixed: "✓" };

function cell(number) {
  const kind = kindOf(number);
  const note = { sure: "sure", doubt: "doubtful", fixed: `corrected, was read as ${number.readAs}`, struck: "left out" }[kind];
  const text = number.text || number.readAs;
  const button = make("button", { type: "button", class: `value ${kind}`, "aria-label": `${text}, ${note}. Correct` }, text, SIGNS[kind] ? make("sup", {}, SIGNS[kind]) : null);
  for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => choose(number));
  button.addEventListener("click", () => edit(number));
  buttons.set(number, button);
  return button;
}

/** Let a number be corrected where it stands in the table. */
function edit(number) {
  choose(number);
  const input = make("input", { class: "value", value: number.text, inputmode: "decimal", autocomplete: "off", "aria-label": `Correct ${number.text || number.readAs}` });
  input.style.width = `${Math.max(4, number.text.length + 2)}ch`;
  let left = false;
  const leave = (keep) => {
    if (left) return;
    left = true;
    const text = input.value.trim();
    if (keep && text !== number.text) {
      if (NUMBER.test(text)) correct(number, text);
      else taken(`That is no number; ${number.text ? `${number.text} stays` : "it stays left out"}.`);
    }
    input.replaceWith(cell(number));
  };
  input.addEventListener("input", () => input.setAttribute("aria-invalid", String(!NUMBER.test(input.value.trim()))));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // or the key would press the button that comes back
    leave(event.key === "Enter");
    buttons.get(number).focus();
  });
  input.addEventListener("blur", () => {
    if (isPressed) addEventListener("click", () => leave(true), { capture: true, once: true }); // what moved now would miss its click
    else leave(true);
  });
  buttons.get(number).replaceWith(input);
  input.focus();
  input.select();
}

/** Write another text for a number; an empty one strikes it out, until it is given a text again. */
function correct(number, text) {
  const read = number.readAs ?? number.text;
  number.text = text;
  if (text === read) delete number.readAs;
  else number.readAs = read;
  isUnsaved = true;
  viewer.rename(number);
  list();
  byId("photo-summary").textContent = summarize(shown.entry.pages[shown.index].numbers);
  announce(text ? `Corrected to ${text}.` : `${read} is left out.`);
  taken("All pictures, corrections included.");
}

/** Show a digit of a number, if none is given the first doubtful one; nothing for null. */
function choose(number, digit = number?.digits.find(({ doubtful }) => doubtful) ?? number?.digits[0]) {
  const digits = number?.digits ?? [];
  if (number !== chosen) {
    chosen = number;
    byId("photo-digits").replaceChildren(...digits.map((each) => chip(each, () => choose(number, each))));
    viewer.mark(number);
  }
  [...byId("photo-digits").children].forEach((each, index) => each.classList.toggle("chosen", digits[index] === digit));
  showDigit(digit ?? null, number, card);
}
