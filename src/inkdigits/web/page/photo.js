// Photos: many at once, each read on its own; numbers to look at, to correct and to take along.

import { announce, byId, count, make } from "./dom.js";
import { save, toCsv, toJson, toText } from "./export.js";
import { characters, chip, linesOf, showDigit, summarize } from "./reading.js";
import { explainPages, readPages } from "./service.js";
import { Viewer } from "./viewer.js";

const AT_ONCE = 2; // pictures on their way to the service
const NUMBER = /^-?[\d.,/:-]*\d[\d.,/:-]*$/;

const card = { bars: byId("photo-bars"), text: byId("photo-digit-text") };
const entries = []; // { file, url, state: "waiting" | "reading" | "read" | "failed", pages, problem }
let shown = null; // { entry, index } of a page
let viewer;

/** The picture that is looked at, or null. */
export const current = async () => shown?.entry.file ?? null;

export function start(onArrival) {
  viewer = new Viewer(byId("viewer"), { onDigit: chooseDigit, onNumber: (number) => edit(number) });
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
    await navigator.clipboard.writeText(toText(allPages()));
    taken("Copied.");
  });
  byId("csv").addEventListener("click", () => {
    save(toCsv(allPages()), "numbers.csv", "text/csv");
    taken("numbers.csv saved.");
  });
  byId("json").addEventListener("click", () => {
    save(toJson(allPages()), "numbers.json", "application/json");
    taken("numbers.json saved.");
  });
}

const allPages = () => entries.flatMap((entry) => entry.pages ?? []).filter((page) => !page.error);
const taken = (sentence) => (byId("taken").textContent = sentence);

function add(files) {
  for (const file of files) entries.push({ file, url: URL.createObjectURL(file), state: "waiting" });
  byId("drop").classList.add("small");
  byId("desk").hidden = false;
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
    entry.pages = await readPages(entry.file);
    entry.state = "read";
  } catch (error) {
    entry.state = "failed";
    entry.problem = error.message;
  }
  announce(`${entry.file.name}: ${entry.problem ?? summarize(entry.pages.flatMap((page) => page.numbers ?? []))}`);
  if (!shown || (shown.entry.state === "failed" && entry.state === "read")) open(entry, 0);
  list();
  readNext();
}

/** Write the list of pictures, a button for each page. */
function list() {
  const items = entries.flatMap((entry) => (entry.pages ?? [null]).map((page, index) => item(entry, page, index)));
  byId("list").hidden = items.length < 2;
  byId("list").replaceChildren(...items);
  const done = entries.filter(({ state }) => state === "read" || state === "failed").length;
  document.title = done < entries.length ? `${done} of ${entries.length} – inkdigits` : "inkdigits";
}

const STATES = { waiting: "waits", reading: "being read…", failed: "could not be read" };

function item(entry, page, index) {
  const state = page?.error ? "failed" : entry.state;
  const words = page?.numbers ? count(page.numbers.length, "number") : STATES[state];
  const name = entry.file.name + ((entry.pages?.length ?? 1) > 1 ? `, page ${index + 1}` : "");
  const button = make("button", { type: "button", class: state, "aria-current": shown?.entry === entry && shown.index === index ? "true" : null }, make("b", {}, name), make("span", {}, words));
  button.addEventListener("click", () => open(entry, index));
  return make("li", {}, button);
}

function open(entry, index) {
  shown = { entry, index };
  const page = entry.pages?.[index] ?? null;
  list();
  if (!page?.numbers) {
    const problem = entry.problem ?? page?.error;
    viewer.show(entry.url, null);
    byId("photo-summary").textContent = "";
    byId("numbers").replaceChildren(make("p", { class: problem ? "problem" : "fine" }, problem ?? STATES[entry.state]));
    return;
  }
  refresh();
  const first = page.numbers.find((number) => number.doubtful) ?? page.numbers[0];
  if (first) choose(first);
  else showDigit(null, card);
}

