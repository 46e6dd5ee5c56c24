// The muster list: whoever or whatever is seen, comes or goes, it is counted anew. At a
// busy gate that is all the time, and a long list is read rather than watched.

import { live, refreshSoon } from "./live.js";

const COUNT_EVERY_MS = 5_000;
let due = null;

function countSoon() {
  due ??= setTimeout(() => {
    due = null;
    refreshSoon();
  }, COUNT_EVERY_MS);
}

live({
  "identity.accesslog": countSoon,
  "attendance.attendancerecord": countSoon,
  "vehicles.vehiclelog": countSoon,
});
