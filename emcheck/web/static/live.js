// The live line: what the service tells, how far behind it is, and since when it is silent.
import { all, by } from "./console.js";
import { isAt, isConnected, together } from "./together.js";
import { announce, change, refresh } from "./rows.js";
import { remind, tellSound } from "./sound.js";
import { countDown, setNow } from "./time.js";

const STALE_MS = 5000, AGAIN_MS = 12000;
const live = by("live");
let source = null, number = by("list").dataset.number, heard = performance.now(), heardAt = null, opened = 0, isNew = true;
const isStale = () => performance.now() - heard > STALE_MS;

function connect() {
  if (source) source.close();
  opened = performance.now();
  source = new EventSource(`/live?${new URLSearchParams({ after: number, console: together })}`);
  source.onopen = () => { isNew = true; };
  source.addEventListener("at", (event) => isAt(JSON.parse(event.data).alerts));
  source.addEventListener("beat", (event) => beat(JSON.parse(event.data)));
  source.addEventListener("changes", (event) => {
    number = event.lastEventId || number;
    JSON.parse(event.data).alerts.forEach(change);
    announce();
    countDown();
  });
  source.addEventListener("anew", () => refresh(true));
  source.addEventListener("over", () => location.reload());
  source.onerror = () => {
    if (source.readyState === EventSource.CLOSED) setTimeout(whetherSignedIn, 1500 + Math.random() * 1000);
  };
}
function whetherSignedIn() {
  fetch("/account", { redirect: "manual", cache: "no-store", headers: { "X-By-Itself": "1" } })
    .then((answer) => (answer.type === "opaqueredirect" ? location.reload() : connect()), connect);
}
function beat(said) {
  if (isNew) isConnected();
  isNew = false;
  setNow(said.now);
  heard = performance.now();
  heardAt = new Date(said.now);
  const trouble = by("troubles");
  trouble.hidden = !said.troubles.length;
  const words = said.troubles.join("; ");
  if (trouble.textContent !== words) trouble.textContent = words;
  if (said.counts) counts(said.counts);
  tell();
}
function tell() {
  const stale = isStale() || !heardAt;
  const words = !heardAt ? "connecting" : stale
    ? `stale since ${heardAt.toLocaleTimeString([], { hour12: false })}, reconnecting`
    : `live, ${Math.round((performance.now() - heard) / 1000)} s behind`;
  live.classList.toggle("stale", stale && Boolean(heardAt));
  if (live.textContent !== words) live.textContent = words;
  live.setAttribute("aria-live", stale ? "assertive" : "off");
}
function counts(said) {
  const known = Object.fromEntries(said.map((each) => [each.priority, each]));
  for (const each of all("#counts .count")) {
    const count = known[each.dataset.priority] || { waiting: 0, first_raised_at: null };
    each.querySelector("b").textContent = count.waiting;
    each.dataset.since = count.waiting ? count.first_raised_at : "";
    each.classList.toggle("some", count.waiting > 0);
  }
  const urgent = known.P1 ? known.P1.waiting : 0;
  document.title = `${urgent ? `▲ (${urgent} P1) ` : ""}Queue · emcheck`;
  remind(urgent);
  countDown();
}
document.addEventListener("htmx:afterSwap", () => {
  number = String(Math.max(Number(number), Number(by("list").dataset.number)));
  countDown();
});
setInterval(() => {
  countDown();
  tell();
  tellSound();
  if (performance.now() - heard > AGAIN_MS && performance.now() - opened > AGAIN_MS) connect();
}, 1000);
tell();
countDown();
connect();
