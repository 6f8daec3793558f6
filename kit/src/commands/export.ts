/** `kit export`: the best policy of a run, as a bundle. */
import { exportBundle } from '@sim2servo/train/export-bundle';
import type { AddCommand } from '../command-context.js';
import { openKey, signBundle } from '../keys/sign-bundle.js';
import { signedWords } from './keys.js';

export const addExport: AddCommand = (program, context) => {
  program
    .command('export')
    .description('write the best policy of a run as a bundle (ONNX, manifest, golden vectors)')
    .argument('<run>', 'run folder')
    .argument('<bundle>', 'folder to write')
    .option('--robot <folder>', "the robot's folder, if it has moved since")
    .option('--sign <name>', 'sign it with this key (kit keys list)')
    .action(async (run: string, out: string, { sign, ...options }: { robot?: string; sign?: string }) => {
      // Asked for first: nobody should wait for an export to find that the password is wrong.
      const key = sign === undefined ? undefined : await openKey(sign, context);
      const bundle = await exportBundle({ run, out, ...options });
      const signature = key && signBundle(out, key);
      context.result({ bundle: bundle.folder, ...bundle, ...(signature && { signature }) }, () =>
        [
          `policy bundle ${bundle.folder}: ${bundle.bytes} bytes of ONNX, golden vectors within ${bundle.goldenMaxError.toExponential(1)}`,
          `digest ${bundle.digest}`,
          ...(signature === undefined ? [] : [signedWords(signature)]),
          `next: kit deploy ${bundle.folder} --to robot`,
        ].join('\n'),
      );
    });
};
