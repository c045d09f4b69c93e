/**
 * Builds the libraries in arboris/static/js/vendor from the packages in package-lock.json, with their
 * licences beside them. The same lock gives the same bytes. `--check` changes nothing and fails
 * where the committed files are not what this builds.
 */
import { build } from 'esbuild';
import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const vendor = join(here, '../../arboris/static/js/vendor');

const titles = { codemirror: 'CodeMirror 6', echarts: 'Apache ECharts 6' };

/** The bundle of `${name}.js`, and the names of the packages that are in it. */
async function bundle(name) {
  const { outputFiles, metafile } = await build({
    absWorkingDir: here,
    entryPoints: [`${name}.js`],
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
  return { text: outputFiles[0].text, packages: [...new Set(packages)].sort() };
}

function licence(name) {
  const folder = join(here, 'node_modules', name);
  const { version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  // The Apache License asks for the notice beside it, and for the licences of what it has taken over.
  const found = readdirSync(folder, { recursive: true })
    .filter((entry) => /^(licen[cs]e|notice)[^/]*$|^licenses\//i.test(entry))
    .filter((entry) => statSync(join(folder, entry)).isFile())
    .sort();
  if (!found.length) throw new Error(`${name} comes without a licence file`);
  const texts = found.map((file) => readFileSync(join(folder, file), 'utf8').replaceAll('\r\n', '\n').trim());
  return `${name} ${version} (${license})\n\n${texts.join('\n\n')}\n`;
}

const files = {};
for (const [name, title] of Object.entries(titles)) {
  const { text, packages } = await bundle(name);
  files[`${name}.js`] = `/* ${title}, built by "make bundle". Licences: ${name}.licenses.txt */\n${text}`;
  files[`${name}.licenses.txt`] = packages.map(licence).join(`\n${'-'.repeat(72)}\n\n`);
}

const isCheck = process.argv.includes('--check');
for (const [name, text] of Object.entries(files)) {
  const path = join(vendor, name);
  if (!isCheck) writeFileSync(path, text);
  else if (readFileSync(path, 'utf8') !== text) {
    console.error(`arboris/static/js/vendor/${name} is not what deploy/js/bundle.mjs builds: make bundle`);
    process.exitCode = 1;
  }
}
