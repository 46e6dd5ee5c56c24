// The picture's SVG: shows lines and zones, and says where the pointer is on them.

import { papers } from "./papers.js";

const WIDTH = 1600; // of the SVG's own units; its height follows from the picture
const NAMESPACE = "http://www.w3.org/2000/svg";
const ARROW = 34; // px, as all below
const DOT = 7;
const GRIP = matchMedia("(pointer: coarse)").matches ? 22 : 13;
const LABEL = 15;
const SMALL = 500; // of the picture's width: there is room for one name only

const board = document.getElementById("board");
const canvas = document.querySelector("#sheet canvas");
const drawn = new Map(); // by paper: its group, and how many points it was made for
let height = (WIDTH * 9) / 16;
let pixel = 1; // in the SVG's units

export function make(tag, attributes = {}, ...children) {
  const element = document.createElementNS(NAMESPACE, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** Fit the SVG to the picture, as `object-fit: contain` does it. */
export function fit() {
  const aspect = canvas.width / canvas.height;
  height = WIDTH / aspect;
  const width = Math.max(1, Math.min(board.clientWidth, board.clientHeight * aspect));
  pixel = WIDTH / width;
  board.classList.toggle("is-small", width < SMALL);
  board.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
}

export const clamp = (value) => Math.min(1, Math.max(0, value));

/** Where the pointer is, in shares of the picture. */
export function shareOf(event) {
  const point = new DOMPoint(event.clientX, event.clientY).matrixTransform(board.getScreenCTM().inverse());
  return [clamp(point.x / WIDTH), clamp(point.y / height)];
}

const place = ([x, y]) => [x * WIDTH, y * height];

/** How far two points are apart, in pixels of the screen. */
export function apart(first, second) {
  const [[ax, ay], [bx, by]] = [place(first), place(second)];
  return Math.hypot(ax - bx, ay - by) / pixel;
}

function listOf(points) {
  return points.map((point) => place(point).join(",")).join(" ");
}

/** Draw everything anew, without replacing what has the focus. */
export function show(selected) {
  const shown = papers().filter((paper) => !paper.isDeleted && paper.points);
  for (const [paper, { group }] of drawn) {
    if (shown.includes(paper)) continue;
    group.remove();
    drawn.delete(paper);
  }
  for (const paper of shown) update(paper, groupOf(paper), paper === selected);
}

function groupOf(paper) {
  const count = paper.points.length;
  const before = drawn.get(paper);
  if (before?.count === count) return before.group;
  const group = build(paper, count);
  if (before) before.group.replaceWith(group);
  else if (paper.kind === "zone") board.prepend(group);
  else board.append(group);
  drawn.set(paper, { group, count });
  group.paper = paper;
  return group;
}

function build(paper, count) {
  const outline = paper.kind === "line" ? "polyline" : "polygon";
  const group = make("g", { class: "shape", "data-kind": paper.kind, role: "group", tabindex: 0 });
  for (const name of ["halo", "ink", "hit"]) group.append(make(outline, { class: name }));
  if (paper.kind === "line") group.append(make("path", { class: "lead" }), make("text", { class: "side" }, "in"));
  group.append(make("text", { class: "label" }));
  for (let index = 0; index < count; index += 1) {
    if (paper.kind === "zone") group.append(handle("middle", index));
    group.append(handle("handle", index));
  }
  return group;
}

function handle(name, index) {
  const focus = name === "handle" ? { role: "button", tabindex: 0 } : { "aria-hidden": "true" };
  const dot = name === "handle" ? DOT : DOT - 2;
  return make("g", { class: name, "data-index": index, ...focus }, make("circle", { class: "grip", "data-r": GRIP }), make("circle", { class: "dot", "data-r": dot }));
}

function update(paper, group, isSelected) {
  const points = paper.points;
  set(group, { "data-colour": paper.colour, "aria-label": `${paper.kind === "line" ? "Line" : "Zone"} ${paper.name}` });
  group.classList.toggle("is-selected", isSelected);
  group.classList.toggle("is-off", !paper.isUsed);
  for (const outline of group.querySelectorAll("polyline, polygon")) set(outline, { points: listOf(points) });
  if (paper.kind === "line") showDirection(group, points);
  showLabel(group, paper, points);
  for (const one of group.querySelectorAll(".handle")) showHandle(one, paper, points[one.dataset.index]);
  for (const one of group.querySelectorAll(".middle")) {
    const [a, b] = [points[one.dataset.index], points[(Number(one.dataset.index) + 1) % points.length]];
    moveTo(one, [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2]);
  }
}

/** Walking from start to end, `in` leads to the left-hand side. */
function showDirection(group, points) {
  const [[ax, ay], [bx, by]] = points.map(place);
  const length = Math.hypot(bx - ax, by - ay) || 1;
  const [nx, ny] = [(by - ay) / length, -(bx - ax) / length];
  const [mx, my] = [(ax + bx) / 2, (ay + by) / 2];
  const at = (along, aside) => `${mx + pixel * (nx * along - ny * aside)},${my + pixel * (ny * along + nx * aside)}`;
  const head = `M${at(ARROW - 12, 8)} L${at(ARROW, 0)} L${at(ARROW - 12, -8)}`;
  set(group.querySelector(".lead"), { d: `M${at(0, 0)} L${at(ARROW, 0)} ${head}` });
  const [x, y] = at(ARROW + 14, 0).split(",").map(Number);
  set(group.querySelector(".side"), { x: within(x, 12, WIDTH), y: within(y, 12, height) + 5 * pixel, "font-size": LABEL * pixel });
}

function within(value, margin, most) {
  return Math.min(most - margin * pixel, Math.max(margin * pixel, value));
}

function showLabel(group, paper, points) {
  const label = group.querySelector(".label");
  const words = paper.isUsed ? paper.name : `${paper.name} (off)`;
  if (label.textContent !== words) label.textContent = words;
  const [x, y] = paper.kind === "line" ? place(points[0]) : place(points.toSorted((a, b) => a[1] - b[1])[0]);
  const isRight = x > WIDTH / 2;
  set(label, {
    x: x + (isRight ? -10 : 10) * pixel,
    y: within(y - 14 * pixel, 20, height),
    "text-anchor": isRight ? "end" : "start",
    "font-size": LABEL * pixel,
  });
}

export function nameOf(paper, index) {
  return paper.kind === "line" ? ["start", "end"][index] : `corner ${Number(index) + 1}`;
}

export function said([x, y]) {
  return `x ${x.toFixed(2)}, y ${y.toFixed(2)}`;
}

function showHandle(one, paper, point) {
  moveTo(one, point);
  set(one, { "aria-label": `${paper.name}, ${nameOf(paper, one.dataset.index)}, ${said(point)}` });
}

function moveTo(one, point) {
  const [cx, cy] = place(point);
  for (const circle of one.children) set(circle, { cx, cy, r: circle.dataset.r * pixel });
}

export function handleOf(paper, index) {
  return drawn.get(paper)?.group.querySelector(`.handle[data-index="${index}"]`);
}

export function shapeOf(paper) {
  return drawn.get(paper)?.group;
}

/** Show what is being drawn: the corners set, and a line to the pointer. */
export function showDraft(points) {
  const draft = board.querySelector(".draft") ?? board.appendChild(make("g", { class: "draft" }));
  draft.replaceChildren(...["halo", "ink"].map((name) => make("polyline", { class: name, points: listOf(points) })));
  for (const [index, point] of points.entries()) {
    const [cx, cy] = place(point);
    draft.append(make("circle", { class: index ? "dot" : "dot is-first", cx, cy, r: DOT * pixel * (index ? 1 : 1.5) }));
  }
}

export function hideDraft() {
  board.querySelector(".draft")?.remove();
}

/** Keep to the picture's shape and size, whatever comes. */
export function watch(changed) {
  new ResizeObserver(changed).observe(board);
  new MutationObserver(changed).observe(canvas, { attributeFilter: ["width", "height"] });
}
