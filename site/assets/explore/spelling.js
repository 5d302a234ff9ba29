// The nearest known word, and text as Python shows it: what the shell's error messages are made of.

const WORD = 80;
const LISTED = 12;

/** Return a hint that names the nearest known word, or all of them if none is near (records/explain.py). */
export const didYouMean = (word, known) => {
  const near = closest([...word].slice(0, WORD).join("").toLowerCase(), known);
  if (near !== null) return `did you mean ${near}?`;
  const listed = known.slice(0, LISTED).join(", ") + (known.length > LISTED ? ", …" : "");
  return known.length ? `known are ${listed}` : "there are none yet";
};

/** Return the known word most like `word` by the measure of Python's difflib, or null if none is near. */
export const closest = (word, known, cutoff = 0.6) => {
  const wanted = [...word];
  const places = new Map();
  wanted.forEach((char, at) => places.set(char, [...(places.get(char) ?? []), at]));
  let best = null;
  let bestScore = cutoff;
  for (const other of known) {
    const chars = [...other];
    if (bound(chars, wanted, places) < bestScore) continue;
    const score = ratio(chars, wanted, places);
    if (score > bestScore || (score === bestScore && (best === null || before(best, other)))) {
      [best, bestScore] = [other, score];
    }
  }
  return best;
};

// No more can match than what both hold.
const bound = (a, b, places) => {
  const both = a.length + b.length;
  if ((2 * Math.min(a.length, b.length)) / both < 0.6) return both ? 0 : 1;
  const left = new Map([...places].map(([char, found]) => [char, found.length]));
  let shared = 0;
  for (const char of a) {
    const count = left.get(char) ?? 0;
    left.set(char, count - 1);
    if (count > 0) shared++;
  }
  return (2 * shared) / both;
};

const ratio = (a, b, places) => {
  const both = a.length + b.length;
  return both ? (2 * matching(a, places, 0, a.length, 0, b.length)) / both : 1;
};

/** Return how many characters the matching blocks of a[a0:a1] and b[b0:b1] hold. */
const matching = (a, places, a0, a1, b0, b1) => {
  let [bestA, bestB, size] = [a0, b0, 0];
  let lengths = new Map();
  for (let i = a0; i < a1; i++) {
    const next = new Map();
    for (const j of places.get(a[i]) ?? []) {
      if (j < b0) continue;
      if (j >= b1) break;
      const length = (lengths.get(j - 1) ?? 0) + 1;
      next.set(j, length);
      if (length > size) [bestA, bestB, size] = [i - length + 1, j - length + 1, length];
    }
    lengths = next;
  }
  if (!size) return 0;
  return size + matching(a, places, a0, bestA, b0, bestB) + matching(a, places, bestA + size, a1, bestB + size, b1);
};

/** Tell whether `a` stands before `b` in the order of code points. */
const before = (a, b) => {
  const [left, right] = [[...a], [...b]];
  for (let at = 0; at < left.length && at < right.length; at++) {
    const difference = left[at].codePointAt(0) - right[at].codePointAt(0);
    if (difference) return difference < 0;
  }
  return left.length < right.length;
};

const NAMED = { "\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r" };

/** Return text in quotes with what does not print escaped, as Python's repr. */
export const repr = (text) => {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const shown = [...text].map((char) => {
    if (char === quote) return `\\${char}`;
    if (char in NAMED) return NAMED[char];
    if (char === " " || !/[\p{C}\p{Z}]/u.test(char)) return char;
    const code = char.codePointAt(0);
    const hex = code.toString(16);
    if (code < 0x100) return `\\x${hex.padStart(2, "0")}`;
    return code < 0x10000 ? `\\u${hex.padStart(4, "0")}` : `\\U${hex.padStart(8, "0")}`;
  });
  return `${quote}${shown.join("")}${quote}`;
};
