// The camera's page: its picture, and counts and crossings as they come.

import { live, refreshSoon } from "./live.js";
import { showPictures } from "./pictures.js";
import { refreshTimes, show } from "./times.js";

const ROWS_MAX = 20;
const SAY_AFTER_MS = 5_000;
const HOLD_MS = 5_000;
const WORDS = { in: "In", out: "Out", "": "Correction" };

const counts = document.getElementById("counts");
const list = document.getElementById("crossings");
const heldButton = document.getElementById("held");
const main = document.getElementById("content");
let held = [];
let holding = null;
let saying = null;

/** Counts are of people; vehicles are counted apart. */
function crossed(log) {
  if (log.kind !== "people" || !list || String(log.camera) !== list.dataset.camera || isKnown(log)) return;
  if (!figure("now")) return refreshSoon();
  bump("in", log.entries);
  bump("out", log.exits);
  figure("now").textContent = log.current_count;
  sayCounts();
  if (main.matches("[data-held]")) hold(log);
  else add(log);
}

/** Rows are numbered in the order in which the camera's count followed from them. */
function isKnown(log) {
  const rows = [...list.children].map((row) => Number(row.dataset.id));
  return Math.max(0, ...rows, ...held.map((one) => one.id)) >= log.id;
}

function figure(name) {
  return counts.querySelector(`[data-count="${name}"] dd`);
}

function bump(name, by) {
  figure(name).textContent = Number(figure(name).textContent) + by;
}

function add(log) {
  const row = document.getElementById("crossing").content.firstElementChild.cloneNode(true);
  const field = (name) => row.querySelector(`[data-field="${name}"]`);
  row.dataset.id = log.id;
  row.dataset.event = log.event_id;
  row.classList.add("is-new");
  row.querySelector(".direction").dataset.direction = log.direction;
  field("direction").textContent = WORDS[log.direction];
  field("line").textContent = log.line_name ?? "";
  field("count").textContent = log.current_count;
  field("drift").hidden = !log.is_drift;
  show(row.querySelector("time"), log.occurred_at, list.dataset);
  place(row);
  while (list.children.length > ROWS_MAX) list.lastElementChild.remove();
  refreshTimes();
}

/** Newest first by when it happened: what waited on disk may arrive late. */
function place(row) {
  const at = (one) => Date.parse(one.querySelector("time").dateTime);
  const older = [...list.children].find((one) => at(one) <= at(row));
  list.insertBefore(row, older ?? null);
}

function hold(log) {
  held.push(log);
  heldButton.textContent = `${held.length} new`;
  heldButton.hidden = false;
}

/** Rows stay where they are while the pointer moves over them. */
function holdAWhile() {
  main.dataset.held = "";
  clearTimeout(holding);
  holding = setTimeout(release, HOLD_MS);
}

function release() {
  clearTimeout(holding);
  delete main.dataset.held;
  heldButton.hidden = true;
  for (const log of held.splice(0)) add(log);
}

/** Tell screen readers where the counts stand, at most once in a few seconds. */
function sayCounts() {
  saying ??= setTimeout(() => {
    saying = null;
    const [now, came, left] = ["now", "in", "out"].map((name) => figure(name).textContent);
    document.getElementById("said").textContent = `${now} inside. Today ${came} in, ${left} out.`;
  }, SAY_AFTER_MS);
}

/** The rows of who was seen are few: the server writes them. */
function seen(log) {
  if (String(log.camera) === document.getElementById("identities").dataset.camera) refreshSoon();
}

live({ "identity.accesslog": seen, "occupancy.occupancylog": crossed, "streaming.camera": refreshSoon });

list?.addEventListener("pointermove", holdAWhile);
list?.addEventListener("pointerleave", release);
heldButton?.addEventListener("click", release);
showPictures();
