// The works a reader has gathered, kept in this browser and shared by every page and tab.

const KEY = "atlas-selection";
const listeners = new Set();
let remembered = [];

/** Return the ids gathered so far, in the order they were. */
export const selected = () => [...read()];

/** Tell whether a work is gathered. */
export const has = (id) => read().includes(id);

/** Gather a work, or leave it out again; return whether it is gathered now. */
export const toggle = (id) => {
  const ids = read();
  write(ids.includes(id) ? ids.filter((other) => other !== id) : [...ids, id]);
  return has(id);
};

/** Gather all of these works. */
export const add = (ids) => write([...new Set([...read(), ...ids])]);

/** Leave all works out again. */
export const clear = () => write([]);

/** Call `callback` with the ids whenever they change, in this tab or another. */
export const onChange = (callback) => listeners.add(callback);

const read = () => {
  try {
    const ids = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(ids) ? ids.filter((id) => typeof id === "string") : [];
  } catch {
    // Storage may be off or hold something else; the selection then lasts as long as the page.
    return remembered;
  }
};

const write = (ids) => {
  remembered = ids;
  try {
    if (ids.length) localStorage.setItem(KEY, JSON.stringify(ids));
    else localStorage.removeItem(KEY);
  } catch {
    // As above.
  }
  tell();
};

const tell = () => listeners.forEach((callback) => callback(selected()));

addEventListener("storage", ({ key }) => {
  if (key === KEY || key === null) tell();
});
