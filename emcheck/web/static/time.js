// The time by the service's clock, and what counts down by it.
import { all } from "./console.js";

let ahead = 0;
export const now = () => Date.now() + ahead;
export function setNow(ms) { ahead = ms - Date.now(); }

export function duration(ms) {
  if (ms >= 2 * 86400000) return `${Math.floor(ms / 86400000)} days`;
  const s = Math.floor(ms / 1000), h = Math.floor(s / 3600), min = Math.floor(s / 60) % 60, rest = s % 60;
  if (s < 60) return `${s} s`;
  return [h ? `${h} h` : "", min ? `${min} min` : "", rest && !h ? `${rest} s` : ""].filter(Boolean).join(" ");
}

export function countDown() {
  for (const each of all("[data-due]")) {
    const left = Number(each.dataset.due) - now();
    const text = left >= 0 ? duration(left) : `over by ${duration(-left)}`;
    if (each.textContent !== text) each.textContent = text;
    each.classList.toggle("over", left < 0);
  }
  for (const each of all("[data-back]")) {
    const left = Number(each.dataset.back) - now();
    const text = left > 0 ? `back in ${duration(left)}` : "back now";
    if (each.textContent !== text) each.textContent = text;
  }
  for (const each of all("#counts .count[data-since]")) {
    each.querySelector(".longest").textContent = each.dataset.since ? duration(Math.max(0, now() - each.dataset.since)) : "";
  }
}
