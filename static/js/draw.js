// Drawing of lines and zones: with the mouse, a finger, or the keyboard.

import { apart, clamp, fit, handleOf, hideDraft, nameOf, said, shapeOf, shareOf, show, showDraft, watch } from "./board.js";
import { addPaper, paperOf, papers, putBack, take } from "./papers.js";
import { showPictures } from "./pictures.js";

const STEP = 0.01;
const LARGE_STEP = 0.05;
const CLICK_PX = 6; // a pointer that moves less has clicked
const CLOSE_PX = 16; // of the first corner: closes a zone
const UNDO_MAX = 100;
const CORNERS_MIN = 3;
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const MIDDLE = {
  line: [[0.5, 0.3], [0.5, 0.7]],
  zone: [[0.4, 0.4], [0.6, 0.4], [0.6, 0.6], [0.4, 0.6]],
};
const HINTS = {
  line: "Drag from one end of the line to the other, or click at each. Esc gives up.",
  zone: "Click at each corner. A click at the first one, or Enter, closes the zone. Esc gives up.",
};

const board = document.getElementById("board");
const form = document.getElementById("drawing");
const hint = document.getElementById("hint");
const [newLine, newZone, flipButton, removeButton, undoButton, redoButton] = ["new-line", "new-zone", "flip", "remove", "undo", "redo"].map((id) => document.getElementById(id));
let selected = null;
let draft = null; // { kind, points, by }: what is being drawn, and with which pointer
let drag = null; // { paper, index, from, points, before, hasMoved }
let past = [];
let future = [];
let beforeTyping = null;
let isSaved = !document.querySelector(".refused");
let isLeaving = false;

function say(words) {
  document.getElementById("said").textContent = words;
}

/** Show everything as the forms have it. */
function render() {
  if (selected && (selected.isDeleted || !selected.element.isConnected)) selected = null;
  show(selected);
  for (const paper of papers()) {
    paper.element.classList.toggle("is-selected", paper === selected);
    paper.element.classList.toggle("is-deleted", paper.isDeleted);
    paper.element.querySelector("[data-title]").textContent = paper.isDeleted ? `${paper.name}: deleted when you save` : paper.name;
    paper.element.querySelector(".swatch").dataset.colour = paper.colour;
  }
  flipButton.disabled = selected?.kind !== "line";
  removeButton.disabled = !selected;
  undoButton.disabled = !past.length;
  redoButton.disabled = !future.length;
  document.getElementById("unsaved").hidden = isSaved;
  for (const id of ["lines", "zones"]) document.getElementById(`no-${id}`).hidden = document.querySelector(`#${id} > .drawn`) !== null;
}

function record(before = take()) {
  past.push(before);
  past = past.slice(-UNDO_MAX);
  future = [];
  isSaved = false;
}

function goBack(from, to, words) {
  if (!from.length) return;
  to.push(take());
  putBack(from.pop());
  isSaved = false;
  say(words);
  render();
}

const undo = () => goBack(past, future, "Undone.");
const redo = () => goBack(future, past, "Done again.");

function select(paper) {
  selected = paper;
  render();
}

/** Show the form of a shape where that stands beside the picture. */
function reveal(paper) {
  if (matchMedia("(min-width: 1000px)").matches) paper.element.scrollIntoView({ block: "nearest" });
}

function begin(kind, event) {
  if (draft) giveUp();
  // A button pressed by the keyboard: there is no pointer to draw with.
  if (event.detail === 0) return finish(kind, freePlace(MIDDLE[kind]), "keyboard");
  draft = { kind, points: [], by: "mouse" };
  selected = null;
  board.classList.add("is-drawing");
  hint.textContent = HINTS[kind];
  hint.hidden = false;
  board.focus({ preventScroll: true });
  render();
}

/** Move a shape aside until none lies exactly there. */
function freePlace(points) {
  const isTaken = (wanted) => papers().some((paper) => !paper.isDeleted && String(paper.points?.[0]) === String(wanted[0]));
  let free = points;
  while (isTaken(free)) free = moved(free, [0.02, 0.02]);
  return free;
}

function giveUp() {
  draft = null;
  board.classList.remove("is-drawing");
  hint.hidden = true;
  hideDraft();
  say("Given up.");
}

