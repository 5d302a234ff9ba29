// What a query finds: hits, what each facet would find without its own choice, order, and one typo forgiven.

import { fold } from "./folding.js";
import { namesWorks, passing, scan } from "./query.js";
import { linesOf, valuesAt } from "./works.js";

const FORGIVEN_FROM = 5;
const MOST_READINGS = 6;
const SLICE = 8;
// What a word is worth in the title, a method, an author's name, and anywhere else.
const WORTH = [8, 7, 5, 1];

/**
 * Return what clauses find: `hits`, and the works that one `group` of clauses alone keeps out.
 *
 * The clauses of one field are a group; each `has:` is its own, as are words. `chosen`, if given, limits all of it.
 */
export const find = (atlas, clauses, chosen = null) => {
  const groups = [];
  const masks = clauses.map((clause) => [numberOf(groups, groupOf(clause)), passing(atlas, clause)]);
  const hidden = !chosen && !clauses.some(namesWorks) ? atlas.kinds.indexOf("background") : -1;
  const kindGroup = numberOf(groups, "kind");
  const [hits, near, failed] = [[], [], []];
  for (let at = 0; at < atlas.count; at++) {
    if (chosen && !chosen.has(atlas.ids[at])) continue;
    let fails = atlas.kindOf[at] === hidden ? kindGroup : -1;
    for (const [group, mask] of masks) {
      if (mask[at] || fails === group) continue;
      fails = fails < 0 ? group : -2;
      if (fails === -2) break;
    }
    if (fails === -1) hits.push(at);
    else if (fails >= 0) {
      near.push(at);
      failed.push(fails);
    }
  }
  return { hits, near, failed, groups };
};

/** Return how many works each value of a field has, whatever the query chooses of that field. */
export const counts = (atlas, found, name) => {
  const { names, column } = atlas.fieldsNamed.get(name);
  const totals = new Uint32Array(names.length);
  eachUnder(found, name, (at) => {
    for (let place = column.starts[at]; place < column.starts[at + 1]; place++) totals[column.values[place]]++;
  });
  return totals;
};

/** Return how many of the works have something (`has:code`), whatever the query says of that. */
export const countHaving = (atlas, found, name) => {
  const bit = 1 << atlas.has.indexOf(name);
  let total = 0;
  eachUnder(found, `has:${name}`, (at) => (total += atlas.hasBits[at] & bit ? 1 : 0));
  return total;
};

/** Return year -> number of works, whatever years the query chooses. */
export const countYears = (atlas, found) => {
  const totals = new Map();
  eachUnder(found, "year", (at) => totals.set(atlas.years[at], (totals.get(atlas.years[at]) ?? 0) + 1));
  return totals;
};

/** Return the hits in an order: newest, oldest, title, listed, related, or by how well the words fit. */
export const ordered = (atlas, hits, order, clauses) => {
  if (order === "oldest") return oldest(atlas, hits);
  if (order === "title") return byRank(hits, titleRanks(atlas));
  if (order === "listed") return byCount(hits, (at) => lengthAt(atlas.fieldsNamed.get("source").column, at));
  if (order === "related") return byCount(hits, (at) => relationsOf(atlas)[at]);
  if (order === "relevance") return byCount(hits, relevance(atlas, clauses));
  return hits;
};

/** Return the clauses with each word that no work holds replaced by those one typo away, and what was replaced. */
export const forgive = (atlas, clauses) => {
  const forgiven = [];
  const read = clauses.map((clause) => {
    const [word] = clause.values.map(fold);
    const words = clause.free && !clause.quoted && !clause.negated && !word.includes(" ");
    if (!words || [...word].length < FORGIVEN_FROM || passing(atlas, clause).includes(1)) return clause;
    const values = readings(atlas, word);
    if (!values.length) return clause;
    forgiven.push({ word: clause.values[0], values });
    return { field: "text", operator: ":", values, negated: false, position: clause.position };
  });
  return { clauses: read, forgiven };
};

/** Fold every text and learn every word in short slices, so that typing never waits for it. */
export const prepare = async (atlas) => {
  const texts = atlas.texts;
  const words = new Map();
  for (let at = 0; at < atlas.count; ) {
    const until = performance.now() + SLICE;
    for (; at < atlas.count && performance.now() < until; at++) {
      for (const word of new Set(linesOf(atlas, "text", at).split(/[ \n]+/))) words.set(word, (words.get(word) ?? 0) + 1);
    }
    await new Promise((resume) => setTimeout(resume));
    if (atlas.texts !== texts) return;
  }
  atlas.words = words;
};

