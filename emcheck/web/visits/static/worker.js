// Serves the fitters' pages in a dead spot: the network first, and what was kept where it does not answer in time.
// Acts are not its business: the page saves and sends them (queue.js). Kept pages go with the sign-out.
"use strict";
const SHELL = "emcheck-visits-shell", PAGES = "emcheck-visits-pages", WAIT_MS = 5000;
const FILES = [
  "/static/console.css", "/static/console.js", "/static/mark.svg", "/static/visits/visits.css",
  "/static/visits/queue.js", "/static/visits/visits.js", "/static/visits/signing.js",
  "/static/visits/photos.js",
];
const NOT_KEPT = /\/(now|here|worker\.js|record\.(pdf|json))$/;

self.addEventListener("install", (event) => {
  event.waitUntil((async () => {
    await (await caches.open(SHELL)).addAll(FILES);
    await keep("/visits/offline");
    await self.skipWaiting();
  })());
});
self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("message", (event) => {
  if (event.data.keep) event.waitUntil(keepAll(event.data.keep));
  if (event.data.forget) event.waitUntil(caches.delete(PAGES));
});
async function keepAll(paths) {
  for (const path of paths) if (!await keep(path)) return; // one by one: the line may be thin
}
async function keep(path) {
  try {
    const answer = await fetch(path, { headers: { "X-By-Itself": "1" }, redirect: "manual", cache: "no-store" });
    if (answer.ok) await (await caches.open(PAGES)).put(path, answer);
    return answer.ok;
  } catch { return false; }
}

self.addEventListener("fetch", (event) => {
  const asked = event.request, url = new URL(asked.url);
  if (asked.method !== "GET" || url.origin !== location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(served(asked, SHELL));
  else if (asked.mode === "navigate" && !NOT_KEPT.test(url.pathname)) event.respondWith(served(asked, PAGES));
});
async function served(asked, name) {
  const cache = await caches.open(name);
  const kept = await cache.match(asked, { ignoreVary: true });
  const fetched = fetch(asked).then((answer) => {
    if (answer.ok) cache.put(asked, answer.clone());
    else if (answer.type === "opaqueredirect" && name === PAGES) caches.delete(PAGES); // signed out, or the visit is over
    return answer;
  });
  try {
    if (!kept) return await fetched;
    return await Promise.race([fetched, new Promise((_, over) => setTimeout(over, WAIT_MS, new Error("slow")))]);
  } catch {
    fetched.catch(() => undefined); // it may still come, and is kept then
    return kept || await cache.match("/visits/offline", { ignoreVary: true }) || Response.error();
  }
}
