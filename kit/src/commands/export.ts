/** `kit export`: the best policy of a run, as a bundle. */
import { exportBundle } from '@sim2servo/train/export-bundle';
import type { AddCommand } from '../command-context.js';

export const addExport: AddCommand = (program, context) => {
  program
    .command('export')
    .description('write the best policy of a run as a bundle (ONNX, manifest, golden vectors)')
    .argument('<run>', 'run folder')
    .argument('<bundle>', 'folder to write')
    .option('--robot <folder>', "the robot's folder, if it has moved since")
    .action(async (run: string, out: string, options: { robot?: string }) => {
      const bundle = await exportBundle({ run, out, ...options });
      context.result({ bundle: bundle.folder, ...bundle }, () =>
        [
          `policy bundle ${bundle.folder}: ${bundle.bytes} bytes of ONNX, golden vectors within ${bundle.goldenMaxError.toExponential(1)}`,
          `digest ${bundle.digest}`,
          `next: kit deploy ${bundle.folder} --to robot`,
        ].join('\n'),
      );
    });
};
