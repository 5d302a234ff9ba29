// The hits on the page: cards or a dense table, at once as many as the screen shows, then a page more.

import { element, number, setText } from "./dom.js";
import { has } from "../selection.js";
import { shortAuthors, valuesAt } from "./works.js";

const PAGE = 20;
const MORE = 100;
const PAUSE = 200;
const KEPT = 600;
const MARKED = ["family", "access", "data-type"];
// The least heights in pixels; a summary of more letters than `wraps` fills two lines.
const LEAST = { card: 76, line: 22, marks: 24, row: 50, wraps: 160 };

/** Paint hits into `root`, which stands below `under`; `pick(id)` is told when one is selected. */
export const createResults = (root, under, atlas, { pick }) => {
  const more = element("button", { type: "button", class: "more-hits", hidden: true });
  const [list, { frame, body }] = [element("ol", { class: "hits" }), tableFrame(atlas)];
  const views = {
    cards: { whole: list, rows: list, make: (at) => cardItem(atlas, at), least: (at) => leastHeight(atlas, at), made: new Map() },
    table: { whole: frame, rows: body, make: (at) => tableRow(atlas, at), least: () => LEAST.row, made: new Map() },
  };
  let [hits, view, shown, painted, later] = [[], views.cards, PAGE, null, 0];
  root.addEventListener("change", ({ target }) => target.matches(".pick input") && pick(target.value));
  const room = roomBelow(under);
  // No work that the screen has room for waits; those below it follow when typing pauses.
  const atOnce = () => {
    let [count, left] = [0, room()];
    while (count < Math.min(hits.length, PAGE) && left > 0) left -= view.least(hits[count++]);
    return count;
  };
  const paint = (limit) => {
    const count = Math.min(hits.length, limit);
    const nodes = hits.slice(0, count).map((at) => nodeOf(view, at));
    if (painted !== view) root.replaceChildren(view.whole, more);
    painted = view;
    arrange(view.rows, nodes);
    view.whole.hidden = !count;
    const left = hits.length - count;
    more.hidden = left <= 0;
    setText(more, `Show ${number(Math.min(MORE, left))} more of ${number(left)}`);
  };
  more.addEventListener("click", () => {
    const first = shown;
    shown += MORE;
    paint(shown);
    // The keyboard goes on at the first of the new works.
    view.rows.children[first]?.querySelector(".title").focus();
  });
  return {
    show(found, name) {
      [hits, view, shown] = [found, views[name], PAGE];
      clearTimeout(later);
      const first = atOnce();
      paint(first);
      if (hits.length > first) later = setTimeout(() => paint(shown), PAUSE);
    },
    /** Make every work anew: there is more to say of each. */
    forget() {
      for (const { made } of Object.values(views)) made.clear();
    },
    /** Mark which of the works on the page are selected. */
    paintSelection() {
      for (const { made } of Object.values(views)) for (const node of made.values()) markNode(node);
    },
  };
};

/** Return what tells how many pixels of the screen lie below a node; asking the browser at each key would cost more. */
const roomBelow = (node) => {
  let room = 0;
  const measure = () => (room = innerHeight - node.getBoundingClientRect().bottom);
  for (const event of ["resize", "scroll"]) addEventListener(event, measure, { passive: true });
  measure();
  return () => room;
};

const nodeOf = (view, at) => {
  let node = view.made.get(at);
  if (!node) {
    if (view.made.size >= KEPT) view.made.clear();
    view.made.set(at, (node = view.make(at)));
  }
  return node;
};

const markNode = (node) => {
  const box = node.querySelector(".pick input");
  box.checked = has(box.value);
};

/** Bring the children of a node to these, touching only what differs. */
const arrange = (parent, nodes) => {
  const wanted = new Set(nodes);
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove();
  let at = parent.firstElementChild;
  for (const node of nodes) {
    if (node === at) at = at.nextElementSibling;
    else parent.insertBefore(node, at);
  }
};

