/**
 * Writes the JSON Schemas of robot.json, site.json, policy.json, fleet.json and of the bridge's messages, for editors, from the zod schemas that the kit itself reads with.
 * `node models/scripts/build-schemas.mjs [FOLDER]`; needs a build. What only code can check (duplicates, references) is not in them.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { bridgeMessagesSchema } from '../dist/src/bridge-messages.js';
import { manifestSchema } from '../dist/src/bundle/manifest.js';
import { fleetSchema } from '../dist/src/fleet.js';
import { robotSpecSchema } from '../dist/src/robot-spec.js';
import { siteSchema } from '../dist/src/site.js';

const folder = process.argv[2] ?? fileURLToPath(new URL('../schemas', import.meta.url));
const schemas = {
  robot: { title: 'A robot: what a policy may depend on', schema: robotSpecSchema },
  site: { title: 'A site: what belongs to one desk', schema: siteSchema },
  fleet: { title: 'A fleet: robots that are deployed to together', schema: fleetSchema },
  policy: { title: 'The manifest of a policy bundle', schema: manifestSchema },
  mqtt: {
    title: 'What a bridge and its hosts say on MQTT, under the last word of the topic',
    schema: bridgeMessagesSchema,
  },
};

mkdirSync(folder, { recursive: true });
for (const [name, { title, schema }] of Object.entries(schemas)) {
  const json = { title, ...z.toJSONSchema(schema, { io: 'input' }) };
  writeFileSync(join(folder, `${name}.schema.json`), `${JSON.stringify(json, null, 2)}\n`);
}
