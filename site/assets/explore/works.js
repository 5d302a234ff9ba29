// The catalogue as Explore reads it: columns of integers, what a clause can name, texts as they arrive.

import { fold } from "./folding.js";

/** Return the catalogue from `explore/works.json`; `addTexts` completes it. */
export const readWorks = (data) => {
  const { works } = data;
  const count = works.ids.length;
  const authors = firstSeen(works.authors);
  const ids = works.ids.map((word, at) => (typeof word === "string" ? word : idOf(works, authors, at, word)));
  const atlas = {
    ...data,
    count,
    ids,
    titles: works.titles,
    years: Uint16Array.from(works.years),
    kindOf: works.kinds,
    stateOf: works.states,
    venueOf: works.venues,
    hasBits: works.has,
    families: works.families,
    authors,
    methods: works.methods,
    titled: works.titled,
    aliases: works.aliases,
    terms: works.terms.map(column),
    texts: null,
    masks: new Map(),
    fieldsNamed: new Map(),
  };
  forget(atlas);
  nameFields(atlas, works);
  return atlas;
};

/** Return an id made of the first author's family, the year and a word of the title, as most are. */
const idOf = ({ families, titles, years }, authors, at, word) => {
  const [first] = valuesAt(authors, at);
  const family = first === undefined ? "" : fold(families[first]).replaceAll(" ", "");
  return `${family}${years[at]}${fold(titles[at]).split(" ")[word]}`;
};

/** Complete the catalogue with `explore/texts.json`; what was worked out without it is forgotten. */
export const addTexts = (atlas, texts) => {
  atlas.texts = texts;
  forget(atlas);
  const { spellings } = texts;
  atlas.facets.forEach((facet, at) => spell(atlas, facet.id, spellings.facets[at]));
  for (const [field, name] of [["dataset", "datasets"], ["metric", "metrics"], ["venue", "venues"]]) {
    spell(atlas, field, spellings[name]);
  }
};

/** Return the values of work `at` in a column. */
export const valuesAt = ({ starts, values }, at) => values.subarray(starts[at], starts[at + 1]);

/** Return folded spelling -> number of the value a field knows by it; ids win over other spellings. */
export const spellingsOf = (field) => {
  if (!field.spellings) {
    field.spellings = new Map(field.names.map((name, at) => [fold(name), at]));
    field.others.forEach((others, at) => {
      for (const other of others) {
        const folded = fold(other);
        if (!field.spellings.has(folded)) field.spellings.set(folded, at);
      }
    });
  }
  return field.spellings;
};

/** Return every text of a work that words of a field are looked for in (query.py: `searchable`). */
export const textsOf = (atlas, field, at) => {
  switch (field) {
    case "title": return [atlas.titles[at], ...(atlas.titled[at] ?? [])];
    case "method": return atlas.methods[at] ?? [];
    case "author": return names(atlas, at).map(([family, given]) => `${family}, ${given}`);
    default: return Object.values(PLACES).flatMap((texts) => texts(atlas, at));
  }
};

// The places where words are looked for, in the order of their worth.
const PLACES = {
  title: (atlas, at) => textsOf(atlas, "title", at),
  method: (atlas, at) => textsOf(atlas, "method", at),
  author: (atlas, at) => [...names(atlas, at).map(([family, given]) => `${given} ${family}`), atlas.ids[at]],
  rest: (atlas, at) => [...venueNames(atlas, at), ...(atlas.texts?.summaries[at] ? [atlas.texts.summaries[at]] : []), ...termNames(atlas, at)],
};

const names = (atlas, at) => [...valuesAt(atlas.authors, at)].map((name) => [atlas.families[name], atlas.texts?.given[name] ?? ""]);

const venueNames = (atlas, at) => {
  const venue = atlas.venueOf[at];
  if (venue < 0) return [];
  return [atlas.venues[venue][1], ...(atlas.texts ? [atlas.texts.spellings.venues[venue][0]] : [])];
};

const termNames = (atlas, at) => atlas.facets.flatMap((facet, number) => [...valuesAt(atlas.terms[number], at)].map((term) => facet.terms[term][2]));

/** Return the folded texts of a work in one string, a line each, every line with a space before it. */
export const linesOf = (atlas, field, at) => {
  atlas.lines[field][at] ??= field === "text" ? placedLines(atlas, at) : folded(atlas, textsOf(atlas, field, at));
  return atlas.lines[field][at];
};

/** Return all lines of a work, and note where each place ends among them. */
const placedLines = (atlas, at) => {
  const [title, method, author, rest] = Object.values(PLACES).map((texts) => folded(atlas, texts(atlas, at)));
  const lines = [title, method, author, rest].filter(Boolean).join("\n");
  const ends = [title.length, method && method.length + 1, author.length + 1];
  ends.forEach((length, place) => (atlas.ends[at * 3 + place] = length + (place ? atlas.ends[at * 3 + place - 1] : 0)));
  return lines;
};

