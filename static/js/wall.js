// The wall: live pictures, counts and the last events of all cameras shown.

import { live, refreshSoon } from "./live.js";
import { showPictures } from "./pictures.js";
import { show } from "./times.js";

const EVENTS_MAX = 12;
const WORDS = { in: "In", out: "Out", "": "Correction" };
const ticker = document.getElementById("ticker");

/** Counts are of people; vehicles are counted apart. */
function crossed(log) {
  const counts = document.getElementById(`counts-${log.camera_code}`);
  if (log.kind !== "people" || !counts || isKnown(log)) return;
  bump(counts, "in", log.entries);
  bump(counts, "out", log.exits);
  figure(counts, "now").textContent = log.current_count;
  const all = [...document.querySelectorAll('.tile-counts [data-count="now"] dd')];
  document.getElementById("inside").textContent = all.reduce((sum, one) => sum + Number(one.textContent), 0);
  tick(log, counts);
}

/** A page that was fetched a moment ago may hold it already. */
function isKnown(log) {
  return [...ticker.children].some((row) => row.dataset.key === log.event_id);
}

function figure(counts, name) {
  return counts.querySelector(`[data-count="${name}"] dd`);
}

function bump(counts, name, by) {
  figure(counts, name).textContent = Number(figure(counts, name).textContent) + by;
}

function tick(log, counts) {
  const row = document.getElementById("event").content.firstElementChild.cloneNode(true);
  row.dataset.key = log.event_id;
  row.classList.add("is-new");
  row.querySelector(".direction").dataset.direction = log.direction;
  row.querySelector('[data-field="direction"]').textContent = WORDS[log.direction];
  row.querySelector('[data-field="camera"]').textContent =
    document.getElementById(`open-${log.camera_code}`).textContent;
  show(row.querySelector("time"), log.occurred_at, counts.dataset);
  ticker.prepend(row);
  while (ticker.children.length > EVENTS_MAX) ticker.lastElementChild.remove();
}

live({ "streaming.camera": refreshSoon, "occupancy.occupancylog": crossed });
showPictures();
