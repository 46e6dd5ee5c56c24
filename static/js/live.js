// One WebSocket per page. Messages go to a handler by topic. Whenever the server says
// that it listens (at the start, after a break, and every half minute) the page is
// fetched anew and its [data-live] regions take the new content: so nothing missed
// stays missed, and midnight and worker troubles show without a reload.

import { renewAll } from "./renew.js";
import { retryDelay } from "./retry.js";
import { minutes, refreshTimes } from "./times.js";

const ASK_EVERY_MS = 30_000;
const ANSWER_WITHIN_MS = 10_000;
const LOST_AFTER_MS = 15_000;
const REFRESH_GAP_MS = 2_000;
const NOT_LOGGED_IN = 4401;
const NOT_ALLOWED = 4403;

const badge = document.getElementById("live");
const topics = topicsOf(document);
const handlers = [];
let socket = null;
let failures = 0;
let brokeAt = null;
let nextAsk = null;
let unanswered = null;
let refreshing = null;
let refreshDue = null;
let waiting = [];

/** Add handlers by topic; several scripts of a page may each have their own. */
export function live(handlersByTopic) {
  handlers.push(handlersByTopic);
}

/** Fetch the page soon; calls in quick succession share one fetch. */
export function refreshSoon() {
  refreshDue ??= setTimeout(() => {
    refreshDue = null;
    refresh().catch(() => socket?.close());
  }, REFRESH_GAP_MS * (0.5 + Math.random() / 2));
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
    handle(message);
  }
}

function handle(message) {
  for (const byTopic of handlers) byTopic[message.topic]?.(message.data);
}

function stayLive() {
  if (socket.readyState !== WebSocket.OPEN) return;
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
  setTimeout(connect, retryDelay(failures++));
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
  waiting.splice(0).forEach(handle);
}

async function fetchRegions() {
  const response = await fetch(location.href, { cache: "no-store" });
  if (response.redirected || [403, 404].includes(response.status)) location.reload();
  if (!response.ok) throw new Error(`The page answered ${response.status}.`);
  const page = parse(await response.text());
  // Another role may see more or less: then the whole page is another one.
  if (topicsOf(page).join() !== topics.join()) location.reload();
  renew(page);
}

function topicsOf(page) {
  const regions = [...page.querySelectorAll("[data-topics]")];
  return [...new Set(regions.flatMap((one) => one.dataset.topics.split(" ")).filter(Boolean))];
}

/** Take the answer to a form: this page anew, with what the server says about it. */
export function take(html) {
  const page = parse(html);
  document.getElementById("messages").replaceChildren(...page.getElementById("messages").childNodes);
  renew(page);
}

function parse(html) {
  return new DOMParser().parseFromString(html, "text/html");
}

function renew(page) {
  renewAll(page);
  refreshTimes();
}

// All scripts of the page have their handlers in place by then.
if (badge && topics.length) document.addEventListener("DOMContentLoaded", connect);
