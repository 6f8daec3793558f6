/** `kit inspect`: a policy bundle in words. */

import { loadBundle } from '@sim2servo/models/bundle/load-bundle';
import { decodeModel } from '@sim2servo/models/onnx-model';
import type { AddCommand } from '../command-context.js';

export const addInspect: AddCommand = (program, context) => {
  program
    .command('inspect')
    .description('verify a policy bundle and say what it is')
    .argument('<bundle>', 'folder of the bundle')
    .action((folder: string) => {
      const bundle = loadBundle(folder);
      const { manifest } = bundle;
      const operators = [...new Set(decodeModel(bundle.model).graph?.node?.map(node => node.opType) ?? [])];
      context.result({ digest: bundle.digest, manifest, modelBytes: bundle.model.length, operators }, () =>
        [
          `policy        ${manifest.name}`,
          `digest        ${bundle.digest}`,
          `made          ${manifest.createdAt}`,
          `robot         ${manifest.robot.name} (spec ${manifest.robot.specSha256.slice(0, 12)}…)`,
          `task          ${manifest.task} at ${manifest.controlRateHz} Hz`,
          `observation   ${manifest.observation.names.length} numbers: ${manifest.observation.names.join(', ')}`,
          `action        ${manifest.action.kind} × ${manifest.action.scale} for ${manifest.action.names.join(', ')}`,
          `model         ${bundle.model.length} bytes; operators ${operators.join(', ')}`,
          `golden        ${bundle.golden.observations.length} vectors`,
          `trained by    ${manifest.provenance.algorithm}, seed ${manifest.provenance.seed}, ${manifest.provenance.steps} steps`,
          `evaluation    ${Object.entries(manifest.provenance.evaluation)
            .map(([name, value]) => `${name} ${Number(value.toPrecision(4))}`)
            .join(', ')}`,
          `parent        ${manifest.provenance.parent ?? 'none'}`,
          `logs          ${manifest.provenance.logs.length === 0 ? 'none' : manifest.provenance.logs.join(', ')}`,
        ].join('\n'),
      );
    });
};
