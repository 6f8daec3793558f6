/** `kit engine install`: the two native extras that come only by an install script of their own, run with the user's knowledge. */
import { spawn } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import type { AddCommand, CommandContext } from '../command-context.js';
import { bindingBuild, linkCudaProvider, linkTensorflow } from '../engine-library.js';

interface Extra {
  readonly package: string;
  readonly what: string;
  /** The package's own installer, from its folder. */
  readonly script: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
}

const extras: Readonly<Record<string, Extra>> = {
  'tfjs-node-gpu': {
    package: '@tensorflow/tfjs-node-gpu',
    what: "TensorFlow's native library (about 400 MB, from storage.googleapis.com; needs CUDA to be of use)",
    script: ['scripts/install.js', 'gpu', 'download'],
  },
  cuda: {
    package: 'onnxruntime-node',
    what: "ONNX Runtime's CUDA provider (about 300 MB, from nuget.org; Linux x64)",
    script: ['script/install.js'],
    environment: { ONNXRUNTIME_NODE_INSTALL: 'cuda12' },
  },
};

function folderOf(packageName: string): string {
  const require = createRequire(import.meta.url);
  for (const start of require.resolve.paths(packageName) ?? []) {
    const folder = join(start, packageName);
    if (existsSync(join(folder, 'package.json'))) return folder;
  }
  throw new KitError(
    'E_ENGINE_PACKAGE',
    `the package ${packageName} is not installed`,
    'run `npm install` in the folder of the kit',
  );
}

/** Runs a script of a package in its folder, with its output on standard error. */
async function runIn(
  folder: string,
  script: readonly string[],
  environment: Readonly<Record<string, string>>,
  signal: AbortSignal,
): Promise<number | null> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, [...script], {
      cwd: folder,
      env: { ...process.env, ...environment, PATH: `${join(dirname(folder), '.bin')}:${process.env.PATH ?? ''}` },
      stdio: ['ignore', 2, 2],
      signal,
    });
    child.on('error', reject);
    child.on('exit', resolve);
  });
}

/** That TensorFlow computes, in a process of its own: a library that does not fit ends it. */
const tensorflowWorks = [
  '-e',
  "const tf = require('.'); if (tf.matMul([[1, 2]], [[3], [4]]).dataSync()[0] !== 11) process.exit(1)",
];

/** Links what lies at `library`; a step that is a program of its own must leave with 0. */
async function installFrom(name: string, folder: string, library: string, context: CommandContext): Promise<void> {
  const must = async (what: string, script: readonly string[], environment: Readonly<Record<string, string>>) => {
    context.io.err(what);
    const code = await runIn(folder, script, environment, context.signal);
    if (code !== 0)
      throw new KitError(
        'E_ENGINE_INSTALL',
        `${what}: left with ${code}`,
        'read its lines above (a C++ compiler, make and Python are needed); the other engines go on working',
      );
  };
  if (name === 'cuda') {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
    context.io.err(`Linking the CUDA provider of ${library} beside onnxruntime-node ${version}`);
    linkCudaProvider(version, library);
    return;
  }
  context.io.err(`Linking TensorFlow of ${library} into ${join(folder, 'deps')}`);
  linkTensorflow(folder, library);
  const { script, environment } = bindingBuild(folder);
  await must('Building the binding against it', script, environment);
  await must('Trying it', tensorflowWorks, {});
}

async function runInstaller(extra: Extra, folder: string, context: CommandContext): Promise<void> {
  context.io.err(`Fetching ${extra.what}\n  in ${folder}: node ${extra.script.join(' ')}`);
  const code = await runIn(folder, extra.script, extra.environment ?? {}, context.signal);
  if (code !== 0)
    throw new KitError(
      'E_ENGINE_INSTALL',
      `the installer of ${extra.package} left with ${code}`,
      'read its lines above; the other engines go on working. Or give a library that is here already with --library',
    );
}

export const addEngine: AddCommand = (program, context) => {
  const engine = program.command('engine').description('engines that need a library of their own');
  engine
    .command('install')
    .description('run the installer of an extra engine, or take a library that is on this machine')
    .argument('<name>', Object.keys(extras).join(' or '))
    .option(
      '--library <path>',
      'folder that holds it: `tensorflow` of the Python wheel, or `onnxruntime/capi` of onnxruntime-gpu',
    )
    .action(async (name: string, { library }: { library?: string }) => {
      const extra = Object.hasOwn(extras, name) ? extras[name] : undefined;
      if (extra === undefined)
        throw new KitError(
          'E_ENGINE_UNKNOWN',
          `there is no extra engine '${name}'`,
          `choose one of: ${Object.keys(extras).join(', ')}`,
          'usage',
        );
      const folder = folderOf(extra.package);
      if (library === undefined) await runInstaller(extra, folder, context);
      else await installFrom(name, folder, library, context);
      context.result(
        { installed: name, ...(library !== undefined && { library }) },
        () => `${name} is installed; see \`kit doctor\``,
      );
    });
};
