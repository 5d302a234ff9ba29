// Colors that follow the system or the reader, and a button that copies code. Everything works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const KEY = "atlas-scheme";
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const SAYS = { auto: "Colors follow the system", light: "Light colors", dark: "Dark colors" };

  const stored = () => {
    try {
      const scheme = localStorage.getItem(KEY);
      return scheme in NEXT ? scheme : "auto";
    } catch {
      return "auto";
    }
  };
  const apply = (scheme) => {
    if (scheme === "auto") delete root.dataset.scheme;
    else root.dataset.scheme = scheme;
  };
  // Runs before the page is drawn, so that nothing flashes.
  apply(stored());

  const label = (button, scheme) => {
    const text = `${SAYS[scheme]}; switch to ${NEXT[scheme] === "auto" ? "the system's" : NEXT[scheme]}`;
    button.setAttribute("aria-label", text);
    button.title = text;
  };
  const offerSchemes = (button) => {
    let scheme = stored();
    button.hidden = false;
    label(button, scheme);
    button.addEventListener("click", () => {
      scheme = NEXT[scheme];
      apply(scheme);
      label(button, scheme);
      try {
        localStorage.setItem(KEY, scheme);
      } catch {
        // Storage may be off; the choice then lasts as long as the page.
      }
    });
  };
  const offerCopy = (code) => {
    const button = document.createElement("button");
    button.type = "button";
    button.className = "atlas-copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(code.innerText);
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = "Copy"), 1500);
    });
    code.parentElement.append(button);
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-scheme-switch]").forEach(offerSchemes);
    if (navigator.clipboard) document.querySelectorAll("pre > code").forEach(offerCopy);
  });
})();
