// The day board and the page of a day: kept up to date while people arrive. At the
// start of a shift thousands do within minutes, and each would have the page fetched.

import { live, refreshSoon } from "./live.js";
import { Holding } from "./rows.js";

const EVERY_MS = 10_000;

const list = document.getElementById("days");
const holding = list && new Holding(list, document.getElementById("held"));
const tickAll = document.getElementById("tick-all");
let lastAt = -Infinity;
let due = null;

/** Fetch the page at once, and then at most once in a while. */
function changed() {
  due ??= setTimeout(() => {
    due = null;
    lastAt = performance.now();
    refreshSoon();
  }, Math.max(0, lastAt + EVERY_MS - performance.now()));
  if (holding?.isHeld) holding.tell("Changes");
}

live({ "attendance.attendancerecord": changed });

if (tickAll) {
  tickAll.hidden = false;
  tickAll.addEventListener("click", () => {
    for (const box of document.querySelectorAll("[name=record]")) box.checked = true;
  });
}
