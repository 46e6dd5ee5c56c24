// Lists of rows: gone through by keyboard, and held still while somebody reads them.

import { refreshSoon } from "./live.js";

const HOLD_MS = 5_000;
const SCROLLED_PX = 200;
const LINKS = ".alert-open, .row-open";

const main = document.getElementById("content");
const search = document.getElementById("search");

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  "/": () => search?.focus(),
  Escape: leave,
};

/** Give the page one more key. */
export function addKey(key, action) {
  KEYS[key] = action;
}

/** Go to the next or previous row, or to the first one when none has the focus. */
function move(by) {
  const all = [...document.querySelectorAll(LINKS)];
  const at = all.findIndex((link) => link.closest("li").contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
}

function leave() {
  if (main.dataset.back && document.activeElement === document.body) location.href = main.dataset.back;
  else document.activeElement?.blur();
}

/**
 * Let rows stay where they are while the pointer moves over them, or while the reader
 * has scrolled down. `button` shows that there is more, and brings it.
 */
export class Holding {
  #list;
  #button;
  #timer = null;

  constructor(list, button) {
    this.#list = list;
    this.#button = button;
    list.addEventListener("pointermove", () => this.#holdAWhile());
    list.addEventListener("pointerleave", () => this.#letGoUnlessScrolled());
    button.addEventListener("click", () => {
      scrollTo({ top: 0 });
      this.letGo();
    });
    document.addEventListener("scroll", () => (isScrolled() ? this.#hold() : this.#letGoUnlessScrolled()));
  }

  get isHeld() {
    return this.#list.matches("[data-held]");
  }

  /** Say that something came. */
  tell(words) {
    this.#button.textContent = words;
    this.#button.hidden = false;
  }

  release() {
    clearTimeout(this.#timer);
    delete this.#list.dataset.held;
    this.#button.hidden = true;
  }

  letGo() {
    const isBehind = !this.#button.hidden;
    this.release();
    if (isBehind) refreshSoon();
  }

  #hold() {
    this.#list.dataset.held = "";
    clearTimeout(this.#timer);
  }

  #holdAWhile() {
    this.#hold();
    this.#timer = setTimeout(() => this.#letGoUnlessScrolled(), HOLD_MS);
  }

  #letGoUnlessScrolled() {
    if (isScrolled()) this.#hold();
    else this.letGo();
  }
}

function isScrolled() {
  return scrollY > SCROLLED_PX;
}

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea");
  if (event.ctrlKey || event.altKey || event.metaKey || (isTyping && event.key !== "Escape")) return;
  if (!(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.getElementById("keys")?.removeAttribute("hidden");
