// The facets beside the hits: trees and lists with live counts, years with a histogram.

import { drawn, element, number, setText, spoken } from "./dom.js";
import { choices, yearSpan } from "./edit.js";
import { fold } from "./folding.js";
import { countHaving, counts, countYears } from "./search.js";

const HAVING = [["code", "Code"], ["reported", "Reported results"], ["implementation", "Runnable here"]];
const OPEN = ["kind", "year", "family", "access", "has"];
const SHOWN = 8;
const MORE = 40;
const FILTERED_FROM = 13;
const NEXT = { "": "in", in: "out", out: "" };
const SAYS = { "": "", in: ", included", out: ", excluded" };
const BAR = 40;

/** Build the facets into `root`; `choose(field, id, state)` and `setYears(first, last)` are told what a reader asks. */
export const createFacets = (root, atlas, { choose, setYears }) => {
  const facets = [
    flat(atlas, "kind", "Kind", choose),
    years(setYears),
    ...atlas.facets.map((facet) => tree(atlas, facet, choose)),
    having(atlas, choose),
    flat(atlas, "dataset", "Dataset", choose),
    flat(atlas, "metric", "Metric", choose),
    flat(atlas, "venue", "Venue", choose),
    flat(atlas, "source", "Listed by", choose, new Map(atlas.sources)),
  ];
  let latest = null;
  const paintOne = (facet) => latest && facet.box.open && facet.paint(atlas, latest.found, latest.clauses);
  for (const facet of facets) facet.box.addEventListener("toggle", () => paintOne(facet));
  root.replaceChildren(...facets.map(({ box }) => box));
  return (found, clauses) => {
    latest = { found, clauses };
    for (const facet of facets) {
      const chosen = clauses.filter((clause) => facet.names(clause)).reduce((sum, { values }) => sum + values.length, 0);
      setText(facet.badge, chosen ? String(chosen) : "");
      paintOne(facet);
    }
  };
};

const shell = (id, label, names, ...children) => {
  const badge = element("span", { class: "chosen" });
  const box = element("details", { class: "facet", "data-facet": id, open: OPEN.includes(id) });
  box.append(element("summary", {}, label, badge), ...children);
  return { box, badge, names };
};

/** Return a button that goes from neither to included to excluded, and a function that paints it. */
const termButton = (field, id, label, choose) => {
  const count = element("span", { class: "count" });
  const says = spoken("");
  const button = element("button", { type: "button", class: "term", "aria-pressed": "false" }, element("span", { class: "label" }, label), count, says);
  button.addEventListener("click", () => choose(field, id, NEXT[button.dataset.state ?? ""]));
  const paint = (total, state) => {
    setText(count, number(total));
    setText(says, ` ${total === 1 ? "work" : "works"}${SAYS[state]}`);
    if ((button.dataset.state ?? "") === state && button.dataset.none === String(!total)) return;
    button.dataset.state = state;
    button.dataset.none = String(!total);
    button.setAttribute("aria-pressed", String(state !== ""));
  };
  return { button, paint };
};

const having = (atlas, choose) => {
  const terms = HAVING.filter(([id]) => atlas.has.includes(id)).map(([id, label]) => ({ id, ...termButton("has", id, label, choose) }));
  const list = element("ul", { class: "choices" }, ...terms.map(({ button }) => element("li", {}, button)));
  const paint = (_, found, clauses) => {
    const states = choices(atlas, clauses, "has");
    for (const term of terms) term.paint(countHaving(atlas, found, term.id), states.get(atlas.has.indexOf(term.id)) ?? "");
  };
  return { ...shell("has", "Has", ({ field }) => field === "has", list), paint };
};

const tree = (atlas, facet, choose) => {
  const narrower = facet.terms.map((_, at) => facet.terms.flatMap(([, broader], other) => (broader === at ? [other] : [])));
  const open = new Set();
  const rows = [];
  const grow = (at, depth, above) => {
    const [id, , label] = facet.terms[at];
    const row = { at, above, ...termButton(facet.id, id, label, choose) };
    row.item = element("li", { "data-depth": Math.min(depth, 3) }, row.button);
    if (narrower[at].length) row.item.prepend(opener(label, (wide) => (wide ? open.add(at) : open.delete(at), arrange())));
    rows.push(row);
    for (const other of narrower[at]) if (!above.includes(other)) grow(other, depth + 1, [...above, at]);
  };
  facet.terms.forEach(([, broader], at) => broader < 0 && grow(at, 0, []));
  let states = new Map();
  const arrange = () => {
    const needed = new Set(rows.filter(({ at }) => states.has(at)).flatMap(({ above }) => above));
    for (const { item, above } of rows) item.hidden = !above.every((wider) => open.has(wider) || needed.has(wider));
    for (const { at, item } of rows) item.querySelector(".opener")?.setAttribute("aria-expanded", String(open.has(at) || needed.has(at)));
  };
  const list = element("ul", { class: "choices tree-choices" }, ...rows.map(({ item }) => item));
  const paint = (_, found, clauses) => {
    const totals = counts(atlas, found, facet.id);
    states = choices(atlas, clauses, facet.id);
    for (const row of rows) row.paint(totals[row.at], states.get(row.at) ?? "");
    arrange();
  };
  return { ...shell(facet.id, facet.label, ({ field }) => field === facet.id, list), paint };
};

