import { writeBundle } from '@sim2servo/models/bundle/write-bundle';
import { observationNames } from '@sim2servo/models/observe';
import { encodeModel, floatValue, onnxTypes } from '@sim2servo/models/onnx-model';
import { loadRobot } from '@sim2servo/models/robot-folder';
import { listedGoals } from '@sim2servo/runtime/goal-source';
import t from 'tap';
import { runOnRig } from '../../src/rig/run-on-rig.js';

const robot = loadRobot('desk2');
const names = observationNames(robot.spec);
const int64 = (name: string, values: number[]) => ({
  name,
  dims: [values.length],
  dataType: onnxTypes.int64,
  rawData: new Uint8Array(BigInt64Array.from(values.map(BigInt)).buffer),
});

/** x / x of the last executed actions: 1 in its golden vector, not a number as soon as an arm stands still. */
function zeroByZero(): Uint8Array {
  const first = names.indexOf('actions.0.shoulder');
  return encodeModel({
    irVersion: 8,
    producerName: 'test',
    opsetImport: [{ domain: '', version: 17 }],
    graph: {
      name: 'policy',
      node: [
        { opType: 'Slice', input: ['observation', 'from', 'to', 'axis'], output: ['x'] },
        { opType: 'Div', input: ['x', 'x'], output: ['action'] },
      ],
      initializer: [int64('from', [first]), int64('to', [first + 2]), int64('axis', [1])],
      input: [floatValue('observation', [1, names.length])],
      output: [floatValue('action', [1, 2])],
    },
  });
}

t.test(
  'a policy that gives NaN moves nothing: ticks are refused, then the run is stopped and the arm held',
  async t => {
    const folder = `${t.testdir({})}/policy`;
    writeBundle(folder, {
      name: 'zero by zero',
      robot,
      task: 'reach',
      controlRateHz: 50,
      model: zeroByZero(),
      golden: { observations: [names.map(() => 0.5)], actions: [[1, 1]] },
      provenance: { algorithm: 'none', config: {}, seed: 0, steps: 0, evaluation: {}, logs: [] },
      createdAt: new Date(0),
    });
    const report = await runOnRig({
      rig: 'avr-lockstep',
      robot,
      policyDir: folder,
      goals: listedGoals([Float64Array.of(0.15, 0.05, 0.06)], 100),
    });
    t.equal(report.end.kind, 'stopped');
    t.match(report.end.reason, /not a finite number for 5 ticks/);
    t.match(report.end.error, { exit: 'safetyStop' });
    t.equal(report.refused, robot.spec.safety.nonFiniteTicks);
    t.equal(report.end.haltError, undefined, 'the board was told to hold');
  },
);