const cardItem = (atlas, at) =>
  element("li", { class: hitClass(atlas, at) }, picker(atlas, at), element("div", { class: "body" }, ...card(atlas, at)));

const card = (atlas, at) => {
  const parts = [title(atlas, at), element("p", { class: "by" }, bdi(shortAuthors(atlas, at)), " ", where(atlas, at), " ", kind(atlas, at), ...state(atlas, at))];
  const summary = atlas.texts?.summaries[at];
  if (summary) parts.push(element("p", { class: "gist", dir: "auto" }, summary));
  parts.push(element("p", { class: "marks" }, ...spaced([...marks(atlas, at), ...links(atlas, at)])));
  return parts;
};

const leastHeight = (atlas, at) => {
  const letters = atlas.texts?.summaries[at].length ?? 0;
  const lines = letters > LEAST.wraps ? 2 : Math.min(letters, 1);
  const marked = facetNumbers(atlas).some((number) => valuesAt(atlas.terms[number], at).length);
  return LEAST.card + lines * LEAST.line + (marked ? LEAST.marks : 0);
};

const tableFrame = (atlas) => {
  const labels = facetNumbers(atlas).map((number) => atlas.facets[number].label);
  const headings = ["Select", "Work", "Year", "Venue", "Kind", ...labels, "Code"];
  const head = element("tr", {}, ...headings.map((text) => element("th", { scope: "col" }, text)));
  const body = element("tbody");
  const whole = element("table", { class: "hits-table" }, element("thead", {}, head), body);
  return { frame: element("div", { class: "scroll", role: "region", tabindex: "0", "aria-label": "Works as a table" }, whole), body };
};

const tableRow = (atlas, at) =>
  element("tr", { class: hitClass(atlas, at) },
    element("td", {}, picker(atlas, at)),
    element("th", { scope: "row" }, title(atlas, at), element("span", { class: "by" }, bdi(shortAuthors(atlas, at)), ...state(atlas, at))),
    element("td", { class: "number" }, String(atlas.years[at])),
    element("td", {}, venue(atlas, at)),
    element("td", {}, kind(atlas, at)),
    ...facetNumbers(atlas).map((number) => element("td", {}, termLabels(atlas, number, at).join(", "))),
    element("td", {}, ...codeLink(atlas, at)),
  );

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

const picker = (atlas, at) => {
  const id = atlas.ids[at];
  const box = element("input", { type: "checkbox", value: id, "aria-label": `Select ${atlas.titles[at]}` });
  box.checked = has(id);
  return element("label", { class: "pick" }, box);
};

const facetNumbers = (atlas) => (atlas.marked ??= MARKED.map((id) => atlas.facets.findIndex((facet) => facet.id === id)).filter((number) => number >= 0));
const termLabels = (atlas, number, at) => [...valuesAt(atlas.terms[number], at)].map((term) => atlas.facets[number].terms[term][2]);
const marks = (atlas, at) => facetNumbers(atlas).flatMap((number) => termLabels(atlas, number, at)).map((label) => element("span", { class: "mark" }, label));

const codeLink = (atlas, at) => {
  const url = atlas.texts?.code[at];
  if (!url) return [];
  return [element("a", { href: url, "aria-label": `Code of ${atlas.titles[at]}` }, "Code")];
};

const links = (atlas, at) => {
  if (!atlas.texts) return [];
  const { dois, arxivs, urls } = atlas.texts;
  const url = [urls[at], `https://doi.org/${dois[at]}`, `https://arxiv.org/abs/${arxivs[at]}`][Number(urls[at]) || 0];
  const paper = url ? [element("a", { href: url, "aria-label": `Paper: ${atlas.titles[at]}` }, "Paper")] : [];
  return [...paper, ...codeLink(atlas, at)];
};

const spaced = (nodes) => nodes.flatMap((node) => [node, " "]);
