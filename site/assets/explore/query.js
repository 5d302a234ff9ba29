// The filter language of the shell (tools/inversion_atlas/query.py), clause for clause and error for error.

import { fold } from "./folding.js";
import { didYouMean, repr } from "./spelling.js";
import { linesOf, spellingsOf, textsOf } from "./works.js";

// What Python takes for white space.
const SPACE = "\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000";
const TOKEN = new RegExp(
  `(-?)(?:([A-Za-z][\\p{L}\\p{N}_-]*)(!=|>=|<=|=|:|>|<)((?:"[^"]*"|[^${SPACE}"])*)|"([^"]*)"|([^${SPACE}"]+))(?=[${SPACE}]|$)`,
  "uy",
);
const SPACES = new RegExp(`[${SPACE}]*`, "uy");
const VALUE = /"([^"]*)"|([^,"]+)/gu;
const RANGE = /^([0-9]{4})?\.\.([0-9]{4})?$/;
const ORDER = {
  ">=": (year, bound) => year >= bound,
  "<=": (year, bound) => year <= bound,
  ">": (year, bound) => year > bound,
  "<": (year, bound) => year < bound,
};
const WORDS = ["text", "title", "author", "method"];
const KEPT_MASKS = 64;

/** The query cannot be read; `position` counts the characters before the offending clause. */
export class QueryError extends Error {
  constructor(problem, hint, position) {
    super(problem);
    this.problem = problem;
    this.position = position;
    this.makeHint = typeof hint === "function" ? hint : () => hint;
  }

  /** What to do about it; worked out when asked for, as it compares the word with all that is known. */
  get hint() {
    this.madeHint ??= this.makeHint();
    return this.madeHint;
  }
}

/** Return the clauses of a query; throws QueryError. `start` and `end` are offsets in `text`. */
export const parse = (text, longest = 2000) => {
  if (characters(text) > longest) {
    throw new QueryError(`the query is longer than ${longest} characters`, "shorten it", 0);
  }
  const clauses = [];
  let at = skipSpace(text, 0);
  while (at < text.length) {
    TOKEN.lastIndex = at;
    const found = TOKEN.exec(text);
    const position = characters(text.slice(0, at));
    if (!found) {
      const shown = repr([...text.slice(at)].slice(0, 40).join(""));
      throw new QueryError(`cannot read ${shown}`, "close the quotation mark, or leave it out", position);
    }
    const clause = readClause(found, position);
    if (clause) clauses.push({ ...clause, start: at, end: TOKEN.lastIndex });
    at = skipSpace(text, TOKEN.lastIndex);
  }
  return clauses;
};

/** Return a clause as text that `parse` reads the same. */
export const write = ({ field, operator, values, negated, free }) => {
  const minus = negated ? "-" : "";
  if (free) return minus + (isPlainWord(values[0]) ? values[0] : `"${values[0]}"`);
  return `${minus}${field}${operator}${values.map((value) => (isPlainValue(value) ? value : `"${value}"`)).join(",")}`;
};

