// One WebSocket per page. Messages go to a handler by topic. Whenever the server says
// that it listens (at the start, after a break, and every half minute) the page is
// fetched anew and its [data-live] regions take the new content: so nothing missed
// stays missed, and midnight and worker troubles show without a reload.

import { minutes, refreshTimes } from "./times.js";

const ASK_EVERY_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const RETRY_FIRST_MS = 1_000;
const RETRY_MAX_MS = 30_000;
const LOST_AFTER_MS = 15_000;
const REFRESH_GAP_MS = 2_000;
const NOT_LOGGED_IN = 4401;
const NOT_ALLOWED = 4403;

const badge = document.getElementById("live");
const topics = (document.querySelector("[data-topics]")?.dataset.topics ?? "").split(" ");
let handlers = {};
let socket = null;
let failures = 0;
let brokeAt = null;
let nextAsk = null;
let unanswered = null;
let refreshing = null;
let refreshDue = null;
let waiting = [];

export function live(handlersByTopic) {
  handlers = handlersByTopic;
  if (badge) connect();
}

/** Fetch the page soon; calls in quick succession share one fetch. */
export function refreshSoon() {
  refreshDue ??= setTimeout(() => {
    refreshDue = null;
    refresh().catch(() => socket?.close());
  }, REFRESH_GAP_MS);
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/live/`);
  socket.addEventListener("open", ask);
  socket.addEventListener("message", (event) => receive(JSON.parse(event.data)));
  socket.addEventListener("close", (event) => lose(event.code));
}

function ask() {
  if (socket.readyState !== WebSocket.OPEN) return;
  socket.send(JSON.stringify({ subscribe: topics }));
  clearTimeout(unanswered);
  unanswered = setTimeout(() => socket.close(), ANSWER_WITHIN_MS);
}

function receive(message) {
  if (message.subscribed) {
    clearTimeout(unanswered);
    refresh().then(stayLive, () => socket.close());
  } else if (refreshing) {
    waiting.push(message);
  } else {
    handlers[message.topic]?.(message.data);
  }
}

function stayLive() {
  if (socket.readyState !== WebSocket.OPEN) return;
  if (brokeAt) document.dispatchEvent(new Event("live-again"));
  failures = 0;
  brokeAt = null;
  tell("live", "live");
  clearTimeout(nextAsk);
  nextAsk = setTimeout(ask, ASK_EVERY_MS);
}

function lose(code) {
  clearTimeout(unanswered);
  clearTimeout(nextAsk);
  brokeAt ??= new Date();
  showBreak();
  // The page knows better what to show to whoever was logged out or lost a role.
  if (code === NOT_LOGGED_IN || code === NOT_ALLOWED) refresh().catch(() => {});
  if (code === NOT_ALLOWED) return;
  const delay_ms = Math.min(RETRY_MAX_MS, RETRY_FIRST_MS * 2 ** failures++);
  setTimeout(connect, delay_ms * (0.5 + Math.random() / 2));
}

function showBreak() {
  if (!brokeAt) return;
  if (Date.now() - brokeAt < LOST_AFTER_MS) {
    tell("reconnecting", "reconnecting");
    setTimeout(showBreak, LOST_AFTER_MS);
  } else {
    const zone = document.querySelector("[data-clock]")?.dataset.clock;
    tell("lost", `not live since ${minutes(brokeAt, zone)}`);
  }
}

function tell(state, text) {
  badge.dataset.state = state;
  const words = badge.querySelector("[data-text]");
  if (words.textContent !== text) words.textContent = text;
}

async function refresh() {
  refreshing ??= fetchRegions().finally(() => (refreshing = null));
  await refreshing;
  for (const message of waiting.splice(0)) handlers[message.topic]?.(message.data);
}

async function fetchRegions() {
  const response = await fetch(location.href, { cache: "no-store" });
  if (response.redirected || [403, 404].includes(response.status)) location.reload();
  if (!response.ok) throw new Error(`The page answered ${response.status}.`);
  const page = new DOMParser().parseFromString(await response.text(), "text/html");
  for (const region of document.querySelectorAll("[data-live]")) {
    renew(region, page.getElementById(region.id));
  }
  refreshTimes();
}

/** Take the new content, without moving what the pointer or the keyboard is on. */
function renew(region, fresh) {
  if (!fresh || region.innerHTML === fresh.innerHTML || region.closest("[data-held]")) return;
  const focused = region.contains(document.activeElement) && document.activeElement.id;
  region.replaceChildren(...fresh.childNodes);
  if (focused) document.getElementById(focused)?.focus();
}
