/**
 * The robot's program and the programs of its threads as a few files (esbuild). What can't be bundled, because it is native or found by a
 * path at run time, is redirected to a place beside them.
 */
import { readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { KitError } from '@sim2servo/models/error';
import { build, type Plugin } from 'esbuild';

export const programName = 'sim2servo-robot.js';

/** Stands where a package asks for its own folder. */
export const noFolder = 'bundled: no folder';

const main = fileURLToPath(new URL('../robot/main.js', import.meta.url));

/** Paths of the sources, as seen from here, end up in the bundle's names: the same wherever one stands. */
const base = fileURLToPath(new URL('../../..', import.meta.url));

/** `new URL('./x-worker.js', import.meta.url)`: the program of a thread, which must lie beside whoever starts it. */
const threadProgram = /new URL\(\s*['"](\.\/[\w-]+\.js)['"],\s*import\.meta\.url\s*,?\s*\)/g;

/** Native modules as `import` finds them beside the bundle. */
const besides: Readonly<Record<string, string>> = {
  // Looks for its binding below its own package: here it is one file.
  'node-gyp-build': 'export default () => require("./serialport.node");',
  // Its own wrapper looks for the binding in packages, and adds nothing that we call.
  koffi: 'export default require("./koffi.node");',
};

const nativeBeside: Plugin = {
  name: 'native-beside',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^(?:node-gyp-build|koffi)$/ }, ({ path }) => ({ path, namespace: 'beside' }));
    onLoad({ filter: /.*/, namespace: 'beside' }, ({ path }) => ({ contents: besides[path]!, loader: 'js' }));
  },
};

/** zod says what is wrong in fifty languages; we ask for one. The others are half of what it takes in each thread's memory. */
const oneLanguage: Plugin = {
  name: 'one-language',
  setup({ onLoad }) {
    onLoad({ filter: /[/\\]zod[/\\]v4[/\\]locales[/\\]index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
      loader: 'js',
    }));
  },
};

export interface ProgramFile {
  /** In one folder, without others below it. */
  readonly name: string;
  readonly content: Buffer;
}

/** @throws KitError E_BUNDLE_PROGRAM where two threads' programs have one name */
export async function bundleProgram(): Promise<ProgramFile[]> {
  const entries = new Map([[programName, main]]);
  for (;;) {
    const { outputFiles, metafile } = await build({
      entryPoints: Object.fromEntries([...entries].map(([name, path]) => [name.replace(/\.js$/, ''), path])),
      absWorkingDir: base,
      outdir: '/',
      bundle: true,
      splitting: true,
      write: false,
      metafile: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      // Names stay: a stack trace of a robot far away is to be read.
      minifyWhitespace: true,
      minifySyntax: true,
      logLevel: 'error',
      plugins: [nativeBeside, oneLanguage],
      // Found in node_modules beside: inference has native parts, or is WebAssembly, by platform.
      external: ['onnxruntime-node', 'onnxruntime-web', '*.node'],
      // One package names its folder, and gives that to what is redirected above. A second would look for files that are not there.
      define: { __dirname: JSON.stringify(noFolder) },
      // CommonJS packages ask for Node's modules, and the redirected ones for their bindings.
      banner: { js: 'import{createRequire as requireOf}from"node:module";const require=requireOf(import.meta.url);' },
    });
    const found = Object.keys(metafile.inputs)
      .filter(path => /\/dist\/src\/.*\.js$/.test(path))
      .flatMap(path => threadsOf(join(base, path)));
    const fresh = found.filter(path => entries.get(basename(path)) !== path);
    if (fresh.length === 0)
      return outputFiles
        .map(({ path, contents }) => ({ name: basename(path), content: Buffer.from(contents) }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const path of fresh) {
      const other = entries.get(basename(path));
      if (other !== undefined)
        throw new KitError('E_BUNDLE_PROGRAM', `${path} and ${other} have one name`, 'rename one of them', 'bug');
      entries.set(basename(path), path);
    }
  }
}

function threadsOf(path: string): string[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(threadProgram)].map(([, name]) => join(dirname(path), name!));
}
