// Runs the rules that awesome-lint counts as errors over a README, save the one that asks GitHub about the repository.
// Its spelling rule only warns, and would have titles say what their authors did not write.
// node awesome_lint.mjs NODE_MODULES README
import {readFileSync} from 'node:fs';
import path from 'node:path';
import {pathToFileURL} from 'node:url';

const [modules, readme] = process.argv.slice(2).map(file => path.resolve(file));
const load = file => import(pathToFileURL(path.join(modules, file)));

const {createConfig} = await load('awesome-lint/config.js');
const {createRules} = await load('awesome-lint/rules/index.js');
const {remark} = await load('remark/index.js');
const {VFile} = await load('vfile/index.js');

const rules = createRules().filter(([rule, [severity]]) => severity === 'error' && rule.name !== 'remark-lint:awesome-github');
const file = new VFile({path: readme, value: readFileSync(readme)});
await remark().use(createConfig(rules)).process(file);
for (const message of file.messages) {
	console.log(`${message.line}:${message.column} ${message.ruleId}: ${message.reason}`);
}

process.exitCode = file.messages.length > 0 ? 1 : 0;
