// What every page does by script: requests that prove where they come from, what is said of a failure, light or dark.
// Nothing here or in the files beside it decides or keeps anything: without them every page reads and acts the same,
// from one load to the next.
export const by = (id) => document.getElementById(id);
export const all = (what, where) => Array.from((where || document).querySelectorAll(what));

document.addEventListener("htmx:configRequest", (event) => {
  const csrf = document.body.dataset.csrf;
  if (csrf) event.detail.headers["X-CSRF-Token"] = csrf;
});
document.addEventListener("htmx:sendError", () => say("emcheck does not answer. Nothing was done; try again."));

// Says something above the alert, or above the page where there is none.
export function say(words, kind = "wrong") {
  const place = by("alert") || by("content");
  if (!place) return;
  const said = place.querySelector(".outcome.said");
  if (said) said.remove();
  const line = document.createElement("p");
  line.className = `outcome ${kind} said`;
  line.setAttribute("role", kind === "wrong" ? "alert" : "status");
  line.textContent = words;
  place.prepend(line);
}

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
