/**
 * Builds arboris/static/js/vendor/codemirror.js from the packages in package-lock.json, with their
 * licences beside it. The same lock gives the same bytes. `--check` changes nothing and fails
 * where the committed files are not what this builds.
 */
import { build } from 'esbuild';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, '../../arboris/static/js/vendor');

const { outputFiles, metafile } = await build({
  absWorkingDir: here,
  entryPoints: ['codemirror.js'],
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  charset: 'utf8',
  legalComments: 'none',
  metafile: true,
  write: false,
});

const [bundled] = Object.values(metafile.outputs);
const packages = Object.entries(bundled.inputs)
  .filter(([, { bytesInOutput }]) => bytesInOutput > 0)
  .map(([path]) => path.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//)?.[1])
  .filter(Boolean);
const names = [...new Set(packages)].sort();

function licence(name) {
  const folder = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
  if (!file) throw new Error(`${name} comes without a licence file`);
  return `${name} ${version} (${license})\n\n${readFileSync(join(folder, file), 'utf8').trim()}\n`;
}

const files = {
  'codemirror.js': `/* CodeMirror 6, built by "make bundle". Licences: codemirror.licenses.txt */\n${outputFiles[0].text}`,
  'codemirror.licenses.txt': names.map(licence).join(`\n${'-'.repeat(72)}\n\n`),
};

const isCheck = process.argv.includes('--check');
for (const [name, text] of Object.entries(files)) {
  const path = join(vendor, name);
  if (!isCheck) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`arboris/static/js/vendor/${name} is not what deploy/js/bundle.mjs builds: make bundle`);
    process.exitCode = 1;
  }
}
