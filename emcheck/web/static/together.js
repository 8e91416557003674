// Two at one alert see each other: each console says which alert it shows, and is told who else does.
import { by } from "./console.js";

export const together = Array.from(crypto.getRandomValues(new Uint8Array(12)), (each) => each.toString(16).padStart(2, "0")).join("");
const there = new Map();
const open = () => document.querySelector("#alert article");
const shownAt = () => (open() ? open().dataset.id : "");
let told = ""; // which alert the service knows of

export function isAt(alerts) {
  for (const [id, names] of Object.entries(alerts)) there.set(id, names);
  tell();
}
function tell() {
  const place = by("also"), me = by("content").dataset.me;
  if (!place) return;
  const others = (there.get(shownAt()) || []).filter((name) => name !== me);
  const words = others.length ? `also open at: ${others.join(", ")}` : "";
  if (place.textContent !== words) place.textContent = words;
}
export function isConnected() {
  told = "";
  tellWhere();
}
function tellWhere() {
  if (shownAt() === told) return;
  told = shownAt();
  fetch("/live/at", {
    method: "POST", body: new URLSearchParams({ console: together, at: told }),
    headers: { "X-CSRF-Token": document.body.dataset.csrf, "X-By-Itself": "1" },
  }).catch(() => {}); // said again when the line is back
}
document.addEventListener("htmx:afterSwap", (event) => {
  if (event.detail.target.id !== "alert") return;
  tell();
  tellWhere();
});
