// The inbox of alerts and the page of one: handled without a reload, and by keyboard.

import { live, refreshSoon, take } from "./live.js";

const HOLD_MS = 5_000;

const main = document.getElementById("content");
const list = document.getElementById("unresolved");
const held = document.getElementById("held");
const search = document.getElementById("search");
let holding = null;

/** Send a form as the button would, and show the page that the server answers with. */
async function send(form, button) {
  const values = new FormData(form);
  const address = button?.getAttribute("formaction") ?? form.action;
  try {
    const response = await fetch(address, { method: "POST", body: values });
    const isHere = new URL(response.url).pathname === location.pathname;
    if (!response.ok || !isHere) throw new Error(`The page answered ${response.status}.`);
    form.reset();
    release();
    take(await response.text());
  } catch {
    // The server's own page says best what is wrong.
    form.action = address;
    form.submit();
  }
}

/** Rows stay where they are while the pointer moves over them. */
function holdAWhile() {
  list.dataset.held = "";
  clearTimeout(holding);
  holding = setTimeout(letGo, HOLD_MS);
}

function release() {
  clearTimeout(holding);
  if (!list) return;
  delete list.dataset.held;
  held.hidden = true;
}

function letGo() {
  const isBehind = !held.hidden;
  release();
  if (isBehind) refreshSoon();
}

function links() {
  return [...document.querySelectorAll(".alert-open")];
}

/** Go to the next or previous row, or to the first one when none has the focus. */
function move(by) {
  const all = links();
  const at = all.findIndex((link) => link.closest("li").contains(document.activeElement));
  const next = all[at < 0 ? 0 : Math.min(all.length - 1, Math.max(0, at + by))];
  next?.focus();
}

function acknowledge() {
  const place = document.activeElement?.closest("li.alert, .alert-head") ?? document.querySelector(".alert-head");
  place?.querySelector("[data-acknowledge]")?.click();
}

function leave() {
  if (main.dataset.back && document.activeElement === document.body) location.href = main.dataset.back;
  else document.activeElement?.blur();
}

const KEYS = {
  j: () => move(1),
  k: () => move(-1),
  a: acknowledge,
  "/": () => search?.focus(),
  Escape: leave,
};

document.addEventListener("keydown", (event) => {
  const isTyping = event.target.matches("input, select, textarea");
  if (event.ctrlKey || event.altKey || event.metaKey || (isTyping && event.key !== "Escape")) return;
  if (!(event.key in KEYS)) return;
  event.preventDefault();
  KEYS[event.key]();
});

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".alert-form")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

list?.addEventListener("pointermove", holdAWhile);
list?.addEventListener("pointerleave", letGo);
held?.addEventListener("click", letGo);
document.getElementById("keys")?.removeAttribute("hidden");

live({
  "alerts.alert": () => {
    if (list?.matches("[data-held]")) held.hidden = false;
  },
});
