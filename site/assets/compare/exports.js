// A comparison as LaTeX, Markdown and CSV, escaped as the exports of the shell do.

import { shortAuthors, webAddress, written } from "./fields.js";

const MARKS = "\\u0300-\\u036f";
const CLUSTER = new RegExp(`[^\\x00-\\x7f][${MARKS}]*|[A-Za-z][${MARKS}]+|[\\\\{}~^<>|\`"%&#$_@]`, "gu");
// Characters that TeX would join into another one when they meet.
const RUN = /[-‐‑‒–—―'‘’“”ʻʼ,?!]{2,}/gu;
const LIGATURES = new Set(["--", "''", "``", ",,", "?`", "!`"]);
const INVISIBLE = /(?!\s)[\p{Cf}\p{Cc}\p{Cs}\p{Co}\p{Cn}]/gu;
const MARKDOWN = /[\\`*_[\]{}|~$#!]/g;
// GitHub turns bare addresses and names into links.
const AUTOLINK =
  /(?:(?<=http)|(?<=https)|(?<=ftp))(?=:\/\/)|(?<=www)(?=\.)|(?<=@)(?=[\p{L}\p{N}_])|(?:(?<=mailto)|(?<=xmpp))(?=:)/giu;
const FORMULA = /^[=+\-@＝＋－＠]/u;

export const FORMATS = {
  latex: { extension: "tex", type: "application/x-tex", write: latex },
  markdown: { extension: "md", type: "text/markdown;charset=utf-8", write: markdown },
  csv: { extension: "csv", type: "text/csv;charset=utf-8", write: csv },
};

/** Text on one line, without marks that do not show. */
export function oneLine(text) {
  return text
    .replace(INVISIBLE, "")
    .replace(/[\s\u2028\u2029]+/gu, (space) => (space === "\u00a0" || space === "\u202f" ? space : " "))
    .trim();
}

/** Text as ASCII that LaTeX prints as it reads; `letters` says how it writes each that is not plain. */
export function texEscape(text, letters) {
  const piece = (part) => part.replace(CLUSTER, (cluster) => letters[cluster] ?? byMarks(cluster, letters));
  const run = (found) => {
    const pieces = [...found].map(piece);
    return pieces.map((before, at) => before + (joins(before, pieces[at + 1] ?? "") ? "{}" : "")).join("");
  };
  const parts = [];
  let at = 0;
  const line = oneLine(text.normalize("NFC"));
  for (const found of line.matchAll(RUN)) {
    parts.push(piece(line.slice(at, found.index)), run(found[0]));
    at = found.index + found[0].length;
  }
  parts.push(piece(line.slice(at)));
  return parts.join("");
}

export function markdownEscape(text) {
  return markdownLabel(text).replace(AUTOLINK, "<!-- -->");
}

export function csvCell(text) {
  const line = oneLine(text);
  const inert = FORMULA.test(line) ? `'${line}` : line;
  return /[",\r\n]/.test(inert) ? `"${inert.replaceAll('"', '""')}"` : inert;
}

function byMarks(cluster, letters) {
  const [letter, ...marks] = [...cluster];
  return marks.length ? (letters[letter] ?? (letter < "\x80" ? letter : "?")) : "?";
}

function joins(before, after) {
  return LIGATURES.has(before.slice(-1) + after.slice(0, 1));
}

function latex(papers, rows, letters) {
  const escape = (text) => texEscape(text, letters);
  const column = (width) => `>{\\raggedright\\arraybackslash}p{${width.toFixed(2)}\\linewidth}`;
  const spec = column(0.14) + column(Math.floor(78 / papers.length) / 100).repeat(papers.length);
  const header = papers.map((paper) => `${escape(shortAuthors(paper))}~\\cite{${paper.id}}`);
  const lines = rows.map((row) => [escape(row.label), ...row.cells.map((cell) => escape(joined(cell, ", ")))]);
  return [
    "% Needs \\usepackage[T1]{fontenc} and the packages array, booktabs.",
    "% The keys are those of `atlas export bibtex` and `atlas export biblatex`.",
    "\\begin{table*}",
    "  \\centering\\small",
    `  \\begin{tabular}{@{}${spec}@{}}`,
    "    \\toprule",
    `    & ${header.join(" & ")} \\\\`,
    "    \\midrule",
    ...lines.map((cells) => `    ${cells.join(" & ")} \\\\`),
    "    \\bottomrule",
    "  \\end{tabular}",
    "\\end{table*}",
    "",
  ].join("\n");
}

function markdown(papers, rows) {
  const header = papers.map((paper) => markdownLink(`${shortAuthors(paper)} ${paper.year}`, webAddress(paper)));
  const lines = rows.map((row) => [
    markdownEscape(row.label),
    ...row.cells.map((cell) => cell.map((value) => markdownValue(value)).join(", ")),
  ]);
  const table = [["", ...header], ["---", ...papers.map(() => "---")], ...lines];
  return table.map((cells) => `| ${cells.join(" | ")} |\n`).join("");
}

function csv(papers, rows) {
  const header = ["field", ...papers.map((paper) => paper.id)];
  const lines = rows.map((row) => [row.label, ...row.cells.map((cell) => joined(cell, "; "))]);
  return [header, ...lines].map((cells) => `${cells.map(csvCell).join(",")}\r\n`).join("");
}

function markdownValue(value) {
  const text = value.url && !value.local ? markdownLink(value.text, value.url) : markdownEscape(value.text);
  return value.note ? `${text} (${markdownEscape(value.note)})` : text;
}

function markdownLink(text, url) {
  if (!url) return markdownEscape(text);
  return `[${markdownLabel(text)}](${url.replaceAll("(", "%28").replaceAll(")", "%29")})`;
}

function markdownLabel(text) {
  return oneLine(text)
    .replaceAll("&", "&amp;")
    .replaceAll("<", "&lt;")
    .replaceAll(">", "&gt;")
    .replace(MARKDOWN, "\\$&");
}

function joined(cell, separator) {
  return cell.map(written).join(separator);
}
