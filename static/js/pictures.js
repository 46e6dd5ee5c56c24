// Live pictures: all that a page shows come over one socket, so that many tiles never
// wait for each other's connections. Only what can be seen is asked for. The server
// sends a camera's next picture when the last one is drawn, and a picture that nothing
// follows is taken away: nobody must take an old one for the present.

import { live } from "./live.js";
import { retryDelay } from "./retry.js";

const TILE_WIDTH = 480;
const CAMERAS_MAX = 64;
// The server says so sooner, unless it cannot be heard.
const STALE_AFTER_MS = 10_000;
// A connection may end without a word, as when a network goes away.
const ASK_AGAIN_AFTER_MS = 15_000;
const ANSWER_WITHIN_MS = 15_000;
const ALONE_AFTER_MS = 5_000;
const LOOK_EVERY_MS = 1_000;
const ASK_AFTER_MS = 150;
const NOT_LOGGED_IN = 4401;
const NOT_ALLOWED = 4403;
const NAME = new TextDecoder("ascii");

const seen = new IntersectionObserver(look, { rootMargin: "10%" });
const shown = new Map(); // by code, those in sight: { element, drawnAt }
let socket = null;
let brokeAt = null;
let failures = 0;
let asked = "";
let asking = null;
let heardAt = 0;
let askedAgainAt = 0;

/** Show the pictures of all .live-picture elements that name a camera. */
export function showPictures() {
  for (const element of document.querySelectorAll(".live-picture[data-camera]")) {
    seen.observe(element);
  }
  connect();
  live({ "streaming.camera": takeAwayLost });
  setInterval(takeAwayStale, LOOK_EVERY_MS);
  setInterval(listen, LOOK_EVERY_MS);
  document.addEventListener("visibilitychange", hideOrAsk);
  document.addEventListener("renewed", () => {
    for (const element of document.querySelectorAll(".live-picture[data-camera]")) {
      seen.observe(element);
    }
  });
}

function look(entries) {
  for (const { target, isIntersecting } of entries) {
    const code = target.dataset.camera;
    if (isIntersecting && shown.get(code)?.element !== target) {
      shown.set(code, { element: target, drawnAt: performance.now() });
      say(target, target.dataset.words);
    } else if (!isIntersecting && shown.get(code)?.element === target) {
      shown.delete(code);
      say(target, "");
    }
  }
  askSoon();
}

function connect() {
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  socket = new WebSocket(`${scheme}://${location.host}/ws/pictures/`);
  socket.binaryType = "arraybuffer";
  socket.addEventListener("open", () => {
    asked = "";
    heardAt = performance.now();
    brokeAt = null;
    askSoon();
  });
  socket.addEventListener("message", receive);
  socket.addEventListener("close", ({ code, target }) => {
    if (target === socket) lose(code);
  });
}

function lose(code) {
  socket = null;
  brokeAt ??= performance.now();
  if (code !== NOT_LOGGED_IN && code !== NOT_ALLOWED) setTimeout(connect, retryDelay(failures++));
}

/** Scrolling brings many tiles into sight at once: ask for them together. */
function askSoon() {
  asking ??= setTimeout(() => {
    asking = null;
    ask();
  }, ASK_AFTER_MS);
}

function ask() {
  const watch = document.hidden ? [] : [...shown.keys()].slice(0, CAMERAS_MAX);
  const message = JSON.stringify({ watch, size: size() });
  if (message === asked || socket?.readyState !== WebSocket.OPEN) return;
  asked = message;
  socket.send(message);
}

/** Find out whether a server that says nothing is there still: it answers what it is asked. */
function listen() {
  const now = performance.now();
  if (socket?.readyState !== WebSocket.OPEN || now - heardAt < ASK_AGAIN_AFTER_MS) return;
  if (askedAgainAt < heardAt) {
    askedAgainAt = now;
    asked = "";
    ask();
  } else if (now - askedAgainAt > ANSWER_WITHIN_MS) {
    // The browser alone would wait for an answer to its goodbye, too.
    socket.close();
    lose();
  }
}

/** Ask for small pictures where large ones would only be shrunk, or cost money. */
function size() {
  const widths = [...shown.values()].map(({ element }) => element.clientWidth);
  const pixels = Math.max(0, ...widths) * devicePixelRatio;
  const isFew = document.querySelectorAll(".live-picture[data-camera]").length === 1;
  return isFew && pixels > TILE_WIDTH && !navigator.connection?.saveData ? "full" : "tile";
}

async function receive({ data, target }) {
  heardAt = performance.now();
  if (typeof data === "string") return told(JSON.parse(data));
  const bytes = new Uint8Array(data);
  const end = 1 + bytes[0];
  const code = NAME.decode(bytes.subarray(1, end));
  failures = 0;
  try {
    await draw(code, new Blob([bytes.subarray(end)], { type: "image/jpeg" }));
  } finally {
    // Also for a damaged picture: without the word no other would come.
    if (target.readyState === WebSocket.OPEN) target.send(JSON.stringify({ drawn: code }));
  }
}

async function draw(code, jpeg) {
  const bitmap = await createImageBitmap(jpeg);
  const one = shown.get(code);
  if (one && !document.hidden) {
    const canvas = one.element.querySelector("canvas");
    if (canvas.width !== bitmap.width) canvas.width = bitmap.width;
    if (canvas.height !== bitmap.height) canvas.height = bitmap.height;
    canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
    one.drawnAt = performance.now();
    one.element.classList.add("has-picture");
  }
  bitmap.close();
}

function told({ watching, lost, title, reason, error }) {
  if (watching) failures = 0;
  if (error) console.warn(error);
  const one = shown.get(lost);
  if (one) say(one.element, [title, reason].filter(Boolean).join(", "));
}

/** Take the picture away and put words in its place. */
function say(element, words) {
  const canvas = element.querySelector("canvas");
  element.classList.remove("has-picture");
  canvas.getContext("2d", { alpha: false }).clearRect(0, 0, canvas.width, canvas.height);
  const place = element.querySelector(".picture-words");
  if (place.textContent !== words) place.textContent = words;
}

/** Take the picture of a camera away that is said to be out; others may still come. */
function takeAwayLost({ code, is_out, enabled }) {
  const one = shown.get(code);
  if (one && (is_out || !enabled)) say(one.element, "No picture");
}

function takeAwayStale() {
  const now = performance.now();
  const isAlone = brokeAt !== null && now - brokeAt > ALONE_AFTER_MS;
  for (const { element, drawnAt } of shown.values()) {
    const isStale = isAlone || now - drawnAt > STALE_AFTER_MS;
    if (isStale && element.classList.contains("has-picture")) say(element, "No picture comes");
  }
}

function hideOrAsk() {
  for (const { element } of shown.values()) say(element, element.dataset.words);
  ask();
}
