// The forms of lines and zones hold what is drawn, and are what is saved; undoing puts
// back what they held.

const DIGITS = 4;
const ENDS = [["x1", "y1"], ["x2", "y2"]];
const known = new WeakMap();

/** One line or zone: its form, read and written as points [x, y] of 0..1. */
class Paper {
  constructor(element) {
    this.element = element;
    this.kind = element.dataset.kind;
  }

  input(name) {
    return this.element.querySelector(`[name="${this.element.dataset.prefix}-${name}"]`);
  }

  get name() {
    return this.input("name").value.trim() || `New ${this.kind}`;
  }

  get colour() {
    return this.input("colour").value;
  }

  get isNew() {
    return !this.input("id").value;
  }

  get isUsed() {
    return this.input("enabled").checked;
  }

  get isDeleted() {
    return this.input("DELETE").checked;
  }

  set isDeleted(value) {
    this.input("DELETE").checked = value;
  }

  /** The points; null while what is typed makes no shape. */
  get points() {
    const rows = this.kind === "line" ? ENDS.map((names) => names.map((name) => this.input(name).value)) : this.corners();
    const points = rows.map((row) => row.map((text) => (String(text).trim() === "" ? NaN : Number(text))));
    const isShape = points.every((row) => row.length === 2 && row.every(Number.isFinite));
    return isShape && points.length >= (this.kind === "line" ? 2 : 3) ? points : null;
  }

  set points(points) {
    if (this.kind === "zone") {
      this.input("points").value = points.map((point) => point.map(written).join(" ")).join("\n");
      return;
    }
    ENDS.forEach((names, end) => names.forEach((name, axis) => (this.input(name).value = written(points[end][axis]))));
  }

  corners() {
    const rows = this.input("points").value.split("\n").filter((row) => row.trim());
    return rows.map((row) => row.trim().split(/[\s,;]+/));
  }
}

function written(share) {
  return String(Number(share.toFixed(DIGITS)));
}

export function paperOf(element) {
  if (!known.has(element)) known.set(element, new Paper(element));
  return known.get(element);
}

/** All of them, zones first, so that lines lie above them on the picture. */
export function papers() {
  return ["zones", "lines"].flatMap((id) => [...document.querySelectorAll(`#${id} > .drawn`)].map(paperOf));
}

/** Add the form of a new line or zone, with a name that no other has. */
export function addPaper(kind) {
  const group = `${kind}s`;
  const total = document.querySelector(`[name="${group}-TOTAL_FORMS"]`);
  const holder = document.createElement("div");
  holder.innerHTML = document.getElementById(`${group}-template`).innerHTML.replaceAll("__prefix__", total.value);
  total.value = Number(total.value) + 1;
  const element = holder.querySelector(".drawn");
  const taken = new Set(papers().map((paper) => paper.name));
  document.getElementById(group).append(element);
  const paper = paperOf(element);
  const word = kind[0].toUpperCase() + kind.slice(1);
  let number = 1;
  while (taken.has(`${word} ${number}`)) number += 1;
  paper.input("name").value = `${word} ${number}`;
  return paper;
}

/** What all forms hold now. */
export function take() {
  return papers().map(({ element }) => ({
    element,
    list: element.parentElement,
    values: [...element.querySelectorAll("input, select, textarea")].map((input) => [input, input.type === "checkbox" ? input.checked : input.value]),
  }));
}

export function putBack(state) {
  const kept = new Set(state.map(({ element }) => element));
  for (const { element } of papers()) if (!kept.has(element)) element.remove();
  for (const { element, list, values } of state) {
    if (!element.isConnected) list.append(element);
    for (const [input, value] of values) input[input.type === "checkbox" ? "checked" : "value"] = value;
  }
}
