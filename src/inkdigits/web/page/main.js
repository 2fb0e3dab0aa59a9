// The page: which part of it is shown, and in which colors.

import { byId } from "./dom.js";
import * as draw from "./draw.js";
import * as how from "./how.js";
import * as photo from "./photo.js";

const VIEWS = ["draw", "photo", "how"];
const THEMES = { auto: "as the system", light: "light", dark: "dark" };
let last = "draw"; // of the two that hold a picture

function showView() {
  const chosen = VIEWS.includes(location.hash.slice(1)) ? location.hash.slice(1) : "draw";
  for (const view of VIEWS) {
    byId(view).hidden = view !== chosen;
    document.querySelector(`nav a[href="#${view}"]`).ariaCurrent = view === chosen ? "page" : null;
  }
  if (chosen === "how") how.show(last === "photo" ? photo.current() : draw.drawing());
  else last = chosen;
  scrollTo(0, 0);
}

function setTheme(theme) {
  localStorage.setItem("theme", theme);
  document.documentElement.dataset.theme = theme;
  byId("theme").setAttribute("aria-label", `Colors: ${THEMES[theme]}`);
  byId("theme").title = `Colors: ${THEMES[theme]}`;
  draw.redraw();
}

draw.start();
photo.start(() => {
  location.hash = "photo";
});
const names = Object.keys(THEMES);
setTheme(names.includes(localStorage.getItem("theme")) ? localStorage.getItem("theme") : "auto");
byId("theme").addEventListener("click", () => setTheme(names[(names.indexOf(document.documentElement.dataset.theme) + 1) % names.length]));
addEventListener("hashchange", showView);
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault(); // the hash says which view is shown
  byId("main").focus();
});
showView();
