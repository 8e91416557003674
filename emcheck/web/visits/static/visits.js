// The fitters' page: readings that stay live, acts that survive a dead spot, signatures. It decides nothing: what a step
// comes to is said by the service. Without it every page reads and acts the same, with a connection.
import { all, by } from "/static/console.js";
import * as queue from "/static/visits/queue.js";
import { ready } from "/static/visits/signing.js";
import { ready as takes } from "/static/visits/photos.js";

const about = document.body.dataset, words = JSON.parse(about.words);
const LOOK_MS = 2000, STALE_MS = 8000, SEND_MS = 4000;
const filled = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);

// --- what is saved here, and whether there is a connection -----------------------------------------------
let network = "empty";
async function strip() {
  const acts = await queue.all("acts"), mine = acts.filter((act) => act.who === about.who), line = by("strip");
  const other = acts.find((act) => act.who !== about.who), n = mine.length;
  let text = "", asks = false;
  if (n && network === "signin") [text, asks] = [filled(words.signin, { n }), true];
  else if (n && (network === "offline" || isCut())) text = filled(words.saved, { n });
  else if (n) text = filled(words.sending, { n });
  else if (other) [text, asks] = [filled(words.other, { n: acts.length, name: other.who }), true];
  if ((isStale() || isCut()) && by("now")) text = [text, filled(words.offline, { time: by("now").dataset.time })].filter(Boolean).join("\n");
  if (line.textContent !== text) {
    line.textContent = text;
    if (n && network === "signin") line.append(" ", link(`/sign-in?next=${location.pathname}`, "›"));
  }
  line.classList.toggle("asks", asks);
  line.hidden = !text;
  await refusals();
  effects(mine.filter((act) => act.session === about.session));
}
function link(to, text) {
  const made = document.createElement("a");
  made.href = to;
  made.textContent = text;
  return made;
}
async function refusals() {
  const list = by("refused"), found = (await queue.all("refused")).filter((each) => each.who === about.who);
  list.hidden = !found.length;
  if (list.childElementCount === found.length) return;
  list.replaceChildren(...found.map((each) => {
    const line = document.createElement("li"), text = document.createElement("span"), gone = document.createElement("button");
    text.textContent = `${words.refused} ${each.words}: ${each.why}`;
    gone.textContent = "✓";
    gone.type = "button";
    gone.setAttribute("aria-label", "OK");
    gone.addEventListener("click", () => queue.remove("refused", each.number).then(strip));
    line.append(text, gone);
    return line;
  }));
}

// --- acts: saved first, then sent ------------------------------------------------------------------------
function bodyOf(form, submitter) {
  const told = new FormData(form, submitter), body = {};
  for (const [name, value] of told) {
    if (name === "csrf" || name === "other_reason" || !String(value).trim()) continue;
    if (name === "identifiers") (body.identifiers = body.identifiers || []).push(value);
    else body[name] = name === "gap_mm" ? Number(value) : name === "left_on" || name === "only_room" ? true : String(value).trim();
  }
  const other = String(told.get("other_reason") || "").trim();
  if (other) body.reason = other;
  if (body.answer === "yes") delete body.reason;
  return body;
}
function lacking(form, body) {
  const needs = form.dataset;
  if (body.step === "identity" && body.answer === "yes" && (body.identifiers || []).length < 2) return needs.two;
  if (body.answer && body.answer !== "yes" && !body.reason) return needs.why;
  if (body.outcome === "mistaken" && !body.note) return needs.wrong;
  return "";
}
function complain(text) {
  let line = by("lacks");
  if (!line) {
    line = document.createElement("p");
    line.id = "lacks";
    line.className = "verdict failed";
    line.setAttribute("role", "alert");
    (by("kept") || by("content").firstElementChild).before(line);
  }
  line.textContent = text;
  line.hidden = !text;
  if (text) line.scrollIntoView({ block: "center" });
}
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.id === "leave") return forget();
  if (!/\/visits\//.test(form.action) || !/\/(acts|close)$/.test(form.action) && form.id !== "answer") return undefined;
  event.preventDefault();
  if ("needsNetwork" in form.dataset) return direct(form);
  const body = bodyOf(form, event.submitter), lacks = lacking(form, body);
  complain(lacks);
  if (!lacks) act(body, event.submitter);
  else if (body.outcome) form.elements.note.focus({ preventScroll: true });
  return undefined;
});
async function act(body, submitter) {
  const title = document.querySelector("h1");
  const said = `${title ? title.textContent : ""} – ${submitter ? submitter.textContent.trim() : body.type}`;
  try {
    await queue.save(about.who, about.session, body, said);
  } catch { return complain(words.keep); }
  if (submitter) submitter.blur();
  await strip();
  return flush(body);
}
const photo = by("photo") ? takes(by("photo"), async (body, picture, words_) => {
  try {
    await queue.save(about.who, about.session, body, `${by("photo").querySelector("summary").firstChild.textContent.trim()} – ${words_}`, picture);
  } catch { complain(words.keep); return false; }
  await strip();
  flush(null);
  return true;
}) : null;
async function flush(mine) {
  let last = null;
  network = await queue.send(about.who, async (act, said) => {
    if (!act.picture) last = { act, said };
    else if (!said && photo && act.session === about.session) photo.refused();
    else if (photo && act.session === about.session) photo.sent();
  });
  if (network !== "empty") cut = network === "offline";
  tell();
  await strip();
  if (last && last.said) after(last.act.body, last.said);
  else if (last) look();
  else if (mine && network !== "empty" && network !== "sent") onward(mine);
}
function after(body, said) {
  if (said.outcome) return location.assign(`/visits/${said.session}`);
  const order = said.steps.map((each) => each.step), it = said.steps.find((each) => each.step === about.step);
  if (body.type !== "fitting_answer" || !it || !it.done || body.step !== about.step) return look();
  const open = said.steps.filter((each) => !each.done).map((each) => each.step);
  const next = open.find((each) => order.indexOf(each) > order.indexOf(about.step)) || open[0] || "sign";
  return location.assign(`/visits/${said.session}/${next}`);
}
function onward(body) { // in a dead spot: what was said is on this phone, the protocol goes on
  if (body.answer === "no" || !about.next) return;
  if (body.type === "fitting_answer" || body.what === "walk_over" || body.type === "fitting_closed") {
    setTimeout(() => location.assign(about.next), 700);
  }
}