const opener = (label, turn) => {
  const button = element("button", { type: "button", class: "opener", "aria-expanded": "false", "aria-label": `Narrower terms of ${label}` });
  button.addEventListener("click", () => turn(button.getAttribute("aria-expanded") === "false"));
  return button;
};

/** A list by count; a long one shows its first, can be filtered, and shows more when asked. */
const flat = (atlas, id, label, choose, labels = null) => {
  const field = atlas.fieldsNamed.get(id);
  const terms = field.names.map((name, at) => {
    const shown = labels?.get(name) ?? field.labels[at];
    return { at, shown, folded: ` ${fold(shown)} ${fold(name)}`, ...termButton(id, name, shown, choose) };
  });
  for (const term of terms) term.item = element("li", {}, term.button);
  const list = element("ul", { class: "choices" });
  const more = element("button", { type: "button", class: "more", hidden: true }, "Show more");
  const filter = element("input", { type: "search", class: "narrow", "aria-label": `Filter: ${label}`, placeholder: "Filter", autocomplete: "off", spellcheck: "false" });
  let shown = SHOWN;
  let [totals, states] = [new Uint32Array(terms.length), new Map()];
  const arrange = () => {
    const wanted = fold(filter.value);
    const fitting = terms.filter(({ at, folded }) => (totals[at] || states.has(at)) && folded.includes(` ${wanted}`));
    fitting.sort((a, b) => totals[b.at] - totals[a.at] || a.at - b.at);
    const kept = fitting.filter(({ at }, place) => place < shown || states.has(at));
    more.hidden = fitting.length <= shown;
    replaceChildren(list, kept.map(({ item }) => item));
    for (const term of kept) term.paint(totals[term.at], states.get(term.at) ?? "");
  };
  more.addEventListener("click", () => {
    shown += MORE;
    arrange();
  });
  filter.addEventListener("input", arrange);
  const paint = (_, found, clauses) => {
    totals = counts(atlas, found, id);
    states = choices(atlas, clauses, id);
    arrange();
  };
  const parts = terms.length >= FILTERED_FROM ? [filter, list, more] : [list, more];
  return { ...shell(id, label, (clause) => clause.field === id, ...parts), paint };
};

const years = (setYears) => {
  const input = (label) => element("input", { type: "text", inputmode: "numeric", maxlength: "4", size: "4", "aria-label": label, placeholder: label.split(" ")[0], autocomplete: "off" });
  const [first, last] = [input("From year"), input("To year")];
  const chart = drawn("svg", { class: "years-chart", "aria-hidden": "true", preserveAspectRatio: "none" });
  const read = () => {
    const [from, to] = [first.value.trim(), last.value.trim()];
    const wrong = [[first, from], [last, to]].filter(([, value]) => value && !/^[0-9]{4}$/.test(value));
    for (const box of [first, last]) box.setAttribute("aria-invalid", String(wrong.some(([bad]) => bad === box)));
    if (!wrong.length) setYears(from, to);
  };
  for (const box of [first, last]) box.addEventListener("change", read);
  const paint = (atlas, found, clauses) => {
    const totals = countYears(atlas, found);
    const span = yearSpan(clauses);
    [first, last].forEach((box, at) => document.activeElement !== box && (box.value = span[at]));
    drawYears(chart, totals, [Number(span[0] || 0), Number(span[1] || 9999)], setYears);
  };
  const row = element("div", { class: "span" }, first, element("span", { "aria-hidden": "true" }, "–"), last);
  return { ...shell("year", "Year", ({ field }) => field === "year", chart, row), paint };
};

/** Draw a bar per year; a click on one limits the works to it. The two boxes below do the same from the keyboard. */
const drawYears = (chart, totals, [from, to], setYears) => {
  const known = [...totals.keys()];
  if (!known.length) return chart.replaceChildren();
  // Single old works would flatten everything else.
  const last = Math.max(...known);
  const first = Math.max(Math.min(...known), last - 17);
  const most = Math.max(...totals.values());
  chart.setAttribute("viewBox", `0 0 ${(last - first + 1) * 10} ${BAR}`);
  const bars = [];
  for (let year = first; year <= last; year++) {
    const total = totals.get(year) ?? 0;
    const height = total ? Math.max(1, (total / most) * BAR) : 0;
    const bar = drawn("rect", { x: (year - first) * 10 + 1, y: BAR - height, width: 8, height, class: year >= from && year <= to ? "in" : "out" });
    const target = drawn("rect", { x: (year - first) * 10, y: 0, width: 10, height: BAR, class: "target" }, drawn("title", {}, `${year}: ${total}`));
    target.addEventListener("click", () => setYears(String(year), String(year)));
    bars.push(bar, target);
  }
  return chart.replaceChildren(...bars);
};

/** Replace children unless they are the same, and leave the focus where it was. */
const replaceChildren = (list, items) => {
  if (items.length === list.children.length && items.every((item, at) => item === list.children[at])) return;
  const held = document.activeElement;
  list.replaceChildren(...items);
  if (list.contains(held)) held.focus();
};