function finish(kind, points, by) {
  draft = null;
  board.classList.remove("is-drawing");
  hint.hidden = true;
  hideDraft();
  record();
  const paper = addPaper(kind);
  paper.points = points;
  select(paper);
  reveal(paper);
  if (by === "keyboard") handleOf(paper, 0).focus();
  else if (by === "mouse") {
    paper.input("name").focus({ preventScroll: true });
    paper.input("name").select();
  }
  say(`${paper.name} is drawn. ${kind === "line" ? "The arrow shows where in leads; Flip direction turns it." : ""}`);
}

function moved(points, [dx, dy]) {
  const bound = (by, axis) => {
    const values = points.map((point) => point[axis]);
    return Math.min(1 - Math.max(...values), Math.max(-Math.min(...values), by));
  };
  const [x, y] = [bound(dx, 0), bound(dy, 1)];
  return points.map((point) => [point[0] + x, point[1] + y]);
}

function press(event) {
  if (event.button > 0 || drag) return;
  board.setPointerCapture(event.pointerId);
  const from = shareOf(event);
  if (draft) {
    draft.by = event.pointerType;
    if (draft.kind === "line" && !draft.points.length) draft.points.push(from);
    return trail(event);
  }
  const paper = event.target.closest(".shape")?.paper ?? null;
  select(paper);
  if (!paper) return;
  const grip = event.target.closest(".handle, .middle");
  const before = take();
  let index = grip ? Number(grip.dataset.index) : null;
  if (grip?.matches(".middle")) {
    index += 1;
    paper.points = paper.points.toSpliced(index, 0, from);
    render();
  }
  drag = { paper, index, from, points: paper.points, before, hasMoved: false, pointer: event.pointerId };
  (index === null ? shapeOf(paper) : handleOf(paper, index)).focus({ preventScroll: true });
  event.preventDefault();
}

function move(event) {
  if (draft) return trail(event);
  if (!drag || event.pointerId !== drag.pointer) return;
  const here = shareOf(event);
  if (!drag.hasMoved && apart(drag.from, here) < CLICK_PX / 2) return;
  drag.hasMoved = true;
  const by = [here[0] - drag.from[0], here[1] - drag.from[1]];
  drag.paper.points = drag.index === null ? moved(drag.points, by) : drag.points.with(drag.index, here);
  render();
}

function release(event) {
  if (draft) return event.button > 0 ? undefined : set(shareOf(event));
  if (!drag || event.pointerId !== drag.pointer) return;
  const { paper, index, before, hasMoved } = drag;
  drag = null;
  if (!hasMoved) {
    putBackQuietly(before);
    return reveal(paper);
  }
  record(before);
  render();
  say(index === null ? `${paper.name} is moved.` : `${nameOf(paper, index)}: ${said(paper.points[index])}`);
}

/** A click on the middle of an edge alone adds no corner. */
function putBackQuietly(state) {
  putBack(state);
  render();
}

function cancel() {
  if (!drag) return;
  putBackQuietly(drag.before);
  drag = null;
  say("Given up.");
}

/** Show where the next point would be. */
function trail(event) {
  if (draft.points.length) showDraft([...draft.points, shareOf(event)]);
}

/** Set the next point of what is being drawn, or end it. */
function set(point) {
  const { kind, points, by } = draft;
  if (kind === "line") {
    if (apart(points[0], point) > CLICK_PX) finish(kind, [points[0], point], by);
    return;
  }
  const isClosed = points.length >= CORNERS_MIN && apart(points[0], point) < CLOSE_PX;
  const isTwice = points.length > 0 && apart(points.at(-1), point) < CLICK_PX;
  if (isClosed || (isTwice && points.length >= CORNERS_MIN)) return finish(kind, points, by);
  if (!isTwice) points.push(point);
  showDraft(points);
  say(`Corner ${points.length}: ${said(point)}`);
}

function flip(paper) {
  record();
  paper.points = paper.points.toReversed();
  render();
  say(`${paper.name} is flipped: in and out have changed places.`);
}

function remove(paper) {
  record();
  if (paper.isNew) paper.element.remove();
  else paper.isDeleted = true;
  say(`${paper.name} is deleted. Undo brings it back.`);
  selected = null;
  render();
  board.focus({ preventScroll: true });
}

function removeCorner(paper, index) {
  if (paper.kind === "line") return remove(paper);
  if (paper.points.length <= CORNERS_MIN) return say("A zone has at least three corners. Delete on the zone itself deletes it.");
  record();
  paper.points = paper.points.toSpliced(index, 1);
  render();
  handleOf(paper, Math.min(index, paper.points.length - 1)).focus();
  say(`A corner is deleted; ${paper.points.length} are left.`);
}