/** Tell whether `word` is one typo (a letter more, less, other, or two swapped) from the start of `other`. */
export const isOneTypoAway = (word, other) => {
  let same = 0;
  while (same < word.length && word[same] === other[same]) same++;
  if (same === word.length) return true;
  const rest = word.slice(same + 1);
  return (
    other.startsWith(rest, same + 1) ||
    other.startsWith(rest, same) ||
    other.startsWith(word.slice(same), same + 1) ||
    (word[same] === other[same + 1] && word[same + 1] === other[same] && other.startsWith(word.slice(same + 2), same + 2))
  );
};

/** Return the words of the catalogue that `word` may stand for, the most frequent first, none the start of another. */
const readings = (atlas, word) => {
  const near = [];
  for (const [other, count] of atlas.words ?? []) {
    if (other.length >= word.length - 1 && isOneTypoAway(word, other)) near.push([other, count]);
  }
  near.sort(([a, many], [b, few]) => few - many || (a < b ? -1 : 1));
  const kept = [];
  for (const [other] of near) {
    if (kept.length === MOST_READINGS) break;
    if (!kept.some((shorter) => other.startsWith(shorter))) kept.push(other);
  }
  return kept.filter((other) => !kept.some((shorter) => shorter !== other && other.startsWith(shorter)));
};

const groupOf = ({ field, values, position }) => {
  if (field === "has") return `has:${values.join(",").toLowerCase()}`;
  return ["text", "title", "author", "method"].includes(field) ? `words at ${position}` : field;
};

const numberOf = (groups, name) => {
  if (!groups.includes(name)) groups.push(name);
  return groups.indexOf(name);
};

const eachUnder = (found, name, visit) => {
  found.hits.forEach(visit);
  const group = found.groups.indexOf(name);
  if (group >= 0) found.near.forEach((at, place) => found.failed[place] === group && visit(at));
};

const oldest = (atlas, hits) =>
  [...hits].sort((a, b) => atlas.years[a] - atlas.years[b] || a - b);

const titleRanks = (atlas) => {
  if (!atlas.titleRanks) {
    const folded = atlas.titles.map(fold);
    const order = folded.map((_, at) => at).sort((a, b) => (folded[a] < folded[b] ? -1 : folded[a] > folded[b] ? 1 : a - b));
    atlas.titleRanks = new Uint32Array(order.length);
    order.forEach((at, rank) => (atlas.titleRanks[at] = rank));
  }
  return atlas.titleRanks;
};

const byRank = (hits, ranks) => [...hits].sort((a, b) => ranks[a] - ranks[b]);

/** Return hits by a small number, the greatest first; equals keep their order. */
const byCount = (hits, count) => {
  const shelves = [];
  for (const at of hits) (shelves[count(at)] ??= []).push(at);
  return shelves.reverse().flatMap((shelf) => shelf ?? []);
};

const lengthAt = ({ starts }, at) => starts[at + 1] - starts[at];

const relationsOf = (atlas) => {
  if (!atlas.relations) {
    atlas.relations = new Uint32Array(atlas.count);
    for (const verb of atlas.verbs.flat()) {
      const { column } = atlas.fieldsNamed.get(verb);
      for (let at = 0; at < atlas.count; at++) atlas.relations[at] += valuesAt(column, at).length;
    }
  }
  return atlas.relations;
};

/** Return what measures how well a work fits: where each word first stands in it, whether whole, in how long a title. */
const relevance = (atlas, clauses) => {
  const words = clauses.filter(({ field, negated }) => field === "text" && !negated);
  const scans = words.flatMap(({ values }) => values.map(fold)).map((start) => [start.length, scan(atlas, "text", start)]);
  return (at) => {
    let score = 0;
    for (const [length, places] of scans) {
      const place = places[at];
      if (!place) continue;
      let worth = 0;
      while (worth < 3 && place >= atlas.ends[at * 3 + worth]) worth++;
      const next = linesOf(atlas, "text", at)[place + length];
      if (!worth) score += Math.round((8 * length) / atlas.ends[at * 3]);
      score += 2 * WORTH[worth] + (next === undefined || next === " " || next === "\n" ? 1 : 0);
    }
    return score;
  };
};
