// Times as the server writes them: in the site's own zone, with how long ago beside it.

const AGO_EVERY_MS = 10_000;
const ago = new Intl.RelativeTimeFormat("en-GB");
const UNITS = [["day", 86_400], ["hour", 3_600], ["minute", 60], ["second", 1]];

function parts(at, zone) {
  const format = new Intl.DateTimeFormat("en-GB", {
    timeZone: zone, hourCycle: "h23", year: "numeric", month: "2-digit", day: "2-digit",
    hour: "2-digit", minute: "2-digit", second: "2-digit",
  });
  const of = Object.fromEntries(format.formatToParts(at).map((p) => [p.type, p.value]));
  return { date: `${of.year}-${of.month}-${of.day}`, time: `${of.hour}:${of.minute}:${of.second}` };
}

export function minutes(at, zone) {
  return parts(at, zone).time.slice(0, 5);
}

function brief(at, zone) {
  const { date, time } = parts(at, zone);
  if (date === parts(new Date(), zone).date) return time;
  const day = new Intl.DateTimeFormat("en-GB", { timeZone: zone, day: "numeric", month: "short" });
  return `${day.format(at)} ${time}`;
}

export function show(element, instant, { zone, zoneName }) {
  const at = new Date(instant);
  const { date, time } = parts(at, zone);
  element.dateTime = at.toISOString();
  element.title = `${date} ${time} ${zoneName}`;
  element.textContent = brief(at, zone);
}

export function timeAgo(at, now = Date.now()) {
  const passed_s = Math.floor((now - at) / 1000);
  const [unit, seconds] = UNITS.find(([, size]) => passed_s >= size) ?? [];
  return unit ? ago.format(-Math.floor(passed_s / seconds), unit) : "now";
}

export function refreshTimes() {
  for (const element of document.querySelectorAll("[data-ago]")) {
    const time = element.parentElement.querySelector("time");
    if (time.dateTime) element.textContent = timeAgo(Date.parse(time.dateTime));
  }
  for (const clock of document.querySelectorAll("[data-clock]")) {
    clock.textContent = minutes(new Date(), clock.dataset.clock);
  }
}

setInterval(refreshTimes, AGO_EVERY_MS);
