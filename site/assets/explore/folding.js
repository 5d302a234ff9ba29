// Folding text for comparison, letter for letter as records/folding.py does it.

const LETTERS = { "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe", "ı": "i" };
// Where Python's casefold goes further than toLowerCase, once compatibility forms are decomposed.
const CASES = {
  "ß": "ss", "ς": "σ", "\u0345": "ι", "ᲀ": "в", "ᲁ": "д", "ᲂ": "о", "ᲃ": "с", "ᲄ": "т", "ᲅ": "т", "ᲆ": "ъ", "ᲇ": "ѣ",
  "ᲈ": "ꙋ",
};
const ASCII = /^[\x00-\x7f]*$/;
const marks = new Map();

/** Return `text` in lower case without accents, its words joined by single spaces. */
export const fold = (text) => {
  if (ASCII.test(text)) return text.toLowerCase().replace(/[^a-z0-9]+/g, " ").trim();
  return stripAccents(text).replace(/[^\p{L}\p{N}]+/gu, " ").trim();
};

const stripAccents = (text) => {
  const folded = text.normalize("NFKD").toLowerCase()
    .replace(/[ßς\u0345\u1c80-\u1c88]/g, (char) => CASES[char])
    .replace(/[\u13a0-\u13ff\uab70-\uabbf]/g, (char) => char.toUpperCase());
  return folded.normalize("NFKD")
    .replace(/\p{M}/gu, (mark) => (isCombining(mark) ? "" : mark))
    .replace(/[øłđðþæœı]/g, (char) => LETTERS[char]);
};

// A mark combines if canonical order moves it before one of the highest class.
const isCombining = (mark) => {
  if (!marks.has(mark)) marks.set(mark, mark === "\u0345" || `\u0345${mark}`.normalize("NFD")[0] !== "\u0345");
  return marks.get(mark);
};
