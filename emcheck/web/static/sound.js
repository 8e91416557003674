// A sound for P1: when one comes, and again while one waits. It can be silenced for some minutes and never for ever; a
// browser that does not let it sound is told of. What the title says of P1 is not silenced.
import { all, by } from "./console.js";

const AGAIN_MS = 15000, LONGEST_MS = 15 * 60000, KEPT = "emcheck-silent-until";
const place = by("sound");
const Context = window.AudioContext || window.webkitAudioContext;
const audio = place && Context ? new Context() : null;
let urgent = 0, rang = -AGAIN_MS, silentUntil = kept();

function kept() {
  const until = Number(localStorage.getItem(KEPT)) || 0;
  return until - Date.now() > LONGEST_MS ? 0 : until;
}
function silence(ms) {
  silentUntil = ms ? Date.now() + ms : 0;
  localStorage.setItem(KEPT, silentUntil);
  rang = -AGAIN_MS;
  tellSound();
}
const isSilent = () => silentUntil > Date.now();
const isBlocked = () => !audio || audio.state !== "running";

// A P1 has come.
export function ring() {
  if (isSilent() || isBlocked()) return;
  rang = performance.now();
  for (const [pitch, after] of [[880, 0], [660, 0.25], [880, 0.5]]) {
    const tone = audio.createOscillator(), level = audio.createGain(), at = audio.currentTime + after;
    tone.frequency.value = pitch;
    level.gain.setValueAtTime(0.2, at);
    level.gain.exponentialRampToValueAtTime(0.001, at + 0.22);
    tone.connect(level).connect(audio.destination);
    tone.start(at);
    tone.stop(at + 0.22);
  }
}
// So many P1 wait; it rings again while any does.
export function remind(waiting) {
  urgent = waiting;
  if (urgent && performance.now() - rang > AGAIN_MS) ring();
}
export function tellSound() {
  if (!place) return;
  const until = new Date(silentUntil).toLocaleTimeString([], { hour12: false, hour: "2-digit", minute: "2-digit", second: "2-digit" });
  const words = !audio ? "This browser has no sound" : isSilent() ? `Silent until ${until}`
    : isBlocked() ? "The browser blocks the sound for P1" : "Sound on";
  const told = by("sound-words");
  if (told.textContent !== words) told.textContent = words;
  place.classList.toggle("blocked", !isSilent() && isBlocked());
  place.classList.toggle("silent", isSilent());
  for (const each of all("[data-silence]", place)) each.hidden = isSilent() || isBlocked();
  const on = by("sound-on");
  on.hidden = !audio || !(isSilent() || isBlocked());
  const label = isSilent() ? "Sound on" : "Let it sound";
  if (on.textContent !== label) on.textContent = label;
}

if (place) {
  place.hidden = false;
  for (const each of all("[data-silence]", place)) each.addEventListener("click", () => silence(each.dataset.silence * 60000));
  by("sound-on").addEventListener("click", () => silence(0));
  window.addEventListener("storage", (event) => { if (event.key === KEPT) { silentUntil = kept(); tellSound(); } });
  if (audio) {
    audio.onstatechange = tellSound;
    for (const kind of ["pointerdown", "keydown"]) { // browsers allow sound once the page was used
      document.addEventListener(kind, () => { if (isBlocked()) audio.resume(); });
    }
  }
  tellSound();
}
