/** A policy bundle that tests may write, forge and break: action = tanh(W · observation), as small as a graph can be. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Manifest, sealManifest } from '../../src/bundle/manifest.js';
import { type BundleContent, writeBundle } from '../../src/bundle/write-bundle.js';
import { sha256 } from '../../src/digest.js';
import { observationSize } from '../../src/observe.js';
import { encodeModel, floatValue, type OnnxGraph, type OnnxModel, onnxTypes } from '../../src/onnx-model.js';
import { type LoadedRobot, loadRobot } from '../../src/robot-folder.js';

export const robot: LoadedRobot = loadRobot('desk2');
export const observations = observationSize(robot.spec);
export const actions = robot.spec.joints.length;

const weights = Float32Array.from({ length: observations * actions }, (_, i) => Math.sin(i));

/** The graph as a record, changed where a test wants it wrong. */
export function smallModel(changes: Partial<OnnxModel> = {}, graph: Partial<OnnxGraph> = {}): OnnxModel {
  return {
    irVersion: 8,
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'policy',
      node: [
        { opType: 'MatMul', input: ['observation', 'w'], output: ['sum'] },
        { opType: 'Tanh', input: ['sum'], output: ['action'] },
      ],
      initializer: [
        {
          name: 'w',
          dims: [observations, actions],
          dataType: onnxTypes.float,
          rawData: new Uint8Array(weights.buffer),
        },
      ],
      input: [floatValue('observation', [1, observations])],
      output: [floatValue('action', [1, actions])],
      ...graph,
    },
    ...changes,
  };
}

/** What the graph computes. */
export function smallPolicy(observation: ArrayLike<number>): number[] {
  return Array.from({ length: actions }, (_, j) => {
    let sum = 0;
    for (let i = 0; i < observations; i++) sum += observation[i]! * weights[i * actions + j]!;
    return Math.tanh(sum);
  });
}

export function smallContent(changes: Partial<BundleContent> = {}): BundleContent {
  const golden = Array.from({ length: 3 }, (_, k) =>
    Array.from({ length: observations }, (_, i) => Math.fround(Math.cos(i + k))),
  );
  return {
    name: 'small',
    robot,
    task: 'reach',
    controlRateHz: 50,
    model: encodeModel(smallModel()),
    golden: { observations: golden, actions: golden.map(smallPolicy) },
    provenance: {
      algorithm: 'none',
      config: { width: 0 },
      seed: 1,
      steps: 0,
      evaluation: { meanReturn: 0.5 },
      logs: [],
    },
    createdAt: new Date(0),
    ...changes,
  };
}

/** Writes a good bundle and returns its folder. */
export function smallBundle(folder: string, changes: Partial<BundleContent> = {}): string {
  const path = join(folder, 'bundle');
  writeBundle(path, smallContent(changes));
  return path;
}

/** Makes a bundle that fits its digests and its seal, but says something else: what only a forger or a broken exporter writes. */
export function forge(
  folder: string,
  changeManifest: (manifest: Record<string, unknown>) => void,
  files: Readonly<Record<string, Uint8Array | string>> = {},
): string {
  const path = join(folder, 'policy.json');
  const { seal: _, ...manifest } = JSON.parse(readFileSync(path, 'utf8')) as Manifest;
  const listed: Record<string, string> = { ...manifest.files };
  for (const [name, bytes] of Object.entries(files)) {
    writeFileSync(join(folder, name), bytes);
    listed[name] = sha256(bytes);
  }
  const forged = { ...manifest, files: listed };
  changeManifest(forged);
  writeFileSync(path, sealManifest(forged));
  return folder;
}
