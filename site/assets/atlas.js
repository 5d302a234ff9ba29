// Colors that follow the system or the reader, and buttons that copy. Everything works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const KEY = "atlas-scheme";
  const NEXT = { auto: "light", light: "dark", dark: "auto" };
  const SAYS = { auto: "Colors follow the system", light: "Light colors", dark: "Dark colors" };
  const COPIED_SHOWN = 1500;

  const stored = () => {
    try {
      const scheme = localStorage.getItem(KEY);
      return Object.hasOwn(NEXT, scheme) ? scheme : "auto";
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

  // What is said here is read out once and not seen.
  const status = document.createElement("p");
  status.className = "visually-hidden";
  status.setAttribute("role", "status");

  // `name` is what the element calls its text: data-copy="BibTeX" makes a button "Copy BibTeX".
  const offerCopy = (element, name) => {
    const says = name ? `Copy ${name}` : "Copy";
    const text = element.textContent.trim();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "atlas-copy";
    button.textContent = says;
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(text);
        button.textContent = status.textContent = "Copied";
      } catch {
        button.textContent = status.textContent = "The browser did not allow it";
      }
      setTimeout(() => {
        button.textContent = says;
        status.textContent = "";
      }, COPIED_SHOWN);
    });
    const pre = element.closest("pre");
    if (pre) {
      pre.append(button);
      return;
    }
    const place = document.createElement("p");
    place.className = "atlas-copied";
    place.append(button);
    element.after(place);
  };

  addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-scheme-switch]").forEach(offerSchemes);
    if (!navigator.clipboard) return;
    document.body.append(status);
    document.querySelectorAll("pre:not([data-copy]) > code").forEach((code) => offerCopy(code, ""));
    // A button that says so itself belongs to a page's own script.
    document.querySelectorAll("[data-copy]:not(button)").forEach((element) => offerCopy(element, element.dataset.copy));
  });
})();
