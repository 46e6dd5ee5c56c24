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
  const words = `${log.plate_number || "No plate"} ${standing(log)}`;
  said.textContent = words;
  const shown = last.querySelector(`[data-key="${log.id}"]`);
  // Whoever is about to open is told that somebody else has just refused.
  const isRefusedNow = log.denied_at && shown && !("denied" in shown.dataset);
  if ("held" in last.dataset && (!shown || isRefusedNow)) {
    button.textContent = `New: ${words}`;
    button.hidden = false;
  }
  refreshSoon();
}

/** What became of it, the last thing first: what the barrier did, a person, the rules. */
function standing(log) {
  const call = log.barrier_call;
  const isAfter = call && !(log.denied_at && Date.parse(log.denied_at) > Date.parse(call.asked_at));
  const words = log.denied_at ? `denied by ${log.denied_by ?? "somebody"}` : (WORDS[log.status] ?? log.status);
  return isAfter ? `${words}, ${call.result === "opened" ? "opened" : "did not open"}` : words;
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
