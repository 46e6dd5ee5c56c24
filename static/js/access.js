// The access page: who is seen appears at the top at once, and the server's own page
// sets everything right a moment later.

import { live, refreshSoon } from "./live.js";
import { Holding } from "./rows.js";
import { refreshTimes, show } from "./times.js";

const ROWS_MAX = 50;
const SAY_AFTER_MS = 5_000;

const list = document.getElementById("sightings");
const said = document.getElementById("said");
const holding = new Holding(list, document.getElementById("held"));

let saying = null;

function seen(log) {
  refreshSoon();
  saying ??= setTimeout(say, SAY_AFTER_MS);
  // Filters are the server's to apply; and what is read stays where it is.
  if ("open" in list.dataset && !holding.isHeld && !rowOf(log.id) && isNewest(log)) add(log);
}

/** Tell screen readers who came last, at most once in a few seconds. */
function say() {
  saying = null;
  const [who, decision, camera] = [".row-open", ".decision", ".sighting-where"].map((part) => list.querySelector(part)?.textContent.trim());
  if (who) said.textContent = `${who}, ${decision}, ${camera}`;
}

function rowOf(id) {
  return list.querySelector(`[data-key="${id}"]`);
}

/** What waited on disk may come late: the server knows its place. */
function isNewest(log) {
  const first = list.querySelector("time");
  return !first || Date.parse(first.dateTime) <= Date.parse(log.occurred_at);
}

function add(log) {
  const rows = document.getElementById("new-rows").content;
  const row = rows.querySelector(`li[data-decision="${log.decision}"]`).cloneNode(true);
  const field = (name) => row.querySelector(`[data-field="${name}"]`);
  row.dataset.key = log.id;
  row.dataset.version = [log.decision, log.employee?.id ?? "", log.unknown_sightings ?? "", log.flagged ? "flagged" : ""].join(" ");
  row.classList.add("is-new");
  if (log.snapshot_url) field("picture").src = log.snapshot_url;
  field("camera").textContent = log.camera_name;
  sayWho(log, field("who"), field("more"));
  show(row.querySelector("time"), log.occurred_at, { zone: log.time_zone, zoneName: log.time_zone });
  list.prepend(row);
  while (list.children.length > ROWS_MAX) list.lastElementChild.remove();
  refreshTimes();
}

function sayWho(log, who, more) {
  who.id = `sighting-${log.id}`;
  who.href = `${who.getAttribute("href")}/${log.id}`;
  if (log.employee) who.textContent = `${log.employee.code} ${log.employee.name}`;
  else if (log.unknown_person) who.textContent = `Stranger ${log.unknown_person}`;
  if (log.unknown_person && !log.employee) {
    more.textContent = `${log.unknown_sightings} visit${log.unknown_sightings === 1 ? "" : "s"}`;
  }
}

/** Count what the page would show more, if it were not held. */
function count({ detail: page }) {
  if (!holding.isHeld) return;
  const known = new Set([...list.children].map((row) => row.dataset.key));
  const fresh = [...page.getElementById("sightings").children];
  const number = fresh.findIndex((row) => known.has(row.dataset.key));
  const more = number < 0 ? fresh.length : number;
  if (more) holding.tell(`${more}${number < 0 ? " or more" : ""} new`);
}

document.addEventListener("renewed", count);
live({ "identity.accesslog": seen });
