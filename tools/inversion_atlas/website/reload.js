// Served by `atlas serve` only: reloads the page when its file changes, and says when a record cannot be read.
(() => {
  "use strict";
  const { at } = document.currentScript.dataset;
  const here = decodeURIComponent(location.pathname).replace(/^\//, "").replace(/index\.html$/, "");
  const notice = document.createElement("div");
  notice.setAttribute("role", "alert");
  notice.className = "atlas-notice";
  notice.hidden = true;
  document.body.append(notice);

  let lost = false;
  const source = new EventSource(`/_reload?at=${at}`);
  source.onerror = () => (lost = true);
  source.onmessage = ({ data }) => {
    // The server was started again, so this page may be of another build.
    if (lost) return location.reload();
    const message = JSON.parse(data);
    if ("broken" in message) {
      notice.textContent = message.broken;
      notice.hidden = !message.broken;
    } else if (message.pages.includes(here) || message.pages.includes("*")) {
      location.reload();
    }
  };
})();
