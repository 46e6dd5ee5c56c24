// Occupancy now: numbers and bars change at once; what else a page shows, such as the
// charts, is fetched at most once in a while, as many people may cross in a second.

import { live, refreshSoon } from "./live.js";

const EVERY_MS = 10_000;
const WORDS = { normal: "has room again", amber: "is getting full", red: "is over its capacity" };

const said = document.getElementById("said");
let lastAt = -Infinity;
let due = null;

function changed() {
  due ??= setTimeout(() => {
    due = null;
    lastAt = performance.now();
    refreshSoon();
  }, Math.max(0, lastAt + EVERY_MS - performance.now()));
}

function show(id, count) {
  const place = document.getElementById(id);
  const figure = place?.querySelector("[data-count]");
  if (figure) figure.textContent = count;
  const room = place?.querySelector(".room");
  if (figure && room) fill(room, count, place.dataset.name);
  changed();
}

/** Show how full it is, and tell screen readers when that has another name. */
function fill(room, count, name) {
  const capacity = Number(room.dataset.capacity);
  const isAmber = count >= Number(room.dataset.amber);
  const level = count > capacity ? "red" : isAmber ? "amber" : "normal";
  if (level !== room.dataset.level) said.textContent = `${name} ${WORDS[level]}: ${count} of ${capacity}.`;
  room.dataset.level = level;
  const percent = Math.min(100, Math.round((100 * count) / capacity));
  room.querySelector(".room-taken").setAttribute("width", `${percent}%`);
}

function crossed(log) {
  if (log.kind === "people") show(`camera-${log.camera_code}`, log.current_count);
  else changed();
}

live({
  "occupancy.area": (area) => show(`area-${area.id}`, area.current_count),
  "occupancy.zone": (zone) => show(`zone-${zone.id}`, zone.live_count),
  "occupancy.occupancylog": crossed,
});
