// Choosing many rows: boxes, a range with shift, and what is chosen stays so while rows change.
import { all, by } from "./console.js";

const boxes = () => all("#rows .pick input");
export const picked = () => boxes().filter((box) => box.checked);
let last = null;

export function pick(row, on) {
  const box = row && row.querySelector(".pick input");
  if (!box) return;
  box.checked = on === undefined ? !box.checked : on;
  last = row.dataset.id;
  count();
}
export function pickNone() {
  for (const box of picked()) box.checked = false;
  count();
}
// A row that is drawn anew stays chosen as it was looked at: what somebody did meanwhile is told, not overwritten.
export function carry(row, next) {
  const old = row.querySelector(":scope > .pick input"), box = next.querySelector(":scope > .pick input");
  const group = row.querySelector(":scope > details"), again = next.querySelector(":scope > details");
  if (group && again) again.replaceWith(group); // what was opened in place stays open
  if (old && box && old.checked) Object.assign(box, { checked: true, value: old.value });
}
function count() {
  const bar = by("bulk");
  if (!bar) return;
  const number = picked().length;
  by("bulk-count").textContent = number === 1 ? "1 chosen" : `${number} chosen`;
  by("bulk-all").hidden = number === boxes().length;
}
function range(row) {
  const rows = all("#rows .row"), from = rows.findIndex((each) => each.dataset.id === last), to = rows.indexOf(row);
  const on = row.querySelector(".pick input").checked;
  if (from < 0) return;
  for (const each of rows.slice(Math.min(from, to), Math.max(from, to) + 1)) each.querySelector(".pick input").checked = on;
}
document.addEventListener("click", (event) => {
  if (!event.target.matches("#rows .pick input")) return;
  const row = event.target.closest(".row");
  if (event.shiftKey) range(row);
  last = row.dataset.id;
  count();
});
document.addEventListener("htmx:afterSwap", (event) => {
  const result = event.detail.target.id === "alert" && document.querySelector("#alert .bulk-result");
  if (result) {
    const done = new Set(result.dataset.done.split(" ").map((each) => each.slice(0, each.lastIndexOf("."))));
    for (const box of picked()) if (done.has(box.closest(".row").dataset.id)) box.checked = false;
  }
  count();
});
if (by("bulk")) {
  by("bulk-none").hidden = false;
  by("bulk-all").addEventListener("click", () => { for (const box of boxes()) box.checked = true; count(); });
  by("bulk-none").addEventListener("click", pickNone);
  count();
}
