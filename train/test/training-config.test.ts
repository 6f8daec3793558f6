import t from 'tap';
import {
  defaultGymTrainingConfig,
  defaultTrainingConfig,
  gymTrainingSchema,
  loopSchema,
  parseTrainingConfig,
  robotTrainingSchema,
} from '../src/training-config.js';

t.test('the defaults are a valid configuration', t => {
  t.strictSame(parseTrainingConfig(structuredClone(defaultTrainingConfig), 'defaults'), defaultTrainingConfig);
  t.end();
});

t.test('an unknown key, a missing one and an impossible value are named by their path', t => {
  const { loop } = defaultTrainingConfig;
  const refused = (change: object) => () =>
    parseTrainingConfig({ ...defaultTrainingConfig, ...change }, 'run/config.json');
  t.throws(refused({ sneaky: 1 }), { code: 'E_TRAINING_CONFIG', message: /run\/config\.json.*sneaky/ });
  t.throws(refused({ loop: { ...loop, steps: 0 } }), { message: /loop\.steps/ });
  t.throws(refused({ sac: { ...defaultTrainingConfig.sac, gamma: 1.5 } }), { message: /sac\.gamma/ });
  t.throws(() => parseTrainingConfig(null, 'x'), { code: 'E_TRAINING_CONFIG' });
  t.end();
});

t.test('a gym task makes it a configuration without a robot', t => {
  t.strictSame(parseTrainingConfig(structuredClone(defaultGymTrainingConfig), 'defaults'), defaultGymTrainingConfig);
  t.throws(() => parseTrainingConfig({ ...defaultGymTrainingConfig, robot: 'desk2' }, 'x'), { message: /robot/ });
  t.throws(() => parseTrainingConfig({ ...defaultGymTrainingConfig, task: 'reach' }, 'x'), { message: /robot/ });
  t.end();
});

t.test('a configuration from before normalisation was a choice has it on', t => {
  const { normaliseObservations: _, ...loop } = defaultTrainingConfig.loop;
  t.strictSame(parseTrainingConfig({ ...defaultTrainingConfig, loop }, 'old'), defaultTrainingConfig);
  t.end();
});

t.test('every field says what it means', t => {
  const schemas = [robotTrainingSchema, gymTrainingSchema, loopSchema];
  for (const [name, field] of schemas.flatMap(schema => Object.entries(schema.shape)))
    if (!['format', 'loop', 'sac'].includes(name)) t.ok(field.description, name);
  t.end();
});
