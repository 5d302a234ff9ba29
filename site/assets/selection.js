// The papers a reader gathers across pages: their ids, kept in this browser.

const KEY = "atlas-selection";
const listeners = new Set();

export function selected() {
  try {
    const ids = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? [...new Set(ids.filter((id) => typeof id === "string"))] : [];
  } catch {
    return [];
  }
}

export function has(id) {
  return selected().includes(id);
}

export function toggle(id) {
  const ids = selected();
  keep(ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]);
}

export function clear() {
  keep([]);
}

export function onChange(callback) {
  listeners.add(callback);
}

function keep(ids) {
  try {
    localStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // Storage may be off; nothing is kept then.
  }
  listeners.forEach((callback) => callback());
}

addEventListener("storage", (event) => {
  if (event.key === KEY || event.key === null) listeners.forEach((callback) => callback());
});
