// Readings as text, CSV and JSON, corrections included.

import { isFixed, kept, linesOf } from "./reading.js";

const FIELDS = ["source", "page", "region", "line", "column", "text", "confidence", "doubtful", "x", "y", "w", "h", "read_as"];

export const toText = (pages) =>
  pages.map(({ numbers }) => linesOf({ numbers: kept(numbers) }).map((line) => line.map(({ text }) => text).join(" ")).join("\n")).join("\n\n");

/** A row a number, as `inkdigits read --csv` writes it; `read_as` is what stood there before a correction. */
export function toCsv(pages) {
  const rows = pages.flatMap((page) =>
    kept(page.numbers).map((number) => [
      page.source,
      page.page,
      number.region,
      number.line,
      number.column,
      number.text,
      number.confidence,
      number.doubtful && !isFixed(number) ? "True" : "False",
      ...number.box,
      number.readAs,
    ]),
  );
  return [FIELDS, ...rows].map((row) => row.map(cell).join(",")).join("\n") + "\n";
}

function cell(value) {
  const text = String(value ?? "");
  return /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The service's dictionaries; a corrected number also says how it was read, and has no digits. One struck out has an empty text. */
export function toJson(pages) {
  const corrected = pages.map((page) => ({
    ...page,
    text: toText([page]),
    numbers: page.numbers.map(({ readAs, ...number }) => (readAs === undefined ? number : { ...number, doubtful: false, digits: [], read_as: readAs })),
  }));
  return JSON.stringify({ pages: corrected }, null, 1) + "\n";
}

/** Put text on the clipboard, and say whether that worked; over plain HTTP from elsewhere, only the old way does. */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    const { activeElement } = document;
    const area = document.createElement("textarea");
    area.value = text;
    document.body.append(area);
    area.select();
    const isDone = document.execCommand("copy");
    area.remove();
    activeElement.focus();
    return isDone;
  }
}

/** Hand a file to the browser to save. */
export function save(content, name, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}
