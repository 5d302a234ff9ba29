// The page that compares: papers from the address, shown side by side, added by search or selection, taken along.

import { onChange, selected } from "../selection.js";
import { FORMATS } from "./exports.js";
import { isEqual, rows, shared, shortAuthors } from "./fields.js";

const ROOT = new URL("../../", import.meta.url);
const MOST = 8;
const SHOWN_MATCHES = 8;
const ID = /^[a-z]+[0-9]{4}[a-z0-9]+$/;

const page = document.querySelector("[data-compare]");
const at = (name) => page.querySelector(`[data-${name}]`);
const box = page.querySelector("input[type=search]");
const facets = JSON.parse(page.dataset.facets);
const known = new Map();
let papers = [];
let listed = null;
let letters = null;
let turn = 0;

/** Make an element with text and attributes; text is never read as markup. */
function make(tag, text = "", attributes = {}) {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  return element;
}

function say(messages) {
  at("said").replaceChildren(...messages.map((message) => make("p", message)));
}

async function fetchJson(path) {
  const answer = await fetch(new URL(path, ROOT));
  if (answer.ok) return answer.json();
  await answer.body?.cancel();
  if (answer.status === 404) return null;
  throw new Error(`${path}: ${answer.status}`);
}

/** The paper an id names today, null for none; a former id brings the record it leads to. */
async function paperOf(id) {
  if (!ID.test(id)) return null;
  if (!known.has(id)) known.set(id, (await fetchJson(`api/v1/papers/${id}.json`))?.paper ?? null);
  return known.get(id);
}

function asked() {
  const ids = new URLSearchParams(location.search).get("ids") ?? "";
  return ids
    .split(",")
    .map((id) => id.trim().toLowerCase())
    .filter(Boolean);
}

/** Load what the address asks for, and say what of it cannot be shown. */
async function load(ids, first = []) {
  const messages = [...first];
  const found = new Map();
  const own = ++turn;
  const answers = await Promise.allSettled(ids.slice(0, 4 * MOST).map(paperOf));
  // Something else may have been asked for meanwhile.
  if (own !== turn) return;
  answers.forEach((answer, number) => {
    const id = ids[number];
    if (answer.status === "rejected") messages.push(`${id} could not be loaded; try again later.`);
    else if (!answer.value) messages.push(`No paper has the id ${id}.`);
    else if (found.has(answer.value.id)) messages.push(`${id} is here already.`);
    else if (found.size === MOST) messages.push(`${id} is left out: at most eight papers fit side by side.`);
    else {
      found.set(answer.value.id, answer.value);
      if (answer.value.id !== id) messages.push(`${id} is called ${answer.value.id} today.`);
    }
  });
  if (ids.length > 4 * MOST) messages.push(`Only the first ${4 * MOST} ids of the address were read.`);
  papers = [...found.values()];
  if (papers.length === 1) messages.push("Add at least one more paper to compare.");
  say(messages);
  show();
}

function show() {
  const any = papers.length > 0;
  const compared = papers.length > 1;
  at("tools").hidden = at("legend").hidden = !compared;
  at("table").hidden = !any;
  at("table").replaceChildren(...(any ? [table()] : []));
  offerSelection();
}

function shownRows() {
  const found = rows(papers, facets);
  return at("hide-equal").checked && papers.length > 1 ? found.filter((row) => !isEqual(row)) : found;
}

function table() {
  const made = make("table");
  made.append(make("caption", "Papers side by side", { class: "visually-hidden" }));
  const head = make("tr");
  head.append(make("th", "Field", { scope: "col" }), ...papers.map(heading));
  const body = make("tbody");
  // The title stands in the heading of each column.
  body.append(...shownRows().filter((row) => row.label !== "Title").map(line));
  const header = make("thead");
  header.append(head);
  made.append(header, body);
  return made;
}

function heading(paper) {
  const cell = make("th", "", { scope: "col" });
  const link = make("a", paper.title, { href: new URL(paper.url, ROOT).href, dir: "auto" });
  const who = make("span", `${shortAuthors(paper)} ${paper.year}`, { class: "who" });
  const remove = make("button", "Remove", { type: "button", "aria-label": `Remove ${paper.title}` });
  remove.addEventListener("click", () => change(papers.filter((other) => other !== paper).map((other) => other.id)));
  cell.append(link, who, remove);
  return cell;
}

function line(row) {
  const compared = papers.length > 1;
  const equal = isEqual(row);
  const made = make("tr", "", { class: equal || !compared ? "equal" : "differs" });
  const label = make("th", row.label, { scope: "row" });
  if (compared && !equal) {
    label.append(make("span", "≠", { class: "mark", "aria-hidden": "true" }));
    label.append(make("span", ", differs", { class: "visually-hidden" }));
  }
  const common = shared(row);
  // Dots under every value would say nothing.
  const marked = compared && !equal && common.size > 0;
  made.append(label, ...row.cells.map((cell) => values(cell, marked, common)));
  return made;
}

