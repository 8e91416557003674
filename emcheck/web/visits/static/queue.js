// Acts that are saved on this phone until the service has them. They are sent in order; each has a key, by which the
// service knows one again that it has already, and says how long ago it was done, whatever this phone's clock says.
const TRY_MS = 12000, TRY_PHOTO_MS = 90000;
const opened = new Promise((done, failed) => {
  const asked = indexedDB.open("emcheck-visits", 1);
  asked.onupgradeneeded = () => {
    asked.result.createObjectStore("acts", { keyPath: "number", autoIncrement: true });
    asked.result.createObjectStore("refused", { keyPath: "number", autoIncrement: true });
  };
  asked.onsuccess = () => done(asked.result);
  asked.onerror = () => failed(asked.error);
});
async function within(store, mode, does) {
  const database = await opened;
  return new Promise((done, failed) => {
    const transaction = database.transaction(store, mode), asked = does(transaction.objectStore(store));
    transaction.oncomplete = () => done(asked.result);
    transaction.onerror = transaction.onabort = () => failed(transaction.error);
  });
}
export const all = (store) => within(store, "readonly", (it) => it.getAll());
const add = (store, what) => within(store, "readwrite", (it) => it.add(what));
export const remove = (store, number) => within(store, "readwrite", (it) => it.delete(number));
export function newKey() {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");
}
export const save = (who, session, body, words, picture) =>
  add("acts", { who, session, body, words, picture, key: newKey(), doneAt: Date.now() });
// In order; but a photo waits for what is quick to send, and the end of a visit for its photos.
async function nextOf(who) {
  const mine = (await all("acts")).filter((act) => act.who === who);
  return mine.find((act) => !act.picture && act.body.type !== "fitting_closed") || mine.find((act) => act.picture) || mine[0];
}
function sent(act, csrf) {
  const told = { key: act.key, age_ms: Math.max(0, Date.now() - act.doneAt) }, head = { "X-CSRF-Token": csrf };
  if (!act.picture) {
    const body = JSON.stringify({ ...act.body, ...told });
    return fetch(`/api/v1/visits/${act.session}/acts`, asking({ method: "POST", headers: { ...head, "Content-Type": "application/json" }, body }));
  }
  const about = new URLSearchParams({ caption: act.body.caption, ...told });
  return fetch(`/api/v1/visits/${act.session}/photos?${about}`, asking({
    method: "POST", headers: { ...head, "Content-Type": "image/jpeg" }, body: act.picture, signal: AbortSignal.timeout(TRY_PHOTO_MS),
  }));
}

// What became of it: "empty", "sent", "offline", "signin" or "other" (somebody else is signed in).
let running = null;
export function send(who, told) {
  running = running || (navigator.locks ? navigator.locks.request("emcheck-visits", () => sendAll(who, told)) : sendAll(who, told))
    .finally(() => { running = null; });
  return running;
}
async function sendAll(who, told) {
  if (!(await all("acts")).some((act) => act.who === who)) return "empty";
  try {
    const here = await fetch("/visits/here", asking({}));
    if (here.type === "opaqueredirect" || here.status === 401) return "signin";
    if (!here.ok) return "offline";
    const me = await here.json();
    if (me.name !== who) return "other";
    let next;
    while ((next = await nextOf(who))) {
      const answer = await sent(next, me.csrf);
      if (answer.status === 401) return "signin";
      if (answer.status >= 500 || answer.status === 429) return "offline";
      const said = await answer.json();
      if (!answer.ok) await add("refused", { who, words: next.words, why: said.detail, session: next.session });
      await remove("acts", next.number); // only now: what is not answered is sent again
      await told(next, answer.ok ? said : null);
    }
    return "sent";
  } catch { return "offline"; }
}
const asking = (more) => ({ redirect: "manual", cache: "no-store", signal: AbortSignal.timeout(TRY_MS), ...more });