/** Show the page that is looked at anew, after it was opened or corrected. */
function refresh() {
  const { entry, index } = shown;
  const page = entry.pages[index];
  const drawn = async () => {
    const pages = await explainPages(entry.file, ["upright-gray"]);
    return `data:image/png;base64,${pages[index].steps[0].png}`;
  };
  viewer.show(index ? "" : entry.url, page, drawn); // what no browser shows, and later pages, the service draws
  byId("photo-summary").textContent = summarize(page.numbers);
  byId("numbers").replaceChildren(table(page));
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
  const heads = columns.map((column) => make("th", { scope: "col" }, columns.length > 1 ? String.fromCharCode(64 + column) : "Number"));
  return make("table", {}, make("thead", {}, make("tr", {}, make("th", { scope: "col" }, "Line"), ...heads)), make("tbody", {}, ...rows));
}

function cell(number) {
  const fixed = number.readAs !== undefined;
  const kind = fixed ? "fixed" : number.doubtful ? "doubt" : "sure";
  const note = fixed ? `corrected, was read as ${number.readAs}` : number.doubtful ? "doubtful" : "sure";
  const button = make("button", { type: "button", class: `value ${kind}`, "aria-label": `${number.text}, ${note}. Correct` }, number.text, fixed ? make("sup", {}, "✓") : number.doubtful ? make("sup", {}, "?") : null);
  for (const name of ["pointerenter", "focus"]) button.addEventListener(name, () => choose(number));
  button.addEventListener("click", () => edit(number));
  return button;
}

/** Let a number be corrected where it stands in the table. */
function edit(number) {
  choose(number);
  const page = shown.entry.pages[shown.index];
  const button = byId("numbers").querySelectorAll(".value")[linesOf(page).flat().indexOf(number)];
  const input = make("input", { class: "value", value: number.text, inputmode: "decimal", autocomplete: "off", "aria-label": `Correct ${number.text}` });
  input.style.width = `${Math.max(4, number.text.length + 2)}ch`;
  let left = false;
  const leave = (keep) => {
    if (left) return;
    left = true;
    if (keep && NUMBER.test(input.value.trim())) correct(number, input.value.trim());
    refresh();
    byId("numbers").querySelectorAll(".value")[linesOf(page).flat().indexOf(number)].focus();
    viewer.mark(number);
  };
  input.addEventListener("input", () => input.setAttribute("aria-invalid", String(!NUMBER.test(input.value.trim()))));
  input.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== "Escape") return;
    event.preventDefault(); // or the key would press the button that comes back
    leave(event.key === "Enter");
  });
  input.addEventListener("blur", () => leave(true));
  button.replaceWith(input);
  input.focus();
  input.select();
}

function correct(number, text) {
  const read = number.readAs ?? number.text;
  number.text = text;
  if (text === read) delete number.readAs;
  else number.readAs = read;
  announce(`Corrected to ${text}.`);
  taken("All pictures, corrections included.");
}

function choose(number) {
  viewer.mark(number);
  const digits = number.digits;
  byId("photo-digits").replaceChildren(...digits.map((digit) => chip(digit, (each) => chooseDigit(each, number))));
  chooseDigit(digits.find((digit) => digit.doubtful) ?? digits[0], number);
}

function chooseDigit(digit, number) {
  const chips = [...byId("photo-digits").children];
  if (chips.length !== number.digits.length || byId("photo-digits").dataset.of !== key(number)) {
    byId("photo-digits").dataset.of = key(number);
    byId("photo-digits").replaceChildren(...number.digits.map((each) => chip(each, () => chooseDigit(each, number))));
    viewer.mark(number);
  }
  [...byId("photo-digits").children].forEach((each, index) => each.classList.toggle("chosen", number.digits[index] === digit));
  showDigit(digit ?? null, card);
}

const key = (number) => number.box.join();
