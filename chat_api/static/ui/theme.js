/** Light or dark: the system's choice until the person makes one (early.js puts it back). */

import { byId } from "./dom.js";
import { remember } from "./storage.js";

const system = matchMedia("(prefers-color-scheme: dark)");
const root = document.documentElement;
const isDark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);

const show = () => byId("dark").setAttribute("aria-pressed", String(isDark()));

/** Let the button in the side bar change it. */
export function initTheme() {
  byId("dark").addEventListener("click", () => {
    root.dataset.theme = isDark() ? "light" : "dark";
    remember("theme", root.dataset.theme);
    show();
  });
  system.addEventListener("change", show);
  show();
}
