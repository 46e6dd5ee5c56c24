// Puts what a freshly fetched page says in the place of what this one says, without
// moving what the pointer or the keyboard is on.

/** Renew all [data-live] regions, found by id, from another rendering of the page. */
export function renewAll(page) {
  const focused = document.activeElement?.id;
  for (const region of document.querySelectorAll("[data-live]")) {
    renew(region, page.getElementById(region.id));
  }
  if (focused && document.activeElement?.id !== focused) document.getElementById(focused)?.focus();
  document.dispatchEvent(new CustomEvent("renewed", { detail: page }));
}

function renew(region, fresh) {
  if (!fresh || region.closest("[data-held]")) return;
  if ("keyed" in region.dataset) renewRows(region, fresh);
  else if (region.innerHTML !== fresh.innerHTML) region.replaceChildren(...fresh.childNodes);
}

/** Rows are known by their key: one that stays is the same element afterwards. */
function renewRows(list, fresh) {
  const wanted = [...fresh.children];
  const keys = new Set(wanted.map((row) => row.dataset.key));
  for (const row of [...list.children]) if (!keys.has(row.dataset.key)) row.remove();
  const known = new Map([...list.children].map((row) => [row.dataset.key, row]));
  let place = list.firstElementChild;
  for (const row of wanted) {
    const same = known.get(row.dataset.key);
    if (same) renewRow(same, row);
    else row.classList.add("is-new");
    if (same && same === place) place = place.nextElementSibling;
    else list.insertBefore(same ?? row, place);
  }
}

function renewRow(row, fresh) {
  if (isTypedIn(row)) return;
  row.className = fresh.className;
  const parts = row.querySelectorAll("[data-part]");
  for (const part of parts) {
    const same = fresh.querySelector(`[data-part="${part.dataset.part}"]`);
    if (same && part.innerHTML !== same.innerHTML) part.replaceChildren(...same.childNodes);
  }
  if (parts.length || isSame(row, fresh)) return;
  Object.assign(row.dataset, fresh.dataset);
  row.replaceChildren(...fresh.childNodes);
}

/** A form's token is new in each rendering, so its row says what counts as a change. */
function isSame(row, fresh) {
  return "version" in fresh.dataset
    ? row.dataset.version === fresh.dataset.version
    : row.innerHTML === fresh.innerHTML;
}

function isTypedIn(row) {
  return [...row.querySelectorAll("input")].some((input) => input.value !== input.defaultValue);
}
