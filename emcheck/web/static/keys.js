// The chosen row, which keys are about: the first, until another is gone to or opened; and the keys.
import { all, by, say } from "./console.js";
import { showNew } from "./rows.js";

const chosen = () => document.querySelector("#rows .row.chosen");
const open = () => document.querySelector("#alert article");
function choose(row) {
  for (const each of all("#rows .row.chosen")) each.classList.remove("chosen");
  if (row) row.classList.add("chosen");
}
function chooseFirst() {
  const row = document.querySelector("#rows .row.open") || (open() ? null : document.querySelector("#rows .row"));
  if (row) choose(row);
}
document.addEventListener("focusin", (event) => {
  const row = event.target.closest("#rows .row");
  if (row) choose(row);
});
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id === "alert") {
    const it = open();
    by("content").classList.toggle("has-alert", Boolean(it));
    for (const row of all(".row")) row.classList.toggle("open", Boolean(it) && row.dataset.id === it.dataset.id);
    by("alert").scrollTop = 0;
    if (it) choose(by(`row-${it.dataset.id}`)); // none, where the list does not have it: keys are about what is open
  } else if (event.detail.target.id === "list") chooseFirst();
});

let awaited = null;
function step(by_) {
  const rows = all("#rows .row");
  if (!rows.length) return;
  const from = rows.indexOf(chosen());
  const next = rows[Math.min(rows.length - 1, Math.max(0, from < 0 ? 0 : from + by_))];
  next.querySelector("a").focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
function openChosen() {
  const row = chosen();
  if (row) row.querySelector("a").click();
  else say("no alert is chosen: j");
}
function act(key) {
  const row = chosen(), it = open();
  if (!row && !it) return say("no alert is chosen: j");
  if (row && (!it || row.dataset.id !== it.dataset.id)) {
    awaited = key === "a" ? row.dataset.id : null; // what ends an alert is never done unseen
    return openChosen();
  }
  const button = document.querySelector(`#alert [data-key="${key}"]`);
  if (button) button.click();
  else say(`this alert cannot be ${key === "a" ? "acknowledged" : "confirmed"} now`);
}
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "alert" || awaited === null) return;
  const it = open(), isIt = it && it.dataset.id === awaited;
  awaited = null;
  if (isIt) act("a");
});
function reach(key) {
  const field = document.querySelector(`#alert [data-focus="${key}"]`);
  if (field) field.focus();
}
const KEYS = {
  j: () => step(1), k: () => step(-1), a: () => act("a"), c: () => act("c"), n: () => reach("n"), s: () => reach("s"),
  x: () => reach("x"), ".": showNew, "/": () => by("words").focus(),
  "?": () => { by("keys").open = !by("keys").open; },
};
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && document.activeElement.matches("input, select, textarea")) document.activeElement.blur();
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, select, textarea")) return;
  const does = KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});
document.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  if (event.key === "Enter" && plain && !event.target.closest("a, button, input, select, textarea, summary")) openChosen();
});
chooseFirst();
