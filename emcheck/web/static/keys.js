// The chosen row, which keys are about: the first, until another is gone to or opened; and the keys.
import { all, by, say as tell } from "./console.js";
import { pick, picked, pickNone } from "./picking.js";
import { showNew } from "./rows.js";

// What a key is answered is seen, however far down the alert is read.
function say(words, kind) {
  tell(words, kind);
  document.querySelector(".outcome.said").scrollIntoView({ block: "nearest" });
}
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
    by("content").classList.toggle("has-alert", Boolean(document.querySelector("#alert article, #alert .bulk-result")));
    for (const row of all(".row")) row.classList.toggle("open", Boolean(it) && row.dataset.id === it.dataset.id);
    if (event.detail.requestConfig.headers["X-Again"]) return; // came by itself: nobody's place moves
    by("alert").scrollTop = 0;
    if (it) choose(by(`row-${it.dataset.id}`)); // none, where the list does not have it: keys are about what is open
  } else if (event.detail.target.id === "list") chooseFirst();
});

// --- what a key is about may have to be opened first: what ends an alert is never done unseen
const ACTS = { a: "acknowledged", c: "claimed by you", d: "confirmed" };
const FIELDS = { e: "passed on", h: "handed over", s: "shelved", x: "closed", n: "noted" };
let awaited = null, warned = null;
function step(by_, picks) {
  const rows = all("#rows .row").filter((row) => row.offsetParent !== null);
  if (!rows.length) return;
  const from = rows.indexOf(chosen());
  const next = rows[Math.min(rows.length - 1, Math.max(0, from < 0 ? 0 : from + by_))];
  if (picks) for (const row of [chosen(), next]) pick(row, true);
  next.querySelector(":scope > a").focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}
function openChosen() {
  const row = chosen();
  if (row) row.querySelector(":scope > a").click();
  else say("no alert is chosen: j");
}
function onOpened(key, does) {
  const row = chosen(), it = open();
  if (!row && !it) return say("no alert is chosen: j");
  if (row && (!it || row.dataset.id !== it.dataset.id)) {
    awaited = { id: row.dataset.id, key, does };
    return openChosen();
  }
  does(key);
}
document.addEventListener("htmx:afterSettle", (event) => {
  if (event.detail.target.id !== "alert" || awaited === null) return;
  const it = open(), { id, key, does } = awaited;
  awaited = null;
  if (it && it.dataset.id === id) does(key);
});
document.addEventListener("htmx:sendError", () => { awaited = null; });
function press(key) {
  if (document.querySelector("#alert .htmx-request")) { // what was pressed before is on its way: then this
    awaited = { id: open().dataset.id, key, does: press };
    return;
  }
  const button = document.querySelector(`#alert [data-key="${key}"]`);
  if (button && button.dataset.twice && warned !== button.dataset.twice) say(warned = button.dataset.twice, "next");
  else if (button) button.click();
  else say(`this alert cannot be ${ACTS[key]} now`);
}
function reach(key) {
  const field = document.querySelector(`#alert [data-focus="${key}"]`);
  const none = document.querySelector(`#alert [data-none="${key}"]`);
  if (field) field.focus();
  else say(none ? none.textContent : `this alert cannot be ${FIELDS[key]} now`);
}
function many(key) {
  const button = picked().length && document.querySelector(`[data-bulk="${key}"]`);
  if (button) button.click();
  return Boolean(button);
}
function pressSeen(key) { // only of an alert that is looked at: else it is opened, and the next press does it
  const row = chosen(), it = open(), isOpen = it && (!row || row.dataset.id === it.dataset.id);
  onOpened(key, isOpen ? press : tellNext);
}
function tellNext(key) {
  if (document.querySelector(`#alert [data-key="${key}"]`)) say(`Now it is open: ${key} again, and it is ${ACTS[key]}.`, "next");
}
function fill(key) {
  const field = picked().length && document.querySelector(`[data-bulk-focus="${key}"]`);
  if (field) field.focus();
  else onOpened(key, reach);
}
function toggleUnder() {
  const group = chosen() && chosen().querySelector(":scope > details");
  if (group) group.open = !group.open;
  else say("the chosen alert is no incident");
}
function undo() {
  const button = document.querySelector('#alert [data-key="u"]');
  if (button) button.click();
  else if (!document.querySelector("#alert article, #alert .bulk-result")) say("No alert is open. Enter opens the chosen one; u takes back what you did last about it.");
  else if (document.querySelector('#alert [data-key="c"]')) say("Nothing of yours to take back here; c takes it over.");
  else say("Nothing of yours to take back here.");
}
const KEYS = {
  j: () => step(1), k: () => step(-1), J: () => step(1, true), K: () => step(-1, true), " ": () => pick(chosen()),
  a: () => many("a") || pressSeen("a"), c: () => many("c") || onOpened("c", press), d: () => pressSeen("d"), u: undo, o: toggleUnder, ".": showNew, "/": () => by("words").focus(),
  "?": () => { by("keys").open = !by("keys").open; }, Escape: pickNone,
  ...Object.fromEntries(Object.keys(FIELDS).map((key) => [key, () => fill(key)])),
};
// Enter in a choice does what it is the choice for; the browser's own Enter would add the note.
function enter(event) {
  const select = event.target;
  if (CSS.supports("selector(select:open)") && select.matches(":open")) return; // it ends the choosing
  event.preventDefault();
  if (select.value) select.closest(".line").querySelector("button").click();
  else say("Choose first, then Enter.");
}
const types = (target) => target.matches("select, textarea, input:not([type=checkbox])");
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && types(document.activeElement)) { document.activeElement.blur(); return; }
  if (event.ctrlKey || event.metaKey || event.altKey || types(event.target)) return;
  if (event.key === " " && event.target.closest("button, summary, input")) return;
  const does = KEYS[event.key];
  if (!does) return;
  event.preventDefault();
  does();
});
document.addEventListener("keydown", (event) => {
  const plain = !event.ctrlKey && !event.metaKey && !event.altKey && !event.shiftKey;
  if (event.key === "Enter" && plain && event.target.matches("select[data-focus], select[data-bulk-focus]")) enter(event);
  else if (event.key === "Enter" && plain && !event.target.closest("a, button, input, select, textarea, summary")) openChosen();
});
chooseFirst();
