import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { shippedRobots } from '../src/robot-folder.js';

const models = fileURLToPath(new URL('../..', import.meta.url));
const committed = join(models, 'schemas');

interface JsonSchema {
  readonly properties: Record<string, JsonSchema>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean;
  readonly description?: string;
  readonly items?: JsonSchema;
}

function read(name: string): JsonSchema {
  return JSON.parse(readFileSync(join(committed, `${name}.schema.json`), 'utf8')) as JsonSchema;
}

t.test('the committed JSON Schemas are those that the code reads with', async t => {
  const folder = t.testdir({});
  const { status, stderr } = spawnSync(process.execPath, [join(models, 'scripts', 'build-schemas.mjs'), folder], {
    encoding: 'utf8',
  });
  t.equal(status, 0, stderr);
  const names = [
    'fleet.schema.json',
    'mqtt.schema.json',
    'policy.schema.json',
    'robot.schema.json',
    'site.schema.json',
  ];
  t.same(readdirSync(folder).sort(), names);
  t.same(readdirSync(committed).sort(), names);
  for (const name of names)
    t.equal(
      readFileSync(join(committed, name), 'utf8'),
      readFileSync(join(folder, name), 'utf8'),
      `${name}; else run: node models/scripts/build-schemas.mjs`,
    );
});

t.test('an editor learns what is required, what is not allowed, and what things mean', async t => {
  const robot = read('robot');
  t.equal(robot.additionalProperties, false);
  t.ok(robot.required?.includes('joints'));
  t.notOk(robot.required?.includes('$schema'));
  t.equal(robot.properties.joints?.items?.additionalProperties, false);
  t.match(robot.properties.joints?.items?.properties.range?.description, /shield/);
  const site = read('site');
  t.notOk(site.required?.includes('trustedKeys'), 'what has a default may be left out');
  t.ok(read('policy').required?.includes('seal'));
});

t.test('the files of every shipped robot point at them', async t => {
  for (const name of readdirSync(shippedRobots))
    for (const file of ['robot', 'site']) {
      const path = join(shippedRobots, name, `${file}.json`);
      const { $schema } = JSON.parse(readFileSync(path, 'utf8')) as { $schema: string };
      t.equal(resolve(path, '..', $schema), join(committed, `${file}.schema.json`));
      t.ok(existsSync(resolve(path, '..', $schema)));
    }
});