const folded = (atlas, texts) => texts.map((text) => ` ${foldOnce(atlas, text)}`).join("\n");

// Names of people, venues and terms stand with many works.
const foldOnce = (atlas, text) => {
  if (text.length > 60) return fold(text);
  let known = atlas.folded.get(text);
  if (known === undefined) atlas.folded.set(text, (known = fold(text)));
  return known;
};

/** Forget what was worked out from the texts. */
const forget = (atlas) => {
  atlas.masks.clear();
  atlas.folded = new Map();
  atlas.lines = { text: [], title: [], author: [], method: [] };
  // Where title, methods and authors end in the lines of each work.
  atlas.ends = new Uint32Array(atlas.count * 3);
};

/** Return the family names of a work's authors, from four on `Zhu et al.` */
export const shortAuthors = (atlas, at) => {
  const families = [...valuesAt(atlas.authors, at)].map((name) => atlas.families[name].split(",")[0]);
  return families.length <= 3 ? families.join(", ") : `${families[0]} et al.`;
};

const nameFields = (atlas, works) => {
  const named = (field, names, labels, own) => {
    const others = labels.map((label) => (label === null ? [] : [label]));
    atlas.fieldsNamed.set(field, { names, labels: labels.map((label, at) => label ?? names[at]), others, column: own });
  };
  const pairs = (field, list, own) => named(field, list.map(([id]) => id), list.map(([, label]) => label), own);
  const closed = (field, names, own) => named(field, names, names.map(() => null), own);
  atlas.facets.forEach((facet, at) => {
    const own = widened(atlas.terms[at], facet.terms.map(([, broader]) => broader));
    named(facet.id, facet.terms.map(([id]) => id), facet.terms.map(([, , label]) => label), own);
  });
  pairs("dataset", atlas.datasets, column(works.datasets));
  pairs("metric", atlas.metrics, column(works.metrics));
  pairs("venue", atlas.venues, single(works.venues));
  closed("source", atlas.sources.map(([id]) => id), column(works.sources));
  closed("kind", atlas.kinds, single(works.kinds));
  closed("status", atlas.states, single(works.states));
  closed("has", atlas.has, bits(works.has));
  const { ids } = atlas;
  const other = ids.map((_, at) => works.aliases[at] ?? []);
  const work = (field, own) =>
    atlas.fieldsNamed.set(field, { names: ids, labels: ids, others: other, column: own, areWorks: true });
  work("id", single(ids.map((_, at) => at)));
  atlas.verbs.forEach(([active, passive], verb) => {
    const ends = edges(works.edges, verb);
    work(active, gather(atlas.count, ends));
    work(passive, gather(atlas.count, ends.map(([from, to]) => [to, from])));
  });
};

const spell = (atlas, name, spellings) => {
  const field = atlas.fieldsNamed.get(name);
  field.others = field.others.map((others, at) => [...others, ...spellings[at]]);
  field.spellings = null;
};

const column = ([counts, values]) => ({ starts: running(counts), values: Uint32Array.from(values) });
const single = (values) => gather(values.length, values.map((value, at) => [at, value]).filter(([, value]) => value >= 0));
const bits = (masks) => gather(masks.length, masks.flatMap((mask, at) => setBits(mask).map((bit) => [at, bit])));

const running = (counts) => {
  const starts = new Uint32Array(counts.length + 1);
  counts.forEach((count, at) => (starts[at + 1] = starts[at] + count));
  return starts;
};

/** Return a column from pairs of work and value. */
const gather = (count, pairs) => {
  const rows = Array.from({ length: count }, () => []);
  for (const [at, value] of pairs) rows[at].push(value);
  return column([rows.map((row) => row.length), rows.flat()]);
};

const setBits = (mask) => {
  const found = [];
  for (let bit = 0; mask >> bit; bit++) if ((mask >> bit) & 1) found.push(bit);
  return found;
};

const edges = (flat, verb) => {
  const found = [];
  for (let at = 0; at < flat.length; at += 3) if (flat[at + 1] === verb) found.push([flat[at], flat[at + 2]]);
  return found;
};

/** Return the column of authors: 0 is the next new name, others count from 1. */
const firstSeen = ([counts, values]) => {
  let next = 0;
  return column([counts, values.map((value) => (value ? value - 1 : next++))]);
};

/** Return a column of terms with every broader term beside each, once. */
const widened = ({ starts, values }, broader) => {
  const chains = broader.map((_, term) => {
    const chain = new Set();
    for (let at = term; at >= 0 && !chain.has(at); at = broader[at]) chain.add(at);
    return [...chain];
  });
  const rows = [];
  for (let at = 0; at + 1 < starts.length; at++) {
    rows.push([...new Set([...values.subarray(starts[at], starts[at + 1])].flatMap((term) => chains[term]))]);
  }
  return column([rows.map((row) => row.length), rows.flat()]);
};
