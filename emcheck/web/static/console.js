// The console's live part: rows that change where they stand, what is new above the list, count-downs, and keys.
// Nothing here decides or keeps anything: without it every page reads and acts the same, from one load to the next.
"use strict";
(() => {
  const by = (id) => document.getElementById(id);
  const all = (what, where) => Array.from((where || document).querySelectorAll(what));
  const STALE_MS = 5000, AGAIN_MS = 12000, HUSH_MS = 600000;

  // --- requests: each proves that it comes from this page -------------------------------------------------
  document.addEventListener("htmx:configRequest", (event) => {
    const csrf = document.body.dataset.csrf;
    if (csrf) event.detail.headers["X-CSRF-Token"] = csrf;
  });
  document.addEventListener("htmx:sendError", () => say("alert", "emcheck does not answer. Nothing was done; try again."));
  function say(id, words) {
    const said = by(id).querySelector(".outcome.said");
    if (said) said.remove();
    const line = document.createElement("p");
    line.className = "outcome wrong said";
    line.setAttribute("role", "alert");
    line.textContent = words;
    by(id).prepend(line);
  }

  // --- light or dark -------------------------------------------------------------------------------------
  const theme = by("theme");
  if (theme) {
    theme.hidden = false;
    theme.addEventListener("click", () => {
      const dark = matchMedia("(prefers-color-scheme: dark)").matches;
      const now = document.documentElement.dataset.theme || (dark ? "dark" : "light");
      const next = now === "dark" ? "light" : "dark";
      document.documentElement.dataset.theme = next;
      document.cookie = `emcheck-theme=${next}; path=/; max-age=31536000; samesite=lax`;
    });
  }

  const live = by("live");
  if (!live) return;

  // --- the time, by the service's clock ------------------------------------------------------------------
  let ahead = 0;
  const now = () => Date.now() + ahead;
  function duration(ms) {
    if (ms >= 2 * 86400000) return `${Math.floor(ms / 86400000)} days`;
    const s = Math.floor(ms / 1000), h = Math.floor(s / 3600), min = Math.floor(s / 60) % 60, rest = s % 60;
    if (s < 60) return `${s} s`;
    return [h ? `${h} h` : "", min ? `${min} min` : "", rest && !h ? `${rest} s` : ""].filter(Boolean).join(" ");
  }
  function countDown() {
    for (const each of all("[data-due]")) {
      const left = Number(each.dataset.due) - now();
      const text = left >= 0 ? duration(left) : `over by ${duration(-left)}`;
      if (each.textContent !== text) each.textContent = text;
      each.classList.toggle("over", left < 0);
    }
    for (const each of all("#counts .count[data-since]")) {
      each.querySelector(".longest").textContent = each.dataset.since ? duration(Math.max(0, now() - each.dataset.since)) : "";
    }
  }

  // --- the live line -------------------------------------------------------------------------------------
  let source = null, number = by("list").dataset.number, heard = performance.now(), heardAt = null, opened = 0;
  const isStale = () => performance.now() - heard > STALE_MS;
  function connect() {
    if (source) source.close();
    opened = performance.now();
    source = new EventSource(`/live?after=${encodeURIComponent(number)}`);
    source.addEventListener("beat", (event) => beat(JSON.parse(event.data)));
    source.addEventListener("changes", (event) => {
      number = event.lastEventId || number;
      JSON.parse(event.data).alerts.forEach(change);
      announce();
    });
    source.addEventListener("anew", () => refresh());
    source.addEventListener("over", () => location.reload());
    source.onerror = () => {
      if (source.readyState === EventSource.CLOSED) setTimeout(whetherSignedIn, 1500 + Math.random() * 1000);
    };
  }
  function whetherSignedIn() {
    fetch("/account", { redirect: "manual", cache: "no-store" })
      .then((answer) => (answer.type === "opaqueredirect" ? location.reload() : connect()), connect);
  }
  function beat(said) {
    ahead = said.now - Date.now();
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
    document.title = `${urgent ? `(${urgent} P1) ` : ""}Queue · emcheck`;
    countDown();
  }

  // --- rows ----------------------------------------------------------------------------------------------
  const fresh = new Map();
  function made(html) {
    const parsed = document.createElement("template");
    parsed.innerHTML = html; // the server's own row, escaped there
    return parsed.content.firstElementChild;
  }
  function change(it) {
    const row = by(`row-${it.id}`);
    if (row && it.html) renew(row, it.html);
    else if (row) row.classList.add("changed");
    else if (it.rank !== null && it.waits && it.came) arrive(it);
    if (it.rank === null) fresh.delete(it.id);
    const open = document.querySelector("#alert article");
    if (open && open.dataset.id === it.id && Number(open.dataset.revision) < it.revision) soon(open, it);
  }
  function renew(row, html) {
    const next = made(html), had = row.contains(document.activeElement);
    for (const mark of ["open", "chosen"]) if (row.classList.contains(mark)) next.classList.add(mark);
    row.replaceWith(next);
    htmx.process(next);
    if (had) next.querySelector("a").focus({ preventScroll: true });
  }
  function arrive(it) {
    const list = by("list").dataset;
    if (list.priority && list.priority !== it.priority) return;
    if (it.priority === "P1") sound();
    if (it.priority === "P1" && it.html && !list.words && !list.later) enter(it);
    else fresh.set(it.id, it.priority);
  }
  function enter(it) {
    const scroll = by("scroll"), rows = by("rows");
    const after = all(".row", rows).find((each) => each.dataset.rank && BigInt(each.dataset.rank) > BigInt(it.rank));
    const held = scroll.matches(":hover") || rows.contains(document.activeElement) || scroll.scrollTop > 0;
    const before = scroll.scrollHeight;
    const row = made(it.html);
    row.classList.add("entered");
    rows.insertBefore(row, after || null);
    htmx.process(row);
    const empty = document.querySelector("#list .empty");
    if (empty) empty.remove();
    if (held && after) {
      scroll.scrollTop += scroll.scrollHeight - before; // what is under the cursor stays there
      fresh.set(it.id, "P1");
    }
  }
  function announce() {
    const urgent = Array.from(fresh.values()).filter((each) => each === "P1").length;
    by("news").classList.toggle("some", fresh.size > 0);
    if (fresh.size) by("news-words").textContent = `${fresh.size > 99 ? "99+" : fresh.size} new${urgent ? `, ${urgent} P1` : ""}`;
  }
  function showNew() {
    const above = all(".row.entered").length && Array.from(fresh.values()).every((each) => each === "P1");
    if (above && !by("list").dataset.later) {
      fresh.clear();
      announce();
      by("scroll").scrollTop = 0;
    } else refresh();
  }
  function refresh() {
    fresh.clear();
    announce();
    htmx.ajax("GET", `/${by("list").dataset.kept}`, { target: "#list", swap: "outerHTML" }).then(() => {
      by("scroll").scrollTop = 0;
    });
  }
  function soon(open, it) {
    const note = open.querySelector("[name=note]");
    const busy = open.contains(document.activeElement) && document.activeElement.matches("input, select");
    if (open.querySelector(".htmx-request") || document.querySelector(".acts.htmx-request")) return;
    if (busy || (note && note.value)) {
      if (!open.querySelector(".changed")) {
        say("alert", `${it.by === "emcheck" ? "It" : `${it.by} ${it.action} it; what is shown`} has changed. Open it again to see.`);
        open.classList.add("changed");
      }
    } else htmx.ajax("GET", `/alerts/${encodeURIComponent(it.id)}`, { target: "#alert", swap: "innerHTML" });
  }
  document.addEventListener("htmx:afterSwap", (event) => {
    number = String(Math.max(Number(number), Number(by("list").dataset.number)));
    if (event.detail.target.id === "alert") {
      const open = document.querySelector("#alert article");
      by("content").classList.toggle("has-alert", Boolean(open));
      for (const row of all(".row")) row.classList.toggle("open", Boolean(open) && row.dataset.id === open.dataset.id);
      by("alert").scrollTop = 0;
      if (open) choose(by(`row-${open.dataset.id}`)); // none, where the list does not have it: keys are about what is open
    } else if (event.detail.target.id === "list") chooseFirst();
    countDown();
  });
  by("news-show").addEventListener("click", showNew);

  // --- a sound for P1, which may be silenced for ten minutes and not for ever -----------------------------
  let audio = null, hushedUntil = 0;
  const hush = document.createElement("button");
  hush.type = "button";
  hush.className = "quiet";
  hush.id = "hush";
  hush.addEventListener("click", () => {
    audio = audio || new AudioContext();
    hushedUntil = hushedUntil > Date.now() ? 0 : Date.now() + HUSH_MS;
    telling();
  });
  by("counts").after(hush);
  function telling() {
    const left = Math.ceil((hushedUntil - Date.now()) / 60000);
    const words = left > 0 ? `Sound is off for ${left} min: turn on` : "Sound is on: turn off for 10 min";
    if (hush.textContent !== words) hush.textContent = words;
  }
  document.addEventListener("pointerdown", () => { audio = audio || new AudioContext(); }, { once: true });
  document.addEventListener("keydown", () => { audio = audio || new AudioContext(); }, { once: true });
  function sound() {
    if (!audio || hushedUntil > Date.now()) return;
    const tone = audio.createOscillator(), level = audio.createGain(), at = audio.currentTime;
    tone.frequency.value = 880;
    level.gain.setValueAtTime(0.15, at);
    level.gain.exponentialRampToValueAtTime(0.001, at + 0.5);
    tone.connect(level).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.5);
  }

  // --- the chosen row, which keys are about: the first, until another is gone to or opened ----------------
  const chosen = () => document.querySelector("#rows .row.chosen");
  function choose(row) {
    for (const each of all("#rows .row.chosen")) each.classList.remove("chosen");
    if (row) row.classList.add("chosen");
  }
  function chooseFirst() {
    const row = document.querySelector("#rows .row.open")
      || (document.querySelector("#alert article") ? null : document.querySelector("#rows .row"));
    if (row) choose(row);
  }
  document.addEventListener("focusin", (event) => {
    const row = event.target.closest("#rows .row");
    if (row) choose(row);
  });

  // --- keys ----------------------------------------------------------------------------------------------
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
    else say("alert", "no alert is chosen: j");
  }
  function act(key) {
    const row = chosen(), open = document.querySelector("#alert article");
    if (!row && !open) return say("alert", "no alert is chosen: j");
    if (row && (!open || row.dataset.id !== open.dataset.id)) {
      awaited = key === "a" ? row.dataset.id : null; // what ends an alert is never done unseen
      return openChosen();
    }
    const button = document.querySelector(`#alert [data-key="${key}"]`);
    if (button) button.click();
    else say("alert", `this alert cannot be ${key === "a" ? "acknowledged" : "confirmed"} now`);
  }
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "alert" || awaited === null) return;
    const open = document.querySelector("#alert article"), isIt = open && open.dataset.id === awaited;
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

  setInterval(() => {
    countDown();
    tell();
    telling();
    if (performance.now() - heard > AGAIN_MS && performance.now() - opened > AGAIN_MS) connect();
  }, 1000);
  tell();
  telling();
  countDown();
  chooseFirst();
  connect();
})();
