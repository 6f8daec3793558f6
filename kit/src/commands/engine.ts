/** `kit engine install`: the two native extras that come only by an install script of their own, run with the user's knowledge. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { KitError } from '@sim2servo/models/error';
import type { AddCommand } from '../command-context.js';

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

export const addEngine: AddCommand = (program, context) => {
  const engine = program.command('engine').description('engines that need a library of their own');
  engine
    .command('install')
    .description('run the installer of an extra engine')
    .argument('<name>', Object.keys(extras).join(' or '))
    .action(async (name: string) => {
      const extra = extras[name];
      if (extra === undefined)
        throw new KitError(
          'E_ENGINE_UNKNOWN',
          `there is no extra engine '${name}'`,
          `choose one of: ${Object.keys(extras).join(', ')}`,
          'usage',
        );
      const folder = folderOf(extra.package);
      context.io.err(`Fetching ${extra.what}\n  in ${folder}: node ${extra.script.join(' ')}`);
      const code = await new Promise<number | null>((resolve, reject) => {
        const child = spawn(process.execPath, [...extra.script], {
          cwd: folder,
          env: {
            ...process.env,
            ...extra.environment,
            PATH: `${join(dirname(folder), '.bin')}:${process.env.PATH ?? ''}`,
          },
          stdio: ['ignore', 2, 2],
          signal: context.signal,
        });
        child.on('error', reject);
        child.on('exit', resolve);
      });
      if (code !== 0)
        throw new KitError(
          'E_ENGINE_INSTALL',
          `the installer of ${extra.package} left with ${code}`,
          'read its lines above; the other engines go on working',
        );
      context.result({ installed: name }, () => `${name} is installed; see \`kit doctor\``);
    });
};
