import t, { type Test } from 'tap';
import { parseJson } from '../src/json-file.js';
import { observationTerms, robotSpecSchema } from '../src/robot-spec.js';
import { desk2Json, spatialArm } from './arms.js';

type Json = Record<string, unknown>;
const read = (json: unknown) => parseJson(JSON.stringify(json), robotSpecSchema, 'robot');

/** desk2 with one place changed is refused with a complaint about `path`. */
function refused(t: Test, path: string, change: (json: ReturnType<typeof desk2Json>) => void, about = ''): void {
  const json = desk2Json();
  change(json);
  const pattern = new RegExp(`\n  ${path.replace(/[[\]().]/g, '\\$&')}: .*${about}`);
  t.throws(() => read(json), { code: 'E_FILE_SCHEMA', exit: 'usage', message: pattern }, `${path} ${about}`);
}

t.test('the shipped arm and one that moves in space are read', async t => {
  t.equal(read(desk2Json()).name, 'desk2');
  t.equal(spatialArm().joints.length, 3);
});

t.test('an axis that is not named is the z axis', async t => {
  t.same(read(desk2Json()).frames[0]?.axis, [0, 0, 1]);
});

t.test('an unknown key is refused wherever it stands, by name', async t => {
  const more = (part: object) => Object.assign(part, { colour: 'red' });
  refused(t, '(top level)', json => more(json), '"colour"');
  refused(t, 'joints[1]', json => more(json.joints[1]!), '"colour"');
  refused(t, 'frames[2]', json => more(json.frames[2]!), '"colour"');
  refused(t, 'action', json => more(json.action), '"colour"');
  refused(t, 'safety', json => more(json.safety), '"colour"');
});

t.test('a missing key is refused, by its path', async t => {
  for (const key of ['name', 'joints', 'frames', 'reachM', 'observation', 'actionHistory', 'action', 'safety', 'scene'])
    refused(t, key, json => delete (json as unknown as Json)[key]);
  refused(t, 'joints[0].maxVelocity', json => delete (json.joints[0] as unknown as Json).maxVelocity);
  refused(t, 'safety.softLimit', json => delete (json.safety as unknown as Json).softLimit);
});

t.test('another format is refused', async t => {
  refused(t, 'format', json => Object.assign(json, { format: 'sim2servo/robot@2' }));
});

t.test('impossible ranges are refused', async t => {
  refused(t, 'joints[0].range', json => json.joints[0]!.range.reverse(), 'below the upper');
  refused(t, 'joints[0].range', json => Object.assign(json.joints[0]!, { range: [1, 1] }), 'below the upper');
  refused(t, 'joints[0].range', json => Object.assign(json.joints[0]!, { range: [1] }));
  refused(t, 'joints[0].range[1]', json => Object.assign(json.joints[0]!, { range: [1, '2'] }));
});

t.test('a number that JSON can only write as too large is no number', async t => {
  const text = JSON.stringify(desk2Json()).replace('"maxVelocity":4', '"maxVelocity":1e999');
  t.throws(() => parseJson(text, robotSpecSchema, 'robot'), { message: /\n {2}joints\[0\]\.maxVelocity: / });
});

t.test('a home outside the range is refused', async t => {
  refused(t, 'joints[1].home', json => Object.assign(json.joints[1]!, { home: 0 }), 'inside range');
  refused(t, 'joints[1].home', json => Object.assign(json.joints[1]!, { home: 2.7 }), 'inside range');
});

t.test('maxima, lengths and times must be more than 0', async t => {
  for (const key of ['maxVelocity', 'maxAcceleration'] as const)
    for (const value of [0, -1])
      refused(t, `joints[0].${key}`, json => Object.assign(json.joints[0]!, { [key]: value }));
  refused(t, 'reachM', json => Object.assign(json, { reachM: 0 }));
  refused(t, 'action.scale', json => Object.assign(json.action, { scale: 0 }));
  refused(t, 'safety.armingRampS', json => Object.assign(json.safety, { armingRampS: 0 }));
  refused(t, 'safety.nonFiniteTicks', json => Object.assign(json.safety, { nonFiniteTicks: 0 }));
  refused(t, 'safety.staleTicks', json => Object.assign(json.safety, { staleTicks: 1.5 }));
});

t.test('names that stand twice are refused', async t => {
  refused(t, 'joints[1].name', json => Object.assign(json.joints[1]!, { name: 'shoulder' }), "'shoulder' stands twice");
  refused(t, 'frames[2].name', json => Object.assign(json.frames[2]!, { name: 'forearm' }), "'forearm' stands twice");
  refused(t, 'frames[1].joint', json => Object.assign(json.frames[1]!, { joint: 'shoulder' }), 'already turns another');
  refused(t, 'observation', json => json.observation.push('position'), 'twice');
});

t.test('a frame hangs on an earlier one, and turns by a joint that exists', async t => {
  refused(
    t,
    'frames[1].parent',
    json => Object.assign(json.frames[1]!, { parent: 'fingertip' }),
    "no earlier frame .*'fingertip'",
  );
  refused(t, 'frames[1].parent', json => Object.assign(json.frames[1]!, { parent: 'forearm' }), 'no earlier frame');
  refused(
    t,
    'frames[0].joint',
    json => Object.assign(json.frames[0]!, { joint: 'wrist' }),
    "no joint is named 'wrist'",
  );
});

t.test('an axis that points nowhere is refused', async t => {
  refused(t, 'frames[0].axis', json => Object.assign(json.frames[0]!, { axis: [0, 0, 0] }), 'points nowhere');
});

t.test('a soft limit that leaves nothing of a range is refused', async t => {
  refused(t, 'safety.softLimit', json => Object.assign(json.safety, { softLimit: 1.25 }), 'elbow');
});

t.test('there is at least one joint, one frame and one term', async t => {
  for (const key of ['joints', 'frames', 'observation']) refused(t, key, json => Object.assign(json, { [key]: [] }));
});

t.test('terms and kinds are those that the kit has', async t => {
  refused(t, 'observation[0]', json => Object.assign(json, { observation: ['torque'] }));
  refused(t, 'action.kind', json => Object.assign(json.action, { kind: 'torque' }));
  refused(t, 'joints[0].unit', json => Object.assign(json.joints[0]!, { unit: 'deg' }));
  refused(t, 'actionHistory', json => Object.assign(json, { actionHistory: 0 }));
  refused(t, 'actionHistory', json => Object.assign(json, { actionHistory: 9 }));
});

t.test('a scene lies beside robot.json: no path leads elsewhere', async t => {
  for (const scene of ['../scene.xml', '/etc/scene.xml', 'a/scene.xml', 'scene.txt', ''])
    refused(t, 'scene', json => Object.assign(json, { scene }));
});

t.test('names are plain, so that they may stand in file names and topics', async t => {
  for (const name of ['Desk', 'desk 2', '2desk', 'desk/2', ''])
    refused(t, 'name', json => Object.assign(json, { name }));
});

t.test('several complaints come together', async t => {
  const json = desk2Json();
  json.joints[0]!.maxVelocity = -1;
  json.action.scale = 0;
  t.throws(() => read(json), { message: /joints\[0\]\.maxVelocity[\s\S]*action\.scale/ });
});

t.test('every term has a sentence that says what it is', async t => {
  for (const sentence of Object.values(observationTerms)) t.ok(sentence.length > 20);
});
