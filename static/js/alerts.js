// The inbox of alerts and the page of one: handled without a reload, and by keyboard.

import { live, take } from "./live.js";
import { addKey, Holding } from "./rows.js";

const list = document.getElementById("unresolved");
const holding = list && new Holding(list, document.getElementById("held"));

/** Send a form as the button would, and show the page that the server answers with. */
async function send(form, button) {
  const values = new FormData(form);
  const address = button?.getAttribute("formaction") ?? form.action;
  try {
    const response = await fetch(address, { method: "POST", body: values });
    const isHere = new URL(response.url).pathname === location.pathname;
    if (!response.ok || !isHere) throw new Error(`The page answered ${response.status}.`);
    form.reset();
    holding?.release();
    take(await response.text());
  } catch {
    // The server's own page says best what is wrong.
    form.action = address;
    form.submit();
  }
}

function acknowledge() {
  const place = document.activeElement?.closest("li.alert, .alert-head") ?? document.querySelector(".alert-head");
  place?.querySelector("[data-acknowledge]")?.click();
}

document.addEventListener("submit", (event) => {
  if (!event.target.matches(".alert-form")) return;
  event.preventDefault();
  send(event.target, event.submitter);
});

addKey("a", acknowledge);
live({
  "alerts.alert": () => {
    if (holding?.isHeld) holding.tell("New alerts");
  },
});