// --- what was said here and is not sent yet shows where it was said -----------------------------------------
const NEXT = { lifted: "lowered", lowered: "moved", moved: "wait" };
function effects(acts) {
  const here = acts.filter((act) => act.body.step === about.step || act.body.what && belongs(act.body.what) === about.step);
  const kept = by("kept");
  if (kept) {
    kept.hidden = !here.length;
    kept.textContent = here.length ? `${words.here} ${here.map((act) => act.words.split(" – ")[1]).join(", ")}` : "";
  }
  for (const act of here) {
    if (act.body.what in NEXT) stage(NEXT[act.body.what]);
    if (act.body.what === "lifted") holds(act.doneAt);
    if (act.body.what === "room") {
      for (const chip of all("#rooms .chip")) chip.setAttribute("aria-pressed", String(chip.value === act.body.room));
      for (const over of all("[data-stage=walk_over] button")) over.disabled = false;
      asksOfOneRoom(here);
      for (const old of all("#now .readings, #walked .here small")) old.hidden = true; // they are of the room before
    }
  }
}
function asksOfOneRoom(acts) { // one room is seldom all there is: the walk is over by a second press then
  const rooms = new Set(JSON.parse(by("reach").dataset.rooms));
  for (const act of acts) if (act.body.what === "room") rooms.add(act.body.room);
  for (const each of all("#reach > [data-stage=walk_over]")) each.hidden = rooms.size === 1;
  for (const each of all("#reach > [data-stage=one_room]")) each.hidden = rooms.size !== 1;
}
function holds(since) { // the sensor is not heard from here: it is down again when the time is over
  for (const each of all("#ask > [data-stage]")) each.hidden = each.dataset.stage !== "holding";
  for (const over of all("#reach > [data-stage=lowered] button")) over.disabled = Date.now() - since < 1000 * by("reach").dataset.hold;
}
const belongs = (what) => (what === "room" || what === "walk_over" ? "walk" : "body");
function stage(name) {
  for (const each of all("#reach > [data-stage], #ask > [data-stage]")) each.hidden = each.dataset.stage !== name;
}

