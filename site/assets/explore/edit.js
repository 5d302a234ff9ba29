// Facets, years and chips as edits of the query's text, so that the box always says what is shown.

import { meant, parse, write } from "./query.js";

/** Return number of value -> "in" or "out" for what the clauses choose of a field. */
export const choices = (atlas, clauses, field) => {
  const states = new Map();
  for (const clause of clauses) {
    if (clause.field !== field) continue;
    for (const value of clause.values) states.set(meant(atlas, field, value), isExclusion(clause) ? "out" : "in");
  }
  return states;
};

/** Return the text with a value of a field chosen ("in"), excluded ("out") or neither (""). */
export const choose = (atlas, text, field, id, state) => {
  const number = meant(atlas, field, id);
  const clauses = parse(text, atlas.longest).map((clause) => {
    if (clause.field !== field) return clause;
    return { ...clause, values: clause.values.filter((value) => meant(atlas, field, value) !== number) };
  });
  // Works must have all of what `has:` asks for, each a clause; of any other field one value is enough.
  const home = field === "has" ? null : clauses.find((clause) => clause.field === field && isExclusion(clause) === (state === "out"));
  if (state && home) home.values.push(id);
  else if (state) {
    const operator = field === "has" ? ":" : "=";
    clauses.push({ field, operator, values: [id], negated: state === "out" });
  }
  return joined(clauses);
};

/** Return the text without one value of one clause. */
export const without = (atlas, text, clauseAt, valueAt) => {
  const clauses = parse(text, atlas.longest);
  clauses[clauseAt].values.splice(valueAt, 1);
  return joined(clauses);
};

/** Return the text with its years limited to a span; an empty end is open. */
export const withYears = (atlas, text, first, last) => {
  const rest = parse(text, atlas.longest).filter((clause) => clause.field !== "year" || isExclusion(clause));
  const span = first === last ? first : `${first}..${last}`;
  return joined(first || last ? [...rest, { field: "year", operator: "=", values: [span], negated: false }] : rest);
};

/** Return the span of years that the clauses leave, as two texts, empty where open. */
export const yearSpan = (clauses) => {
  let [first, last] = [0, 9999];
  for (const { field, operator, values: [value, another], negated } of clauses) {
    if (field !== "year" || negated || operator === "!=" || another !== undefined) continue;
    const [from, to] = value.includes("..") ? value.split("..") : [value, value];
    if (["=", ":"].includes(operator)) [first, last] = [Math.max(first, Number(from || 0)), Math.min(last, Number(to || 9999))];
    if (operator === ">=") first = Math.max(first, Number(value));
    if (operator === ">") first = Math.max(first, Number(value) + 1);
    if (operator === "<=") last = Math.min(last, Number(value));
    if (operator === "<") last = Math.min(last, Number(value) - 1);
  }
  return [first > 0 ? String(first) : "", last < 9999 ? String(last) : ""];
};

/** Tell whether a clause leaves works out. */
export const isExclusion = ({ negated, operator }) => negated !== (operator === "!=");

const joined = (clauses) => clauses.filter(({ values }) => values.length).map(write).join(" ");