/** Return what stands on the command line of a shell for these clauses. */
export const shellWords = (clauses) =>
  clauses.map(write).map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`)).join(" ");

/** Return one byte per work: whether it passes a clause. Throws QueryError. */
export const passing = (atlas, clause) => {
  const key = `${clause.negated}${clause.operator}${clause.field}\n${clause.values.join("\n")}`;
  const known = atlas.masks.get(key);
  if (known) return known;
  const mask = compile(atlas, clause);
  if (clause.negated !== (clause.operator === "!=")) for (let at = 0; at < mask.length; at++) mask[at] ^= 1;
  keep(atlas, key, mask);
  return mask;
};

/** Tell whether a clause asks for works in a way that may mean background ones. */
export const namesWorks = ({ field, operator, negated }) =>
  !negated && operator !== "!=" && ["kind", "id", "doi", "arxiv"].includes(field);

/** Return the numbers of the works that a query names, newest first; throws QueryError. */
export const select = (atlas, text, background = false) => {
  const clauses = parse(text, atlas.longest);
  const masks = clauses.map((clause) => passing(atlas, clause));
  const hidden = background || clauses.some(namesWorks) ? -1 : atlas.kinds.indexOf("background");
  return atlas.ids.map((_, at) => at).filter((at) => atlas.kindOf[at] !== hidden && masks.every((mask) => mask[at]));
};

/** Return the number of the value that a clause's text means in a field, or undefined. */
export const meant = (atlas, field, value) => {
  const named = atlas.fieldsNamed.get(field);
  return named && spellingsOf(named).get(fold(value));
};

const characters = (text) => {
  let count = 0;
  for (const _ of text) count++;
  return count;
};

const skipSpace = (text, at) => {
  SPACES.lastIndex = at;
  SPACES.exec(text);
  return SPACES.lastIndex;
};

const readClause = ([, minus, field, operator, written, phrase, word], position) => {
  const negated = minus === "-";
  if (field === undefined) {
    const free = phrase ?? word;
    if (!fold(free)) return null;
    return { field: "text", operator: ":", values: [free], negated, position, free: true, quoted: phrase !== undefined };
  }
  const values = [...written.matchAll(VALUE)].map(([, quoted, plain]) => quoted || plain).filter(Boolean);
  if (!values.length) throw new QueryError(`${field} has no value`, `write ${field}=something`, position);
  return { field: field.toLowerCase(), operator, values, negated, position };
};

const isPlainWord = (word) => /^[\p{L}\p{N}][\p{L}\p{N}\p{M}'.+-]*$/u.test(word);
const isPlainValue = (value) => value !== "" && !new RegExp(`[${SPACE},"]`, "u").test(value);

const compile = (atlas, clause) => {
  if (clause.operator in ORDER && clause.field !== "year") {
    const plain = `${clause.field}=${clause.values.join(",")}`;
    throw new QueryError(`${clause.field} has no order`, `write ${plain}`, clause.position);
  }
  if (clause.field === "year") return yearMask(atlas, clause);
  if (WORDS.includes(clause.field)) return wordMask(atlas, clause);
  return memberMask(atlas, clause);
};

const maskOf = (atlas, test) => {
  const mask = new Uint8Array(atlas.count);
  for (let at = 0; at < mask.length; at++) mask[at] = test(at) ? 1 : 0;
  return mask;
};

const yearMask = (atlas, { values, operator, position }) => {
  const tests = values.map((value) => {
    const span = RANGE.exec(value);
    if (span && ["=", ":", "!="].includes(operator)) {
      const [first, last] = [Number(span[1] ?? 0), Number(span[2] ?? 9999)];
      return (year) => first <= year && year <= last;
    }
    if (!/^[0-9]{4}$/.test(value)) {
      throw new QueryError(`${repr(value)} is no year`, "write 2019, or 2019..2021", position);
    }
    const compare = ORDER[operator] ?? ((year, bound) => year === bound);
    return (year) => compare(year, Number(value));
  });
  return maskOf(atlas, (at) => tests.some((test) => test(atlas.years[at])));
};

const wordMask = (atlas, { field, operator, values }) => {
  const wanted = values.map(fold);
  if (operator === "=" || operator === "!=") {
    return maskOf(atlas, (at) => textsOf(atlas, field, at).some((text) => wanted.includes(fold(text))));
  }
  const scans = wanted.map((words) => scan(atlas, field, words));
  return maskOf(atlas, (at) => scans.some((places) => places[at]));
};

/**
 * Return per work where a word with this start first stands in the lines of a field, 0 where it does not.
 *
 * While one types, only what the shorter word had found is looked at.
 */
export const scan = (atlas, field, start) => {
  const key = `scan ${field} ${start}`;
  const known = atlas.masks.get(key);
  if (known) return known;
  let before = null;
  for (let length = start.length - 1; length > 0 && !before; length--) {
    before = atlas.masks.get(`scan ${field} ${start.slice(0, length)}`);
  }
  const places = new Uint32Array(atlas.count);
  for (let at = 0; at < places.length; at++) {
    if (!before || before[at]) places[at] = placeOf(linesOf(atlas, field, at), start, before ? before[at] : 1);
  }
  keep(atlas, key, places);
  return places;
};

// Looking for the word and then for the space before it is several times faster than for both: spaces are everywhere.
const placeOf = (lines, start, from) => {
  let place = lines.indexOf(start, from);
  while (place > 0 && lines[place - 1] !== " ") place = lines.indexOf(start, place + 1);
  return Math.max(place, 0);
};

const keep = (atlas, key, mask) => {
  if (atlas.masks.size >= KEPT_MASKS) atlas.masks.delete(atlas.masks.keys().next().value);
  atlas.masks.set(key, mask);
};

const memberMask = (atlas, { field, values, position }) => {
  if (field === "doi" || field === "arxiv") return identifierMask(atlas, field, values);
  const named = atlas.fieldsNamed.get(field);
  if (!named) {
    const hint = () => `${didYouMean(field, atlas.fields)} (or quote it to search for the text)`;
    throw new QueryError(`unknown field ${repr(field)}`, hint, position);
  }
  const wanted = new Uint8Array(named.names.length);
  for (const value of values) {
    const number = spellingsOf(named).get(fold(value));
    if (number === undefined) {
      throw new QueryError(`unknown ${field} ${repr(value)}`, () => suggest(value, named), position);
    }
    wanted[number] = 1;
  }
  const { starts, values: held } = named.column;
  return maskOf(atlas, (at) => {
    for (let place = starts[at]; place < starts[at + 1]; place++) if (wanted[held[place]]) return true;
    return false;
  });
};

const identifierMask = (atlas, field, values) => {
  const wanted = new Set(values.map((value) => value.toLowerCase()));
  const held = atlas.texts?.[`${field}s`] ?? [];
  return maskOf(atlas, (at) => wanted.has((held[at] ?? "").toLowerCase()));
};

const suggest = (value, named) => {
  const spellings = spellingsOf(named);
  const hint = didYouMean(fold(value), [...spellings.keys()]);
  const nearest = spellings.get(hint.replace(/^did you mean /, "").replace(/\?$/, ""));
  if (nearest !== undefined) return `did you mean ${named.names[nearest]}?`;
  const known = [...new Set([...spellings.values()].map((at) => named.names[at]))];
  // The shell knows works in the order of their ids; here they stand newest first.
  return didYouMean("", named.areWorks ? known.sort() : known);
};
