// The hits on the page: cards or a dense table, only as many as fit and a page more.

import { element } from "./dom.js";
import { has } from "../selection.js";
import { shortAuthors, valuesAt } from "./works.js";

const PAGE = 30;
const MORE = 100;
const MARKED = ["family", "access", "data-type"];

/** Paint hits into `root`; `pick(id)` is told when one is selected, `more()` when further ones are wanted. */
export const createResults = (root, atlas, { pick }) => {
  const more = element("button", { type: "button", class: "more-hits", hidden: true });
  let state = { hits: [], view: "cards", shown: PAGE };
  const paint = () => {
    const slice = state.hits.slice(0, state.shown);
    const list = state.view === "table" ? table(atlas, slice, pick) : cards(atlas, slice, pick);
    root.replaceChildren(...(state.hits.length ? [list] : []), more);
    const left = state.hits.length - slice.length;
    more.hidden = left <= 0;
    more.textContent = `Show ${Math.min(MORE, left).toLocaleString("en")} more of ${left.toLocaleString("en")}`;
  };
  more.addEventListener("click", () => {
    const first = state.shown;
    state.shown += MORE;
    paint();
    // The keyboard goes on at the first of the new works.
    root.querySelectorAll(".hit .title")[first]?.focus();
  });
  return {
    show(hits, view) {
      state = { hits, view, shown: PAGE };
      paint();
    },
    repaint: paint,
  };
};

/** Mark which of the painted works are selected. */
export const paintSelection = (root) => {
  for (const box of root.querySelectorAll(".pick input")) box.checked = has(box.value);
};

const cards = (atlas, hits, pick) =>
  element("ol", { class: "hits" }, ...hits.map((at) => element("li", { class: hitClass(atlas, at) }, picker(atlas, at, pick), element("div", { class: "body" }, ...card(atlas, at)))));

const card = (atlas, at) => {
  const parts = [title(atlas, at), element("p", { class: "by" }, bdi(shortAuthors(atlas, at)), " ", where(atlas, at), " ", kind(atlas, at), ...state(atlas, at))];
  const summary = atlas.texts?.summaries[at];
  if (summary) parts.push(element("p", { class: "gist", dir: "auto" }, summary));
  parts.push(element("p", { class: "marks" }, ...spaced([...marks(atlas, at), ...links(atlas, at)])));
  return parts;
};

const table = (atlas, hits, pick) => {
  const facets = facetNumbers(atlas);
  const headings = ["Select", "Work", "Year", "Venue", "Kind", ...facets.map((number) => atlas.facets[number].label), "Code"];
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  const rows = hits.map((at) => element("tr", { class: hitClass(atlas, at) },
    element("td", {}, picker(atlas, at, pick)),
    element("th", { scope: "row" }, title(atlas, at), element("span", { class: "by" }, bdi(shortAuthors(atlas, at)), ...state(atlas, at))),
    element("td", { class: "number" }, String(atlas.years[at])),
    element("td", {}, venue(atlas, at)),
    element("td", {}, kind(atlas, at)),
    ...facets.map((number) => element("td", {}, termLabels(atlas, number, at).join(", "))),
    element("td", {}, ...codeLink(atlas, at)),
  ));
  const whole = element("table", { class: "hits-table" }, element("thead", {}, head), element("tbody", {}, ...rows));
  return element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Works as a table" }, whole);
};

const hitClass = (atlas, at) => (atlas.stateOf[at] >= 0 ? "hit struck" : "hit");
const bdi = (text) => element("bdi", {}, text);
const title = (atlas, at) => element("a", { class: "title", href: `../papers/${atlas.ids[at]}/`, dir: "auto" }, atlas.titles[at]);
const venue = (atlas, at) => (atlas.venueOf[at] >= 0 ? atlas.venues[atlas.venueOf[at]][1] : "");
const where = (atlas, at) => element("span", { class: "where" }, `${venue(atlas, at)} ${atlas.years[at]}`.trim());

const kind = (atlas, at) => {
  const name = atlas.kinds[atlas.kindOf[at]];
  return element("span", { class: `kind ${name}` }, name);
};

const state = (atlas, at) => (atlas.stateOf[at] >= 0 ? [" ", element("span", { class: "kind bad" }, atlas.states[atlas.stateOf[at]])] : []);

const picker = (atlas, at, pick) => {
  const id = atlas.ids[at];
  const box = element("input", { type: "checkbox", value: id, "aria-label": `Select ${atlas.titles[at]}` });
  box.checked = has(id);
  box.addEventListener("change", () => pick(id));
  return element("label", { class: "pick" }, box);
};

const facetNumbers = (atlas) => MARKED.map((id) => atlas.facets.findIndex((facet) => facet.id === id)).filter((number) => number >= 0);
const termLabels = (atlas, number, at) => [...valuesAt(atlas.terms[number], at)].map((term) => atlas.facets[number].terms[term][2]);
const marks = (atlas, at) => facetNumbers(atlas).flatMap((number) => termLabels(atlas, number, at)).map((label) => element("span", { class: "mark" }, label));

const codeLink = (atlas, at) => {
  const url = atlas.texts?.code[at];
  if (!url) return [];
  return [element("a", { href: url, "aria-label": `Code of ${atlas.titles[at]}` }, "Code")];
};

const links = (atlas, at) => {
  if (!atlas.texts) return [];
  const [doi, arxiv] = [atlas.texts.dois[at], atlas.texts.arxivs[at]];
  const url = atlas.texts.papers[at] || (doi && `https://doi.org/${doi}`) || (arxiv && `https://arxiv.org/abs/${arxiv}`);
  const paper = url ? [element("a", { href: url, "aria-label": `Paper: ${atlas.titles[at]}` }, "Paper")] : [];
  return [...paper, ...codeLink(atlas, at)];
};

const spaced = (nodes) => nodes.flatMap((node) => [node, " "]);