function addCorner(paper, index) {
  if (paper.kind === "line") return;
  record();
  const [a, b] = [paper.points[index], paper.points[(index + 1) % paper.points.length]];
  paper.points = paper.points.toSpliced(index + 1, 0, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  render();
  handleOf(paper, index + 1).focus();
  say(`Corner ${index + 2} is added.`);
}

function nudge(paper, index, [dx, dy], event) {
  const step = event.shiftKey ? LARGE_STEP : STEP;
  if (!event.repeat) record();
  const by = [dx * step, dy * step];
  const points = paper.points;
  if (index === null) paper.points = moved(points, by);
  else paper.points = points.with(index, points[index].map((value, axis) => clamp(value + by[axis])));
  render();
  say(index === null ? `${paper.name} is moved.` : said(paper.points[index]));
}

function drawByKey(event) {
  const { kind, points, by } = draft;
  if (event.key === "Escape") giveUp();
  else if (event.key === "Enter" && kind === "zone" && points.length >= CORNERS_MIN) finish(kind, points, by);
  else if (event.key === "Enter" && kind === "zone") say("A zone has at least three corners.");
  else if (event.key === "Backspace") showDraft((draft.points = points.slice(0, -1)));
  else return;
  event.preventDefault();
}

function keyOnBoard(event) {
  if (draft) return drawByKey(event);
  if (event.key === "Escape") return drag ? cancel() : select(null);
  const paper = event.target.closest(".shape")?.paper;
  if (!paper || event.ctrlKey || event.metaKey || event.altKey) return;
  const grip = event.target.closest(".handle");
  const index = grip ? Number(grip.dataset.index) : null;
  if (ARROWS[event.key]) nudge(paper, index, ARROWS[event.key], event);
  else if (event.key === "Delete" || event.key === "Backspace") index === null ? remove(paper) : removeCorner(paper, index);
  else if (event.key === "Insert" && index !== null) addCorner(paper, index);
  else if (event.key === "f" && paper.kind === "line") flip(paper);
  else return;
  event.preventDefault();
}

function shortcut(event) {
  const isTyping = event.target.matches?.("input, textarea, select");
  if (event.key === "Escape" && draft && !isTyping) giveUp();
  if (event.key.toLowerCase() !== "z" || !(event.ctrlKey || event.metaKey) || isTyping) return;
  event.preventDefault();
  if (event.shiftKey) redo();
  else undo();
}

/** A step of undoing is what was typed or ticked in one field at a time. */
function watchTyping() {
  form.addEventListener("focusin", (event) => {
    const element = event.target.closest(".drawn");
    if (!element) return;
    beforeTyping = take();
    if (paperOf(element) !== selected && !paperOf(element).isDeleted) select(paperOf(element));
  });
  form.addEventListener("input", (event) => {
    if (!event.target.closest(".drawn")) return;
    if (beforeTyping) record(beforeTyping);
    beforeTyping = null;
    isSaved = false;
    render();
  });
  form.addEventListener("change", () => (beforeTyping = take()));
}

function watchLeaving() {
  form.addEventListener("submit", () => (isLeaving = true));
  addEventListener("beforeunload", (event) => {
    if (!isSaved && !isLeaving) event.preventDefault();
  });
}

for (const id of ["tools", "sheet", "what", "how"]) document.getElementById(id).hidden = false;
board.addEventListener("pointerdown", press);
board.addEventListener("pointermove", move);
board.addEventListener("pointerup", release);
board.addEventListener("pointercancel", cancel);
board.addEventListener("keydown", keyOnBoard);
board.addEventListener("focusin", (event) => {
  const paper = event.target.closest(".shape")?.paper;
  if (!paper || paper === selected || drag) return;
  select(paper);
  reveal(paper);
});
document.addEventListener("keydown", shortcut);
newLine.addEventListener("click", (event) => begin("line", event));
newZone.addEventListener("click", (event) => begin("zone", event));
flipButton.addEventListener("click", () => flip(selected));
removeButton.addEventListener("click", () => remove(selected));
undoButton.addEventListener("click", undo);
redoButton.addEventListener("click", redo);
watchTyping();
watchLeaving();
watch(() => {
  fit();
  render();
});
fit();
render();
showPictures();