function values(cell, marked, common) {
  const made = make("td");
  if (!cell.length) {
    made.append(make("span", "–", { "aria-hidden": "true" }));
    made.append(make("span", "nothing recorded", { class: "visually-hidden" }));
    return made;
  }
  const list = cell.length > 1 ? make("ul") : made;
  for (const value of cell) {
    const item = cell.length > 1 ? make("li") : made;
    const own = marked && !common.has(value.text) ? { class: "own" } : {};
    const shown = value.url
      ? make("a", value.text, { href: value.local ? new URL(value.url, ROOT).href : value.url, ...own })
      : make("span", value.text, own);
    shown.setAttribute("dir", "auto");
    item.append(shown);
    if (value.note) item.append(make("span", value.note, { class: "how", dir: "auto" }));
    if (item !== made) list.append(item);
  }
  if (list !== made) made.append(list);
  return made;
}

/** Show other papers and put them into the address, so that back leads to these. */
async function change(ids) {
  const url = new URL(location.href);
  url.search = ids.length ? `?ids=${ids.join(",")}` : "";
  history.pushState(null, "", url);
  await load(ids);
}

// Search

const fold = (text) =>
  text
    .normalize("NFKD")
    .replace(/\p{M}/gu, "")
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, " ");

async function papersListed() {
  listed ??= fetchJson("api/v1/papers.json").then((answer) =>
    (answer?.papers ?? []).map((paper) => ({
      paper,
      words: ` ${fold([paper.id, paper.title, ...paper.authors, paper.venue ?? "", paper.year].join(" "))}`,
    })),
  );
  return listed;
}

function typedWords() {
  return fold(box.value).trim().split(" ").filter(Boolean);
}

async function search() {
  const wanted = typedWords();
  const list = at("found");
  if (!wanted.length) {
    list.hidden = true;
    list.replaceChildren();
    return;
  }
  const all = await papersListed().catch(() => null);
  if (!all) {
    listed = null;
    say(["The list of papers could not be loaded; try again later."]);
    return;
  }
  // More may have been typed while the list was on its way.
  if (typedWords().join(" ") !== wanted.join(" ")) return;
  const beside = new Set(papers.map((paper) => paper.id));
  const matches = (words) => wanted.every((word) => words.includes(` ${word}`));
  const found = all.filter(({ paper, words }) => !beside.has(paper.id) && matches(words));
  list.replaceChildren(...found.slice(0, SHOWN_MATCHES).map(({ paper }) => match(paper)));
  list.hidden = found.length === 0;
  const more = found.length > SHOWN_MATCHES ? `, the first ${SHOWN_MATCHES} are shown` : "";
  const count = found.length === 1 ? "1 paper matches" : `${found.length || "No"} papers match`;
  say([`${count}${more}.`]);
}

function match(paper) {
  const item = make("li");
  const button = make("button", "", { type: "button" });
  button.append(make("span", paper.title, { dir: "auto" }));
  button.append(make("span", `${shortAuthors(paper)} ${paper.year}`, { class: "who" }));
  button.addEventListener("click", () => add([paper.id]));
  item.append(button);
  return item;
}

async function add(ids) {
  box.value = "";
  at("found").hidden = true;
  at("found").replaceChildren();
  const beside = papers.map((paper) => paper.id);
  await change([...beside, ...ids.filter((id) => !beside.includes(id))]);
  box.focus();
}

function offerSelection() {
  const beside = new Set(papers.map((paper) => paper.id));
  const others = selected().filter((id) => !beside.has(id));
  const button = at("add-selection");
  button.hidden = others.length === 0 || papers.length >= MOST;
  button.textContent = `Add my selection (${others.length})`;
  button.onclick = () => add(others);
}

// Taking along

/** The table as text; null, with a word on it, where the letters of LaTeX cannot be loaded. */
async function exported() {
  const format = FORMATS[at("format").value];
  if (format === FORMATS.latex) letters ??= await fetchJson("compare/letters.json").catch(() => null);
  if (format !== FORMATS.latex || letters) return { format, text: format.write(papers, shownRows(), letters) };
  say(["How LaTeX writes some letters could not be loaded; try again later."]);
  return null;
}

async function copy() {
  const made = await exported();
  if (!made) return;
  try {
    await navigator.clipboard.writeText(made.text);
    say(["Copied."]);
  } catch {
    say(["The browser does not let this page copy; save the file instead."]);
  }
}

async function save() {
  const made = await exported();
  if (!made) return;
  const url = URL.createObjectURL(new Blob([made.text], { type: made.format.type }));
  make("a", "", { href: url, download: `comparison.${made.format.extension}` }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
  say([`Saved as comparison.${made.format.extension}.`]);
}

/** Show what the address asks for, or what was selected on other pages where it asks for nothing. */
function start() {
  const ids = asked();
  if (ids.length) return load(ids);
  const gathered = selected();
  return load(gathered, gathered.length ? ["These are the papers you selected on other pages."] : []);
}

page.hidden = false;
box.addEventListener("input", search);
at("hide-equal").addEventListener("change", show);
at("copy-table").addEventListener("click", copy);
at("save-table").addEventListener("click", save);
onChange(offerSelection);
addEventListener("popstate", () => load(asked()));
start();
