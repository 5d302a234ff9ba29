// Exports of hits or of the selection: joined from the parts that the shell's own exporters made, byte for byte.

import { plural } from "./dom.js";

const FOLDER = new URL("../../explore/", import.meta.url);
const loaded = new Map();

/** Return the export of works in a format, as `{text, type, extension}`; raises where its parts cannot be read. */
export const exported = async (format, ids) => {
  if (!loaded.has(format)) loaded.set(format, read(format));
  try {
    const parts = await loaded.get(format);
    return { text: join(parts, [...ids].sort(byCode)), type: parts.type, extension: parts.extension };
  } catch (error) {
    loaded.delete(format);
    throw error;
  }
};

/** Join the parts of a format around the texts of works (tools/inversion_atlas/exports/pieces.py: `file`). */
export const join = (parts, ids) => {
  const shape = parts.shapes.find(({ most }) => most === null || ids.length <= most);
  const texts = ids.map((id) => shape.before + parts.texts[id] + shape.after);
  return preamble(parts.preamble, ids) + shape.head + texts.join(shape.between) + shape.foot;
};

/** Let the dialog export what `scopes()` offers: name -> ids. */
export const createExports = (dialog, opener, scopes) => {
  const find = (selector) => dialog.querySelector(selector);
  const [format, said, copy] = [find("select"), find("[data-said]"), find("[data-copy]")];
  const chosen = () => scopes()[find("input[name=scope]:checked").value];
  const open = (scope) => {
    for (const [name, ids] of Object.entries(scopes())) {
      const radio = find(`input[value=${name}]`);
      radio.disabled = !ids.length;
      find(`[data-count=${name}]`).textContent = plural(ids.length, "work");
    }
    const [preferred, other] = scope === "selection" ? ["selection", "hits"] : ["hits", "selection"];
    find(`input[value=${scopes()[preferred].length ? preferred : other}]`).checked = true;
    said.textContent = "";
    dialog.showModal();
  };
  const run = async (deliver) => {
    const ids = chosen();
    said.textContent = ids.length ? "Reading…" : "There is nothing to export.";
    if (!ids.length) return;
    try {
      said.textContent = await deliver(await exported(format.value, ids), ids.length);
    } catch (error) {
      said.textContent = `That failed: ${error.message}. Try again.`;
    }
  };
  copy.hidden = !navigator.clipboard;
  copy.addEventListener("click", () => run(async ({ text }, count) => {
    await navigator.clipboard.writeText(text);
    return `${plural(count, "work")} copied.`;
  }));
  find("[data-save]").addEventListener("click", () => run(async (made, count) => {
    save(made);
    return `${plural(count, "work")} saved.`;
  }));
  find("[data-close]").addEventListener("click", () => dialog.close());
  opener.addEventListener("click", () => open("hits"));
  return open;
};

const read = async (format) => {
  const answer = await fetch(new URL(`${format}.json`, FOLDER));
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  return answer.json();
};

const preamble = (parts, ids) => {
  const letters = new Set(ids.flatMap((id) => [...(parts?.letters[id] ?? "")]));
  if (!letters.size) return "";
  const lines = [...letters].sort(byCode).map((letter) => parts.define[letter]);
  return parts.open + lines.join("") + parts.close;
};

const byCode = (a, b) => (a.codePointAt(0) - b.codePointAt(0)) || (a < b ? -1 : a > b ? 1 : 0);

const save = ({ text, type, extension }) => {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = url;
  link.download = `inversion-atlas.${extension}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
};
