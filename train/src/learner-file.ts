/**
 * `learner.ckpt` in a bundle: what learning on needs beyond the policy: critics, their targets and the temperature.
 *
 * New critics would have to learn the task first, and until they have, they pull a good actor apart: on desk2's reach the error went from
 * 6 to 250 mm before it came back. With the old ones fine-tuning gets better from its first thousand updates on.
 */
import { decodeCheckpoint, encodeCheckpoint } from './checkpoint-file.js';

export const learnerFileName = 'learner.ckpt';

interface LearnerFile {
  readonly format: 'sim2servo/learner@1';
  readonly parameters: Readonly<Record<string, Float32Array>>;
}

/** @param parameters all of an engine's, by its names */
export function encodeLearner(parameters: Readonly<Record<string, Float32Array>>): Uint8Array {
  const beyondPolicy = Object.fromEntries(Object.entries(parameters).filter(([name]) => !name.startsWith('actor/')));
  return encodeCheckpoint({ format: 'sim2servo/learner@1', parameters: beyondPolicy } satisfies LearnerFile);
}

export function decodeLearner(bytes: Uint8Array, source: string): Readonly<Record<string, Float32Array>> {
  return (decodeCheckpoint(bytes, source) as LearnerFile).parameters;
}
