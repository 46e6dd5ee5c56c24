// The gate page: the last vehicle and the visits before it come by themselves, but never
// under the hand of somebody who opens, blocks or names one.

import { live, refreshSoon } from "./live.js";
import { addKey, Holding } from "./rows.js";

const HOLD_MS = 5_000;
const WORDS = { authorized: "authorized", blocked: "BLOCKED", unknown: "unknown", rejected: "not read" };

const main = document.getElementById("content");
const last = document.getElementById("last");
const visits = document.getElementById("visits");
const button = document.getElementById("held-last");
const said = document.getElementById("said");
const holding = new Holding(visits, document.getElementById("held"));
let idle = null;

/** Keep the last vehicle where it is while somebody is at its forms. */
function hold() {
  last.dataset.held = "";
  clearTimeout(idle);
  idle = setTimeout(letGoUnlessTyped, HOLD_MS);
}

function letGoUnlessTyped() {
  if (isTyped()) hold();
  else letGo();
}

function isTyped() {
  return [...last.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);
}

function letGo() {
  clearTimeout(idle);
  delete last.dataset.held;
  if (button.hidden) return;
  button.hidden = true;
  refreshSoon();
}

/** What was typed belongs to the vehicle that was there. */
function showNew() {
  for (const form of last.querySelectorAll("form")) form.reset();
  letGo();
}

function came(log) {
  if (main.dataset.gate && String(log.gate) !== main.dataset.gate) return;
  const words = `${log.plate_number || "No plate"} ${WORDS[log.status] ?? log.status}`;
  said.textContent = words;
  if ("held" in last.dataset && !last.querySelector(`[data-key="${log.id}"]`)) {
    button.textContent = `New: ${words}`;
    button.hidden = false;
  }
  refreshSoon();
}

/** Count what the list would show more, if it were not held. */
function count({ detail: page }) {
  if (!holding.isHeld) return;
  const known = new Set([...visits.children].map((row) => row.dataset.key));
  const fresh = [...page.getElementById("visits").children];
  const more = fresh.findIndex((row) => known.has(row.dataset.key));
  if (more > 0) holding.tell(`${more} new`);
}

for (const event of ["pointermove", "focusin", "input"]) last.addEventListener(event, hold);
last.addEventListener("pointerleave", letGoUnlessTyped);
button.addEventListener("click", showNew);
document.addEventListener("renewed", count);
addKey("o", () => last.querySelector("[data-open]")?.focus());
live({ "vehicles.vehiclelog": came });