// --- a form that needs the service at once: the beginning and the signatures --------------------------------
function unsigned(form) { // said beside the pad: what was signed stays as it is
  let first = null;
  for (const part of all(".signature", form)) {
    const told = part.querySelector(".missing-one"), role = part.dataset.role, kept = form.elements[`strokes_${role}`].value;
    told.hidden = !part.dataset.lacks || Boolean(kept) || form.elements[`by_name_${role}`].checked;
    if (!told.hidden) told.lastElementChild.textContent = part.dataset.lacks;
    first = first || (told.hidden ? null : told);
  }
  if (first) first.scrollIntoView({ block: "center" });
  return Boolean(first);
}
async function direct(form) {
  if (unsigned(form)) return undefined;
  const key = form.querySelector("[name=key]") || form.appendChild(Object.assign(document.createElement("input"), { type: "hidden", name: "key" }));
  key.value = key.value || queue.newKey();
  for (const button of all("#reach button, .reach button")) button.disabled = true;
  try {
    const n = await unsent();
    if (n) return complain(filled(words.waits, { n }));
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), cache: "no-store", signal: AbortSignal.timeout(20000) });
    if (answer.redirected) return location.assign(answer.url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    by("content").replaceWith(document.adoptNode(page.getElementById("content")));
    const told = by("wrong");
    if (told) told.scrollIntoView({ block: "center" });
    else scrollTo(0, 0);
    signatures();
  } catch { complain(words.unsigned); } finally {
    for (const button of all("#reach button, .reach button")) button.disabled = false;
  }
  return undefined;
}
async function unsent() { // what is saved of this visit goes before its end
  await flush(null);
  return (await queue.all("acts")).filter((act) => act.session === about.session).length;
}
const signatures = () => all(".signature").forEach(ready);

// --- live readings ----------------------------------------------------------------------------------------
let heard = null, missed = false, looking = false, cut = false;
const isCut = () => cut || navigator.onLine === false;
const isStale = () => Boolean(about.live) && (heard === null ? missed : performance.now() - heard > STALE_MS);
async function look() {
  if (!about.live || looking) return;
  looking = true;
  try {
    const answer = await fetch(about.live, { headers: { "X-By-Itself": "1" }, redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(LOOK_MS * 3) });
    if (answer.type === "opaqueredirect") return location.reload();
    if (answer.ok) {
      swap(new DOMParser().parseFromString(await answer.text(), "text/html"));
      heard = performance.now();
      cut = false;
    }
  } catch { missed = cut = true; } finally { looking = false; }
  tell();
  return strip();
}
function swap(page) {
  for (const id of ["ask", "now", "number", "walked", "reach"]) {
    const old = by(id), next = page.getElementById(id);
    if (!old || !next || old.outerHTML === next.outerHTML) continue;
    if (id === "now") announce(old, next);
    const opened = all("details", old).map((each) => each.open), focused = all("a, button", old).indexOf(document.activeElement);
    old.replaceWith(document.adoptNode(next));
    all("details", next).forEach((each, number) => { each.open = opened[number]; });
    const again = all("a, button", next)[focused];
    if (again) again.focus({ preventScroll: true });
  }
  for (const chip of all("#rooms .chip")) chip.setAttribute("aria-pressed", String(chip.value === by("now").dataset.here));
  if (by("now") && "closed" in by("now").dataset) location.assign(`/visits/${about.session}`);
}
function announce(old, next) { // to those who hear the page: that a verdict changed, not each reading
  const was = old.querySelector(".verdict"), is = next.querySelector(".verdict");
  if (is && (!was || was.className !== is.className)) by("told").textContent = is.textContent.trim();
}
function tell() {
  const line = by("liveness");
  if (!line) return;
  const text = isCut() ? words.cut : isStale() ? words.stale : heard === null ? "" : words.live;
  line.classList.toggle("stale", isStale() || isCut());
  if (line.textContent !== text) line.textContent = text;
}

// --- pages that are kept for dead spots ---------------------------------------------------------------------
function forget() {
  if (navigator.serviceWorker && navigator.serviceWorker.controller) navigator.serviceWorker.controller.postMessage({ forget: true });
}
async function keepPages() {
  if (!navigator.serviceWorker) return; // a connection without TLS has none: acts are saved all the same
  const worker = await navigator.serviceWorker.register("/visits/worker.js", { scope: "/visits" });
  await navigator.serviceWorker.ready;
  const now = worker.active;
  if (!now) return;
  if (localStorage.getItem("emcheck-who") !== about.who) now.postMessage({ forget: true }); // another's pages
  localStorage.setItem("emcheck-who", about.who);
  if (about.closed) return now.postMessage({ forget: true });
  const steps = about.session ? about.steps.trim().split(" ") : [];
  const paths = ["/visits", "/visits/offline", ...steps.map((step) => `/visits/${about.session}/${step}`)];
  if (steps.length) paths.push(`/visits/${about.session}`, `/visits/${about.session}/end`);
  now.postMessage({ keep: paths });
}

signatures();
tell();
strip();
flush(null);
look();
setInterval(() => { if (!document.hidden) look(); }, LOOK_MS);
setInterval(() => { tell(); queue.all("acts").then((acts) => { if (acts.length) flush(null); }); }, SEND_MS);
addEventListener("online", () => { flush(null); look(); });
addEventListener("offline", () => { tell(); strip(); });
if (!about.session || about.steps) keepPages().catch(() => undefined);
