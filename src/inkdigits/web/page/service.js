// The REST service, as functions.

import { byId } from "./dom.js";

const TRIES = 6; // while the service is busy

/** What the service could not do, in its own words. */
export class ServiceProblem extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export const readPages = (picture, signal) => post("v1/read", picture, signal).then(({ pages }) => pages);

export const classify = (picture, signal) => post("v1/classify", picture, signal);

/** The steps on one page of a document, from 1; a picture has one. */
export const explainPage = (picture, number, steps, signal) =>
  post(`v1/explain?${new URLSearchParams([["page", number], ...steps.map((step) => ["step", step])])}`, picture, signal).then(({ pages }) =>
    pages.find(({ page }) => page === number),
  );

export const describeModels = () => ask("v1/model");

function post(path, picture, signal) {
  const body = new FormData();
  body.append("file", picture, picture.name ?? "drawing.png");
  return ask(path, { method: "POST", body, signal });
}

async function ask(path, options = {}) {
  const declinedBefore = declined;
  for (let attempt = 1; ; attempt += 1) {
    const token = sessionStorage.getItem("token");
    let response;
    try {
      response = await fetch(path, { ...options, headers: token ? { Authorization: `Bearer ${token}` } : {} });
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new ServiceProblem(0, "The service does not answer. Is it still running?");
    }
    if (response.ok) return response.json();
    const problem = await response.json().catch(() => ({ detail: response.statusText }));
    if (response.status === 401) await askForToken(token, declinedBefore);
    else if (response.status === 503 && attempt < TRIES) await pause(Number(response.headers.get("Retry-After") ?? 1), options.signal);
    else throw new ServiceProblem(response.status, problem.detail);
  }
}

function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(signal.reason);
    });
  });
}

let asking = null; // while the dialog is open
let declined = 0; // times that it was closed without a token

/** Ask for the token once, however many requests need it; those that were sent before it was declined fail. */
async function askForToken(refused, declinedBefore) {
  if (refused !== sessionStorage.getItem("token")) return; // given in the meantime
  if (declined === declinedBefore) await (asking ??= openDialog(refused !== null));
  if (declined !== declinedBefore) throw new ServiceProblem(401, "The service asks for a token, and none was given.");
}

async function openDialog(isRefused) {
  const dialog = byId("ask-token");
  dialog.returnValue = ""; // as Escape leaves it
  dialog.showModal();
  byId("token").select();
  byId("token-problem").textContent = isRefused ? "The service refused that token." : "";
  await new Promise((resolve) => dialog.addEventListener("close", resolve, { once: true }));
  asking = null;
  if (dialog.returnValue === "given") sessionStorage.setItem("token", byId("token").value.trim());
  else declined += 1;
}

byId("token-cancel").addEventListener("click", () => byId("ask-token").close());
byId("ask-token").addEventListener("submit", (event) => {
  try {
    new Headers({ Authorization: byId("token").value });
  } catch {
    event.preventDefault();
    byId("token-problem").textContent = "A token cannot have these characters. Is the keyboard set to another script?";
  }
});
