// A page that refreshes a part of itself (#now) says when it is stale, and since when; what it showed stays.
"use strict";
(() => {
  const ours = (event) => event.target instanceof Element && event.target.id === "now";
  const now = () => document.getElementById("now");
  let well = new Date();

  function stale() {
    const said = now() && now().querySelector(".asof");
    if (!said) return;
    let word = said.querySelector(".stale");
    if (!word) {
      word = document.createElement("b");
      word.className = "stale urgent";
      said.append(" · ", word);
    }
    const words = `stale since ${well.toLocaleTimeString([], { hour12: false })}, asking again`;
    if (word.textContent !== words) word.textContent = words;
  }

  // before the page's own listener, which would say that an act was not done: nobody did any
  window.addEventListener("htmx:sendError", (event) => {
    if (!ours(event)) return;
    event.stopImmediatePropagation();
    stale();
  }, true);
  window.addEventListener("htmx:beforeSwap", (event) => {
    if (!ours(event)) return;
    if (event.detail.xhr.status >= 400) {
      event.detail.shouldSwap = false;
      stale();
    } else {
      well = new Date();
    }
  }, true);
})();
