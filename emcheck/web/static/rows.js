// Rows change where they stand; what is new waits above the list, but for P1, which enters and moves nothing that is
// under the cursor.
import { all, by, say } from "./console.js";
import { carry } from "./picking.js";
import { ring } from "./sound.js";

const fresh = new Map(), me = by("content").dataset.me;

function made(html) {
  const parsed = document.createElement("template");
  parsed.innerHTML = html; // the server's own row, escaped there
  return parsed.content.firstElementChild;
}
export function change(it) {
  const row = by(`row-${it.id}`);
  if (row && it.html) renew(row, it.html);
  else if (row) row.classList.add("changed");
  else if (it.rank !== null && it.waits && it.came) arrive(it);
  if (it.came && it.waits && it.priority === "P1" && !row) ring(); // whatever the list is filtered by
  if (it.action === "handed_over" && it.holder === me && it.by !== me) say(`${it.by} gave you an alert: choose "mine" to see it.`, "done");
  if (it.rank === null) fresh.delete(it.id);
  const open = document.querySelector("#alert article");
  if (open && open.dataset.id === it.id && Number(open.dataset.revision) < it.revision) soon(open, it);
}
function renew(row, html) {
  const next = made(html), focused = document.activeElement, had = row.contains(focused);
  carry(row, next);
  for (const mark of ["open", "chosen"]) if (row.classList.contains(mark)) next.classList.add(mark);
  row.replaceWith(next);
  htmx.process(next);
  if (had) (next.contains(focused) ? focused : next.querySelector("a")).focus({ preventScroll: true });
}
function arrive(it) {
  const list = by("list").dataset;
  if (list.priority && list.priority !== it.priority) return;
  if (list.rule && list.rule !== it.rule) return;
  if (list.mine && it.holder !== me) return;
  const isSought = list.words || list.site || list.incident; // whether it is meant, only the service can say
  if (it.priority === "P1" && it.html && !isSought && !list.later) enter(it);
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
export function announce() {
  const urgent = Array.from(fresh.values()).filter((each) => each === "P1").length;
  by("news").classList.toggle("some", fresh.size > 0);
  if (fresh.size) by("news-words").textContent = `${fresh.size > 99 ? "99+" : fresh.size} new${urgent ? `, ${urgent} P1` : ""}`;
}
export function showNew() {
  const above = all(".row.entered").length && Array.from(fresh.values()).every((each) => each === "P1");
  if (above && !by("list").dataset.later) {
    fresh.clear();
    announce();
    by("scroll").scrollTop = 0;
  } else refresh();
}
// What a page does by itself keeps nobody signed in.
export function refresh(byItself) {
  fresh.clear();
  announce();
  htmx.ajax("GET", `/${by("list").dataset.kept}`, { target: "#list", swap: "outerHTML", headers: byItself ? { "X-By-Itself": "1" } : {} }).then(() => {
    by("scroll").scrollTop = 0;
  });
}
function soon(open, it) {
  const typed = all("[name=note]", open).some((note) => note.value);
  const busy = open.contains(document.activeElement) && document.activeElement.matches("input, select");
  if (open.querySelector(".htmx-request") || (by("bulk") && by("bulk").matches(".htmx-request"))) return; // its answer comes
  if (busy || typed) {
    if (!open.querySelector(".changed")) {
      say(`${it.by === "emcheck" ? "It" : `${it.by} ${it.did}; what is shown`} has changed. Open it again to see.`);
      open.classList.add("changed");
    }
  } else htmx.ajax("GET", `/alerts/${encodeURIComponent(it.id)}`, { target: "#alert", swap: "innerHTML", headers: { "X-Again": it.id, "X-By-Itself": "1" } });
}
// What was loaded again by itself replaces nothing that was asked for meanwhile.
document.addEventListener("htmx:beforeSwap", (event) => {
  const again = event.detail.requestConfig.headers["X-Again"], open = document.querySelector("#alert article");
  if (again && (!open || open.dataset.id !== again)) event.detail.shouldSwap = false;
});
by("news-show").addEventListener("click", showNew);
