/** `kit inspect`: a policy bundle in words. */

import { shortDigest } from '@sim2servo/models/digest';
import { decodeModel } from '@sim2servo/models/onnx-model';
import type { AddCommand } from '../command-context.js';
import { loadWithOwnKeys, type SignedBy } from '../keys/sign-bundle.js';

export const addInspect: AddCommand = (program, context) => {
  program
    .command('inspect')
    .description('verify a policy bundle and say what it is')
    .argument('<bundle>', 'folder of the bundle')
    .action((folder: string) => {
      const { bundle, signedBy } = loadWithOwnKeys(folder);
      const { manifest } = bundle;
      const operators = [...new Set(decodeModel(bundle.model).graph?.node?.map(node => node.opType) ?? [])];
      context.result(
        {
          digest: bundle.digest,
          signature: bundle.signature,
          signedBy,
          manifest,
          modelBytes: bundle.model.length,
          operators,
        },
        () =>
          [
            `policy        ${manifest.name}`,
            `digest        ${bundle.digest}`,
            `signed        ${signatureWords(signedBy, bundle.signature?.sequence)}`,
            `made          ${manifest.createdAt}`,
            `runtime       ${manifest.runtime.needs} or later`,
            `robot         ${manifest.robot.name} (spec ${shortDigest(manifest.robot.specSha256)})`,
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

function signatureWords(signedBy: SignedBy | undefined, sequence: number | undefined): string {
  if (signedBy === undefined) return 'by nobody';
  const { keyId, name } = signedBy;
  if (name === undefined) return `with key ${keyId}, so it says; it is none of yours, so that was not verified`;
  return `with key ${keyId} (${name}), sequence ${sequence}`;
}
